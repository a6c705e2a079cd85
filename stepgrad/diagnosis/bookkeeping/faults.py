"""Gradients that are used too often, or never: what `tracking` has found, as verdicts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from stepgrad.diagnosis.bookkeeping.dropped import Dropped, dropped
from stepgrad.diagnosis.bookkeeping.tracking import Fault, find_faults
from stepgrad.diagnosis.survey import Survey
from stepgrad.diagnosis.verdict import Verdict
from stepgrad.diagnosis.wording import listed
from stepgrad.numbers import number
from stepgrad.printable import counted
from stepgrad.replay.telling.titles import gradient_title, title


def not_cleared(survey: Survey) -> Iterator[Verdict]:
    """Updates use what earlier ones have used already."""
    if faults := find_faults(survey).not_cleared:
        node, fault = _first(faults)
        name = gradient_title(survey.recording, node)
        yield Verdict(
            "not_cleared",
            f"gradients are not cleared between updates ({listed(survey.recording, faults)}): "
            f"event {fault.event:,} adds to {name} = {number(fault.gradient)}, which the "
            f"update at event {fault.because:,} has already used{_how_often(survey, faults)}",
            "Clear the gradients after each update, or before each backward pass: "
            "`optimizer.zero_grad()`, or `p.grad = 0` for each parameter.",
            (fault.event, fault.because),
            tuple(faults),
        )


def doubled(survey: Survey) -> Iterator[Verdict]:
    """A result is differentiated twice, and both passes are added up."""
    if faults := find_faults(survey).doubled:
        node, fault = _first(faults)
        name = gradient_title(survey.recording, node)
        yield Verdict(
            "doubled",
            f"backward() runs {_roots(survey, fault)}: event {fault.event:,} adds to {name} = "
            f"{number(fault.gradient)}, which the first pass left there (event "
            f"{fault.because:,}), so that counts twice{_how_often(survey, faults)}",
            "Call backward() once for each result, either for the parts or for their sum, or clear "
            "the gradients before the second time.",
            (fault.event, fault.because),
            tuple(faults),
        )


def wiped(survey: Survey) -> Iterator[Verdict]:
    """Updates find 0, or only a part, as gradients are cleared before they are used."""
    if faults := _in_most_steps(survey, find_faults(survey).wiped):
        node, fault = _first(faults)
        name = gradient_title(survey.recording, node)
        yield Verdict(
            "wiped",
            f"the update at event {fault.event:,} finds {name} = 0: event {fault.because:,} "
            f"cleared {number(fault.gradient)}, which no update had used"
            f"{_how_often(survey, faults)}",
            "Clear the gradients after the update or before the backward pass, not in between.",
            (fault.because, fault.event),
            tuple(faults),
        )
    elif 2 * len(steps := [*dropped(survey)]) > len(survey.steps):
        yield _dropped(survey, steps)


def _dropped(survey: Survey, steps: Sequence[Dropped]) -> Verdict:
    first, recording = steps[0], survey.recording
    gradient = recording.history.grad(first.node, first.clears - 1)
    assert gradient is not None, "a pass has reached it"
    name = gradient_title(recording, first.node)
    return Verdict(
        "wiped",
        f"the update at event {first.step.position} uses only the last of "
        f"{counted(len(first.step.passes), 'pass')}: event {first.clears} has cleared "
        f"{name} = {number(gradient)}, which no update had used; this "
        f"happens in {len(steps)} of {counted(len(survey.steps), 'update')}",
        "Clear the gradients once for each update, before the first of the passes that it uses.",
        (first.clears, first.step.position),
        tuple(first.step.before),
    )


def updated_twice(survey: Survey) -> Iterator[Verdict]:
    """A parameter is updated twice with the same gradient."""
    if faults := _in_most_steps(survey, find_faults(survey).twice):
        node, fault = _first(faults)
        yield Verdict(
            "updated_twice",
            f"one step moves {listed(survey.recording, faults)} twice: events {fault.because:,} "
            f"and {fault.event:,} both use {gradient_title(survey.recording, node)} = "
            f"{number(fault.gradient)}{_how_often(survey, faults)}",
            "List each parameter once, also where layers share it, and call step() once for each "
            "backward pass.",
            (fault.event, fault.because),
            tuple(faults),
        )


def _first(faults: Mapping[int, Fault]) -> tuple[int, Fault]:
    """The leaf with the fault that comes first."""
    return min(faults.items(), key=lambda item: item[1].event)


def _roots(survey: Survey, fault: Fault) -> str:
    """From what the two passes start that arrive on each other."""
    first, second = (
        next(each.root for each in survey.passes if position <= each.end)
        for position in (fault.because, fault.event)
    )
    name = title(survey.recording, first)
    if first == second:
        return f"twice from {name}"
    return f"from {name}, and then from {title(survey.recording, second)}, which contains it"


def _in_most_steps(survey: Survey, faults: Mapping[int, Fault]) -> Mapping[int, Fault]:
    """Those leaves that have a fault in more than half of their updates."""
    if not faults:
        return {}
    updates = Counter(node for step in survey.steps for node in step.before)
    return {n: fault for n, fault in faults.items() if 2 * len({*fault.steps}) > updates[n]}


def _how_often(survey: Survey, faults: Mapping[int, Fault]) -> str:
    """In how many steps there is a fault, to end a sentence."""
    steps = {step for fault in faults.values() for step in fault.steps}
    updates = sum(any(node in step.before for node in faults) for step in survey.steps)
    return f"; this happens in {len(steps)} of {counted(updates, 'update')}" if steps else ""
