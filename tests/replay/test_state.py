"""`State` equals the plain fold, and answers by name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphs import Program, programs, run
from reference import bits, fold
from replay_runs import training, two_layer
from stepgrad import State, Value, mark, record

TRAINING, TWO_LAYER = training(), two_layer()


@given(programs(), st.data())
def test_a_state_is_the_fold_of_the_events_so_far(program: Program, data: st.DataObject) -> None:
    with record() as recording:
        run(program, [Value(0.5), Value(-2.0)])
    position = data.draw(st.integers(0, recording.length))
    state, world = State(recording, position), fold(recording.events[:position])
    for node in range(recording.size):
        if not state.node(node).constant:
            assert bits(state.value(node)) == bits(world.values.get(node))
            assert bits(state.grad(node)) == bits(world.grads.get(node))


def test_the_start_is_empty() -> None:
    state = State(TWO_LAYER, 0)
    assert (state.event, state.phase, state.step, state.root) == (None, None, None, None)
    assert state.find("x") is None


def test_event_and_phase_are_those_of_the_last_event() -> None:
    for position, event in enumerate(TRAINING.events, 1):
        state = State(TRAINING, position)
        assert (state.event, state.phase) == (event, event.phase)
        assert state.focus == event.focus


def test_the_step_is_the_marks_number() -> None:
    seen = [State(TRAINING, position).step for position in range(TRAINING.length + 1)]
    assert seen == sorted(seen, key=lambda step: step or 0)
    assert list(dict.fromkeys(seen)) == [None, 1, 2, 3, 4]
    assert seen[TRAINING.steps[0]] is None
    assert seen[TRAINING.steps[0] + 1] == 1


def test_a_step_without_a_number_is_counted() -> None:
    with record() as recording:
        for _ in range(2):
            mark("step")
            Value(1.0)
    assert [State(recording, k).step for k in range(5)] == [None, 0, 0, 1, 1]


def test_a_name_is_the_node_made_last() -> None:
    outs = [State(TRAINING, position).find("out") for position in range(TRAINING.length + 1)]
    made = list(dict.fromkeys(outs))
    assert made[0] is None
    assert len(made) == 1 + 4
    assert State(TRAINING, TRAINING.length).find("neuron/w") == 0
    assert State(TRAINING, TRAINING.length).find("nobody") is None


def test_the_root_is_that_of_the_last_pass_that_has_begun() -> None:
    seed = TRAINING.steps[1] + 1 + 5  # the mark and five operations come first
    roots = [State(TRAINING, seed + k).root for k in (0, 1)]
    assert [TRAINING.node(root or 0).name for root in roots] == ["loss", "loss"]
    assert roots[0] != roots[1]


def test_the_destination_of_a_step_without_a_backward_pass_is_the_like_of_the_last_root() -> None:
    with record() as recording:
        w = Value(3.0, label="w")
        for step in range(3):
            mark("step", step)
            if step == 2:
                (w * 0.5).label = "another"
            loss = (w - 1) ** 2
            loss.label = "loss"
            if step < 2:
                loss.backward()
                w.data -= 0.25 * w.grad
    roots = [State(recording, start + 1).destination for start in recording.steps]
    assert [recording.node(root or 0).name for root in roots] == ["loss"] * 3
    assert len(set(roots)) == 3
    last = roots[-1] or 0
    assert State(recording, recording.steps[-1] + 1).value(last) is None
    assert State(recording, recording.length).value(last) == loss.data


def test_a_step_that_computes_nothing_like_the_last_root_has_no_destination() -> None:
    with record() as recording:
        for step in range(2):
            mark("step", step)
            loss = Value(1.0) * 2
            loss.label = f"loss{step}"
            if not step:
                loss.backward()
    assert State(recording, recording.length).destination is None


def test_the_scene_is_every_node_of_a_single_pass() -> None:
    scene = State(TWO_LAYER, 0).scene
    names = [TWO_LAYER.node(node).name for node in scene]
    assert " ".join(name for name in names if name) == "x t w1 b1 w2 b2 z1 h y L"
    assert not any(TWO_LAYER.node(node).constant for node in scene)


def test_the_scene_of_a_step_is_its_own_nodes_and_the_parameters() -> None:
    for step, start in enumerate(TRAINING.steps):
        scene = State(TRAINING, start + 3).scene
        names = [TRAINING.node(node).name for node in scene]
        assert [name for name in names if name] == ["neuron/w", "neuron/b", "out", "loss"]
        assert TRAINING.history.made_at(scene[-1]) > TRAINING.steps[step]


def test_every_event_of_a_step_is_about_a_node_of_its_scene() -> None:
    with record() as recording:  # a network that carries its state on, without cutting it off
        w, h = Value(0.5, label="w"), Value(0.1, label="h0")
        for step in range(3):
            h = (w * h).tanh()
            h.label = f"h{step + 1}"
            h.backward()
            w.grad = 0.0
    for position in range(1, recording.length + 1):
        state = State(recording, position)
        assert state.focus in state.scene
    scene = State(recording, recording.length).scene
    assert [recording.node(node).name for node in scene] == [
        "w",
        "h0",
        None,
        "h1",
        None,
        "h2",
        None,
        "h3",
    ]


def test_a_position_is_a_whole_number() -> None:
    with record() as recording:
        Value(1.0) * 2
    with pytest.raises(TypeError):
        State(recording, 1.5)  # type: ignore[arg-type]
