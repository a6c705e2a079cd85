"""Questions about what gradients reach: is a parameter in the graph, and is the way to it open?"""
