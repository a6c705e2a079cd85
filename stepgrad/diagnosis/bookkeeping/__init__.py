"""Questions about gradients between passes and updates: cleared, added up, used once, in time?

And do updates serve: does each parameter move, by its own gradient (`exchanged.py`, `left_out.py`),
and does it keep what it had (`lost.py`, `growing.py`, `remade.py`)? The numbers show that
something is wrong, and the text which line it is: `updates.py` reads the lines, `along.py` says
which are updates, by what `flow.py` knows of variables. Results that are not used at all:
`last_only.py` for losses, `unused.py` for gradients.
"""

NAMES = (
    *("not_cleared", "doubled", "overwritten", "wiped", "stale"),
    *("wrong_parameters", "updated_twice", "lost_update"),
)
"""The verdicts beside which steps are not to blame: they follow gradients that are wrong."""
