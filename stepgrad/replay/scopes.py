"""The summary of a folded scope in words, the same wherever it is shown."""

from math import inf, nextafter

from stepgrad.numbers import number
from stepgrad.replay.outline import ScopeLine
from stepgrad.replay.state import State
from stepgrad.replay.summary import Summary, never_reached


def shares(state: State, line: ScopeLine, known: Summary) -> str:
    """The shares of its gradients that are nan, exactly 0 or never reached; empty if none are."""
    told = (("!nan", known.broken), ("0", known.zeros), ("∅", never_reached(state, line)))
    return " ".join(f"{glyph} {_percent(part, len(line.nodes))}" for glyph, part in told if part)


def span(known: Summary) -> str:
    """From the smallest magnitude to the largest; empty without gradients."""
    if known.low > known.high:
        return ""
    low, high = _brief(known.low), _brief(known.high)
    return high if low == high else f"{low}…{high}"


def _brief(size: float) -> str:
    """A magnitude with two digits, or with one if it needs an exponent."""
    if size == 0 or 1e-3 <= size < 1e5 or size == inf:
        return number(nextafter(size, size * inf), 2) if size else "0"  # halves go up
    mantissa, exponent = f"{size:.0e}".split("e")
    return f"{mantissa}e{int(exponent)}".replace("-", "−")


def _percent(part: int, whole: int) -> str:
    """A share as a percentage; only the whole is 100%, and only nothing is 0%."""
    return f"{min(max(round(100 * part / whole), 1), 99 if part < whole else 100)}%"
