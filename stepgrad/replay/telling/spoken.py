"""Notation in words, because what looks right does not sound right.

Screen readers skip brackets, read `·` as nothing or as "middle dot", and read `−8` as 8.
"""

import re

_POWERS = {"²": "squared", "³": "cubed"}
_DIGITS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
_SPOKEN = (
    (r"\bnan\b", "not a number"),
    (r"\binf\b", "infinity"),
    (r"(?<=\d)e(?=−?\d)", " times 10 to the power of "),
    (r"(?<=[\w\d])\(", " of ("),  # a function: relu(z)
    (r"…", "more"),  # in a title that was cut
    (r" − ", " minus "),
    (r"−", "minus "),
    (r"·", " times "),
    (r" / ", " divided by "),
    (r" \+ ", " plus "),
    (r"\^", " to the power of "),
    (r" ≤ ", " is at most "),
    (r" ≥ ", " is at least "),
    (r" < ", " is less than "),
    (r" > ", " is greater than "),
    (r" = ", " equals "),
    (r" ≠ ", " is not "),
    (r"\((minus [\w.]+)\)(?! squared| cubed| to the)", r"\1"),  # clear without brackets
    (r"(?<=of )\(([\w.]+(?:, [\w.]+)*)\)", r"\1"),  # so is a function of names
    (r"\(", "open bracket "),
    (r"\)", " close bracket"),
    (r"#(?=\d)", "node number "),
    (r"[/_]", " "),  # scopes, and names of several words
)


def spoken(notation: str) -> str:
    """Say a formula, a condition, a number or a name: `2·x ≤ 0` as `2 times x is at most 0`."""
    text = re.sub(r"(⁻?)([⁰¹²³⁴⁵⁶⁷⁸⁹]+)", _power, notation)
    for pattern, words in _SPOKEN:
        text = re.sub(pattern, words, text)
    return text


def _power(raised: re.Match[str]) -> str:
    sign, digits = raised.groups()
    if not sign and digits in _POWERS:
        return f" {_POWERS[digits]}"
    return f" to the power of {'−' if sign else ''}{digits.translate(_DIGITS)}"
