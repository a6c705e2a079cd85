"""What colours mean, in the words of the theme. Every state also has a glyph of its own."""

from textual.content import Content

Span = tuple[str, str]
"""A stretch of text and its style."""

PLAIN = ""
NAME = "bold"
QUIET = "$foreground-muted"
FORWARD = "$forward"
BACKWARD = "$backward"
WRITING = "$writing"
CURRENT = "bold $current"
SELECTED = "on $selected"
POSITIVE = "$positive"
NEGATIVE = "$negative"
BROKEN = "reverse $negative"
HALT = "bold $negative"

DARK = {
    "forward": "#7bd88f",
    "backward": "#c4a7ff",
    "writing": "#5ad4e6",
    "current": "#fce566",
    "positive": "#6cb6ff",
    "negative": "#ffab5e",
    "selected": "#2f3b52",
}
LIGHT = {
    "forward": "#1a7f37",
    "backward": "#7c3aed",
    "writing": "#0e7490",
    "current": "#8a5a00",
    "positive": "#0b5cad",
    "negative": "#b45309",
    "selected": "#cfe0ff",
}
"""The colours themselves, as theme variables, on a dark and on a light ground."""

PHASES = {"forward": FORWARD, "backward": BACKWARD, "zero": WRITING, "update": WRITING}
ARROWS = {"forward": "▶", "backward": "◀", "zero": "×", "update": "△", "mark": "▶"}

STOP, BOOKMARK = "●", "◆"
BARS = "▁▂▃▄▅▆▇█"


def sign(x: float | None) -> str:
    """The style of a number: its sign, or that it is none."""
    if x is None or x == 0:
        return QUIET
    if x != x or x in (float("inf"), float("-inf")):
        return BROKEN
    return POSITIVE if x > 0 else NEGATIVE


def fit(text: str, width: int) -> str:
    """Text in exactly so many cells; one that is too long is cut at its end."""
    cells = Content(text)
    if cells.cell_length > width:
        cells = cells.truncate(width, ellipsis=True)
    return cells.plain + " " * (width - cells.cell_length)


def lines(*rows: list[Span]) -> Content:
    """Join rows of spans to one text."""
    return Content("\n").join(Content.assemble(*row) for row in rows)
