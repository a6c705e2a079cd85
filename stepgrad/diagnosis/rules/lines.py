"""Which line of an engine is to blame: what its text says around a line that wrote a gradient.

What is recorded is the line that writes. Whether that is also the line that says what is written
depends on how the engine is built, and only its text tells.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, replace

from stepgrad.diagnosis.rules.text import (
    Function,
    answering,
    calling,
    calls,
    end,
    functions,
    gradients,
    hands_on_a_function,
    making,
    methods,
    names_a_text,
    parts,
    returning,
    stored,
    unused,
    variables,
)
from stepgrad.diagnosis.rules.writers import operations_at, with_rules
from stepgrad.diagnosis.rules.wrote import Wrote, foreign_passes
from stepgrad.engine.tape import Place
from stepgrad.recording.blocks import Write
from stepgrad.recording.foreign.sweep import ForeignBackward
from stepgrad.recording.kept import kept
from stepgrad.recording.recording import Recording
from stepgrad.recording.source import Source


@dataclass(frozen=True)
class Lines:
    """The text of a recorded program's engine; where it is not known, lines are as recorded."""

    recording: Recording

    # What a line does.

    def replaces(self, place: Place | None) -> bool:
        """Whether a line sets a gradient without regard to what it was.

        Under a condition, as in `if x.grad is None`, it may have been looked at; the name of an
        operation is no such condition. What a lambda on the line does is not the assignment.
        """
        statement, source = self.statement(place), self.source(place)
        if not isinstance(statement, ast.Assign) or source is None:
            return False
        if any(isinstance(each, ast.Lambda) for each in ast.walk(statement.value)):
            return False
        targets = {*map(ast.unparse, stored(statement))}
        if targets & {ast.unparse(each) for each in ast.walk(statement.value)}:
            return False
        line = statement.lineno
        return all(
            names_a_text(each.test)
            for each in parts(source)
            if isinstance(each, ast.If) and each.lineno <= line <= end(each)
        )

    def keeps(self, place: Place | None) -> bool:
        """Whether a line writes back what is there, as `x.grad = x.grad` does."""
        statement = self.statement(place)
        return isinstance(statement, ast.Assign) and any(
            ast.unparse(target) == ast.unparse(statement.value) for target in statement.targets
        )

    def multiplies(self, place: Place | None) -> bool:
        """Whether a line may multiply by a gradient that arrives: it reads one, or a variable."""
        statement, around = self.statement(place), self.around(place)
        if statement is None or not around:
            return True
        written, read = set[str](), set[str]()
        for each in ast.walk(statement):
            if isinstance(each, ast.Attribute):
                (written if isinstance(each.ctx, ast.Store) else read).add(each.attr)
        own = {*variables(around[-1])}
        names = {each.id for each in ast.walk(statement) if isinstance(each, ast.Name)}
        return not written or not written.isdisjoint(read) or not own.isdisjoint(names)

    def reads(self, place: Place | None) -> bool:
        """Whether a line reads a gradient; it may where its text is not known."""
        return self.statement(place) is None or bool(self.gradients(place)[0])

    def reads_another(self, place: Place | None) -> bool:
        """Whether a line reads a gradient, and not the one that it writes."""
        read, written = self.gradients(place)
        return bool(read) and read.isdisjoint(written)

    def gradients(self, place: Place | None) -> tuple[Set[str], Set[str]]:
        """The gradients that a line reads, and those that it writes."""
        return gradients(self.statement(place) or ast.Pass())

    def method(self, place: Place | None) -> Function | None:
        """The outermost function around a line; None if there is none."""
        return next(iter(self.around(place)), None)

    def left_out(self, place: Place | None) -> Sequence[str]:
        """The arguments that the method around a line hands on to nothing.

        Only in a program that writes gradients: other classes need no children.
        """
        source, around = self.source(place), self.around(place)
        if source is None or not around or not _differentiates(self.recording):
            return ()
        return unused(around[-1])

    # Where else to look.

    def rule(self, wrote: Wrote) -> Place | None:
        """The line that says what a contribution is.

        If one line writes for several operations, what it adds comes from elsewhere: from the
        method of a class of its own for each operation, or from where the result was made.
        """
        several = len(operations_at(self.recording, wrote.place)) > 1
        return (several and (self.own(wrote) or self.made(wrote.out))) or wrote.place

    def own(self, wrote: Wrote) -> Place | None:
        """The line in the class of an operation that says what an operand receives.

        It calls what writes for several operations; or the method returns there that is called by
        what writes.
        """
        statement, source = self.statement(self.made(wrote.out)), self.source(wrote.place)
        around = self.around(wrote.place)[-1:]
        several = len(operations_at(self.recording, wrote.place)) > 1
        if statement is None or source is None or not around or not several:
            return None
        names = {each.id for each in ast.walk(statement) if isinstance(each, ast.Name)}
        for each in parts(source):
            if isinstance(each, ast.ClassDef) and each.name in names and around[0] not in each.body:
                line = calling(each, around[0].name) or answering(each, around[0])
                if line is not None:
                    return _at(wrote.place, line)
        return None

    def handing_on(self, wrote: Wrote, *, shared: bool) -> Place | None:
        """The line that multiplies by what arrives.

        It is where a function calls itself for the operands, or where the gradient is written,
        unless that calls a rule. It calls all of them if it is `shared`, and is to blame if it
        gives them no gradient.
        """
        for function in self.around(wrote.place)[-1:]:
            if line := calling(function, function.name):
                return _at(wrote.place, line)
        statement = self.statement(wrote.place)
        ruled = statement is not None and any(
            isinstance(each, ast.Call) for each in ast.walk(statement)
        )
        blind = shared and not self.reads_another(wrote.place)
        return self.rule(wrote) if ruled and not blind else wrote.place

    def made(self, node: int) -> Place | None:
        """The line of the engine that makes the result of an operation; else that of the node.

        A method may leave it to another one: `__rsub__` does in `return V(other) - self`.
        """
        for line_of in (making, returning):
            for name in self.methods(node):
                for file, source in self.recording.sources.items():
                    for function in (*methods(source), *functions(source)):
                        if function.name == name and (line := line_of(function)):
                            return Place(line=line, file=file)
        place = self.recording.node(node).place
        return place if place.line else None

    def methods(self, node: int) -> Sequence[str]:
        """The names that the method of an operation may have, the most likely first."""
        op, operands = self.recording.operation(node)
        usual = _OPERATORS.get(op.name, op.name)
        names = [f"__{usual}__", op.name]
        constant = bool(operands) and self.recording.is_constant(operands[0])
        return [f"__r{usual}__", *names] if constant else names

    def loop(self, block: ForeignBackward, place: Place | None) -> Place | None:
        """The loop in which a pass runs the rules; else the line that was given."""
        seeded = block.place(0)
        functions = self.around(seeded)
        if not functions and place is not None and not seeded.line:
            functions = [each for each in self._functions(place) if "backward" in each.name]
        for function in reversed(functions):
            if loops := [each.lineno for each in function.body if isinstance(each, _LOOPS)]:
                return _at(seeded if seeded.line else place, loops[-1])
        return place

    def visiting(self, block: ForeignBackward, place: Place | None) -> Place | None:
        """The line that takes note of another thing than was asked for; else the loop.

        After `if v not in visited`, `visited.add(id(v))` does not help.
        """
        for function in self.around(block.place(0)):
            tests = [each for each in ast.walk(function) if isinstance(each, ast.Compare)]
            asked = {
                ast.unparse(each.comparators[0]): ast.unparse(each.left)
                for each in tests
                if isinstance(each.ops[0], ast.NotIn)
            }
            for each in ast.walk(function):
                if isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute):
                    thing = asked.get(ast.unparse(each.func.value))
                    if thing and [*map(ast.unparse, each.args)] != [thing]:
                        return _at(block.place(0), each.lineno)
        return self.loop(block, place)

    def beginning(self, block: ForeignBackward) -> Place | None:
        """The line of the program that has called for a pass, if it is clear; else its seed."""
        seeded = block.place(0)
        passes = foreign_passes(self.recording.blocks)
        for function in self.around(seeded)[-1:]:
            for file, source in self.recording.sources.items():
                found = calls(source, function.name)
                if len(found) == 1:
                    return Place(line=found[0], file=file)
                if len(found) == len(passes):
                    return Place(line=found[passes.index(block)], file=file)
        return seeded if seeded.line else None

    def has_rule(self, node: int) -> bool:
        """Whether a node has a rule: that of its operation runs somewhere, or is stored."""
        runs = self.recording.operation(node)[0].name in with_rules(self.recording)
        return runs or self.stores_rule(node)

    def stores_rule(self, node: int) -> bool:
        """Whether the method that makes a node hands on a function that is defined in it."""
        return any(map(hands_on_a_function, self.around(self.made(node))[-1:]))

    # The text.

    def source(self, place: Place | None) -> Source | None:
        """The text of the file of a line."""
        file = None if place is None else place.file
        return None if file is None else self.recording.sources.get(file)

    def statement(self, place: Place | None) -> ast.stmt | None:
        """The innermost statement at a line."""
        source = self.source(place)
        if source is None or place is None or place.line is None:
            return None
        around = [
            each
            for each in parts(source)
            if isinstance(each, ast.stmt) and each.lineno <= place.line <= end(each)
        ]
        return min(around, key=lambda each: end(each) - each.lineno, default=None)

    def _functions(self, place: Place) -> Iterator[Function]:
        source = self.source(place)
        for each in parts(source) if source else ():
            if isinstance(each, Function):
                yield each

    def around(self, place: Place | None) -> list[Function]:
        """The functions around a line, the innermost last."""
        if place is None or place.line is None:
            return []
        line = place.line
        found = [each for each in self._functions(place) if each.lineno <= line <= end(each)]
        return sorted(found, key=lambda each: each.lineno)


_OPERATORS = {"div": "truediv"}
_LOOPS = ast.For, ast.While


def _at(place: Place | None, line: int) -> Place | None:
    return None if place is None else replace(place, line=line)


@kept(1)
def _differentiates(recording: Recording) -> bool:
    """Whether a program writes gradients: in a backward pass, or one by one."""
    return any(
        isinstance(block, ForeignBackward)
        or (isinstance(block, Write) and not block.writes.updates)
        for block in recording.blocks
    )


@kept(1)
def replacing(recording: Recording) -> Set[Place]:
    """Return the lines of rules that set a gradient without regard to what it was."""
    passes = foreign_passes(recording.blocks)
    places = {place for block in passes for place in block.sweep.places}
    return {place for place in places if Lines(recording).replaces(place)}
