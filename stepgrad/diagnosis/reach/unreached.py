"""Parameters that no gradient reaches: `unreached` and `wrong_parameters`."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from stepgrad.diagnosis.bookkeeping.exchanged import exchanged
from stepgrad.diagnosis.bookkeeping.left_out import left_out
from stepgrad.diagnosis.bookkeeping.remade import remade
from stepgrad.diagnosis.survey import Pass, Survey
from stepgrad.diagnosis.verdict import Verdict
from stepgrad.diagnosis.wording import listed
from stepgrad.numbers import number
from stepgrad.printable import counted
from stepgrad.recording.blocks import Forward
from stepgrad.recording.foreign.remark import HELD, OFF
from stepgrad.recording.numbered import unnumbered
from stepgrad.recording.recording import Recording
from stepgrad.recording.source import place_of
from stepgrad.replay.telling.titles import short_title, title

_LOOKED_AT = 4
"""The last passes are looked at: training may go over several roots in turn."""

_FEWEST = 2
"""Passes that reach other leaves than those that are updated, and updates in between."""


def unreached(survey: Survey) -> Iterator[Verdict]:
    """Yield a verdict on the parameters that are used, but never on the way to a root."""
    by_hand = {node for step in survey.steps for node, grad in step.gradients.items() if grad}
    never = [
        node
        for node in survey.parameters
        if node not in by_hand and not any(node in p.gradients for p in survey.passes)
    ]
    used: dict[int, Sequence[int]] = {}
    for which in survey.passes[-1 : -_LOOKED_AT - 1 : -1] if never else ():
        forwards = _forwards(survey, which)
        for node in never:
            above = _above(forwards, node)
            loose = which.root not in above  # else a rule of the program has passed nothing on
            if node not in used and above and loose and not _evaluates(survey, above):
                used[node] = above
    if used:
        yield _unreached(survey, used)
    idle = {*_idle(survey, never)}
    for line, nodes in _used_without(survey.recording):
        if off := sorted(idle & nodes):
            idle -= nodes
            only = "is used only" if len(off) == 1 else "are used only"
            names = listed(survey.recording, off)
            yield _unused(survey, off, f"{names} {only} where gradients are off{line}")
    if rest := sorted(idle):
        yield _unused(survey, rest, f"nothing uses {listed(survey.recording, rest)}")
    for remark in survey.recording.remarks:
        if remark.kind == HELD:
            at = [survey.recording.length]
            yield Verdict("unreached", remark.text, "", at, note=True, places=[remark.place])


def _used_without(recording: Recording) -> Iterator[tuple[str, set[int]]]:
    """Yield where a program uses leaves while gradients are off, and the leaves."""
    found: dict[str, set[int]] = {}
    for remark in recording.remarks:
        if remark.kind == OFF and remark.node is not None:
            leaves = recording.history.forward_of(remark.node)
            file, line = remark.place.file, remark.place.line
            where = f" ({place_of(file, line)})" if file and line else ""
            nodes = range(leaves.base, leaves.base + len(leaves.values))
            found.setdefault(where, set()).update(nodes)
    return iter(found.items())


def _idle(survey: Survey, nodes: Sequence[int]) -> Sequence[int]:
    """Return those of some leaves that nothing is ever computed from."""
    forwards = [each for each in survey.recording.blocks if isinstance(each, Forward)]
    return [node for node in nodes if not any(each.users(node) for each in forwards)]


def _unused(survey: Survey, nodes: Sequence[int], what: str) -> Verdict:
    """Note what may be a bias that was forgotten, or a row of a table that the data lack."""
    recording = survey.recording
    return Verdict(
        "unreached",
        f"{what}, so {'it receives' if len(nodes) == 1 else 'they receive'} no gradient",
        "",
        [recording.history.made_at(nodes[0])],
        nodes,
        note=True,
        unless={"wrong_parameters"},
    )


def _unreached(survey: Survey, used: dict[int, Sequence[int]]) -> Verdict:
    recording = survey.recording
    nodes = sorted(used)
    last = max(used[nodes[-1]])
    root = survey.passes[-1].root
    made = recording.history.made_at(last)
    names = listed(recording, nodes)
    every = len(survey.passes)
    passes = "the only pass" if every == 1 else f"any of {every:,} passes"
    text = (
        f"no path leads from {names} to {short_title(recording, root)} in {passes}; "
        f"the last to use {'it' if len(nodes) == 1 else 'them'} is {title(recording, last)} "
        f"(event {made:,}), which nothing uses"
    )
    events, about = [made, survey.passes[-1].seed], [*nodes, last]
    advice = "Use that result on the way to the loss, or take the parameters out of the training."
    if copied := _copy(survey, [each for node in nodes for each in (node, *used[node])]):
        copy, original = copied
        at = recording.history.made_at(copy)
        text += (
            f": {title(recording, copy)} (event {at:,}) copies {title(recording, original)} = "
            f"{number(recording.history.first_value(copy))}, and the graph is cut there"
        )
        events, about = [at, *events], [*about, original, copy]
        advice = (
            "Use the result itself, not a copy of its numbers (`.data`, `.detach()`, `.item()`), "
            "unless the cut is meant; then leave these parameters out of the optimizer."
        )
    elif (new := sorted(survey.passes[-1].gradients)) and _new(survey, new):
        at = recording.history.made_at(new[0])
        text += (
            f": the last pass only leads back to {counted(len(new), 'number')} that are made for "
            f"it, such as {number(recording.history.first_value(new[0]))} (event {at:,}), and the "
            "graph is cut there"
        )
        events, about = [at, *events], [*about, new[0]]
        advice = (
            "Compute the loss from that result itself, by operations that have a derivative: "
            "`.item()`, `.tolist()`, `argmax` and a new tensor have none."
        )
    return Verdict("unreached", text, advice, events, about)


def _forwards(survey: Survey, which: Pass) -> Sequence[Forward]:
    """Return what was computed between the pass before and a pass."""
    begin = survey.passes[which.number - 1].end if which.number else 0
    blocks = survey.recording.blocks_between(begin, which.block.start)
    return [block for block in blocks if isinstance(block, Forward)]


def _above(forwards: Sequence[Forward], node: int) -> Sequence[int]:
    """Return what some forward passes compute from a node."""
    found: dict[int, None] = {}
    stack = [node]
    while stack:
        below = stack.pop()
        for forward in forwards:
            new = (forward.base + offset for offset in forward.users(below))
            stack += [each for each in new if each not in found]
            found |= dict.fromkeys(stack)
    return [*found]


def _evaluates(survey: Survey, above: Sequence[int]) -> bool:
    """Whether parameters that are trained are used as well, as in an evaluation."""
    recording = survey.recording
    reached = {node for each in survey.passes[-_LOOKED_AT:] for node in each.gradients}
    operands = {operand for node in above for operand in recording.operation(node)[1]}
    return not reached.isdisjoint(operands & {*survey.parameters})


def _copy(survey: Survey, originals: Sequence[int]) -> tuple[int, int] | None:
    """Return a leaf on the way to the root that has the same bits as another node, and that one.

    The other is made before it, or the leaf is new in this pass; and the one is not computed from
    the other. A plain number may be one that many have, such as 1 or 0.5: it is no evidence.
    """
    recording = survey.recording
    value, operation = recording.history.first_value, recording.operation
    values = {value(node): node for node in originals}
    block, root = survey.passes[-1].block, survey.passes[-1].root
    if not recording.node(root).operands:  # the copy itself, such as that of a loss
        same = values.get(value(root), root)
        return None if same == root else (root, same)
    used = {each for node in originals for each in operation(node)[1]}
    on_the_way = {each for node in block.nodes for each in (node, *operation(node)[1])}
    for node in sorted(on_the_way - used, reverse=True):
        if operation(node)[1] or not value(node) * 8 % 1:
            continue
        original = values.get(value(node))
        if original is not None and (original < node or _new(survey, [node])):
            return node, original
    return None


def _new(survey: Survey, nodes: Collection[int]) -> bool:
    """Whether nodes are made for the last pass: after the end of the one before."""
    before = survey.passes[-2].end if len(survey.passes) > 1 else survey.end
    return all(survey.recording.history.made_at(node) > before for node in nodes)


def wrong_parameters(survey: Survey) -> Iterator[Verdict]:
    """Yield a verdict where what is updated is not what the passes reach, or by what they bring."""
    yield from exchanged(survey)
    yield from left_out(survey)
    yield from remade(survey)
    updated, reached = set[int](), set[int]()
    steps, passes = 0, 0
    for step in reversed(survey.steps):
        own = [survey.passes[each] for each in step.passes]
        leaves = {node for each in own for node in each.gradients}
        if not (updated | step.before.keys()).isdisjoint(reached | leaves):
            break
        updated |= step.before.keys()
        reached |= leaves
        steps, passes = steps + bool(own), passes + len(own)
    if min(steps, passes) < _FEWEST:
        return
    tail = survey.passes[-passes:]
    others = _reached_by_all(tail) - {*survey.parameters} or _renewed(survey, tail, updated)
    used = any(
        forward.users(node)
        for each in tail[-_LOOKED_AT:]
        for forward in _forwards(survey, each)
        for node in updated
    )
    if others and not used:
        yield _wrong_parameters(survey, tail, sorted(updated), sorted(others), steps)


def _reached_by_all(passes: Sequence[Pass]) -> set[int]:
    """Return the leaves that receive something from each of some passes."""
    return set[int].intersection(
        *({node for node, gradient in each.gradients.items() if gradient} for each in passes)
    )


def _renewed(survey: Survey, passes: Sequence[Pass], updated: Collection[int]) -> set[int]:
    """Return leaves of the first pass that have taken over the names of what is updated.

    They are made again for each pass: none of them is reached by all.
    """
    recording = survey.recording

    def name(node: int) -> str:
        return unnumbered(title(recording, node))

    names = {*map(name, updated)}
    alike = [
        {node for node, grad in each.gradients.items() if grad and name(node) in names}
        for each in passes[:_LOOKED_AT]
    ]
    return alike[0] if all(alike) else set()


def _wrong_parameters(
    survey: Survey,
    tail: Sequence[Pass],
    updated: Sequence[int],
    others: Sequence[int],
    steps: int,
) -> Verdict:
    first = next(step for step in survey.steps if step.position > tail[0].seed)
    return Verdict(
        "wrong_parameters",
        f"the last {counted(steps, 'update')} (first at event {first.position:,}) go to "
        f"{_apart(survey, updated)}, which no pass reaches and nothing uses; the passes reach "
        f"{_apart(survey, others)}, which are never updated",
        "Create the optimizer after the model, with the parameters of the model that computes "
        "the loss: a model that is created or loaded again has new parameters.",
        [first.position, tail[0].end],
        [*updated, *others],
    )


def _apart(survey: Survey, nodes: Collection[int]) -> str:
    """Name leaves, with the event that made the first: others may have the same names."""
    recording = survey.recording
    made = min(recording.history.made_at(node) for node in nodes)
    return f"{listed(recording, nodes, 3)} (made from event {made:,} on)"
