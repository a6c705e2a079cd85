"""The language of conditions: what it can say, and where that holds, against single events."""

from __future__ import annotations

import math
import operator
import warnings
from collections.abc import Callable
from contextlib import suppress
from math import inf, isfinite, nan
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphs import OPERATIONS, Program, programs, run
from replay_runs import two_layer
from stepgrad import SGD, Recording, State, Value, mark, record, record_scenario
from stepgrad.engine.ops import Op
from stepgrad.recording import events
from stepgrad.replay.stops.language import Condition, ConditionError
from stepgrad.replay.stops.stop import find
from stepgrad.replay.telling.narration import narrate
from stepgrad.replay.telling.titles import short_title
from tries import tries

Facts = dict[str, Any]


def facts(recording: Recording, index: int) -> Facts:
    """What can be said of an event: read off the event, the slow and obvious way."""
    event = recording.events[index]
    told: Facts = {"phase": event.phase, "position": index + 1}
    if isinstance(event, events.Mark):
        return told
    acting = event.out if isinstance(event, events.Accumulate) else event.node
    told["node"] = short_title(recording, event.node)
    told["op"] = recording.node(acting).op.name
    told["value"] = recording.history.value(event.node, index + 1)
    if not isinstance(event, events.Leaf | events.Op):
        told["before"], told["after"] = event.before, event.after
        if not isinstance(event, events.Update):
            told["grad"] = event.after
    if isinstance(event, events.Leaf | events.Op) and event.tangent is not None:
        told["tangent"] = event.tangent
    if isinstance(event, events.Accumulate):
        told["out"] = short_title(recording, event.out)
        told |= {name: getattr(event, name) for name in ("local", "upstream", "contribution")}
    return told


def recorded(program: Program, passes: int) -> Recording:
    """Run a program again and again: passes of one shape, and names that come late."""
    with record() as recording:
        parameter = Value(1.5, label="a")
        for _ in range(passes):
            run(program, [parameter, Value(-2.0)])
    return recording


def scan(recording: Recording, condition: str) -> list[int]:
    """The events of which a condition holds, as the debugger says."""
    stop = Condition(condition)
    return [event for block in recording.blocks for event in stop.matches(recording, block)]


COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
NUMBERS = ("after", "before", "contribution", "grad", "local", "position", "upstream", "value")
TEXTS = ("node", "op", "out", "phase")
JUDGES = {"isnan": math.isnan, "isinf": math.isinf, "isfinite": math.isfinite}

Atom = tuple[str, Callable[[Facts], bool | None]]


def known(name: str, judge: Callable[[Any], bool]) -> Callable[[Facts], bool | None]:
    return lambda told: None if told.get(name) is None else judge(told[name])


@st.composite
def atoms(draw: st.DrawFn) -> Atom:
    if draw(st.booleans()):
        name, sign = draw(st.sampled_from(TEXTS)), draw(st.sampled_from(["==", "!="]))
        text = draw(
            st.sampled_from(["a", "relu", "add", "forward", "backward", "v1", "#2", "−a", "a·a"])
        )
        return f'{name} {sign} "{text}"', known(name, lambda x: COMPARE[sign](x, text))
    name = draw(st.sampled_from(NUMBERS))
    if draw(st.booleans()):
        word = draw(st.sampled_from(sorted(JUDGES)))
        return f"{word}({name})", known(name, JUDGES[word])
    sign, number = draw(st.sampled_from(sorted(COMPARE))), draw(st.sampled_from([0, 1.5, -2, 1e3]))
    if draw(st.booleans()):
        return f"abs({name}) {sign} {number}", known(name, lambda x: COMPARE[sign](abs(x), number))
    return (
        f"2 * {name} - 1 {sign} {number}",
        known(name, lambda x: COMPARE[sign](2 * x - 1, number)),
    )


