"""What Textual works out again for each app is worked out once for all tests.

A user's process has one app, and that of tests hundreds: a fourth of opening one is parsing the
same styles, and half of waiting for its widgets is counting the parameters of the same function.
A third of the time of an app without a terminal is painting frames that go nowhere: it paints where
a test looks, and what it shows when it ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from types import CodeType
from typing import Any

import pytest
from textual import _callback
from textual.app import App
from textual.css import stylesheet
from textual.css.parse import parse
from textual.css.tokenize import tokenize_values
from textual.screen import Screen

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


_refresh = Screen._compositor_refresh
_shut_down = App._shutdown
_painting = [False]


@contextmanager
def every_frame() -> Iterator[None]:
    """Paint each frame: what a list of Textual shows depends on what it has painted before."""
    _painting.append(True)
    try:
        yield
    finally:
        _painting.pop()


def _refreshed(screen: Screen[object]) -> None:
    if _painting[-1] or not screen.app.is_headless or screen is not screen.app.screen:
        _refresh(screen)
        return
    screen._compositor._dirty_regions.clear()
    screen._dirty_widgets.clear()
    screen.app._update_mouse_over(screen)


async def _painted_at_the_end(app: App[object]) -> None:
    if app.is_headless and app._exception is None and app.screen_stack:
        app.screen._compositor.render_update(full=True, screen_stack=app._background_screens)
    await _shut_down(app)


def work_once() -> None:
    """Have it so from now on."""
    patch = pytest.MonkeyPatch()
    patch.setattr(Screen, "_compositor_refresh", _refreshed)
    patch.setattr(App, "_shutdown", _painted_at_the_end)
    patch.setattr(stylesheet, "tokenize_values", _tokenized_once)
    patch.setattr(stylesheet, "parse", _parsed_once)
    patch.setattr(_callback, "_count_parameters", _counted_once)
