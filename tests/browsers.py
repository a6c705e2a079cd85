"""Which browser the tests of pages drive: the Chromium of the system, or none."""

from __future__ import annotations

import os
import shutil

MISSING = "without Chromium, the tests in a browser are skipped: install your system's `chromium`"

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def chromium() -> str | None:
    """Return where it is: what CHROMIUM names, or the first that is installed."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
