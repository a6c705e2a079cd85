"""Where numbers stop being finite, against a walk over all events."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import inf, isfinite, nan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diagnosing import verdicts
from graphs import Program, programs, run
from stepgrad import SGD, Recording, Value, clip_norm, op, record
from stepgrad.diagnosis import QUESTIONS, Question, Verdict, diagnose
from stepgrad.engine.tape import seed
from stepgrad.recording import events
from tries import tries

Number = tuple[str, int]
"""What number of which node: `("grad", 3)`."""


def bad(number: float | None) -> bool:
    return number is not None and not isfinite(number)


class Walk:
    """The same question, event by event: which numbers go bad, and what infects them."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.uses = {
            operand
            for event in recording.events
            if isinstance(event, events.Op)
            for operand in event.operands
        }

    def results(self) -> Iterator[tuple[int, Number]]:
        """The results that are not finite, each with the position where it is."""
        history = self.recording.history
        for position, event in enumerate(self.recording.events, 1):
            match event:
                case events.Leaf(node=node) | events.Op(node=node) if node not in self.uses:
                    if bad(event.value):
                        yield position, ("value", node)
                    if bad(event.tangent):
                        yield position, ("tangent", node)
                case events.Seed(node=node) if bad(history.value(node, position)):
                    yield position, ("value", node)
                case events.Accumulate(node=node) if not self.recording.node(node).operands:
                    if bad(event.after):
                        yield position, ("grad", node)
                case events.Update(node=node) if bad(event.after):
                    yield position, ("value", node)
                case events.SetGrad(node=node) if bad(event.after):
                    yield position, ("grad", node)

    def parts(self, position: int, event: events.Event, of: str) -> dict[Number, float | None]:
        """What a number that an event writes is made of."""
        history, node = self.recording.history, self.recording.node
        match event:
            case events.Op():
                found = {("value", each): history.value(each, position) for each in event.operands}
                tangents = {
                    ("tangent", each): history.tangent(each, position) for each in event.operands
                }
                return found | (tangents if of == "tangent" else {})
            case events.Accumulate():
                op, operands = node(event.out).op, node(event.out).operands
                named = dict(zip(op.operands, operands, strict=True)) | {"out": event.out}
                names = op.partials[event.slot].names
                nodes = [each for name, each in named.items() if name in names]
                found = {("value", each): history.value(each, position) for each in nodes}
                found["grad", event.out] = event.upstream
                return found | {("grad", event.node): event.before}
            case events.Update():
                grad = history.grad(event.node, position)
                return {("value", event.node): event.before, ("grad", event.node): grad}
            case events.SetGrad(rule=rule) if rule is not None:
                everything = range(self.recording.size)
                return {("grad", each): history.grad(each, position - 1) for each in everything}
            case events.SetGrad():
                return {("grad", event.node): event.before}
        return {}

    def written(self, event: events.Event) -> list[Number]:
        match event:
            case events.Accumulate() | events.SetGrad():
                return [("grad", event.node)] if bad(event.after) else []
            case events.Update():
                return [("value", event.node)] if bad(event.after) else []
            case events.Op() | events.Leaf():
                return [("value", event.node)] * bad(event.value) + [("tangent", event.node)] * bad(
                    event.tangent
                )
        return []

    def infects(self, birth: int) -> set[tuple[int, Number]]:
        """The numbers that go bad at an event or are made of one that did."""
        infected: set[Number] = set()
        found = set()
        for position, event in enumerate(self.recording.events, 1):
            if isinstance(event, events.ZeroGrad):
                infected.discard(("grad", event.node))
            for number in self.written(event):
                sick = infected & {*self.parts(position, event, number[0])}
                if position == birth or sick:
                    infected.add(number)
                    found.add((position, number))
            if isinstance(event, events.Seed) and ("value", event.node) in infected:
                found.add((position, ("value", event.node)))
        return found


def verdict(recording: Recording) -> Verdict | None:
    found = [each for each in verdicts(recording) if each.name == "non_finite"]
    assert len(found) <= 1
    return found[0] if found else None


