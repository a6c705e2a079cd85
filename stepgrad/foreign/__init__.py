"""A program that brings its own scalar autograd class, watched while it runs as it is.

The class computes, and its rules write gradients; nothing here has a say in that. What is seen is
reported to a recorder: the nodes that are made, of what and by which operation, and the writes to
values and gradients, each with the rule that it belongs to. What is right and wrong with them is
judged elsewhere, from the recording.

- `classes.py` finds such classes, and has every write to an attribute of theirs reported.
- `nodes.py`: a `Shadow` stands in for each object of the program, and keeps none alive.
- `frames.py` knows what the code on the stack is for: a constructor, the class, or the program;
  `sites.py` has what is known of its instructions.
- `making.py` has the object that is being made, and `parts.py` what its attributes say. What it is
  made of is found by `makers.py` from the calls that make it (`calls.py`), for a class with a tape
  by `taped.py`, and reported by `computing.py`; `numeric.py` differentiates what is not in the op
  table, where it may run again (`purity.py`), and `operators.py` looks whether operators give what
  they stand for.
- `rules.py` finds what a write to a gradient is, `owners.py` whose rule, and `oddities.py` what is
  odd about it; `statements.py` reads the line that writes. `paths.py` has what arrives where a
  recursive pass writes no gradient. A pass with a stack or a queue goes as a `worklists.py`;
  `popping.py` reads what comes off it.
- `watch.py` is the one call that opens all this, and `door.py` what it reports to.
"""

from stepgrad.foreign.watch import watching

__all__ = ["watching"]
