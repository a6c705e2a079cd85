"""Updates that change no parameter, or lose its value: `lost_update`.

The numbers show that nothing moves, or that a value is its step alone; the text shows which line
was meant to update it.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Sequence
from math import isclose

from stepgrad.diagnosis.survey import Survey
from stepgrad.diagnosis.verdict import Verdict
from stepgrad.diagnosis.wording import listed
from stepgrad.engine.tape import Place
from stepgrad.numbers import factor, number
from stepgrad.printable import counted
from stepgrad.recording.blocks import Backward, Write
from stepgrad.recording.kept import kept
from stepgrad.recording.recording import Recording
from stepgrad.recording.source import Source
from stepgrad.replay.telling.titles import gradient_title, title
from stepgrad.syntax import read_program

_FEWEST = 3
"""Passes, or steps: of fewer, it is no training."""

_ADVICE = "Write `p.data -= learning_rate * p.grad`, which changes the parameter itself."


def lost_update(survey: Survey) -> Iterator[Verdict]:
    """What is computed for a parameter does not arrive there, or replaces it."""
    uncalled = [*_uncalled(survey)]
    if uncalled:
        yield uncalled[0]
    elif not survey.steps:
        yield from _thrown_away(survey)
        yield from _without_gradients(survey.recording)
    else:
        yield from _replaced(survey)


def _uncalled(survey: Survey) -> Iterator[Verdict]:
    """Nothing runs backward, or nothing is updated: a line names the method, and calls nothing."""
    if survey.passes and survey.steps:
        return
    missing = _UPDATE if survey.passes else _PASS
    for place, method in _lines(survey.recording, missing):
        text = f"no {missing} runs: `{method}` has no parentheses, and so calls nothing"
        advice = f"Write `{method}()`."
        yield Verdict("lost_update", text, advice, [survey.recording.length], (), places=[place])


def _thrown_away(survey: Survey) -> Iterator[Verdict]:
    """Nothing is updated, and a line computes an update and stores it elsewhere, or nowhere."""
    if len(survey.passes) < _FEWEST:
        return
    first, *others = ({n for n, grad in p.gradients.items() if grad} for p in survey.passes)
    still = sorted(first.intersection(*others))
    for place, what in _lines(survey.recording, _LOST) if still else ():
        names = listed(survey.recording, still)
        yield Verdict(
            "lost_update",
            f"{counted(len(survey.passes), 'pass')} bring gradients to {names}, and nothing "
            f"updates {'it' if len(still) == 1 else 'them'}: {what}",
            _ADVICE,
            [survey.passes[-1].end],
            still,
            places=[place],
        )
        return


def _without_gradients(recording: Recording) -> Iterator[Verdict]:
    """Lines update values along gradients, and no backward pass runs."""
    if any(isinstance(block, Backward) for block in recording.blocks):
        return
    reading, history = {*_lines(recording, _READS)}, recording.history
    places = {place for place, _ in reading}
    found = [(event, node) for event, node, place in _updates(recording) if place in places]
    if len(found) >= _FEWEST and not any(history.grad(node, event) for event, node in found):
        nodes = sorted({node for _, node in found})
        yield Verdict(
            "lost_update",
            f"no backward pass runs: in {counted(len(found), 'update')} of "
            f"{listed(recording, nodes)}, each gradient is 0",
            "Call `loss.backward()`, with its parentheses, before the update.",
            [found[0][0]],
            nodes,
        )


def _updates(recording: Recording) -> Iterator[tuple[int, int, Place | None]]:
    """Yield the position just after each update by hand, its node and its line."""
    for block in recording.blocks:
        if isinstance(block, Write) and not block.rule:
            for offset, (kind, node) in enumerate(
                zip(block.writes.kinds, block.writes.nodes, strict=True)
            ):
                if kind == "update":
                    yield block.start + offset + 1, node, _line(block.place(offset))


def _replaced(survey: Survey) -> Iterator[Verdict]:
    """In each step, a line sets a value to one multiple of its gradient, without the old value."""
    recording = survey.recording
    written = {place for place, _ in _lines(recording, _STEP_ALONE)}
    found = [each for each in _updates(recording) if each[2] in written]
    history, ratios = recording.history, set[float]()
    events, nodes = list[int](), set[int]()
    for event, node, _ in found:
        gradient, after = history.grad(node, event), history.value(node, event)
        if gradient and after:
            ratios.add(after / gradient)
            events.append(event)
            nodes.add(node)
    if len(events) < _FEWEST or not isclose(min(ratios), max(ratios), rel_tol=1e-9):
        return
    event, node = next((event, node) for event, node, _ in found if event == events[0])
    gradient, after = history.grad(node, event) or 0.0, history.value(node, event) or 0.0
    yield Verdict(
        "lost_update",
        f"updates replace values by their steps: event {event:,} sets {title(recording, node)} to "
        f"{number(after)} = {number(after / gradient)} · {factor(gradient)}, a multiple of "
        f"{gradient_title(recording, node)} alone; it was "
        f"{number(history.value(node, event - 1) or 0.0)}",
        "Write `-=`, or add the step to the old value.",
        events[:_FEWEST],
        sorted(nodes),
    )


# The text.

_LOST, _READS, _STEP_ALONE = "lost", "reads", "step alone"
_PASS, _UPDATE = "backward pass", "update"
_CALLED = {"backward": _PASS, "step": _UPDATE}
"""What methods do, if they are called."""

_Line = tuple[int, str, str]
"""A line, which kind of update it is, and what it does, as a clause."""


def _lines(recording: Recording, kind: str) -> Iterator[tuple[Place, str]]:
    """Yield the lines of a kind of update, each with what it does."""
    for file, source in recording.sources.items():
        for line, which, what in _updating(source):
            if which == kind:
                yield Place(line=line, file=file), what


def _line(place: Place | None) -> Place | None:
    return None if place is None else Place(line=place.line, file=place.file)


@kept(1)
def _updating(source: Source) -> Sequence[_Line]:
    """Return the lines of a program that look like updates by a gradient."""
    tree = read_program(source.text)
    used = _used(tree)
    found = list[_Line]()
    for loop in ast.walk(tree):
        if isinstance(loop, ast.For):
            uses = [_used(each) for each in loop.body]
            for name in {*_variables(loop.target)}:
                for index, statement in enumerate(loop.body):
                    later = set[str]().union(*uses[index + 1 :])
                    found += _update(statement, name, used - {name} | later)
    for each in ast.walk(tree):
        found += _writing(each)
        match each:
            case ast.Expr(value=ast.Attribute(attr=method) as value) if method in _CALLED:
                found.append((each.lineno, _CALLED[method], ast.unparse(value)))
    return found


def _variables(target: ast.expr) -> Iterator[str]:
    return (each.id for each in ast.walk(target) if isinstance(each, ast.Name))


def _used(tree: ast.AST) -> set[str]:
    """Return the names that are read for more than to set an attribute, as in `p.grad = 0`."""
    nodes = [*ast.walk(tree)]
    setting = {
        id(each.value)
        for each in nodes
        if isinstance(each, ast.Attribute) and isinstance(each.ctx, ast.Store)
    }
    return {
        each.id
        for each in nodes
        if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load) and id(each) not in setting
    }


def _update(statement: ast.AST, name: str, used: Collection[str]) -> Iterator[_Line]:
    """Yield what a statement in a loop over parameters computes in vain.

    Args:
        statement: one of the loop's own.
        name: the loop variable.
        used: the names that are read: this one after the statement, others anywhere.
    """
    match statement:
        case ast.Expr(value=ast.BinOp() | ast.Compare() as value) if _reads(value, name):
            what = f"`{ast.unparse(value)}` computes a number and stores it nowhere"
            yield statement.lineno, _LOST, what
        case ast.Assign(targets=[ast.Name(id=to)], value=ast.BinOp() | ast.Call() as value) if (
            _reads(value, name) and to not in used
        ):
            what = f"`{to} = …` gives the name {to} to another object and leaves the parameter"
            yield statement.lineno, _LOST, f"{what} as it is"
        case (
            ast.AugAssign(target=ast.Attribute(value=ast.Name(id=owner), attr=attribute))
            | ast.Assign(targets=[ast.Attribute(value=ast.Name(id=owner), attr=attribute)])
        ) if owner == name and name not in used and _is_gradient(attribute):
            if any(not _is_gradient(each) for each in _attributes(statement.value, name)):
                what = f"`{name}.{attribute}` is written, where the value should be"
                yield statement.lineno, _LOST, what


def _writing(statement: ast.AST) -> Iterator[_Line]:
    """Yield whether a statement writes a value by its gradient, and whether by that alone."""
    match statement:
        case ast.AugAssign(target=ast.Attribute(value=owner, attr=attribute), value=value):
            alone = False
        case ast.Assign(targets=[ast.Attribute(value=owner, attr=attribute)], value=value):
            terms = ast.Add, ast.Sub
            alone = not any(
                isinstance(each, terms)
                or (isinstance(each, ast.Attribute) and each.attr == attribute)
                for each in ast.walk(value)
            )
        case _:
            return
    grads = {
        ast.unparse(each.value)
        for each in ast.walk(value)
        if isinstance(each, ast.Attribute) and _is_gradient(each.attr)
    }
    if not _is_gradient(attribute) and ast.unparse(owner) in grads:
        yield statement.lineno, _READS, ""
        if alone:
            yield statement.lineno, _STEP_ALONE, ""


def _reads(value: ast.AST, name: str) -> bool:
    """Whether an expression uses the gradient of a variable, and its value or the object itself."""
    found = _attributes(value, name)
    whole = sum(isinstance(each, ast.Name) and each.id == name for each in ast.walk(value))
    grads = sum(map(_is_gradient, found))
    return 0 < grads < whole


def _attributes(value: ast.AST, name: str) -> Sequence[str]:
    return [
        each.attr
        for each in ast.walk(value)
        if isinstance(each, ast.Attribute)
        and isinstance(each.value, ast.Name)
        and each.value.id == name
    ]


def _is_gradient(attribute: str) -> bool:
    return "grad" in attribute.lower()
