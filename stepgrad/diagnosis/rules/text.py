"""The text of a program with an engine: its methods, what they call, and where.

Nothing is known of a text that Python cannot read.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Sequence

from stepgrad.recording.kept import kept
from stepgrad.recording.source import Source
from stepgrad.syntax import read_program

Function = ast.FunctionDef | ast.AsyncFunctionDef


@kept(1)
def parts(source: Source) -> Sequence[ast.AST]:
    """Return all parts of a program."""
    return [*ast.walk(read_program(source.text))]


def names_a_text(test: ast.expr) -> bool:
    """Whether a condition compares with a text, as `op == "add"` does."""
    return any(
        isinstance(each, ast.Constant) and isinstance(each.value, str) for each in ast.walk(test)
    )


def stored(statement: ast.stmt) -> Iterator[ast.Attribute]:
    """Yield the attributes that a statement writes."""
    for each in ast.walk(statement):
        if isinstance(each, ast.Attribute) and isinstance(each.ctx, ast.Store):
            yield each


def gradients(statement: ast.stmt) -> tuple[set[str], set[str]]:
    """Return the gradients that a statement reads, and those that it writes.

    That which `x.grad = x.grad + …` adds to is not read, as it is not in `x.grad += …`.
    """
    written = {ast.unparse(each): each.attr for each in stored(statement)}
    read = Counter(
        ast.unparse(each)
        for each in ast.walk(statement)
        if isinstance(each, ast.Attribute)
        and isinstance(each.ctx, ast.Load)
        and each.attr in written.values()
    )
    if isinstance(statement, ast.Assign):
        read.subtract(written.keys())
    return {*+read}, {*written}


def unused(function: Function) -> Sequence[str]:
    """Return the arguments of a function that go on to nothing, except for what they hold.

    They do in `V(a.data, (a,))`. Asking for its type is no use of an object, nor is lifting it, as
    in `V(other)`.
    """
    handed = set[str]()
    for part in ast.walk(function):
        match part:
            case ast.Call(func=ast.Name(id="isinstance" | "type" | "hasattr")):
                continue
            case ast.Call(args=[ast.Name()], keywords=[]):
                continue
            case ast.Call(args=given, keywords=more):
                values: Sequence[ast.AST] = [*given, *(each.value for each in more)]
            case ast.Assign(targets=[*targets], value=value) if not any(
                isinstance(each, ast.Name) for each in targets
            ):
                values = [value]  # of an attribute, for example
            case ast.BinOp() | ast.UnaryOp():
                values = [*ast.iter_child_nodes(part)]
            case _:
                continue
        handed.update(name for value in values for name in _bare(value))
    return [each.arg for each in function.args.args if each.arg not in handed]


def _bare(value: ast.AST) -> Iterator[str]:
    """Yield the names in a value, but not those of which only an attribute is taken."""
    if isinstance(value, ast.Name):
        yield value.id
    elif not isinstance(value, ast.Attribute):
        for each in ast.iter_child_nodes(value):
            yield from _bare(each)


def cutting(source: Source, line: int) -> int | None:
    """Return the line of a constructor that takes a part of an argument: `children[:1]`.

    It is that of the class around a line.
    """
    for cls in parts(source):
        if isinstance(cls, ast.ClassDef) and cls.lineno <= line <= end(cls):
            for function in cls.body:
                if isinstance(function, Function) and function.name == "__init__":
                    given = {each.arg for each in function.args.args}
                    for each in ast.walk(function):
                        if isinstance(each, ast.Subscript) and ast.unparse(each.value) in given:
                            return each.lineno
    return None


def variables(function: Function) -> Iterator[str]:
    """Yield the names that a function gives values to: arguments but `self`, and variables."""
    given = function.args
    for each in (*given.posonlyargs, *given.args, *given.kwonlyargs):
        if each.arg != "self":
            yield each.arg
    for part in ast.walk(function):
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
            yield part.id


def methods(source: Source) -> Iterator[Function]:
    """Yield the methods of the classes of a program that are engines."""
    for each in parts(source):
        if isinstance(each, ast.ClassDef):
            functions = [part for part in each.body if isinstance(part, Function)]
            if any(function.name in ("__add__", "__mul__") for function in functions):
                yield from functions


def functions(source: Source) -> Iterator[Function]:
    """Yield the functions of a program that are in no class and in no other function."""
    for each in read_program(source.text).body:
        if isinstance(each, Function):
            yield each


def calls(source: Source, name: str) -> list[int]:
    """Return the lines on which a program calls a method of its engine, outside of classes."""
    classes = [each for each in parts(source) if isinstance(each, ast.ClassDef)]
    return sorted(
        each.lineno
        for each in parts(source)
        if isinstance(each, ast.Call)
        and getattr(each.func, "attr", "") == name
        and not any(inside.lineno <= each.lineno <= end(inside) for inside in classes)
    )


def calling(part: ast.AST, name: str) -> int | None:
    """Return the line in a part of a program that calls a method."""
    for each in ast.walk(part):
        if isinstance(each, ast.Call) and getattr(each.func, "attr", "") == name:
            return each.lineno
    return None


def answering(cls: ast.ClassDef, caller: Function) -> int | None:
    """Return the line on which a method of a class returns that a function calls."""
    called = {
        getattr(each.func, "attr", "") for each in ast.walk(caller) if isinstance(each, ast.Call)
    }
    for each in cls.body:
        if isinstance(each, Function) and each.name in called:
            return returning(each)
    return None


def making(function: Function) -> int | None:
    """Return the line of a function that makes its result: it calls a class."""
    for each in _own(function):
        if isinstance(each, (ast.Return, ast.Assign)) and isinstance(each.value, ast.Call):
            called = getattr(each.value.func, "id", "")
            if called[:1].isupper():
                return each.lineno
    return None


def hands_on_a_function(function: Function) -> bool:
    """Whether a function uses one that is defined in it: stores it in its result, for example."""
    inside = {each.name for each in function.body if isinstance(each, Function)}
    return any(
        isinstance(each, ast.Name) and each.id in inside
        for statement in _own(function)
        for each in ast.walk(statement)
    )


def returning(function: Function) -> int | None:
    """Return the line on which a function first returns."""
    return next((each.lineno for each in _own(function) if isinstance(each, ast.Return)), None)


def _own(function: Function) -> Iterator[ast.stmt]:
    """The statements of a function, without those of functions inside."""
    stack: list[ast.AST] = [*function.body]
    while stack:
        each = stack.pop(0)
        if isinstance(each, (Function, ast.ClassDef)):
            continue
        if isinstance(each, ast.stmt):
            yield each
        stack += ast.iter_child_nodes(each)


def end(statement: ast.stmt) -> int:
    """Return the last line of a statement."""
    return statement.end_lineno or statement.lineno
