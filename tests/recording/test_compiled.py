"""Compiled passes, compared with Value event by event and bit by bit."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from unittest import mock

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from graphs import Graph, graphs, wild
from reference import all_bits, bits
from scenario.runs import run as run_scenario
from stepgrad import SGD, Recording, Value, mark, record, scope
from stepgrad.engine.tape import active_tape
from stepgrad.recording import statements
from stepgrad.recording import traced as traced_module
from stepgrad.recording.blocks import Backward, Forward
from stepgrad.recording.compiled import function
from stepgrad.recording.recorder import Recorder
from stepgrad.recording.traced import Root, Traced
from stepgrad.scenario.program import training

PassOf = Callable[..., Value | None]


def told(recording: Recording) -> list[str]:
    """All that a recording says; `repr` tells -0.0 from 0.0, and nan is nan."""
    nodes = [recording.node(index) for index in range(recording.size)]
    return [*map(repr, recording.events), *map(repr, nodes), repr(recording.names(10**9))]


def held(values: list[Value]) -> list[str]:
    return list(map(repr, values))


def counted(forward: PassOf) -> tuple[PassOf, list[object]]:
    """A function that keeps what it was called with."""
    calls: list[object] = []

    def called(*arguments: object) -> Value | None:
        calls.append(arguments)
        return forward(*arguments)

    return called, calls


# The law.


def train(
    graph: Graph, kept: int, steps: int, clears: bool, wrap: type[Traced] | None
) -> list[str]:
    """Train the first leaves of a graph; the others are made again in each pass."""
    parameters = [Value(leaf, label=f"p{i}") for i, leaf in enumerate(graph.leaves[:kept])]

    def forward() -> Value:
        with scope("pass"):
            inputs = [Value(leaf, label="x") for leaf in graph.leaves[kept:]]
            root = graph.extend([*parameters, *inputs])[-1]
            root.label = "y"
        return root

    run: Callable[[], Root | None] = wrap(forward) if wrap else forward
    optimizer = SGD(parameters, 0.5)
    with record() as recording:
        for step in range(steps):
            mark("step", step)
            root = run()
            if clears:
                optimizer.zero_grad()
            assert root is not None
            root.backward()
            optimizer.step()
        after = [parameter * 2 for parameter in parameters]
        for value in after:
            value.backward()
    return told(recording) + held(parameters)


@given(graphs(wild), st.integers(0, 4), st.integers(0, 5), st.booleans())
def test_compiled_is_traced_bit_for_bit(graph: Graph, kept: int, steps: int, clears: bool) -> None:
    assert train(graph, kept, steps, clears, Traced) == train(graph, kept, steps, clears, None)


def both_ways(text: str) -> tuple[Recording, Recording]:
    with mock.patch.object(training, "WORTH_COMPILING", 10**9):
        traced = run_scenario(text)
    with mock.patch.object(training, "WORTH_COMPILING", 0):
        return traced, run_scenario(text)


NETWORK = """
title: t
network: {{sizes: [2, {hidden}, 1], activation: [{activation}, {last}], init: {{seed: {seed}}}}}
data: {{inputs: [[0, 0], [0, 1], [1, 0], [-1, 0.5]], targets: [-1, 1, 1, 0]}}
loss: {loss}
train: {{steps: {steps}, learning_rate: {rate}, zero_grad: {clears}}}
"""
ACTIVATIONS = ["linear", "tanh", "relu", "sigmoid", "leaky_relu"]


@settings(max_examples=25, deadline=None)  # the first run imports yaml
@given(
    st.fixed_dictionaries(
        {
            "hidden": st.integers(1, 3),
            "activation": st.sampled_from(ACTIVATIONS),
            "last": st.sampled_from(ACTIVATIONS),
            "seed": st.integers(0, 99),
            "loss": st.sampled_from(["sum_squared_error", "mean_squared_error"]),
            "steps": st.integers(0, 5),
            "rate": st.sampled_from([0.1, 0.0, -1.0, 1e200]),  # the last makes inf and nan
            "clears": st.sampled_from(["true", "false"]),
        }
    )
)
def test_a_compiled_network_is_a_traced_one(choices: dict[str, object]) -> None:
    traced, compiled = both_ways(NETWORK.format(**choices))
    assert told(compiled) == told(traced)


@pytest.mark.parametrize(
    "statements",
    [
        ["y = w*x"],
        ["y = w + w"],
        ["y = 2"],  # no computed root
        ["a = w*x", "c = 3", "y = a/c + b*0"],
        ["a = log(w - 1)", "y = sqrt(a)*x"],  # -inf, then nan
        ["a = relu(w - 1)", "c = relu(1 - w)", "y = a*x + c"],  # both at the kink
        ["a = w*b", "y = -a*0 - a"],  # -0.0
        ["y = max(w, x)*min(w, x)"],
    ],
)
@pytest.mark.parametrize("clears", ["true", "false"])
def test_a_compiled_graph_is_a_traced_one(statements: list[str], clears: str) -> None:
    graph = "".join(f"  - {statement}\n" for statement in statements)
    train = f"train: {{steps: 4, learning_rate: 0.5, zero_grad: {clears}}}\n"
    text = (
        f"title: t\ninputs: {{x: 2}}\nparams: {{w: 1, b: 0}}\ngraph:\n{graph}backward: y\n{train}"
    )
    traced, compiled = both_ways(text)
    assert told(compiled) == told(traced)


# What is compiled, and what goes back to Value.


def run(forward: Callable[..., Root | None], *arguments: object) -> None:
    root = forward(*arguments)
    assert root is not None
    root.backward()


def test_only_the_first_pass_of_each_kind_goes_through_value() -> None:
    with record():
        w = Value(2.0)
        called, calls = counted(lambda x: w * x)
        traced = Traced(called)
        mark("step")
        for x in (1.0, 2.0, 1.0, 2.0, 2.0):
            run(traced, x)
    assert calls == [(1.0,), (2.0,)]
    assert w.grad == 8.0


def test_passes_that_differ_in_numbers_and_names_share_their_code() -> None:
    def recorded() -> Recording:
        with record() as recording:
            w = Value(2.0)

            def forward(row: int) -> Value:
                with scope(f"row{row}"):
                    return (w * Value(float(row), label="x")).tanh()

            mark("step")
            traced = Traced(forward)
            for row in (1, 2, 2, 1, 2):
                run(traced, row)
        return recording

    with (
        mock.patch.dict(statements._DEFINED, clear=True),
        mock.patch.object(statements, "define", side_effect=statements.define) as compiling,
    ):
        recording = recorded()
        assert told(recorded()) == told(recording)  # as when a scenario runs again, edited
    assert compiling.call_count == 1
    nodes = [recording.node(index) for index in range(recording.size)]
    rows = [(node.label, recording.history.first_value(node.index)) for node in nodes if node.name]
    assert rows == [(f"row{row}/x", float(row)) for row in (1, 2, 2, 1, 2)]


Setting = Callable[[Callable[[], Root | None]], None]


def elsewhere(forward: Callable[[], Root | None]) -> None:
    with record():
        run(forward)


def after_other_nodes(forward: Callable[[], Root | None]) -> None:
    Value(1.0)
    run(forward)


def in_a_scope_of_its_own(forward: Callable[[], Root | None]) -> None:
    recorder = active_tape()
    assert isinstance(recorder, Recorder)
    with scope(f"at{recorder.log.length}"):
        run(forward)


def traced_thrice(
    forward: Callable[[Value], Value | None], setting: Setting = run, wrap: bool = True
) -> tuple[list[str], int]:
    """Run a pass three times; return what was recorded, and how often Value ran it."""
    with record() as recording:
        w = Value(0.5, label="w")
        called, calls = counted(lambda: forward(w))
        passing: Callable[[], Root | None] = Traced(called) if wrap else called
        mark("step")
        for _ in range(3):
            setting(passing)
    return told(recording) + held([w]), len(calls)


@pytest.mark.parametrize("setting", [elsewhere, after_other_nodes, in_a_scope_of_its_own])
def test_where_the_trace_does_not_fit_value_runs(setting: Setting) -> None:
    def forward(w: Value) -> Value:
        return (w * 2).tanh()

    assert traced_thrice(forward, setting) == traced_thrice(forward, setting, wrap=False)


def test_without_a_recording_value_runs() -> None:
    w = Value(3.0)
    traced = Traced(lambda: w * w)
    run(traced)
    run(traced)
    assert w.grad == 12.0


def writes(w: Value) -> Value:
    y = w * w
    w.data += 1.0
    return y * w


kept: dict[Value, Value] = {}


def uses_what_was_computed(w: Value) -> Value:
    if w not in kept:
        kept[w] = w.exp()
        mark("sample")
    return kept[w] * w


@pytest.mark.parametrize("forward", [writes, uses_what_was_computed, lambda w: w])
def test_what_is_more_than_a_pass_of_its_own_stays_with_value(
    forward: Callable[[Value], Value],
) -> None:
    said, calls = traced_thrice(forward)
    assert calls == 3
    assert (said, calls) == traced_thrice(forward, wrap=False)


def test_a_pass_without_a_root_stays_with_value() -> None:
    def rootless(w: Value) -> None:
        w.exp()

    def call(forward: Callable[[], Root | None]) -> None:
        assert forward() is None

    assert traced_thrice(rootless, call) == traced_thrice(rootless, call, wrap=False)


def test_a_pass_that_is_too_large_stays_with_value() -> None:
    with mock.patch.object(traced_module, "MOST_COMPILED", 1):
        assert traced_thrice(lambda w: w * 2)[1] == 3
    assert traced_thrice(lambda w: -w)[1] == 1


def test_values_from_before_the_recording_are_traced_when_they_are_in_it() -> None:
    w = Value(2.0)
    called, calls = counted(lambda: w * w)
    traced = Traced(called)
    with record() as recording:
        for _ in range(4):
            run(traced)
    assert len(calls) == 2
    assert recording.length == 1 + 4 * (1 + 1 + 2)


def test_a_forward_pass_alone_may_come_between() -> None:
    def setting(forward: Callable[[], Root | None]) -> None:
        forward()
        run(forward)

    assert (
        traced_thrice(lambda w: w * w, setting)[0]
        == (traced_thrice(lambda w: w * w, setting, wrap=False)[0])
    )


@pytest.mark.parametrize("wrap", [True, False])
def test_a_value_written_before_backward_counts(wrap: bool) -> None:
    with record():
        w = Value(0.5)
        forward: Callable[[], Root | None] = Traced(lambda: w * w) if wrap else lambda: w * w
        mark("step")
        for _ in range(3):
            w.data = 0.5
            root = forward()
            w.data = 3.0
            assert root is not None
            root.backward()
    assert w.grad == 3 * (3.0 + 3.0)


def test_backward_runs_once_and_from_the_latest_pass() -> None:
    with record():
        w = Value(2.0)
        mark("step")
        traced = Traced(lambda: w * w)
        run(traced)
        first, second = traced(), traced()
        assert first is not None
        assert second is not None
        with pytest.raises(RuntimeError, match="latest"):
            first.backward()
        second.backward()
        with pytest.raises(RuntimeError, match="once"):
            second.backward()
    assert w.grad == 8.0


def test_neither_depth_nor_fan_in_is_a_problem() -> None:
    with record() as recording:
        w = Value(0.5)
        mark("step")

        def forward() -> Value:
            y = w
            for _ in range(5_000):
                y = y + w * 0.001
            return y

        called, calls = counted(forward)
        traced = Traced(called)
        run(traced)
        first = w.grad
        w.grad = 0.0
        run(traced)
    assert len(calls) == 1
    assert w.grad == first
    backward = [block for block in recording.blocks if isinstance(block, Backward)]
    assert backward[0].grads == backward[1].grads


# The function from inputs to outputs.


def network() -> tuple[Forward, dict[str, int], Recording]:
    """Return a trained network's last pass, the refs of its named nodes, and the recording."""
    recording = run_scenario(
        NETWORK.format(
            hidden=3, activation="tanh", last="linear", seed=1,
            loss="sum_squared_error", steps=20, rate=0.1, clears="true",
        )
    )  # fmt: skip
    last = [block for block in recording.blocks if isinstance(block, Forward)][-1]
    names = recording.names(recording.length)
    refs = {name: ref for name, node in names.items() if (ref := last.ref(node)) is not None}
    return last, refs, recording


