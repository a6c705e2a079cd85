"""What is told of a folded scope, wherever it shows."""

from math import inf, nextafter

from stepgrad.numbers import number
from stepgrad.replay.outline import ScopeLine
from stepgrad.replay.state import State
from stepgrad.replay.summary import Summary, never_reached


def shares(state: State, line: ScopeLine, known: Summary) -> str:
    """Which shares of its gradients are no numbers, exactly 0 or never reached; empty for none."""
    told = (("!nan", known.broken), ("0", known.zeros), ("∅", never_reached(state, line)))
    return " ".join(f"{glyph} {_percent(part, len(line.nodes))}" for glyph, part in told if part)


def span(known: Summary) -> str:
    """From the smallest magnitude to the largest; empty where there is none."""
    if known.low > known.high:
        return ""
    low, high = _brief(known.low), _brief(known.high)
    return high if low == high else f"{low}…{high}"


def _brief(size: float) -> str:
    """A magnitude in two digits; in one, where it needs an exponent."""
    if size == 0 or 1e-3 <= size < 1e5 or size == inf:
        return number(nextafter(size, size * inf), 2) if size else "0"  # halves go up
    mantissa, exponent = f"{size:.0e}".split("e")
    return f"{mantissa}e{int(exponent)}".replace("-", "−")


def _percent(part: int, whole: int) -> str:
    """A share, of which only all is 100% and only nothing 0%."""
    return f"{min(max(round(100 * part / whole), 1), 99 if part < whole else 100)}%"