def check(recording: Recording) -> None:
    walk = Walk(recording)
    results = [*walk.results()]
    found = verdict(recording)
    assert (found is not None) == bool(results)
    if found is None or recording.is_constant(found.nodes[0]):
        return
    birth = found.events[0]
    event = recording.events[birth - 1]
    by_hand = isinstance(event, events.SetGrad) and event.rule is None
    assert by_hand or any(
        not any(map(bad, walk.parts(birth, event, of).values())) for of, _ in walk.written(event)
    )
    at, number = results[0]
    assert (at, number) in walk.infects(birth)


@settings(max_examples=tries(200))
@given(programs())
def test_it_is_found_where_it_begins(program: Program) -> None:
    with record() as recording:
        run(program, [Value(1.5), Value(-2.0)])
    check(recording)


@settings(max_examples=tries(60))
@given(programs(), st.sampled_from([0.0, 1.0, -2.0]))
def test_in_forward_mode_too(program: Program, number: float) -> None:
    with record() as recording:
        x = Value(number)
        seed(x, 1.0)
        run(program, [x, Value(-2.0)])
    check(recording)


def an_input() -> None:
    w, x = Value(2.0, label="w"), Value(nan, label="x")
    (w * x - 1).backward()


def a_constant() -> None:
    (Value(2.0, label="w") * nan).backward()


def an_update() -> None:
    w = Value(1.0, label="w")
    w.grad = -1e300
    SGD([w], 1e300).step()


def a_velocity() -> None:
    w = Value(0.0, label="w")
    sgd = SGD([w], 0.1, momentum=0.9)
    for _ in range(2):
        w.grad = 1.5e308
        sgd.step()


def a_sum() -> None:
    w = Value(0.0, label="w")
    (w * 1e308 + w * 1e308).backward()


def a_product_of_gradients() -> None:
    w = Value(0.0, label="w")
    (w * 1e200 * 1e200).backward()


def two_infinities() -> None:
    w = Value(0.0, label="w")
    (w.sqrt() - w.sqrt()).backward()


def a_nan_beside_an_older_infinity() -> None:
    x = Value(0.0, label="x")
    (1 / x + x.log() * 0).backward()


def a_nan_beside_a_mask() -> None:
    x = Value(0.0, label="x")
    mask = Value(-inf, label="mask")
    (mask + x.log() * 0).backward()


def clipping() -> None:
    w, v = Value(1.0, label="w"), Value(1.0, label="v")
    (v * 2).backward()
    w.grad = inf
    clip_norm([w, v], 1.0)


@pytest.mark.parametrize(
    ("program", "begins", "words"),
    [
        (an_input, 2, "x is given: nan (event 2); so w·x − 1 is nan at event 4"),
        (a_constant, 2, "nan is a constant of the program (event 2)"),
        (an_update, 3, "w is a parameter, set by this update: 1 − 1e300·(−1e300) = inf (event 3)"),
        (a_velocity, 5, "w is a parameter, set by this update: "),
        (a_sum, 9, "the sum of the contributions overflows (event 9)"),
        (a_product_of_gradients, 6, "1e200 · 1e200 = inf: it overflows (event 6)"),
        (two_infinities, 8, "−1 · inf = −inf (event 8), because sqrt(w) = sqrt(0) = 0 (event 3)"),
        (a_nan_beside_an_older_infinity, 2, "1 / x = 1 / 0 = inf: a division by 0 (event 2)"),
        (a_nan_beside_a_mask, 3, "log(x) = log(0) = −inf (event 3)"),
        (clipping, 6, "w.grad is written by hand: – → inf (event 6)"),
    ],
)
def test_whatever_stops_being_finite(program: Callable[[], None], begins: int, words: str) -> None:
    with record() as recording:
        program()
    found = verdict(recording)
    assert found is not None
    assert found.events[0] == begins
    assert words in found.text


