"""Units that started equal, and stay so: `copies`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterator, Sequence
from functools import partial

from stepgrad.diagnosis.survey import Pass, Step, Survey
from stepgrad.diagnosis.verdict import Verdict
from stepgrad.diagnosis.wording import listed
from stepgrad.engine.ops import MUL
from stepgrad.numbers import number
from stepgrad.printable import counted

_RUNNING = 3  # steps
_SEVERAL = 4  # parameters: of fewer, some may well be alike

_Group = Sequence[int]


def copies(survey: Survey) -> Iterator[Verdict]:
    """At least half of the parameters have a twin in everything: value, gradient, and use."""
    groups = _alike(survey)
    if not groups:
        return
    largest = max(groups, key=len)
    count, first = sum(map(len, groups)), largest[0]
    gradient, start = _first_pass(survey, first).gradients[first], survey.steps[0].before[first]
    events = [_first_pass(survey, node).arrival(node) for node in largest[:2]]
    yield Verdict(
        "copies",
        f"{listed(survey.recording, largest)} are copies in all "
        f"{counted(len(survey.steps), 'step')}: they start at {number(start)}, are "
        f"multiplied by the same numbers and receive the same gradient, {number(gradient)} "
        f"(events {events[0]:,} and {events[1]:,}); {count} of "
        f"{counted(len(survey.parameters), 'parameter')} have copies",
        "Initialise the weights at random, so that no two units compute the same.",
        events,
        [node for group in groups for node in group],
    )


def _alike(survey: Survey) -> Sequence[_Group]:
    """Return the groups of parameters that are copies, if they are at least half of all."""
    parameters, steps = survey.parameters, survey.steps
    if len(parameters) < _SEVERAL or len(steps) < _RUNNING or not steps[0].passes:
        return ()
    groups: Sequence[_Group] = [[*parameters]]
    for step in steps:
        groups = _divided(groups, partial(_numbers, step))
        if 2 * sum(map(len, groups)) < len(parameters):
            return ()
    learning = [group for group in groups if _learns(survey, group[0])]
    groups = _divided(learning, partial(_met, survey))
    many = 2 * sum(map(len, groups)) >= len(parameters)
    copied = {node for group in groups for node in group}
    return groups if many and any(_weigh(survey, group, copied) for group in groups) else ()


def _numbers(step: Step, node: int) -> Hashable:
    """What a step makes of a parameter; None where it makes nothing of it."""
    gradient = step.gradients.get(node)
    return None if gradient is None else (step.before[node], gradient, step.after[node])


def _learns(survey: Survey, node: int) -> bool:
    """Whether passes bring a parameter more than 0 in several steps: a row may bring 0."""
    often = sum(bool(step.gradients[node]) for step in survey.steps) >= _RUNNING
    return often and any(which.gradients.get(node) for which in survey.passes)


def _first_pass(survey: Survey, node: int) -> Pass:
    """The first pass that brings a parameter which learns more than 0."""
    return next(which for which in survey.passes if which.gradients.get(node))


def _divided(groups: Sequence[_Group], key: Callable[[int], Hashable]) -> Sequence[_Group]:
    """Divide groups by what a key says of their nodes, without those of which it is None."""
    found: list[_Group] = []
    for group in groups:
        parts = defaultdict[Hashable, list[int]](list)
        for node in group:
            parts[key(node)].append(node)
        parts.pop(None, None)
        found += [part for part in parts.values() if len(part) > 1]
    return found


def _weigh(survey: Survey, group: _Group, copied: Collection[int]) -> bool:
    """Whether parameters are the weights of units that are copies: of several, not of one.

    Outputs may well be alike, such as those for classes that have the same rows.
    """
    first, second = ({*_units(survey, node)} for node in group[:2])
    todo, seen = [*(first - second)], set[int]()
    while todo:
        node = todo.pop()
        if node in copied:
            return True
        seen.add(node)
        todo += [each for each in survey.recording.node(node).operands if each not in seen]
    return False


def _units(survey: Survey, node: int) -> Iterator[int]:
    """Yield what a parameter is multiplied by."""
    which = _first_pass(survey, node)
    for place in which.block.sweep.swept:
        forward = which.block.over[place]
        for offset in forward.users(node):
            if forward.structure.op(offset) is MUL:
                operands = forward.nodes(forward.structure.operands(offset))
                yield from (each for each in operands if each != node)


def _met(survey: Survey, node: int) -> tuple[Hashable, ...] | None:
    """What a pass finds a parameter combined with: operations, and the numbers of the others."""
    which = _first_pass(survey, node)
    history, start = survey.recording.history, which.block.start
    met: list[Hashable] = []
    for place in which.block.sweep.swept:
        forward = which.block.over[place]
        for offset in forward.users(node):
            operands = forward.nodes(forward.structure.operands(offset))
            others = (None if each == node else history.value(each, start) for each in operands)
            met.append((forward.structure.op(offset).name, *others))
    return tuple(met) or None
