"""Predict before you look: questions about what comes next in a recording, and rules of thumb.

A question is asked of an event that has not happened yet; what it asks for is hidden until then.
The event itself, narrated, is the explanation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, InvalidOperation, localcontext
from math import isfinite
from typing import Literal

from stepgrad.engine.ops import BY_NAME
from stepgrad.errors import StepgradError
from stepgrad.recording import events
from stepgrad.recording.recording import Recording
from stepgrad.replay.derivatives import derivative, local_derivative
from stepgrad.replay.narrate import narrate
from stepgrad.replay.numbers import factor, number
from stepgrad.replay.titles import operand_titles, short_title, title

Kind = Literal["value", "local derivative", "contribution", "total", "update", "rule"]

ROUGHEST, FINEST = Decimal("0.05"), Decimal("1e-6")
"""Parts of a number: how far an answer of few digits may be off (5 is no 4.6), and how far any."""

_WIDE = Context(Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[])
"""Arithmetic for whatever may be typed."""


class AnswerError(StepgradError):
    """What was typed is no number; says what would be one."""


@dataclass(frozen=True, slots=True)
class Question:
    """A number to predict.

    `about` is what one has to know for it (`tanh`, `mul`), to tell a learner what to look at
    again. `position` is that before the event; None for a rule, which is of no recording.
    """

    kind: Kind
    about: str
    prompt: str
    answer: float
    explanation: str
    position: int | None = None

    def holds(self, text: str) -> bool:
        """Whether an answer is right, to the digits that it gives.

        Raises:
            AnswerError: it is no number.
        """
        given, unit = _read(text)
        if not given.is_finite() or not isfinite(self.answer):
            return str(float(given)) == str(self.answer)
        answer = Decimal(self.answer)
        with localcontext(_WIDE):
            off = abs(given - answer)
            rounded = off <= unit / 2 and off <= ROUGHEST * abs(answer)
            return rounded or off <= FINEST * abs(answer)


def _read(text: str) -> tuple[Decimal, Decimal]:
    """Return a number that was typed, or a fraction, and what its last digit stands for."""
    plain = text.strip().replace("−", "-").replace("∞", "inf")
    over, slash, under = plain.partition("/")
    try:
        if slash:
            return Decimal(float(over) / float(under)), Decimal(0)
        given = Decimal(plain)
    except (InvalidOperation, ValueError, ZeroDivisionError):
        raise AnswerError(
            f"`{text.strip()[:40]}` is no number; write −8, 0.25, 2e-3, 1/3, inf or nan"
        ) from None
    exponent = given.as_tuple().exponent
    return given, Decimal((0, (1,), exponent)) if isinstance(exponent, int) else Decimal(0)


def question_at(recording: Recording, position: int) -> Question | None:
    """Return what to ask of the event that comes next; None where there is nothing to predict.

    Of an edge that is the total, where something has arrived before, else the contribution.
    """
    asked = [*_questions_at(recording, position)]
    return asked[-1] if asked else None


def questions(recording: Recording, most: int) -> list[Question]:
    """Return up to `most` questions about the first pass, forward and back, and its updates.

    Of more than that, some are left out evenly.
    """
    end = recording.steps[1] if len(recording.steps) > 1 else recording.length
    found = [each for position in range(end) for each in _questions_at(recording, position)]
    count = min(most, len(found))
    return [found[i * len(found) // count] for i in range(count)]


def _questions_at(recording: Recording, position: int) -> Iterator[Question]:
    """Yield what can be asked of an event, in the order in which one would work it out."""
    if position >= recording.length:
        return
    event = recording.events[position]
    told = str(narrate(recording, position))
    match event:
        case events.Op():
            node = recording.node(event.node)
            written = event.op.written(operand_titles(recording, node))
            values = (recording.history.value(each, position + 1) or 0.0 for each in event.operands)
            shown = event.op.written(dict(zip(event.op.operands, map(number, values), strict=True)))
            name = f"{title(recording, event.node)} = " if node.name else ""
            prompt = f"What is {name}{written} = {shown}?"
            yield Question("value", event.op.name, prompt, event.value, told, position)
        case events.Accumulate():
            yield from _of_edge(recording, event, position, told)
        case events.Update(rule=rule) if rule is not None:
            name = title(recording, event.node)
            grad = recording.history.grad(event.node, position) or 0.0
            given = (f"{each.replace('_', ' ')} {number(x)}" for each, x in rule.numbers.items())
            prompt = (
                f"{name} is {number(event.before)}, its gradient {number(grad)}; "
                f"{', '.join(given)}. What does {rule.method} make of {name}?"
            )
            yield Question("update", rule.method, prompt, event.after, told, position)


def _of_edge(
    recording: Recording, event: events.Accumulate, position: int, told: str
) -> Iterator[Question]:
    block = recording.blocks[recording.history.block_at(position)]
    op = recording.node(event.out).op
    into, out = title(recording, event.node), short_title(recording, event.out)
    local = local_derivative(recording, event.out, event.slot, block.start)
    edge = derivative(out, short_title(recording, event.node))
    arrives = f"{number(event.upstream)} arrives at {out}"
    if local.symbols != number(local.value) or local.because:
        prompt = f"What is {edge}, with {_given(recording, event, position)}?"
        yield Question("local derivative", op.name, prompt, event.local, told, position)
    prompt = f"{arrives}. What does {into} receive from it?"
    yield Question("contribution", op.name, prompt, event.contribution, told, position)
    if event.before is not None and event.before != 0:
        prompt = (
            f"{into} has {number(event.before)} already, and {arrives}. "
            f"What is the gradient of {into} then?"
        )
        yield Question("total", "sum over paths", prompt, event.after, told, position)


def _given(recording: Recording, event: events.Accumulate, position: int) -> str:
    """The numbers that a local derivative is made of: `h = 1.5, w2 = 2`."""
    nodes = dict.fromkeys((*recording.node(event.out).operands, event.out))
    values = {node: recording.history.value(node, position) or 0.0 for node in nodes}
    return ", ".join(
        f"{short_title(recording, node)} = {number(value)}"
        for node, value in values.items()
        if not recording.node(node).constant
    )


def rules() -> list[Question]:
    """Return the questions about single nodes and whole passes that need no recording."""
    return [
        _of_node("add", (3.0, 4.0), 0, 5.0, "An add node passes its gradient on as it is."),
        _of_node("mul", (3.0, 4.0), 0, 2.0, "A multiply node swaps its factors."),
        _of_node("relu", (-1.0,), 0, 7.0, "A relu is a gate, and this one is shut."),
        _of_node("relu", (0.5,), 0, 7.0, "A relu is a gate, and this one is open."),
        _of_node("pow", (3.0, 2.0), 0, 1.0, "A square node gives 2·v."),
        _of_node("max", (2.0, 5.0), 0, 4.0, "Only the larger operand has a say in a max."),
        Question(
            "rule", "chain rule", "The axle turns 3 times for one turn of the crank, the wheel 2 "
            "times for one of the axle. How often does the wheel turn for one turn of the crank?",
            3.0 * 2.0, "Rates along a chain multiply: 3·2 = 6.",
        ),
        Question(
            "rule", "sum over paths", "A value is used on two paths. 3 comes back over one, 12 "
            "over the other. What is its gradient?",
            3.0 + 12.0, "Every path counts: what comes back is added up.",
        ),
        Question(
            "rule", "kept values", "y = a·b with a = 3 and b = 4; 1 arrives at y. Afterwards a is "
            "overwritten with 10, and nobody kept the 3. What should b have received?",
            3.0, "The local derivative is made of the values of the forward pass: they are kept.",
        ),
        Question(
            "rule", "vanishing gradient", "A gradient of 1 goes back through 20 layers that each "
            "multiply it by 0.25. What is left? (two digits will do)",
            0.25**20, f"0.25²⁰ = {number(0.25**20)}: the first layers hear next to nothing.",
        ),
        Question(
            "rule", "dead relu", "A relu gets z = −2 for every sample, and SGD runs for 100 steps. "
            "How far has its bias moved?",
            0.0, "A gate that is shut for every sample lets no gradient through: it stays shut.",
        ),
        Question(
            "rule", "forward mode", "A function has 1 input and 50 outputs. How many passes does "
            "forward mode need for all 50 derivatives?",
            1.0, "One pass for each input, whatever comes out: here forward mode is the better.",
        ),
        Question(
            "rule", "reverse mode", "A network has 1000 parameters and one loss. How many backward "
            "passes does the whole gradient take?",
            1.0, "One pass for each output; forward mode would need 1000.",
        ),
    ]  # fmt: skip


def _of_node(
    name: str, operands: tuple[float, ...], slot: int, upstream: float, rule: str
) -> Question:
    """Ask what a node hands on to one of its operands; the op table knows."""
    op = BY_NAME[name]
    written = op.written(dict(zip(op.operands, map(number, operands), strict=True)))
    received = upstream * op.local[slot](*operands, op.value(*operands))
    which = number(operands[slot])
    return Question(
        "rule",
        name,
        f"{number(upstream)} arrives at {written}. What is handed on to the {which}?",
        received,
        f"{rule} {number(upstream)}·{factor(received / upstream)} = {number(received)}.",
    )


@dataclass(slots=True)
class Score:
    """What was asked, and whether it was answered rightly."""

    asked: list[tuple[Question, bool]] = field(default_factory=list)

    @property
    def right(self) -> int:
        """How many answers were right."""
        return sum(right for _, right in self.asked)

    def again(self) -> Sequence[str]:
        """What to look at again: where answers were wrong, the worst first."""
        wrong: dict[tuple[str, str], list[Question]] = {}
        for question, right in self.asked:
            if not right:
                wrong.setdefault((question.about, question.kind), []).append(question)
        return [
            f"{about} ({kind}): {_places(missed)}"
            for (about, kind), missed in sorted(wrong.items(), key=lambda item: -len(item[1]))
        ]


def _places(missed: Sequence[Question]) -> str:
    places = [str(each.position + 1) for each in missed if each.position is not None]
    if not places:
        return missed[0].explanation
    return f"event{'s' if len(places) > 1 else ''} {', '.join(places)}"
