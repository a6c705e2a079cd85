"""What a plain scalar is: a number, `true` or `false`, nothing, or else text.

YAML's own rules read `1e-3` as text and `no` as a boolean; these are the few that a reader expects.
"""

from __future__ import annotations

import re

_DIGITS = r"[0-9]+(?:_[0-9]+)*"
_WHOLE = re.compile(rf"[-+]?{_DIGITS}")
_NUMBER = re.compile(rf"[-+]?(?:{_DIGITS}(?:\.(?:{_DIGITS})?)?|\.{_DIGITS})(?:[eE][-+]?[0-9]+)?")
_INFINITY = re.compile(r"[-+]?\.(?:inf|Inf|INF)")

WORDS: dict[str, float | bool | None] = {
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
}
"""Words that are not text."""


def is_number(text: str) -> bool:
    """Whether a plain scalar with this text is a finite number."""
    return _NUMBER.fullmatch(text) is not None


def is_whole(text: str) -> bool:
    """Whether a plain scalar with this text is a number without a decimal point or an exponent."""
    return _WHOLE.fullmatch(text) is not None


def is_infinity(text: str) -> bool:
    """Whether a plain scalar with this text is infinity, with either sign."""
    return _INFINITY.fullmatch(text) is not None
