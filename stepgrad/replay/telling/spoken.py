"""Notation in words, because what looks right does not sound right.

Screen readers skip brackets, read `·` as nothing or as "middle dot", and read `−8` as 8.
"""

import re
from collections.abc import Callable
from functools import lru_cache

_BRACKETS = r"\((?:[^()]|\([^()]*\))*\)"
_TERM = rf"(?:\w*{_BRACKETS}|[\w./]*\w)"
_NAME = r"[\w.\[\]']+"
_NAMES = rf"{_NAME}(?:(?:, | and so on to ){_NAME})*"
_POWERS = {"²": "squared", "³": "cubed"}
_DIGITS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
_SMALL = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
_NUMBER = r"[₀-₉]+", lambda number: f" sub {number[0].translate(_SMALL)}"
_SPOKEN: tuple[tuple[str, str | Callable[[re.Match[str]], str]], ...] = (
    (r"\bnan\b", "not a number"),
    (r"\binf\b", "infinity"),
    (r"(?<=\d)e(?=−?\d)", " times 10 to the power of "),
    (r"(?<=[\w\d])\(", " of ("),  # a function: relu(z)
    (r", …, ", " and so on to "),  # operands that are left out
    (r"…", "earlier terms"),  # of a sum whose title was cut
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
    (rf"(?<=of )\(({_NAMES})\)", r"\1"),  # so is a function of names
    (r"\(", "open bracket "),
    (r"\)", " close bracket"),
    (r"#(?=\d)", "node number "),
    (r"[/_]", " "),  # scopes, and names of several words
    _NUMBER,
)


@lru_cache(maxsize=4096)  # a training loop says the same names and formulas at every step
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


_PARTIAL = "∂A/∂A".replace("A", f"({_TERM})")
_GREEK = {"δ": "delta", "ε": "epsilon", "η": "eta", "σ": "sigma"}

_READ_OUT: tuple[tuple[str, str | Callable[[re.Match[str]], str]], ...] = (
    (_PARTIAL.replace("∂", "∂₁", 1),
     "the local derivative of \\1 with respect to the first operand, \\2"),
    (_PARTIAL.replace("∂", "∂₂", 1),
     "the local derivative of \\1 with respect to the second operand, \\2"),
    (_PARTIAL, "the local derivative of \\1 with respect to \\2"),
    (r"∂", "curly d"),
    (rf"\bd({_TERM})/d({_TERM})", "the derivative of \\1 with respect to \\2"),
    (rf"((?:\w*{_BRACKETS}|[\w/#·]+)+)\.grad\b", r"the gradient of \1"),
    (r"\b([\w-]+\.(?:py|ya?ml)):(\d+)", r"line \2 of \1"),
    (r"\bscore (\d+)/(\d+)", r"score \1 of \2"),
    (r"⚠ ?", "warning: "),
    (r"∅", "never reached"),
    (r"(?<=\d)–(?=\d)", " to "),
    (r"–", "not reached yet"),
    (r" \+= (?=the derivative)", " receives "),
    (r" ← ", " becomes "),
    (r"\+=", "plus equals"),
    (r"(^|[ (])= ", r"\1equals "),
    (r" → ", " to "),
    (r" ↔ ", " and "),
    (r"×(?=[\d,]+)", "times "),
    (r"×", " times "),
    (r" · (?=score)", ", "),
    (r"…(?= \+)", "earlier terms"),
    (r"…", " and so on"),
    (r"\bnan\b", "not a number"),
    (r"(?<!\w)([−-]?)inf\b", r"\1infinity"),
    (r"(?<=\d)e(?=[−-]?\d)", " times 10 to the power of "),
    (r" − |(?<=[\w)]) - (?=[\w(])", " minus "),
    (r"−|(?<![\w-])-(?=\d)", "minus "),
    (r"(?<=\w)\*\*(?=\w)|\^", " to the power of "),
    (r" ?· ?|(?<=\w)\*(?=\w)| \* ", " times "),
    (r" / ", " divided by "),
    (r" \+ |(?<=\s)\+(?=\d)", " plus "),
    (r" ≤ | <= ", " is at most "),
    (r" ≥ | >= ", " is at least "),
    (r" < ", " is less than "),
    (r" > ", " is greater than "),
    (r" == | = ", " equals "),
    (r" ≠ | != ", " is not "),
    (r" ≈ ", " is about "),
    (r"±", "plus or minus "),
    (r"√", "the root of "),
    (r"∞", "infinity"),
    (r"′", " prime"),
    (r"″", " double prime"),
    (r"(?<=\w)ᵀ", " transposed"),
    (r"[δεησ](?=\w)", lambda letter: f"{_GREEK[letter[0]]} times "),
    (r"[δεησ]", lambda letter: _GREEK[letter[0]]),
    (r"\|([\w. ]+)\|", r"the size of \1"),
    (r"#(?=\d)", "node number "),
    (r"\b(\d+)/(?=[a-zA-Z])", r"\1 divided by "),
    (r"(?<!\S)\?(?!\S)", "question mark"),
    (r"(?<=[^\W\d])/(?=[^\W\d])|(?<=\w)/(?=[^\W\d])|(?<=\w)_(?=\w)", " "),
    (r"[`*_]", ""),
    _NUMBER,
    (r"\bthe (?=the sign\b)", ""),
    (r" {2,}", " "),
)  # fmt: skip
"""What stands in the texts of messages, verdicts and lessons, and how it is read out."""


_FILE = re.compile(r"(\S*\.stepgrad\b)")


def read_out(text: str) -> str:
    """Say a text in which there is notation: brackets stay, for they pause, and prose has some.

    The path of a saved recording is said as it is typed.
    """
    parts = _FILE.split(text)
    return "".join(part if at % 2 else _read_out(part) for at, part in enumerate(parts)).strip()


def _read_out(text: str) -> str:
    text = re.sub(r"(⁻?)([⁰¹²³⁴⁵⁶⁷⁸⁹]+)", _power, text)
    for pattern, words in _READ_OUT:
        text = re.sub(pattern, words, text)
    return text


_MARKS = {
    ":": "colon", "/": "slash", "?": "question mark", "!": "exclamation mark", "%": "percent sign",
    "#": "number sign", "'": "apostrophe", ",": "comma", ".": "full stop", "+": "plus sign",
    "-": "hyphen", "[": "left bracket", "]": "right bracket", "{": "left brace",
    "}": "right brace",
}  # fmt: skip


def spoken_key(key: str) -> str:
    """Say a key: a voice says `S` like `s`, and nothing for `!`."""
    if len(key) == 1 and key.isupper():
        return f"capital {key}"
    return _MARKS.get(key, key.replace("+", " "))
