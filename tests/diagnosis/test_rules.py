"""The judge of engines that a program brings: no engine that is right is blamed, any other is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphs import Graph, graphs, tame
from imitation import Engine, Rule, Shadow, micrograd_order, right, where
from stepgrad import Recording, record
from stepgrad.checking.result import judge
from stepgrad.diagnosis import diagnose
from stepgrad.diagnosis.rules.judgement import Judgement, judgement
from stepgrad.diagnosis.rules.remarks import UNFINISHED
from stepgrad.engine.backward import ancestors
from stepgrad.engine.ops import CONSTANT, SUB
from stepgrad.engine.tape import Place


def judged(recording: Recording) -> Judgement:
    found = judgement(recording)
    assert found is not None
    return found


def kinds(recording: Recording) -> list[str]:
    return [each.kind for each in judged(recording).faults]


def network(engine: Engine) -> list[Shadow]:
    """A graph in which every node matters, and some are used twice; the root is last."""
    a, b = engine.leaf(0.8, "a"), engine.leaf(-1.7, "b")
    c = engine.make("mul", a, b, label="c")
    d = engine.make("tanh", c, label="d")
    e = engine.make("sub", c, engine.make("exp", d, label="x"), label="e")
    f = engine.make("div", e, a, label="f")
    g = engine.make("mul", f, f, label="g")
    return [a, b, engine.make("add", g, d, label="z")]


def recorded(rule: Rule = right) -> Recording:
    """A pass of an engine with one mistake, in the order of ours."""
    with record(lines=True) as recording:
        engine = Engine()
        engine.backward(network(engine)[-1], rule)
    return recording


def only(name: str, slot: int, wrong: Callable[[Shadow, float, float], float | None]) -> Rule:
    """A rule that is wrong for one operand of one operation."""

    def rule(out: Shadow, operand: int, upstream: float, contribution: float) -> float | None:
        if out._operation.name == name and operand == slot:
            return wrong(out, upstream, contribution)
        return contribution

    return rule


# Engines that are right.


@given(graphs(tame), st.sampled_from([ancestors, micrograd_order]))
def test_an_engine_that_is_right_is_not_blamed(
    graph: Graph, order: Callable[[Shadow], list[Shadow]]
) -> None:
    with record(lines=True) as recording:
        engine = Engine()
        root = engine.run(graph)[-1]
        engine.backward(root, order=order(root))
    assert judged(recording).faults == ()


@given(graphs(tame))
def test_an_engine_that_goes_path_by_path_is_not_blamed(graph: Graph) -> None:
    with record(lines=True) as recording:
        engine = Engine()
        engine.descend(engine.run(graph)[-1])
    assert judged(recording).faults == ()


def test_what_agrees_is_counted() -> None:
    recording = recorded()
    assert judged(recording).agrees == "12 gradient writes in 1 backward pass agree"
    (note,) = (each for each in diagnose(recording) if each.name == "engine")
    assert note.note
    assert note.text == judged(recording).agrees
    assert judge("mine", recording).word == "ok"


@pytest.mark.parametrize("passed", [0.0, 0.3, 1.0])
def test_at_a_kink_anything_between_the_sides_is_right(passed: float) -> None:
    with record(lines=True) as recording:
        engine = Engine()
        relu = engine.make("relu", engine.leaf(0.0))
        engine.backward(engine.make("mul", relu, 3.0), only("relu", 0, lambda _, g, __: passed * g))
    assert judged(recording).faults == ()


def test_a_square_may_receive_both_parts_at_once() -> None:
    def rule(out: Shadow, slot: int, _: float, contribution: float) -> float | None:
        if out._first is out._second:
            return 2 * contribution if slot == 0 else None
        return contribution

    assert kinds(recorded(rule)) == []


@pytest.mark.parametrize("stored", [False, True])
def test_values_may_change_before_the_pass(stored: bool) -> None:
    with record(lines=True) as recording:
        engine = Engine()
        w = engine.leaf(2.0, "w")
        y = engine.make("mul", w, engine.leaf(5.0), label="y")
        engine.update(w, 3.0)
        rule = only("mul", 1, lambda _, g, due: 2.0 * g if stored else due)
        engine.backward(y, rule)
    assert kinds(recording) == []


def test_what_is_not_known_is_not_held_against_it() -> None:
    with record(lines=True) as recording:
        engine = Engine()
        power = engine.make("pow", engine.leaf(-2.0), engine.leaf(2.0))  # ∂/∂exponent is nan
        engine.backward(power, only("pow", 1, lambda *_: 0.0))
    assert judged(recording).faults == ()


def test_a_pass_that_other_writes_divide_is_one() -> None:
    with record(lines=True) as recording:
        engine = Engine()
        nodes = network(engine)
        z, *others = ancestors(nodes[-1])
        engine.seed(z)
        engine.sweep([z, *others[:2]])
        engine.clear([others[-1]])
        engine.sweep(others[2:])
    assert judged(recording).agrees == "12 gradient writes in 1 backward pass agree"


def test_gradients_of_parameters_add_up_over_passes() -> None:
    with record(lines=True) as recording:
        engine = Engine()
        w = engine.leaf(2.0, "w")
        for _ in range(2):
            engine.backward(engine.make("mul", w, 3.0))
    assert judged(recording).faults == ()


def test_a_program_without_an_engine_of_its_own_has_no_judgement() -> None:
    with record() as recording:
        pass
    assert judgement(recording) is None


# Engines with one mistake.


MISTAKES: list[tuple[Rule, str, str]] = [
    (
        only("mul", 0, lambda out, g, _: g * out._operands[0]._data),
        "swapped",
        "",
    ),
    (only("exp", 0, lambda _, __, due: -due), "sign", "the sign is wrong"),
    (only("sub", 1, lambda _, g, __: g), "sign", "the sign is wrong"),
    (only("tanh", 0, lambda _, g, due: due / g), "upstream missing", "the local derivative alone"),
    (
        only("tanh", 0, lambda out, g, _: g * (1 - out._operands[0]._data ** 2)),
        "local derivative",
        "the rule of d takes ∂d/∂c to be 1 − c² = −0.8496; right is 1 − d² = 0.231",
    ),
    (
        only("div", 1, lambda out, g, _: -g * out._operands[0]._data / out._operands[1]._data),
        "local derivative",
        "to be −e / a = ",
    ),
    (only("exp", 0, lambda _, __, due: 1.1 * due), "local derivative", "takes ∂x/∂d to be 0."),
    (
        only("exp", 0, lambda out, _, __: out._data * out._data),
        "upstream",
        "the value of the result is taken for its gradient",
    ),
    (only("div", 1, lambda *_: None), "no contribution", "a.grad receives nothing from f"),
    (only("exp", 0, lambda *_: None), "no contribution", "the rule of x never runs: d.grad"),
]


@pytest.mark.parametrize(("rule", "kind", "text"), MISTAKES)
def test_one_mistake_is_named(rule: Rule, kind: str, text: str) -> None:
    recording = recorded(rule)
    (fault,) = judged(recording).faults
    assert fault.kind == kind
    assert text in fault.text
    result = judge("mine", recording)
    assert result.failed
    assert [each.verdict for each in result.findings] == ["engine"]


def test_an_assignment_over_what_is_there() -> None:
    def rule(out: Shadow, slot: int, _: float, contribution: float) -> float:
        there = out._operands[slot]._grad
        return contribution - there * (out._operation.name == "tanh")

    (fault,) = judged(recorded(rule)).faults
    assert fault.kind == "overwrites"
    assert fault.text == (
        "the rule of d writes 0.767875 over the −5.55088 in c.grad; the sum is −4.78301: `=` "
        "stands where `+=` belongs"
    )


def test_an_operand_that_receives_what_is_for_the_other() -> None:
    with record(lines=True) as recording:
        engine = Engine()
        a, b = engine.leaf(2.0, "a"), engine.leaf(3.0, "b")
        c = engine.make("add", a, b, label="c")
        engine.seed(c)
        for line in (10, 11):
            engine.door.received(c, 0, a, a._grad + 1.0, (line, "mine.py"))
    (fault,) = judged(recording).faults
    assert fault.kind == "swapped"
    assert fault.text == (
        "the rule of c adds 1 to a.grad a second time; each operand receives its own, once"
    )


def test_another_kind_is_named_as_well_but_no_third_one() -> None:
    def rule(out: Shadow, _: int, upstream: float, due: float) -> float:
        wrong = {"exp": -due, "tanh": due / upstream, "div": 3 * due}
        return wrong.get(out._operation.name, due)

    recording = recorded(rule)
    assert kinds(recording) == ["local derivative", "local derivative", "sign"]
    *others, last = (each.text for each in diagnose(recording) if not each.note)
    assert not any(each.endswith("follow from it") for each in others)
    assert last.endswith("; later ones may follow from it")


def test_one_mistake_of_a_line_explains_all_that_it_writes() -> None:
    def rule(_: Shadow, __: int, upstream: float, due: float) -> float:
        return due / upstream  # where -1 arrives, it is also the sign that is wrong

    assert {*kinds(recorded(rule))} == {"upstream missing"}


@pytest.mark.parametrize(
    ("passed", "kind"), [((1.0, 1.0), "local derivative"), ((1.0, 0.0), "swapped")]
)
def test_a_maximum_is_swapped_only_if_both_operands_are_wrong(
    passed: tuple[float, float], kind: str
) -> None:
    def rule(_: Shadow, slot: int, upstream: float, __: float) -> float:
        return upstream * passed[slot]

    with record(lines=True) as recording:
        engine = Engine()
        c = engine.make("max", engine.leaf(2.0, "a"), engine.leaf(3.0, "b"), label="c")
        engine.backward(c, rule)
    assert kinds(recording) == [kind]


def test_all_that_is_wrong_in_one_rule_is_named() -> None:
    def rule(out: Shadow, slot: int, _: float, due: float) -> float:
        return (3 * due, -due)[slot] if out._operation.name == "div" else due

    first, second = judged(recorded(rule)).faults
    assert (first.kind, second.kind) == ("local derivative", "sign")
    assert "∂f/∂e" in first.text
    assert "a.grad" in second.text


def test_operands_that_are_swapped_are_one_mistake() -> None:
    def rule(out: Shadow, slot: int, upstream: float, due: float) -> float:
        return upstream * out._operands[slot]._data if out._operation.name == "mul" else due

    with record(lines=True) as recording:
        engine = Engine()
        c = engine.make("mul", engine.leaf(2.0, "a"), engine.leaf(3.0, "b"), label="c")
        engine.backward(c, rule)
    assert kinds(recording) == ["swapped"]


def structural(run: Callable[[Engine, list[Shadow]], None]) -> tuple[Recording, str, str]:
    """A pass in which the rules are right; its only fault, by kind and in words."""
    with record(lines=True) as recording:
        engine = Engine()
        run(engine, network(engine))
    (fault,) = judged(recording).faults
    return recording, fault.kind, fault.text


def test_a_seed_that_is_missing() -> None:
    recording, kind, text = structural(lambda engine, nodes: engine.sweep(ancestors(nodes[-1])))
    assert kind == "seed"
    assert text == "the first rule runs while z.grad is 0: it is never set to 1"
    assert judge("mine", recording).failed


def test_a_seed_that_is_the_value() -> None:
    def run(engine: Engine, nodes: list[Shadow]) -> None:
        engine.seed(nodes[-1], nodes[-1]._data)
        engine.sweep(ancestors(nodes[-1]))

    assert structural(run)[1:] == (
        "seed", "z.grad begins with 4.05357, the value of z; right is 1"
    )  # fmt: skip


def test_another_seed_is_meant() -> None:
    with record(lines=True) as recording:
        engine = Engine()
        nodes = network(engine)
        engine.seed(nodes[-1], 0.5)
        engine.sweep(ancestors(nodes[-1]))
    assert kinds(recording) == []


def test_a_node_that_is_visited_before_its_last_user() -> None:
    def run(engine: Engine, nodes: list[Shadow]) -> None:
        z, g, f, e, x, d, c = ancestors(nodes[-1])
        engine.backward(z, order=[z, d, g, f, e, x, c])

    _, kind, text = structural(run)
    assert kind == "order"
    assert text == (
        "the rule of x adds 2.31073 to d.grad after the rule of d has run: d is visited before "
        "its last user"
    )


def test_a_node_that_is_visited_twice() -> None:
    def run(engine: Engine, nodes: list[Shadow]) -> None:
        z, g, f, e, x, d, c = ancestors(nodes[-1])
        engine.backward(z, order=[z, d, g, f, e, x, d, c])

    assert structural(run)[1:] == ("visited twice", "the rule of d runs twice in one backward pass")


def test_a_second_pass_over_one_graph_is_said_once() -> None:
    def run(engine: Engine, nodes: list[Shadow]) -> None:
        engine.backward(nodes[-1])
        engine.backward(nodes[-1])
        engine.backward(nodes[-1])

    recording, kind, text = structural(run)
    assert kind == "not cleared"
    assert text.startswith("backward() runs again and adds to g.grad = 1, which an earlier pass")
    assert [each.name for each in diagnose(recording) if not each.note] == ["engine"]


def test_a_second_pass_after_all_is_cleared_is_right() -> None:
    with record(lines=True) as recording:
        engine = Engine()
        nodes = network(engine)
        for _ in range(2):
            engine.backward(nodes[-1])
            engine.clear([*nodes, *ancestors(nodes[-1])])
    assert kinds(recording) == []


def test_a_value_that_the_operator_does_not_give() -> None:
    with record(lines=True) as recording:
        engine = Engine()
        v = engine.leaf(5.0, "v")
        three = Shadow(CONSTANT, 3.0)
        engine.door.made_at(three, where(30))
        engine.door.made_at(out := Shadow(SUB, 2.0, three, v), where(31))
        engine.backward(out)
    (fault,) = judged(recording).faults
    assert fault.kind == "wrong forward"
    assert (
        fault.text
        == "`__rsub__` makes 2 of 3 − 5; right is −2: it has its operands the wrong way round"
    )


def remarked(kind: str, text: str, node: str = "z") -> Recording:
    with record(lines=True) as recording:
        engine = Engine()
        nodes = network(engine)
        engine.door.remark(kind, nodes[-1] if node else None, (22, "mine.py"), text)
        engine.backward(nodes[-1])
    return recording


def test_what_was_noticed_comes_first() -> None:
    recording = remarked("hung", "the rule of + is stored in its operand")
    (fault,) = judged(recording).faults
    assert (fault.kind, fault.place) == ("wrong node", Place("", 22, "mine.py"))
    (finding,) = judge("mine", recording).findings
    assert finding.lines == ["mine.py:22"]


def test_what_could_not_be_seen_is_a_note_and_no_blame() -> None:
    recording = remarked("unseen", "writes through __dict__ are not observable", "")
    assert [each.text for each in diagnose(recording)] == [
        "12 gradient writes in 1 backward pass agree",
        "writes through __dict__ are not observable",
    ]
    assert judge("mine", recording).word == "ok"


def test_where_no_pass_is_seen_only_that_is_said() -> None:
    with record(lines=True) as recording:
        engine = Engine()
        network(engine)
        engine.door.remark("unseen", None, None, "writes through __dict__ are not observable")
    assert [each.text for each in diagnose(recording)] == [
        "writes through __dict__ are not observable"
    ]
    result = judge("mine", recording)
    assert result.word == "nothing to check"
    assert result.note == "writes through __dict__ are not observable"


def test_an_operation_that_cannot_be_differentiated_is_named() -> None:
    recording = remarked("unknown", "clip")
    assert [each.text for each in diagnose(recording)] == [
        "12 gradient writes in 1 backward pass agree",
        "the rule of clip is not judged: its derivative is not known",
    ]


def test_nothing_is_missing_from_a_pass_that_an_error_has_ended() -> None:
    with record(lines=True) as recording:
        engine = Engine()
        nodes = network(engine)
        engine.seed(nodes[-1])
        engine.sweep(ancestors(nodes[-1])[:2])
        engine.door.remark(UNFINISHED, None, None, "it ended in the middle")
    assert judged(recording).faults == ()
    assert judged(recording).hidden == ["it ended in the middle"]


def test_it_is_the_same_in_a_file(tmp_path: Path) -> None:
    recording = recorded(only("exp", 0, lambda _, __, due: -due))
    recording.save(tmp_path / "mine.stepgrad")
    again = Recording.load(tmp_path / "mine.stepgrad")
    assert judged(again).faults == judged(recording).faults
