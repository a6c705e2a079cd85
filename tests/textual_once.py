"""What Textual works out again for each app is worked out once for all tests.

A user's process has one app, and that of tests hundreds: a fourth of opening one is parsing the
same styles, and half of waiting for its widgets is counting the parameters of the same function.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from types import CodeType
from typing import Any

import pytest
from textual import _callback
from textual.css import stylesheet
from textual.css.parse import parse
from textual.css.tokenize import tokenize_values

_count = _callback._count_parameters


@cache
def _tokens(variables: tuple[tuple[str, str], ...]) -> Any:
    return tokenize_values(dict(variables))


def _tokenized_once(variables: dict[str, str]) -> Any:
    return _tokens(tuple(variables.items()))


_parsed: dict[tuple[object, ...], list[Any]] = {}


def _parsed_once(scope: str, css: str, place: Any, variable_tokens: Any, **more: Any) -> list[Any]:
    # The tokens are kept, so no others have their id.
    key = (scope, css, place, id(variable_tokens), *more.items())
    if key not in _parsed:
        _parsed[key] = [*parse(scope, css, place, variable_tokens=variable_tokens, **more)]
    return _parsed[key]


_counts: dict[CodeType, int] = {}


def _counted_once(function: Callable[..., object]) -> int:
    code = getattr(function, "__code__", None)
    if not isinstance(code, CodeType) or hasattr(function, "__wrapped__"):
        return _count(function)
    if code not in _counts:
        _counts[code] = _count(function)
    return _counts[code]


def work_once() -> None:
    """Have it so from now on."""
    patch = pytest.MonkeyPatch()
    patch.setattr(stylesheet, "tokenize_values", _tokenized_once)
    patch.setattr(stylesheet, "parse", _parsed_once)
    patch.setattr(_callback, "_count_parameters", _counted_once)