def test_an_overflow_is_a_note_where_it_is_known_what_diverges(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def uphill(_: object) -> Iterator[Verdict]:
        yield Verdict("uphill", "it goes up", "go down", [1])

    with record() as diverging:
        w = Value(1.0, label="w")
        for _ in range(40):
            loss = w * w
            w.grad = 0
            loss.backward()
            w.data += 1e9 * w.grad
    with record() as another:
        a_sum()
    finite = next(each for each in QUESTIONS if each.name == "non_finite")
    monkeypatch.setattr("stepgrad.diagnosis.QUESTIONS", (finite,))
    (overflow,) = diagnose(diverging)
    assert overflow.name == "non_finite"
    assert "lower the learning rate" in overflow.advice
    questions = finite, Question("uphill", "does it?", "it does", uphill)
    monkeypatch.setattr("stepgrad.diagnosis.QUESTIONS", questions)
    cause, note = diagnose(diverging)
    assert (cause.name, cause.note) == ("uphill", False)
    assert (note.name, note.note, note.advice) == ("non_finite", True, "")
    assert (note.text, note.events) == (overflow.text, overflow.events)
    assert [each.name for each in diagnose(another)] == ["non_finite", "uphill"]


def advice(f: Callable[..., Value], *numbers: float) -> str:
    """What people should do about `f` at these numbers, after the whole backward pass."""
    with record() as recording:
        f(*(Value(each, label) for each, label in zip(numbers, "xy", strict=False))).backward()
    found = verdict(recording)
    assert found is not None
    return found.advice


@pytest.mark.parametrize(
    ("f", "numbers", "words"),
    [
        (lambda x: x.log() * 2, [0.0], "Keep the argument of the logarithm above 0"),
        (lambda x: x.log() * 2, [5e-324], "Keep the argument of the logarithm above 0"),
        (lambda x: x.log() * 2, [-3.0], "Find out why the argument of the logarithm is below 0"),
        (lambda x: x.log1p() * 2, [-1.0], "Keep the argument of log1p above −1"),
        (lambda x: x.log1p() * 2, [-3.0], "Find out why the argument is below −1"),
        (lambda x: x.sqrt() * 2, [0.0], "Add a small positive number under the root"),
        (lambda x: x.sqrt() * 2, [-3.0], "Find out why the number under the root is below 0"),
        (lambda x: 1 / x, [0.0], "Keep the denominator away from 0"),
        (lambda x: 1 / x, [-1e-200], "Keep the denominator away from 0"),
        (lambda x, y: x / y, [1e308, 0.01], "Find out what is so large"),
        (lambda x: x**0.5, [0.0], "Add a small positive number to the base"),
        (lambda x: x**0.5, [-3.0], "Find out why the base is below 0"),
        (lambda x: x**-1, [0.0], "Keep the base away from 0"),
        (lambda x: x**-2, [-1e-200], "Keep the base away from 0"),
        (lambda x: x**x, [-3.0], "Keep the base above 0, or make the exponent a plain number"),
        (lambda x: x**2, [-1e200], "Find out what is so large"),
        (lambda x: x.exp(), [1e3], "Subtract the largest exponent"),
        (lambda x: x.cosh(), [-1e3], "Subtract the largest exponent"),
        (lambda x: x * 1e200 * 1e200, [1.0], "Find out what is so large"),
    ],
)
def test_each_cause_has_its_own_advice(
    f: Callable[..., Value], numbers: list[float], words: str
) -> None:
    assert advice(f, *numbers).startswith(words)


@pytest.mark.parametrize(
    ("f", "at", "words"),
    [
        (Value.sqrt, 0.0, "Add a small positive number under the root"),
        (lambda x: x**0.5, 0.0, "Add a small positive number to the base"),
        (lambda x: x**x, -3.0, "Keep the base above 0, or make the exponent a plain number"),
        (Value.sqrt, -3.0, "Find out why the number under the root is below 0"),
    ],
)
def test_a_tangent_gets_the_advice_of_its_slope(
    f: Callable[[Value], Value], at: float, words: str
) -> None:
    with record() as recording:
        x = Value(at, "x")
        seed(x, 1.0)
        f(x)
    found = verdict(recording)
    assert found is not None
    assert found.advice.startswith(words)


def test_an_update_that_overflows_has_too_long_a_step() -> None:
    with record() as recording:
        an_update()
    found = verdict(recording)
    assert found is not None
    assert "lower the learning rate" in found.advice


def test_a_function_of_the_programs_own_is_to_look_at() -> None:
    @op
    def bad_one(x: float) -> float:
        return x * inf

    assert advice(lambda x: bad_one(x) * 2, 1.0).startswith("Look at the function")
