"""A program that brings its own scalar autograd class, watched while it runs as it is.

The class computes, and its rules write gradients; nothing here has a say in that. What is seen is
reported to a recorder: the nodes that are made, of what and by which operation, and the writes to
values and gradients, each with the rule that it belongs to. What is right and wrong with them is
judged elsewhere, from the recording.

- `classes.py` finds such classes, and has every write to an attribute of theirs reported.
- `frames.py` knows what the code on the stack is for: a constructor, the class, or the program.
- `nodes.py` stands in for the objects of the program: a `Shadow` for each.
- `makers.py` finds the operation and the operands of a new object; `sites.py` remembers them.
- `rules.py` finds whose rule a write to a gradient is; `statements.py` reads the line that writes.
- `numeric.py` differentiates an operation that has no row in the op table.
- `watch.py` is the one call that opens all this.
"""

from stepgrad.foreign.watch import instances, watching

__all__ = ["instances", "watching"]
