"""Questions about gradients between passes and updates: cleared, added up, used once, in time?"""

NAMES = (
    *("not_cleared", "doubled", "overwritten", "wiped", "stale"),
    *("wrong_parameters", "updated_twice", "lost_update"),
)
"""The verdicts beside which steps are not to blame: they follow gradients that are wrong."""
