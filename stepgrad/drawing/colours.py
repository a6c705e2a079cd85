"""The colours of what is drawn, by meaning: the same on the screen and on paper."""

from collections.abc import Mapping
from math import isfinite

DARK: Mapping[str, str] = {
    "forward": "#7bd88f",
    "backward": "#c4a7ff",
    "writing": "#5ad4e6",
    "current": "#fce566",
    "positive": "#6cb6ff",
    "negative": "#ffab5e",
    "selected": "#2f3b52",
}
"""On a dark background."""

LIGHT: Mapping[str, str] = {
    "forward": "#116329",
    "backward": "#6b21c8",
    "writing": "#0b5566",
    "current": "#6b4500",
    "positive": "#0a4f96",
    "negative": "#8f3f06",
    "selected": "#a9c4f5",
}
"""On a light background."""


def sign(x: float | None) -> str:
    """Return which colour a number has: `broken` is nan or infinite, and none is like `zero`."""
    if not x:
        return "zero"
    if not isfinite(x):
        return "broken"
    return "positive" if x > 0 else "negative"
