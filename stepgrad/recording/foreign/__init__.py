"""Backward passes that a program runs itself, with an engine that is not ours.

Whoever watches the engine says at the `door` what it does. What its rules wrote becomes a block by
`walks`, whose shape is a `sweep`; the events of it are `derived`, with what would be right. What no
event can show is a `remark`. PyTorch, which is compared while it runs, leaves remarks only; how far
its gradients may be off by rounding is in `rounded`. What classes call their numbers and gradients
is in `names`.
"""
