"""What colours mean, in terms of the theme. Every state also has a glyph of its own."""

from collections.abc import Mapping

from rich.cells import cell_len
from textual.color import Color
from textual.content import Content

from stepgrad.drawing import colours
from stepgrad.printable import printable, shortened

Span = tuple[str, str]
"""A stretch of text and its style."""

PLAIN = ""
NAME = "bold"
QUIET = "$foreground-muted"
RULE = "not bold $rule"
FORWARD = "$forward"
BACKWARD = "$backward"
WRITING = "$writing"
CURRENT = "bold $current"
SELECTED = "on $selected"
POSITIVE = "$positive"
NEGATIVE = "$negative"
BROKEN = "reverse $negative"
HALT = "bold $negative"

_SIGNS = {"zero": QUIET, "broken": BROKEN, "positive": POSITIVE, "negative": NEGATIVE}

SHADES = 3
"""How many shades an area has, from pale to full."""


BACKGROUNDS = {True: "#121212", False: "#f5f5f5"}
"""The colour behind everything, dark or not, where it is not known better."""


def shades(named: Mapping[str, str], background: str) -> dict[str, str]:
    """The shades: blends with the background, because areas of two colours meet in one cell."""
    return {
        f"{side}-{i}": Color.parse(background).blend(Color.parse(named[side]), 0.3 + 0.25 * i).hex
        for side in ("positive", "negative")
        for i in range(SHADES)
    }


def greys(*, dark: bool) -> dict[str, str]:
    """The shades where there are no colours: from one side of 0 to the other in even steps.

    Two colours that are equally light would become the same grey.
    """
    background, ink = (Color.parse(BACKGROUNDS[each]) for each in (dark, not dark))
    return {
        f"{side}-{i}": background.blend(ink, 0.31 + sign * (0.05 + 0.08 * i)).hex
        for side, sign in (("positive", 1), ("negative", -1))
        for i in range(SHADES)
    }


PHASES = {
    "forward": FORWARD,
    "backward": BACKWARD,
    "zero": WRITING,
    "set": WRITING,
    "update": WRITING,
}
ARROWS = {"forward": "▶", "backward": "◀", "zero": "×", "set": "=", "update": "△", "mark": "▶"}

STOP, BOOKMARK, VERDICT, ALARM = "●", "◆", "!", "⚠"
SELECTION, MISTAKE = "›", "✗"
BARS = "▁▂▃▄▅▆▇█"


def shade(x: float) -> str:
    """The style of an area, by the sign of a number and its distance from 0; 1 is far."""
    side = "positive" if x > 0 else "negative"
    return f"${side}-{min(int(abs(x) * SHADES), SHADES - 1)}"


def sign(x: float | None) -> str:
    """The style of a number, by its sign; also of one that is missing or not finite."""
    return _SIGNS[colours.sign(x)]


def doing(action: str, *arguments: object) -> str:
    """The style of a text that can be clicked: the screen then does an action."""
    return f"@click=screen.{action}({', '.join(map(repr, arguments))})"


def fit(text: str, width: int) -> str:
    """Text in exactly `width` cells; one that is too long is cut at its end."""
    text = printable(text)
    missing = width - cell_len(text)
    if missing >= 0:
        return text + " " * missing
    return Content(text).truncate(max(width, 0), ellipsis=True, pad=True).plain


def fit_name(name: str, width: int) -> str:
    """A name or a path in exactly `width` cells; of one that is too long, the end stays."""
    name = printable(name)
    rooms = range(min(width, len(name)), 0, -1)  # a wide character takes two
    names = (shortened(name, room) for room in rooms)
    return fit(next((each for each in names if cell_len(each) <= width), ""), width)


def line(*spans: Span) -> Content:
    """Join spans to a text of one line."""
    return Content.assemble(*((printable(text), style) for text, style in spans))


def lines(*rows: list[Span]) -> Content:
    """Join rows of spans to one text."""
    return Content("\n").join(line(*row) for row in rows)
