"""How a number is written for a person."""

import sys
from math import inf, isfinite


def number(x: float, digits: int = 6) -> str:
    """Six significant digits, an integer as an integer, a true minus sign, no negative zero.

    Positional where that takes up to nine characters besides the sign, otherwise scientific:
    `0.00001`, `−9.53674e−7`.
    """
    if x != x:
        return "nan"
    if x in (inf, -inf):
        return "inf" if x > 0 else "−inf"
    text = f"{x:.{digits}g}"
    if "e" in text:
        mantissa, exponent = text.split("e")
        places = len(mantissa.replace(".", "").lstrip("-")) - 1 - int(exponent)
        positional = f"{x:.{max(places, 0)}f}"
        text = positional if len(positional.lstrip("-")) <= 9 else f"{mantissa}e{int(exponent)}"
    return "0" if text == "-0" else text.replace("-", "−")


def read_back(x: float) -> float:
    """The number that a person reads where another is written with its six digits."""
    return float(number(x).replace("−", "-"))


def factor(x: float) -> str:
    """A number as a factor or a subtrahend: brackets around a negative one."""
    text = number(x)
    return f"({text})" if text.startswith("−") else text


def gradient(grad: float | None) -> str:
    """A gradient, or its state: `–` not reached yet, `!nan`, `~0` where it has all but vanished.

    That is below the smallest normal number, where its digits are lost one by one.
    """
    if grad is None:
        return "–"
    if grad != grad:
        return "!nan"
    return "~0" if 0 < abs(grad) < sys.float_info.min else number(grad)


def fitting(text: str, x: float | None, width: int) -> str:
    """A number's text, with fewer digits where it is wider than a column."""
    digits = 5
    while x is not None and len(text) > width and digits:
        text, digits = number(x, digits), digits - 1
    return text


def for_json(x: float | None) -> float | str | None:
    """A number as JSON can write it: infinities and nan are texts, as Python writes them."""
    return x if x is None or isfinite(x) else str(x)
