"""Questions about gradients between passes and updates: cleared, added up, used once, in time?"""

NAMES = ("not_cleared", "doubled", "overwritten", "wiped", "stale", "updated_twice")
"""The verdicts beside which what steps do to the loss says nothing about the steps."""
