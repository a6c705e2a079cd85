"""How a number is written for a person."""

from math import inf


def number(x: float) -> str:
    """Six significant digits, an integer as an integer, a true minus sign, no negative zero.

    Positional where that takes up to nine characters besides the sign, otherwise scientific:
    `0.00001`, `−9.53674e−7`.
    """
    if x != x:
        return "nan"
    if x in (inf, -inf):
        return "inf" if x > 0 else "−inf"
    text = f"{x:.6g}"
    if "e" in text:
        mantissa, exponent = text.split("e")
        digits = len(mantissa.replace(".", "").lstrip("-"))
        places = digits - 1 - int(exponent)
        positional = f"{x:.{max(places, 0)}f}"
        text = positional if len(positional.lstrip("-")) <= 9 else f"{mantissa}e{int(exponent)}"
    return "0" if text == "-0" else text.replace("-", "−")


def factor(x: float) -> str:
    """A number as a factor or a subtrahend: brackets around a negative one."""
    text = number(x)
    return f"({text})" if text.startswith("−") else text


def gradient(grad: float | None) -> str:
    """A gradient: `–` where nothing has reached it, `~0` where it is too small to print."""
    if grad is None:
        return "–"
    return number(grad)
