"""The gradients that a function of a person's returned: by name, in the shape of the inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from numbers import Number, Real
from typing import Any

from stepgrad.printable import counted

_LONGEST = 30
"""The most characters of a number or a text to show."""


def mapped(given: Any, make: Callable[[Any, str], Any], name: str) -> Any:
    """Make something of each number, in the same shape; `make` also gets its name: `w[0][1]`."""
    if isinstance(given, (list, tuple)):
        return type(given)(mapped(each, make, f"{name}[{i}]") for i, each in enumerate(given))
    return make(given, name)


def parts(name: str, given: Any) -> Iterator[tuple[str, Any]]:
    """Yield each number, with its name."""
    if isinstance(given, (list, tuple)):
        for i, each in enumerate(given):
            yield from parts(f"{name}[{i}]", each)
    else:
        yield name, given


def described(given: Any) -> str:
    """Say what an object is: `3`, `'a'`, `a list of 2`, `a list of 3 lists`, `a generator`."""
    if given is None or (isinstance(given, (Number, str)) and len(repr(given)) <= _LONGEST):
        return repr(given)
    kind = type(given).__name__
    article = "an" if kind[:1].lower() in "aeiou" else "a"
    if not isinstance(given, (list, tuple)):
        return f"{article} {kind}"
    nested = any(isinstance(each, (list, tuple)) for each in given)
    return f"{article} {kind} of {len(given)}{' lists' if nested else ''}"


def by_name(returned: Any, names: Sequence[str]) -> Mapping[str, Any]:
    """Return the gradients by the names of the inputs, with lists for tuples and arrays.

    Raises:
        AssertionError: there is not one for each.
    """
    __tracebackhide__ = True
    if isinstance(returned, Mapping):
        keys = {name: name if name in returned else f"d{name}" for name in names}
        missing = [name for name, key in keys.items() if key not in returned]
        others = [str(key) for key in returned if key not in keys.values()]
        if missing and others:
            what = f"no gradient for {missing[0]}, but one for {', '.join(others)}"
            raise AssertionError(f"backward returns {what}")
        return {name: _plain(returned.get(key)) for name, key in keys.items()}
    found = _plain(returned)
    lone = len(names) == 1 and not (isinstance(found, list) and len(found) == 1)
    if lone or isinstance(found, Real):
        found = [found]
    inputs = f"{counted(len(names), 'input')}: {', '.join(names)}"
    if not isinstance(found, list):
        form = ", ".join(f"d{name}" for name in names)
        raise AssertionError(
            f"backward returns {described(returned)} for {inputs}; end it with `return {form}`"
        )
    if len(found) != len(names):
        what = counted(len(found), "gradient")
        raise AssertionError(f"backward returns {what} for {inputs}")
    return dict(zip(names, found, strict=True))


def by_part(name: str, given: Any, found: Any) -> Iterator[tuple[str, float | None]]:
    """Yield the name of each number of an input and its gradient; None where that is missing.

    Raises:
        AssertionError: the gradient has another shape, or is not of plain numbers.
    """
    __tracebackhide__ = True
    several = isinstance(given, (list, tuple))
    if found is None:
        yield from ((part, None) for part, _ in parts(name, given))
    elif several and isinstance(found, list) and len(found) == len(given):
        for i, (each, its) in enumerate(zip(given, found, strict=True)):
            yield from by_part(f"{name}[{i}]", each, its)
    elif not several and isinstance(found, Real):
        yield name, float(found)
    else:
        what = described([*given]) if several else "a number"
        raise AssertionError(f"backward returns {described(found)} for {name}, which is {what}")


def _plain(returned: Any) -> Any:
    """Return lists for tuples and for arrays."""
    returned = returned.tolist() if hasattr(returned, "tolist") else returned
    return [*map(_plain, returned)] if isinstance(returned, (list, tuple)) else returned
