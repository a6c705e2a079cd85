"""Which line of an engine is to blame: what its text says around a line that wrote a gradient."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from stepgrad.diagnosis.rules.wrote import Wrote, foreign_passes
from stepgrad.engine.tape import Place
from stepgrad.recording.kept import kept
from stepgrad.recording.recording import Recording
from stepgrad.recording.source import Source
from stepgrad.syntax import parse

_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Lines:
    """The text of a recorded program's engine; where it is not known, lines are as recorded."""

    recording: Recording

    def replaces(self, place: Place | None) -> bool:
        """Whether a line sets a gradient without regard to what it was."""
        statement = self._statement(place)
        return isinstance(statement, ast.Assign) and _sets(statement)

    def keeps(self, place: Place | None) -> bool:
        """Whether a line writes back what is there, as `x.grad = x.grad` does."""
        statement = self._statement(place)
        return isinstance(statement, ast.Assign) and any(
            ast.unparse(target) == ast.unparse(statement.value) for target in statement.targets
        )

    def writing(self, place: Place | None) -> Place | None:
        """The line that writes a gradient: in the method that the line of a rule calls, if any."""
        statement = self._statement(place)
        if place is None or statement is None or isinstance(statement, (ast.Assign, ast.AugAssign)):
            return place
        called = {
            getattr(call.func, "attr", getattr(call.func, "id", ""))
            for call in ast.walk(statement)
            if isinstance(call, ast.Call)
        }
        for function in self._functions(place):
            if function.name in called:
                for each in ast.walk(function):
                    if isinstance(each, ast.Assign) and _sets(each):
                        return replace(place, line=each.lineno)
        return place

    def loop(self, place: Place | None) -> Place | None:
        """The loop that runs the rules: the last one of the function around a line."""
        for function in reversed(self._around(place)):
            loops = [each for each in _own(function) if isinstance(each, (ast.For, ast.While))]
            if place is not None and loops:
                return replace(place, line=max(each.lineno for each in loops))
        return place

    def rule(self, wrote: Wrote) -> Place | None:
        """The line that says what a contribution is.

        A line that writes for several operations multiplies by what each has stored when it was
        made; so the line is the one that makes the result.
        """
        at = _operations(self.recording).get(wrote.place, ())
        return self.made(wrote.out) or wrote.place if len(at) > 1 else wrote.place

    def made(self, node: int) -> Place | None:
        """The line of the engine that makes the result of an operation; else that of the node."""
        op, operands = self.recording.operation(node)
        names = [f"__{_OPERATORS.get(op.name, op.name)}__", op.name]
        if operands and self.recording.is_constant(operands[0]):
            names.insert(0, f"__r{_OPERATORS.get(op.name, op.name)}__")
        for name in names:
            for file, source in self.recording.sources.items():
                for function in _methods(source):
                    if function.name == name and (line := _making(function)):
                        return Place(line=line, file=file)
        place = self.recording.node(node).place
        return place if place.line else None

    def _source(self, place: Place | None) -> Source | None:
        file = None if place is None else place.file
        return None if file is None else self.recording.sources.get(file)

    def _statement(self, place: Place | None) -> ast.stmt | None:
        source = self._source(place)
        if source is None or place is None or place.line is None:
            return None
        around = [
            each
            for each in _walked(source)
            if isinstance(each, ast.stmt) and each.lineno <= place.line <= _end(each)
        ]
        return min(around, key=lambda each: _end(each) - each.lineno, default=None)

    def _functions(self, place: Place) -> Iterator[_Function]:
        source = self._source(place)
        for each in _walked(source) if source else ():
            if isinstance(each, _Function):
                yield each

    def _around(self, place: Place | None) -> list[_Function]:
        """The functions around a line, the innermost last."""
        if place is None or place.line is None:
            return []
        line = place.line
        found = [each for each in self._functions(place) if each.lineno <= line <= _end(each)]
        return sorted(found, key=lambda each: each.lineno)


_OPERATORS = {"div": "truediv"}


@kept(1)
def _operations(recording: Recording) -> Mapping[Place | None, Set[str]]:
    """For each line that writes contributions, for which operations it does."""
    found: dict[Place | None, set[str]] = {}
    for sweep in {block.sweep for block in foreign_passes(recording.blocks)}:
        for edge, out in enumerate(sweep.outs):
            structure = sweep.structures[sweep.passes[out]]
            op = structure.op(sweep.offsets[out])
            found.setdefault(sweep.place(edge + 1), set()).add(op.name)
    return found


def _methods(source: Source) -> Iterator[_Function]:
    """The methods of the classes of a program that are engines."""
    for each in _walked(source):
        if isinstance(each, ast.ClassDef):
            functions = [part for part in each.body if isinstance(part, _Function)]
            if any(function.name in ("__add__", "__mul__") for function in functions):
                yield from functions


def _making(function: _Function) -> int | None:
    """The line of a function that makes its result."""
    for each in _own(function):
        if isinstance(each, (ast.Return, ast.Assign)) and isinstance(each.value, ast.Call):
            called = getattr(each.value.func, "id", "")
            if called[:1].isupper() or isinstance(each, ast.Return):
                return each.lineno
    lines = [each.lineno for each in _own(function) if isinstance(each, ast.Return)]
    return lines[-1] if lines else None


def _end(statement: ast.stmt) -> int:
    return statement.end_lineno or statement.lineno


@kept(1)
def _walked(source: Source) -> Sequence[ast.AST]:
    """All parts of a program."""
    try:
        return [*ast.walk(parse(source.text))]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []


def _sets(statement: ast.Assign) -> bool:
    """Whether an assignment to an attribute does not read it."""
    read = {
        ast.unparse(each) for each in ast.walk(statement.value) if isinstance(each, ast.Attribute)
    }
    targets = [each for each in statement.targets if isinstance(each, ast.Attribute)]
    return bool(targets) and not any(ast.unparse(each) in read for each in targets)


def _own(function: _Function) -> Iterator[ast.stmt]:
    """The statements of a function, without those of functions inside."""
    stack: list[ast.AST] = [*function.body]
    while stack:
        each = stack.pop(0)
        if isinstance(each, (_Function, ast.ClassDef)):
            continue
        if isinstance(each, ast.stmt):
            yield each
        stack += ast.iter_child_nodes(each)
