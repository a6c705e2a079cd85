"""What the text says of the line that begins a backward pass: was its number asked for?"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from stepgrad.diagnosis.rules.lines import Lines
from stepgrad.diagnosis.rules.text import Function, end, parts
from stepgrad.engine.tape import Place


def unasked(lines: Lines, place: Place | None, after: float) -> bool:
    """Whether an engine begins with a number of its own, and not with one that it is given.

    So it does in `self.grad = 2.0`, and where each caller leaves it to a default.
    """
    if (found := _seeding(lines, place)) is None:
        return False
    function, target, value = found
    runs = any(isinstance(each, ast.For | ast.While) for each in ast.walk(function))
    runs |= any(call in ast.walk(function) for call in _calls(lines, function))
    if not runs or target not in [each.arg for each in _given(function)]:
        return False  # a program that seeds its own result asks for what it says
    if _literal(value) is not None:
        return True
    if not isinstance(value, ast.Name):
        return False
    default = _defaults(function).get(value.id)
    return _literal(default) == after and not any(
        _passes(call, function, value.id) for call in _calls(lines, function)
    )


def in_loop(lines: Lines, place: Place | None) -> bool:
    """Whether a line writes the gradient of what a loop goes over, and the loop calls its rule."""
    if place is None or (found := _seeding(lines, place)) is None:
        return False
    function, target, value = found
    line = place.line or 0
    return _literal(value) is not None and any(
        isinstance(each, ast.For)
        and each.lineno <= line <= end(each)
        and isinstance(each.target, ast.Name)
        and each.target.id == target
        and any(_calls_of(part, target) for part in each.body)
        for each in ast.walk(function)
    )


def _seeding(lines: Lines, place: Place | None) -> tuple[Function, str, ast.expr] | None:
    """Return the function of a line, the variable whose gradient it writes, and what it writes."""
    statement, around = lines.statement(place), lines.around(place)
    if not around:
        return None
    match statement:
        case ast.Assign(targets=[ast.Attribute(value=ast.Name(id=name))], value=value):
            return around[-1], name, value
        case ast.AugAssign(
            target=ast.Attribute(value=ast.Name(id=name)), op=ast.Add(), value=value
        ):
            return around[-1], name, value
    return None


def _literal(value: ast.expr | None) -> float | None:
    """Return the number that is written there, such as 2.0 or -1; None if it is something else."""
    if value is None:
        return None
    try:
        number = ast.literal_eval(value)
    except (ValueError, TypeError):
        return None
    return float(number) if isinstance(number, (int, float)) else None


def _given(function: Function) -> list[ast.arg]:
    given = function.args
    return [*given.posonlyargs, *given.args, *given.kwonlyargs]


def _defaults(function: Function) -> dict[str, ast.expr | None]:
    """Return the defaults of a function, by its parameters."""
    given = function.args
    places = [*given.posonlyargs, *given.args]
    first = len(places) - len(given.defaults)
    found: dict[str, ast.expr | None] = {
        each.arg: default for each, default in zip(places[first:], given.defaults, strict=True)
    }
    for each, value in zip(given.kwonlyargs, given.kw_defaults, strict=True):
        found[each.arg] = value
    return found


def _calls(lines: Lines, function: Function) -> Iterator[ast.Call]:
    """Yield the calls of what has the name of a function."""
    for source in lines.recording.sources.values():
        for each in parts(source):
            if isinstance(each, ast.Call):
                called = each.func
                if getattr(called, "attr", getattr(called, "id", "")) == function.name:
                    yield each


def _passes(call: ast.Call, function: Function, parameter: str) -> bool:
    """Whether a call may give a parameter: by its name, by its place, or with a star."""
    if any(each.arg in (None, parameter) for each in call.keywords):
        return True
    names = [each.arg for each in _given(function)]
    bound = isinstance(call.func, ast.Attribute)  # a method: its first parameter is not written
    starred = any(isinstance(each, ast.Starred) for each in call.args)
    return starred or len(call.args) + bound > names.index(parameter)


def _calls_of(part: ast.AST, name: str) -> bool:
    """Whether a part of a program calls something of a variable, as in `node._backward()`."""
    return any(
        isinstance(each, ast.Call)
        and any(isinstance(inner, ast.Name) and inner.id == name for inner in ast.walk(each))
        for each in ast.walk(part)
    )
