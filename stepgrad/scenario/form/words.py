"""Other words: what was probably meant by a word or a number that cannot stand where it does."""

from __future__ import annotations

import re
from collections.abc import Iterable

from stepgrad.errors import nearest
from stepgrad.scenario.yaml.scalars import is_number


def meant_by(word: str, choices: Iterable[str]) -> str | None:
    """Return the choice that was probably meant, by its other names or by how it is spelt."""
    known = list(choices)
    return other_name(word, known) or nearest(word, known)


def other_name(word: str, choices: Iterable[str]) -> str | None:
    """Return the choice of which this is another name."""
    meant = _SYNONYMS.get(word.lower())
    return next((each for each in choices if each == meant), None)


def number_meant(text: str) -> str:
    """Say how to write what was probably meant as a number."""
    if is_number(text):
        return "; remove the quotes"
    for pattern, hint in _NUMBERS_MEANT.items():
        if found := re.fullmatch(pattern, text, re.IGNORECASE):
            return f"; {found.expand(hint)}"
    return ""


_NUMBERS_MEANT = {
    r"([-+]?)(?:inf|infinity|∞)": r"write `\1.inf`",
    r"nan": "write `.nan`",
    r"([-+]?\d+),(\d+(?:e[-+]?\d+)?)": r"write `\1.\2`, with a decimal point",
    r"[−–](.*)": r"write `-\1`, with the minus sign of your keyboard",
    r"(.*)%": "write a percentage as a decimal, such as 0.05",
    r".*\d\s*[-+*/^(].*": "only a number is allowed here: compute in `graph`",
}

_SYNONYMS = {
    "mse": "mean_squared_error",
    "sse": "sum_squared_error",
    "bce": "binary_cross_entropy",
    "ce": "softmax_cross_entropy",
    "cross_entropy": "softmax_cross_entropy",
    "none": "linear",
    "logistic": "sigmoid",
    "gd": "sgd",
    "easy": "beginner",
    "hard": "advanced",
    "lr": "learning_rate",
    "epochs": "steps",
    "name": "title",
}
"""Other names of losses, activations, optimizers, levels and keys."""
