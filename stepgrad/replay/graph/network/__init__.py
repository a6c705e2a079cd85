"""A recording as layers of neurons: recognised in a forward pass, row by row, with its numbers.

Nothing is declared by the program: a neuron is a scope such as `layer1/neuron2` in which a weighted
sum is made, and neurons are a network if each layer takes exactly the outputs of the one before.
"""
