"""The graph of a training step: its nodes, its scopes, and the picture of a position."""
