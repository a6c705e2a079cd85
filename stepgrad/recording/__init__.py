"""The event log: what a program did, stored small, and every event of it derived on demand.

Stored are structures (shared by all passes of the same shape), a column of values for each
forward pass and one of final gradients for each backward pass, and the writes. Local derivatives,
contributions and partly accumulated gradients follow from those.
"""
