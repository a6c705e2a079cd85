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


HIGH_CONTRAST: Mapping[str, str] = {
    "forward": "#7dff8e",
    "backward": "#d9b8ff",
    "writing": "#7df3ff",
    "current": "#ffff5c",
    "positive": "#9bd0ff",
    "negative": "#ffbf80",
    "selected": "#00306e",
}
"""On black, each at least 7 times as light."""

HIGH_CONTRAST_LIGHT: Mapping[str, str] = {
    "forward": "#004d1a",
    "backward": "#4a0099",
    "writing": "#00404d",
    "current": "#4d3000",
    "positive": "#00337a",
    "negative": "#7a2a00",
    "selected": "#cfe0ff",
}
"""On white."""

COLOUR_BLIND: Mapping[str, str] = {
    "forward": "#56b4e9",
    "backward": "#e69f00",
    "writing": "#b0b0b0",
    "current": "#ffffff",
    "positive": "#56b4e9",
    "negative": "#e69f00",
    "selected": "#23406b",
}
"""On a dark background: two hues, blue and orange, that every eye tells apart, and greys."""

COLOUR_BLIND_LIGHT: Mapping[str, str] = {
    "forward": "#00548c",
    "backward": "#8a3c00",
    "writing": "#5c5c5c",
    "current": "#000000",
    "positive": "#00548c",
    "negative": "#8a3c00",
    "selected": "#cfdcf2",
}
"""The same on a light background."""


def sign(x: float | None) -> str:
    """Return which colour a number has: `broken` is nan or infinite, and none is like `zero`."""
    if not x:
        return "zero"
    if not isfinite(x):
        return "broken"
    return "positive" if x > 0 else "negative"
