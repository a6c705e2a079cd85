"""Caches: of answers, held on the object that they are about (`kept`); and small ones.

What is kept under a recording goes with it: a debugger that edits and records again does not hold
every recording that it has made. And it is forgotten when the recording grows.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

_About = TypeVar("_About")
_More = ParamSpec("_More")
_Found = TypeVar("_Found")
_Key = TypeVar("_Key")

_UNKNOWN = object()

_Question = Callable[Concatenate[_About, _More], _Found]


def kept(
    size: int,
) -> Callable[[_Question[_About, _More, _Found]], _Question[_About, _More, _Found]]:
    """Have a function keep its last `size` answers on its first argument, a log or a shape.

    Of a log that has changed since, the answers are no longer true. The other arguments have to be
    hashable.
    """

    def keeping(function: _Question[_About, _More, _Found]) -> _Question[_About, _More, _Found]:
        @wraps(function)
        def asked(about: _About, /, *args: _More.args, **kwargs: _More.kwargs) -> _Found:
            changes: int = getattr(about, "changes", 0)  # before the answer is worked out
            everything = vars(about).setdefault("_kept", {})
            since, answers = everything.get(function, (changes, None))
            if answers is None or since != changes:
                answers = {}
                everything[function] = changes, answers
            key = args, *kwargs.items()
            found = answers.pop(key, _UNKNOWN)  # at once: another thread may be asking, too
            if found is _UNKNOWN:
                found = function(about, *args, **kwargs)
            answers[key] = found  # the one used last goes last
            if len(answers) > size:
                for oldest in [*answers][:1]:  # all at once: another thread may be adding some
                    answers.pop(oldest, None)
            return found  # type: ignore[no-any-return]

        return asked

    return keeping


class Bounded(dict[_Key, _Found]):
    """A dict that forgets everything when it is full.

    Args:
        most: the most entries that it holds.
    """

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def __setitem__(self, key: _Key, value: _Found) -> None:
        if len(self) >= self._most:
            self.clear()
        super().__setitem__(key, value)


class Recent(list[_Found]):
    """The few things that came lately, the latest first: they may take turns.

    Args:
        most: the most that it holds.
    """

    def __init__(self, most: int = 8) -> None:
        super().__init__()
        self._most = most

    def put(self, thing: _Found) -> None:
        """Put a thing first."""
        if thing in self:
            self.remove(thing)
        self.insert(0, thing)
        del self[self._most :]
