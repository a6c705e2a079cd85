"""Numbers as people read and type them."""

import sys
from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from math import inf, isfinite


def number(x: float, digits: int = 6) -> str:
    """Six significant digits, an integer as an integer, a true minus sign, no negative zero.

    Positional if that takes at most nine characters without the sign, otherwise scientific:
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


def read_back(x: float, digits: int = 6) -> float:
    """The number that a person reads where `x` is shown with six digits."""
    return float(number(x, digits).replace("−", "-"))


def worked(compute: Callable[..., float], numbers: Sequence[float]) -> list[str]:
    """Numbers to show beside what is computed from them, with six digits where these suffice.

    A number that shows fewer, as 1.000003 does, reads as if it were exactly 1. Where that would
    give another result, it gets as many digits as it takes to look different, up to nine.
    """
    shown = [number(x) for x in numbers]
    if number(compute(*map(read_back, numbers))) == number(compute(*numbers)):
        return shown
    return [
        next((more for n in range(7, 10) if (more := number(x, n)) != text), text)
        if text == number(x, 5)
        else text
        for x, text in zip(numbers, shown, strict=True)
    ]


def exact(x: float) -> str:
    """A number with all its digits: the fewest that read back as the same number."""
    return number(x, next((n for n in range(6, 17) if read_back(x, n) == x), 17))


def typed(text: str) -> tuple[Decimal, Decimal]:
    """Return a number or a fraction that a person typed, and the unit of its last digit.

    The unit is 0 for a fraction. The minus sign and ∞ of our own output are understood, too.

    Raises:
        ValueError: it is neither; says what to write.
    """
    plain = text.strip().replace("−", "-").replace("∞", "inf")
    over, slash, under = plain.partition("/")
    try:
        if slash:
            return Decimal(float(over) / float(under)), Decimal(0)
        given = Decimal(f"{float(plain)}" if "nan" in plain.casefold() else plain)
    except (InvalidOperation, ValueError, ZeroDivisionError):
        pointed = "a decimal point, as in " if "," in plain else ""
        raise ValueError(
            f"`{shortened(text.strip())}` is not a number; "
            f"write {pointed}0.25, −3, 2e-3, 1/3, inf or nan"
            if plain
            else "write a number, such as 0.25, −3, 2e-3 or 1/3"
        ) from None
    exponent = given.as_tuple().exponent
    return given, Decimal((0, (1,), exponent)) if isinstance(exponent, int) else Decimal(0)


def shortened(text: str) -> str:
    """The beginning of what was typed, short enough for a message."""
    return text if len(text) <= _TYPED else f"{text[: _TYPED - 1]}…"


_TYPED = 20


def corrected(x: float, right: float | None) -> str:
    """A number, and the right one beside it if it is wrong: `14.1225 ✗ 4`."""
    return number(x) if right is None else f"{number(x)} ✗ {number(right)}"


def factor(x: float) -> str:
    """A number as a factor or a subtrahend: a negative one is in brackets."""
    return bracketed(number(x))


def bracketed(text: str) -> str:
    """The text of a number, in brackets if it is negative."""
    return f"({text})" if text.startswith("−") else text


def gradient_inline(grad: float | None) -> str:
    """A gradient within a sentence: its number, or `–` if it is not reached yet."""
    return "–" if grad is None else number(grad)


def gradient(grad: float | None) -> str:
    """A gradient in a column, or its state: `–` not reached yet, `!nan`, `~0` all but vanished.

    `~0` is below the smallest normal number, where digits are lost one by one.
    """
    if grad is None:
        return "–"
    if grad != grad:
        return "!nan"
    return "~0" if 0 < abs(grad) < sys.float_info.min else number(grad)


def fitting(text: str, x: float | None, width: int) -> str:
    """A number's text, with fewer digits if it is wider than its column, in the end as `−5e−3`."""
    digits = 5
    while x is not None and len(text) > width and digits:
        text, digits = number(x, digits), digits - 1
    if x is None or len(text) <= width or not isfinite(x):
        return text
    mantissa, exponent = f"{x:.0e}".replace("-", "−").split("e")
    short = f"{mantissa}e{exponent[0].strip('+')}{exponent[1:].lstrip('0')}"
    return min(text, short, key=len)


def fitting_change(old: tuple[str, float | None], new: tuple[str, float | None], width: int) -> str:
    """A number before and after an edit, `2 → 2.1`, with as many digits as fit in a width.

    Where too few fit to tell the two apart, only the new one: `→2.10001`. Empty where that
    does not fit either, or the two read the same.
    """
    if old[0] == new[0]:
        return ""
    pairs = [
        tuple(number(x, digits) if digits and x is not None else text for text, x in (old, new))
        for digits in (0, 5, 4, 3)
    ]
    apart = [(before, after) for before, after in pairs if before != after]
    told = [f"{before}{arrow}{after}" for before, after in apart for arrow in (" → ", "→")]
    alone = [f"→{after}" for _, after in pairs]
    return next((each for each in (*told, *alone) if len(each) <= width), "")


def for_json(x: float | None) -> float | str | None:
    """A number as JSON can write it: infinities and nan are strings, as Python writes them."""
    return x if x is None or isfinite(x) else str(x)