def joined(pair: tuple[Atom, Atom, bool]) -> Atom:
    (left, judge_left), (right, judge_right), both = pair

    def judge(told: Facts) -> bool | None:
        held = [judge_left(told), judge_right(told)]
        if (not both) in held:
            return not both
        return None if None in held else both

    return f"({left} {'and' if both else 'or'} {right})", judge


def opposite(atom: Atom) -> Atom:
    text, judge = atom
    return f"not ({text})", lambda told: None if judge(told) is None else not judge(told)


conditions = st.recursive(
    atoms(),
    lambda parts: st.tuples(parts, parts, st.booleans()).map(joined) | parts.map(opposite),
    max_leaves=4,
)


@settings(max_examples=tries(150))
@given(programs(), st.integers(1, 3), conditions)
def test_a_condition_holds_where_the_event_says_so(
    program: Program, passes: int, condition: Atom
) -> None:
    recording, (text, judge) = recorded(program, passes), condition
    expected = [i for i in range(recording.length) if judge(facts(recording, i))]
    assert scan(recording, text) == expected


def test_isnan_finds_the_first_nan_and_what_it_was_made_of() -> None:
    with record() as recording:
        mark("step", 1)
        x, big = Value(2.0, label="x"), Value(math.inf, label="big")
        y = (x - x) * big
        y.label = "y"
        (y + x).backward()
    found = find(recording, [Condition("isnan(value)")], 0, forward=True)
    assert found is not None
    made = recording.events[found[0]]
    assert isinstance(made, events.Op)
    assert recording.node(made.node).name == "y"
    assert [recording.history.first_value(n) for n in made.operands] == [0.0, math.inf]


def test_isnan_of_a_gradient_names_the_operand_that_caused_it() -> None:
    with record() as recording:
        zero = Value(0.0, label="zero")
        root = zero**0.5  # its slope at 0 is infinite
        root.label = "root"
        (root * 0.0 + 1.0).backward()  # and 0 · inf is no number
    found = find(recording, [Condition("isnan(grad)")], 0, forward=True)
    assert found is not None
    event = recording.events[found[0]]
    assert isinstance(event, events.Accumulate)
    assert [recording.node(n).name for n in (event.node, event.out)] == ["zero", "root"]
    assert (event.upstream, event.local) == (0.0, math.inf)


RUN = two_layer()