def test_a_function_answers_for_new_inputs_as_the_network_does() -> None:
    last, refs, recording = network()
    structure = last.structure
    x1, x2, y = refs["row1/x1"], refs["row1/x2"], refs["row1/y"]
    others = [ref for ref in structure.inputs if ref not in (x1, x2)]
    state = recording.history
    numbers = [state.value(last.node(ref), recording.length) for ref in others]
    answer = partial(function(structure, [*others, x1, x2], [y]), *numbers)
    for row, point in enumerate([(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (-1.0, 0.5)], 1):
        expected = state.value(last.node(refs[f"row{row}/y"]), recording.length)
        assert answer(*point) == (expected,)


def test_a_function_starts_where_it_is_told_and_computes_no_more_than_it_needs() -> None:
    with record() as recording:
        x = Value(3.0)
        mark("step")
        a = x * x
        b = a + 1
        (b * a).exp()
    structure = recording.history.forward_of(recording.size - 1).structure
    square, _, plus, product, _ = range(5)
    assert function(structure, [square, 1], [plus, square])(5.0, 1.0) == (6.0, 5.0)
    assert function(structure, [plus, square], [product])(2.0, 5.0) == (10.0,)
    assert function(structure, [~0], [square])(4.0) == (16.0,)
    assert function(structure, [~0], [~0])(4.0) == (4.0,)
    with pytest.raises(ValueError, match=r"nodes \[-1, 1\]"):
        function(structure, [], [product])


@given(graphs(wild))
def test_a_function_computes_what_value_computes(graph: Graph) -> None:
    with record() as recording:
        values = graph.build()
    forward = recording.history.forward_of(0)
    structure = forward.structure
    assume(structure.known)
    inputs = [forward.values[ref] for ref in structure.inputs]
    answer = function(structure, structure.inputs, range(len(structure)))(*inputs)
    assert all_bits(answer) == all_bits(forward.values)
    assert bits(answer[-1]) == bits(values[-1].data)
