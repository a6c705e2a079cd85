"""Questions about what comes next in a recording.

A question is about an event that has not happened yet, and its answer is hidden until then. The
narration of the event is the explanation. Each question shows every number that it takes.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from math import isfinite
from typing import TypeVar

from stepgrad.engine.optim import METHODS
from stepgrad.engine.tape import Rule
from stepgrad.numbers import number, read_back
from stepgrad.recording import events
from stepgrad.recording.blocks import Backward
from stepgrad.recording.recording import Node, Recording
from stepgrad.replay.quiz.answers import FINEST, Question
from stepgrad.replay.telling.derivatives import differential, local_derivative, tangent_terms
from stepgrad.replay.telling.narration import narrate, rule_written
from stepgrad.replay.telling.titles import operand_titles, short_title, title
from stepgrad.replay.training import trains

_T = TypeVar("_T")

_PLACES = ("first", "second")

_LOOKED_AT = 4096
"""The most events of a pass to look at for questions."""


def question_at(recording: Recording, position: int) -> Question | None:
    """Return the question about the next event; None where there is nothing to predict.

    For the first contribution to a gradient it asks for that, for a later one for the total; for a
    computation in forward mode, for the tangent.
    """
    asked = [*_questions_at(recording, position)]
    return asked[-1] if asked else None


def questions(recording: Recording, most: int) -> list[Question]:
    """Return at most `most` questions about a recording; for training, about two of its steps.

    Those are the first and the last. Of more questions, some are left out evenly, most of those
    that are most alike.
    """
    asked = _telling(recording)
    looked_at = asked[:: 1 + len(asked) // _LOOKED_AT]
    found = [each for position in looked_at for each in _questions_at(recording, position)]
    alike: dict[tuple[str, str, bool], list[int]] = {}
    for place, each in enumerate(found):
        alike.setdefault((each.kind, each.about, each.answer == 0), []).append(place)
    shares: Counter[tuple[str, str, bool]] = Counter()
    while kinds := [kind for kind, places in alike.items() if shares[kind] < len(places)]:
        shares.update(_evenly(kinds, most - shares.total()))
        if shares.total() == most:
            break
    picked = (place for kind, share in shares.items() for place in _evenly(alike[kind], share))
    return [found[place] for place in sorted(picked)]


def _telling(recording: Recording) -> Sequence[int]:
    """Return the positions to ask about: for training, those of its first and last whole step."""
    if not trains(recording):
        return range(recording.length)
    bounds = [*recording.steps, recording.length]
    passes = (block.start for block in recording.blocks if isinstance(block, Backward))
    last = bisect_right(bounds, max(passes, default=0))
    return [*range(bounds[1]), *range(max(bounds[1], bounds[last - 1]), bounds[last])]


def _evenly(things: Sequence[_T], most: int) -> Sequence[_T]:
    count = min(most, len(things))
    return [things[(2 * i + 1) * len(things) // (2 * count)] for i in range(count)]


def _questions_at(recording: Recording, position: int) -> Iterator[Question]:
    """Yield the questions about an event, in the order in which one would work them out."""
    if position >= recording.length:
        return
    event = recording.events[position]
    match event:
        case events.Op():
            if event.op.known:
                yield _of_op(recording, event, position)
            if event.tangent is not None:
                yield _of_tangent(recording, event, event.tangent, position)
        case events.Accumulate():
            yield from _of_edge(recording, event, position)
        case events.Update(rule=Rule(method="sgd" | "momentum") as rule):  # Adam takes a calculator
            yield _of_update(recording, event, rule, position)


def _of_op(recording: Recording, event: events.Op, position: int) -> Question:
    node = recording.node(event.node)
    values = [recording.history.value(each, position + 1) or 0.0 for each in event.operands]
    computed = _computed(recording, node, position + 1)
    place = f"{node.place.scope}: " if node.place.scope else ""
    name = short_title(recording, event.node)
    prompt = f"{computed}. What is {name}?" if node.name else f"What is {computed}?"
    slack = _slack(event.op.value, values, event.value)
    story = narrate(recording, position)
    told = str(story) if event.tangent is None else story.effect  # the tangent is asked next
    return Question("value", event.op.name, place + prompt, event.value, told, position, slack)


def _of_tangent(recording: Recording, event: events.Op, tangent: float, position: int) -> Question:
    """Ask for the tangent of a result, given those of its operands."""
    history, node = recording.history, recording.node(event.node)
    terms = [*tangent_terms(recording, event.node, position + 1)]
    known = {
        term.operand: f"{differential(term.operand)} = {number(term.tangent)}" for term in terms
    }
    rates = [history.tangent(each, position) or 0.0 for each in event.operands]
    values = [history.value(each, position + 1) or 0.0 for each in (*event.operands, event.node)]

    def differentiated(*numbers: float) -> float:
        terms = zip(node.op.carry, numbers[: len(rates)], strict=True)
        return sum((carry(*numbers[len(rates) :], rate) for carry, rate in terms), 0.0)

    name = differential(short_title(recording, event.node))
    made = _computed(recording, node, position + 1, with_result=True)
    given = f", and {', '.join(known.values())}" if known else ""
    return Question(
        "tangent",
        event.op.name,
        f"{made}{given}. What is {name}?",
        tangent,
        str(narrate(recording, position)),
        position,
        _slack(differentiated, [*rates, *values], tangent),
    )


def _of_edge(recording: Recording, event: events.Accumulate, position: int) -> Iterator[Question]:
    history, node = recording.history, recording.node(event.out)
    begin = recording.blocks[history.block_at(position)].start
    operands = [history.value(each, begin) or 0.0 for each in (*node.operands, event.out)]
    rate, carry = node.op.local[event.slot], node.op.carry[event.slot]

    def contribution(upstream: float, *operands: float) -> float:
        return carry(*operands, upstream)

    def total(before: float, *factors: float) -> float:
        return before + contribution(*factors)

    into = title(recording, event.node)
    made = _computed(recording, node, begin, with_result=True)
    made = f"{made} in {node.place.scope}" if node.place.scope else made
    which = ""  # of two operands that are the same node
    if node.operands.count(event.node) > 1:
        place = _PLACES[event.slot] if event.slot < len(_PLACES) else f"operand {event.slot + 1},"
        which = f"the {place} {short_title(recording, event.node)}"
    alone = which and f", for {which} alone"

    local = local_derivative(recording, event.out, event.slot, begin)
    if local.stored:  # it cannot be worked out
        made = f"{made}, where {local.name} = {local}"
    if local.symbols != number(local.value) or local.because:
        steps = local.because and f"{number(local.value)} ({local.because})"
        told = f"{local.name} = {steps or f'{local.symbols} = {number(local.value)}'}"
        prompt = f"{made}. What is {local.name}{alone}?"
        slack = _slack(rate, operands, event.local)
        yield Question("local derivative", node.op.name, prompt, event.local, told, position, slack)

    story = narrate(recording, position)
    prompt = f"{number(event.upstream)} arrives at {made}. What does {into} receive from it{alone}?"
    slack = _slack(contribution, [event.upstream, *operands], event.expected)
    told = f"{story.symbols} {story.numbers}"
    yield Question("contribution", node.op.name, prompt, event.expected, told, position, slack)

    if event.before is not None and event.before != 0:
        prompt = (
            f"The gradient of {into} is {number(event.before)}, and {number(event.upstream)} "
            f"arrives at {made}. What does it become{which and f', with {which} counted'}?"
        )
        after = event.after if event.right is None else event.before + event.right
        slack = _slack(total, [event.before, event.upstream, *operands], after)
        if isfinite(event.expected):  # people round it before they add
            slack += float(FINEST) * abs(event.expected)
        yield Question("total", "sum over paths", prompt, after, str(story), position, slack)


def _of_update(recording: Recording, event: events.Update, rule: Rule, position: int) -> Question:
    scope, name = recording.node(event.node).place.scope, short_title(recording, event.node)
    numbers = {
        "data": event.before,
        "grad": recording.history.grad(event.node, position) or 0.0,
        **rule.numbers,
    }

    def updated(*numbers_: float) -> float:
        known = dict(zip(numbers, numbers_, strict=True))
        for each, formula in METHODS[rule.method].formulas.items():
            known[each] = formula.function(*known)(**known)
        return known["data"]

    written, symbols = rule_written(rule, name)
    given = ", ".join(f"{symbols[each]} = {number(x)}" for each, x in numbers.items())
    place = f"{scope}: " if scope else ""
    prompt = f"{place}{written}, with {given}. What is {name} then?"
    slack = _slack(updated, [*numbers.values()], event.after)
    told = str(narrate(recording, position))
    return Question("update", rule.method, prompt, event.after, told, position, slack)


def _computed(recording: Recording, node: Node, position: int, *, with_result: bool = False) -> str:
    """How a node is computed, in notation and in numbers: `h = relu(z1) = relu(1.5)`."""
    written = node.op.written(operand_titles(recording, node))
    values = (recording.history.value(each, position) or 0.0 for each in node.operands)
    shown = node.op.written(dict(zip(node.op.operands, map(number, values), strict=True)))
    name = short_title(recording, node.index) if node.name else ""
    result = number(recording.history.value(node.index, position) or 0.0) if with_result else ""
    return " = ".join(dict.fromkeys(filter(None, (name, written, shown, result))))


def _slack(compute: Callable[..., float], numbers: list[float], answer: float) -> float:
    """The error of the answer that follows from the numbers as they are shown."""
    off = abs(compute(*map(read_back, numbers)) - answer)
    return off if isfinite(off) else 0.0
