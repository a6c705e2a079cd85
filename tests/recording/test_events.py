"""The vocabulary: what each event says of its phase and of the node it is about."""

import pytest

from stepgrad import SGD, Value, mark, record
from stepgrad.engine.ops import MUL
from stepgrad.engine.tape import Rule
from stepgrad.recording.events import (
    Accumulate,
    Event,
    Leaf,
    Mark,
    Op,
    Seed,
    SetGrad,
    Update,
    ZeroGrad,
)


def test_a_training_step_event_by_event() -> None:
    with record() as recording:
        x, w = Value(3.0), Value(0.5)
        sgd = SGD([w], 0.1)
        mark("step", 1)
        y = w * x
        y.backward()
        w.grad /= 2
        sgd.step()
        sgd.zero_grad()
    assert list(recording.events) == [
        Leaf(node=0, value=3.0),
        Leaf(node=1, value=0.5),
        Mark("step", 1),
        Op(node=2, op=MUL, operands=(1, 0), value=1.5),
        Seed(node=2, before=None, after=1.0),
        Accumulate(
            node=1, out=2, slot=0, upstream=1.0, local=3.0, contribution=3.0, before=None, after=3.0
        ),
        Accumulate(
            node=0, out=2, slot=1, upstream=1.0, local=0.5, contribution=0.5, before=None, after=0.5
        ),
        SetGrad(node=1, before=3.0, after=1.5),
        Update(node=1, before=0.5, after=0.5 - 0.1 * 1.5, rule=Rule("sgd", {"learning_rate": 0.1})),
        ZeroGrad(node=1, before=1.5),
    ]


@pytest.mark.parametrize(
    ("event", "phase", "focus"),
    [
        (Mark("step", 1), "mark", None),
        (Leaf(4, 1.0), "forward", 4),
        (Op(4, MUL, (0, 1), 1.0), "forward", 4),
        (Seed(4, None, 1.0), "backward", 4),
        (Accumulate(4, 5, 0, 1.0, 1.0, 1.0, None, 1.0), "backward", 4),
        (ZeroGrad(4, None), "zero", 4),
        (SetGrad(4, None, 2.0), "set", 4),
        (Update(4, 1.0, 2.0, None), "update", 4),
    ],
)
def test_phase_and_focus(event: Event, phase: str, focus: int | None) -> None:
    assert (event.phase, event.focus) == (phase, focus)
