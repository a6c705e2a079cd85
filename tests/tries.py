"""How many examples a law is tried with."""

from __future__ import annotations

import os


def tries(count: int) -> int:
    """Return `count` on a server, and half of it where a person waits for the tests."""
    return count if "CI" in os.environ else count // 2