@pytest.mark.parametrize(
    ("condition", "hits"),
    [
        ('node == "h"', 2),
        ('op == "relu" and local == 1', 1),
        ('op == "relu" and local == 0', 0),
        ('phase == "backward" and out == "L"', 1),
        ("abs(grad) >= 24", 1),
        ("grad == -24", 1),
        ("0 < position <= 3", 3),
        ("not position > 3", 3),
        ("before == 0 or after == 1", 1),
        ("upstream * local == contribution", 12),
        ("contribution + 1 != contribution / 1 - +0", 12),
        ("value == 1.5", 6),
        ("True", RUN.length),
        ("0", 0),
        ("position / 0 == 1", 0),
        ("node < 3", 0),
        ('node * 1000000000 == "x"', 0),
        ('"x" * 1000000000 == node', 0),
        ("isnan(node)", 0),
        ("grad == grad or grad != grad or position", RUN.length),
        ("1" + "0" * 400 + " * 1.0 < position", 0),
    ],
)
def test_a_condition(condition: str, hits: int) -> None:
    assert len(scan(RUN, condition)) == hits


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("", "no condition given; write one such as bad"),
        ("grda > 1", "unknown name `grda`; did you mean `grad`?"),
        ("op == relu", '`relu` is a text and needs quotes: op == "relu"; in a script, \'Bop'),
        ("zzzz", "unknown name `zzzz`; use after, bad, before, contribution, grad, local, node"),
        ("isnam(grad)", "`isnam` cannot be called like that; did you mean `isnan`?: abs, isfinite"),
        ("isnan()", "`isnan` cannot be called like that"),
        ("isnan(grad, 1)", "`isnan` cannot be called like that"),
        ("isnan(x=grad)", "`isnan` cannot be called like that"),
        ("print(grad)", "`print` cannot be called like that"),
        ('__import__("os")', "`__import__` cannot be called like that"),
        ('__import__("os").system("x")', "cannot be part of a condition"),
        ("grad.real > 0", "`grad.real` cannot be part of a condition: use names, numbers"),
        ("().__class__", "`().__class__` cannot be part of a condition"),
        ("lambda: 1", "`lambda: 1` cannot be part of a condition"),
        ("node[0] == 'h'", "`node[0]` cannot be part of a condition"),
        ("f'{grad}' == 'x'", "cannot be part of a condition"),
        ("(n := grad) > 1", "`n := grad` cannot be part of a condition"),
        ("9**9**9", "`9**9**9` cannot be part of a condition"),
        ("grad % 2", "`grad % 2` cannot be part of a condition"),
        ("grad // 2", "`grad // 2` cannot be part of a condition"),
        ("~position", "`~position` cannot be part of a condition"),
        ("1 << 9", "`1 << 9` cannot be part of a condition"),
        ("grad is None", "`grad is None` cannot be part of a condition"),
        ("node in 'abc'", "cannot be part of a condition"),
        ("None", "`None` cannot be part of a condition"),
        ("1j", "`1j` cannot be part of a condition"),
        ("b'x' == node", "`b'x'` cannot be part of a condition"),
        ("...", "`...` cannot be part of a condition"),
        ("[grad]", "`[grad]` cannot be part of a condition"),
        ("{1: 2}", "`{1: 2}` cannot be part of a condition"),
        ("grad if 1 else 2", "`grad if 1 else 2` cannot be part of a condition"),
        ("*grad", "`*grad` is not a condition"),
        ("grad = 1", "`grad = 1` is not a condition"),
        ("grad >", "`grad >` is not a condition"),
        ("grad; value", "`grad; value` is not a condition"),
        ("import os", "`import os` is not a condition"),
        ("gr\0ad", "is not a condition"),
        ("(" * 10_000 + "1" + ")" * 10_000, "a condition has at most 1000 characters"),
        ("(" * 450 + "1" + ")" * 450, "is not a condition"),
        ("-" * 900 + "1", "nested too deeply"),
        ("grad" + ".a" * 400, "cannot be part of a condition"),
        ("1" + "+1" * 400, "nested too deeply"),
        ("9" * 5000, "a condition has at most 1000 characters"),
    ],
)
def test_what_no_condition_can_be_is_explained(condition: str, message: str) -> None:
    with pytest.raises(ConditionError) as caught:
        Condition(condition)
    assert message in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("condition", ['node == "\\d"', "1or 0", "1 is 1"])
def test_python_does_not_talk_into_the_screen(condition: str) -> None:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        with suppress(ConditionError):
            Condition(condition)
    assert not told


def test_a_name_that_comes_late_counts_from_then_on() -> None:
    with record() as recording:
        x = Value(2.0)
        y = x * 3
        y.backward()
        made, named = Condition('node == "x·3"'), Condition('node == "x"')
        before = [list(stop.matches(recording, recording.blocks[0])) for stop in (made, named)]
        x.label = "x"
        recording.settle()
        after = [list(stop.matches(recording, recording.blocks[0])) for stop in (made, named)]
    assert (before, after) == ([[], []], [[1], [0]])


@pytest.mark.parametrize("op", OPERATIONS, ids=lambda op: op.name)
def test_only_a_name_is_a_word(op: Op) -> None:
    """So a condition on a word need not work out what a nameless node is called."""
    title = op.written({"a": "x", "b": "y"})
    assert not (title.isascii() and title.isidentifier())


def test_conditions_are_equal_by_their_text() -> None:
    assert Condition("grad > 1") == Condition("grad > 1") != Condition("grad > 2")
    assert {Condition("grad > 1"): 1}[Condition("grad > 1")] == 1


