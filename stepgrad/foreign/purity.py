"""Whether a function of the program may run again unnoticed (`is_pure`)."""

from __future__ import annotations

import builtins
import cmath
import dis
import math
from collections.abc import Iterator, Mapping, Sequence
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import Any

from stepgrad.foreign.nodes import Shadow

_NESTED = 3
_PURE = {
    "abs", "bool", "enumerate", "float", "getattr", "hasattr", "int", "isinstance", "len", "list",
    "max", "min", "pow", "print", "range", "reversed", "round", "sorted", "sum", "super", "tuple",
    "type", "zip", "ValueError", "TypeError", "AssertionError", "NotImplemented",
}  # fmt: skip
_IMPURE = {"append", "extend", "insert", "remove", "pop", "add", "update", "write", "seed", "send"}
_JUMPS = {*dis.hasjrel, *dis.hasjabs}
_WRITES = ("STORE_GLOBAL", "DELETE_GLOBAL", "STORE_SUBSCR", "IMPORT_NAME", "YIELD_VALUE")


def is_pure(
    code: CodeType,
    names: Mapping[str, Any],
    cells: Mapping[str, Any],
    classes: Sequence[type],
    depth: int = 0,
) -> bool:
    """Whether code only computes, as far as it can be seen: it may run again unnoticed.

    It ends where it makes its result, so what follows does not count: there it may write to a tape.

    Args:
        code: of a function.
        names: the names of its module.
        cells: what is around it, by name.
        classes: those whose methods it may call; the first is the engine, and makes nothing.
        depth: how many functions have called it.
    """
    if ".0" in code.co_varnames:  # a comprehension: Python crashes if it gets no iterator
        return False
    instructions = [*dis.get_instructions(code)]
    if not depth:
        instructions = _until_made(instructions, code, names, classes[0])
    own_names = {*code.co_names} & {each.argval for each in instructions if each.arg is not None}
    if depth > _NESTED or any(each.opname in _WRITES for each in instructions):
        return False
    if _IMPURE & own_names:
        return False
    used = [names[name] for name in own_names if name in names] + [*cells.values()]
    unknown = [name for name in own_names if name not in names and hasattr(builtins, name)]
    if any(name not in _PURE for name in unknown):
        return False
    named = {each for each in used if isinstance(each, type)} - {classes[0]}
    others = named | {each for each in classes[1:] if isinstance(each, type)} - {classes[0]}
    stored = {each.argval for each in instructions if each.opname == "STORE_ATTR"}
    if any(hasattr(each, name) for each in named for name in stored):
        return False  # of a class: that would last
    methods = [
        each
        for cls in (classes[0], *others)
        for name in [*own_names, *(["__init__", "__new__"] if cls in others else ())]
        for each in _functions(cls, name)
    ]
    called = [each for each in used if isinstance(each, FunctionType)] + methods
    return all(_is_harmless(each) for each in used) and all(
        each.__code__ is code or is_pure(each.__code__, each.__globals__, {}, classes, depth + 1)
        for each in called
    )


def _until_made(
    instructions: list[dis.Instruction], code: CodeType, names: Mapping[str, Any], cls: type
) -> list[dis.Instruction]:
    """Return the instructions up to the call of a class, if none can pass that by; else all."""
    calls = (
        each
        for load in instructions
        if load.opname == "LOAD_GLOBAL" and "NULL" in load.argrepr and names.get(load.argval) is cls
        for each in instructions
        if each.offset > load.offset and each.opname == "CALL" and _start(each) == _start(load)
    )
    end = next(calls, None)
    if end is None or code.co_exceptiontable:
        return instructions
    before = [each for each in instructions if each.offset <= end.offset]
    jumps = (each.argval for each in before if each.opcode in _JUMPS)
    return instructions if any(target > end.offset for target in jumps) else before


def _start(instruction: dis.Instruction) -> tuple[int | None, int | None] | None:
    """Return where the expression of an instruction begins in the text."""
    at = instruction.positions
    return None if at is None else (at.lineno, at.col_offset)


def _functions(cls: type, name: str) -> Iterator[FunctionType]:
    """Yield what may run where a method of this name is called."""
    for each in cls.__mro__[:-1]:
        member = vars(each).get(name)
        function = getattr(member, "__func__", member)
        if isinstance(function, FunctionType):
            yield function


def _is_harmless(value: Any) -> bool:
    if isinstance(value, ModuleType):
        return value in (math, cmath) or value.__name__ == "numpy"
    if isinstance(value, BuiltinFunctionType):
        return value.__module__ in ("math", "cmath")
    plain = (Shadow, FunctionType, type, str, bool, int, float, tuple, type(None))
    return isinstance(value, plain) or type(value).__name__ == "ufunc"