def events_where(condition: str, recording: Recording) -> list[int]:
    """The positions of the events of which a condition holds."""
    stop = Condition(condition)
    return [event + 1 for block in recording.blocks for event in stop.matches(recording, block)]


def bad_by_definition(recording: Recording) -> list[int]:
    """The events at which a number is not finite, although all that it is made of is."""
    return [
        position
        for position in range(1, recording.length + 1)
        if any(
            not finite(number) and all(map(finite, parts))
            for number, parts in numbers_with_parts(recording, position)
        )
    ]


def numbers_with_parts(
    recording: Recording, position: int
) -> list[tuple[float | None, list[float | None]]]:
    before = State(recording, position - 1)
    match recording.events[position - 1]:
        case events.Leaf(value=value):
            return [(value, [])]
        case events.Op(value=value, operands=operands):
            return [(value, [before.value(operand) for operand in operands])]
        case events.Accumulate(node=node, out=out) as edge:
            values = [before.value(each) for each in (*recording.node(out).operands, out)]
            return [
                (edge.local, values),
                (edge.contribution, [edge.upstream, edge.local]),
                (State(recording, position).grad(node), [before.grad(node), edge.contribution]),
            ]
        case events.Update(node=node, before=old, after=new):
            return [(new, [old, before.grad(node)])]
        case events.SetGrad(before=old, after=new):
            return [(new, [old])]
    return []


def finite(number: float | None) -> bool:
    return number is None or isfinite(number)


def wild(a: float, b: float) -> Recording:
    """Products, a quotient, a root and an exponential of wild numbers, and an update."""
    with record() as recording:
        x, y = Value(a, label="x"), Value(b, label="y")
        out = (x * y).exp() * x + y / x + (x * 1e308)
        (out * out + abs(x) ** 0.5).backward()
        SGD([x, y], 1e300).step()
        (x * y).backward()
    return recording


@settings(max_examples=tries(60))
@given(*[st.sampled_from([0.0, 1.0, -2.0, 1e-308, 1e200, 710.0, inf, nan])] * 2)
def test_bad_holds_where_a_number_is_not_finite_and_all_its_parts_are(a: float, b: float) -> None:
    recording = wild(a, b)
    assert events_where("bad", recording) == bad_by_definition(recording)


@settings(max_examples=tries(60))
@given(*[st.sampled_from([0.0, 1.0, -2.0, 1e-308, 1e200, 710.0, inf, nan])] * 2)
def test_the_first_bad_event_is_the_first_number_that_is_not_finite(a: float, b: float) -> None:
    recording = wild(a, b)
    anything = "not isfinite(value) or not isfinite(grad) or not isfinite(local)"
    assert events_where("bad", recording)[:1] == events_where(anything, recording)[:1]


def test_bad_finds_the_cause_of_a_nan_where_a_condition_on_gradients_comes_late() -> None:
    recording = record_scenario("nan_origin")
    [first, *_] = events_where("bad", recording)
    assert first < events_where("isnan(grad)", recording)[0]
    assert str(narrate(recording, first - 1)).startswith("u = log(p)")
    assert events_where("bad", record_scenario("two_layer")) == []
    assert "bad" in Condition("not bad").text


def test_a_name_in_a_condition_may_have_its_scopes() -> None:
    recording = record_scenario("diagonal_flip")
    made = recording.history.made_at(recording.first_named("row1/layer1/neuron2/z"))
    for name in ("row1/layer1/neuron2/z", "layer1/neuron2/z", "neuron2/z"):
        assert events_where(f'node == "{name}"', recording)[0] == made
    others = events_where('node != "neuron2/z"', recording)
    every = events_where('node == "neuron2/z"', recording) + others
    assert sorted(every) == list(range(1, recording.length + 1))
    assert made in events_where('node == "z"', recording)
