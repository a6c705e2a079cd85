"""Passes computed again with more digits, against fractions and against the events."""

from __future__ import annotations

import sys
from fractions import Fraction

import pytest
from hypothesis import given

from graphs import Graph, graphs, tame
from stepgrad import SGD, Value, record
from stepgrad.diagnosis.numbers.precision import precision
from stepgrad.diagnosis.numbers.recomputed import Recomputed
from stepgrad.errors import StepgradError
from stepgrad.recording.blocks import Backward
from stepgrad.recording.recording import Recording

pytest.importorskip("mpmath")


def recomputed(recording: Recording) -> Recomputed:
    [*_, last] = (block for block in recording.blocks if isinstance(block, Backward))
    return Recomputed(recording, last)


@given(graphs(tame))
def test_tame_numbers_are_the_same_with_more_digits(graph: Graph) -> None:
    with record() as recording:
        values = graph.build()
        values[-1].backward()
    again = recomputed(recording)
    assert all(loss.digits >= 3 for loss in again.losses)
    lost = {loss.what for loss in again.losses}
    for node in next(b for b in recording.blocks if isinstance(b, Backward)).nodes:
        for gradient in (False, True):
            if (gradient, node) not in lost and again.flipped == []:
                at = recording.history
                here = at.grad(node, recording.length) if gradient else at.first_value(node)
                exact = float(again.exact(node, gradient))
                assert here == pytest.approx(exact, rel=1e-12, nan_ok=True)


def test_the_exact_values_are_those_of_fractions() -> None:
    with record() as recording:
        a, b = Value(0.1), Value(0.3)
        root = (a + b) * (a - b) * 7 - a
        root.backward()
    again = recomputed(recording)
    x, y = Fraction(0.1), Fraction(0.3)
    value, slope = (x + y) * (x - y) * 7 - x, 14 * x - 1

    for exact, expected in (
        (again.exact(recording.size - 1), value),
        (again.exact(0, True), slope),
    ):
        assert abs(int(exact * 10**48) - int(expected * 10**48)) < 1000


def test_a_loss_is_told_where_it_is_born_with_its_heirs() -> None:
    with record() as recording:
        x = Value(0.1, label="x")
        big = x + 1e9
        big.label = "big"
        small = big - 1e9
        small.label = "small"
        loss = small * 3
        loss.label = "loss"
        loss.backward()
    first, last = precision(recording)
    assert first.note
    assert first.text.startswith("small = big − 1e9 loses 9 of 16 digits: it is 0.10000")
    assert first.text.endswith("inherited by loss")
    assert first.events == [recording.history.made_at(recording.first_named("small"))]
    assert "7 nodes" not in last.text
    assert "of the backward pass" in last.text


def test_a_gradient_that_cancels_has_lost_its_digits() -> None:
    with record() as recording:
        x, y = Value(1.0, label="x"), Value(0.1, label="y")
        loss = x * (y + 1e9) - x * 1e9
        loss.label = "loss"
        loss.backward()
    texts = [note.text for note in precision(recording)]
    assert any(text.startswith("the gradient of x (2 contributions) loses 9") for text in texts)


def test_a_saturated_slope_has_lost_its_digits() -> None:
    with record() as recording:
        x = Value(15.0, label="x")
        h = x.tanh()
        h.label = "h"
        h.backward()
    [note, _] = precision(recording)
    assert note.text.startswith("the gradient of x (through h) loses")


def test_a_number_that_underflows_has_lost_all_digits() -> None:
    with record() as recording:
        x = Value(-800.0, label="x")
        h = x.exp()
        h.label = "h"
        (h + 1).backward()
    note = precision(recording)[0]
    assert note.text.startswith(
        "h = exp(x) loses 16 of 16 digits: it is 0, and 3.66787e−348 with more digits"
    )


def test_a_gate_that_is_on_another_side() -> None:
    with record() as recording:
        x = Value(0.5, label="x")
        z = x + 1e16 - 1e16
        z.label = "z"
        h = z.relu()
        h.label = "h"
        (h * 2).backward()
    flip, loss, _ = precision(recording)
    assert flip.text == (
        "rounding decides the gate h = relu(z): z is 0, with more digits 0.5, on another side of "
        "the kink"
    )
    assert flip.events == [recording.history.made_at(recording.first_named("h"))]
    assert loss.text.startswith("z = x + 1e16 − 1e16 loses 16 of 16 digits: it is 0, and 0.5 with")


def test_parameters_are_those_of_each_pass() -> None:
    with record() as recording:
        w = Value(0.5, label="w")
        optimizer = SGD([w], 0.1)
        for _ in range(3):
            optimizer.zero_grad()
            ((w * 3 - 1) ** 2).backward()
            optimizer.step()
    [note] = precision(recording)
    assert "of 3 of 3 backward passes are computed again with 50 digits" in note.text


def test_gradients_that_were_there_before_do_not_count() -> None:
    with record() as recording:
        w = Value(0.5, label="w")
        for _ in range(2):
            (w * 3).backward()
    assert len(precision(recording)) == 1


def test_work_is_bounded_and_said() -> None:
    with record() as recording:
        w = Value(0.5, label="w")
        for _ in range(10):
            (w * 3 + 1).backward()
    [note] = precision(recording, most=8)
    assert note.text.startswith("6 nodes of 2 of 10 backward passes")
    [note] = precision(recording, most=1)
    assert note.text.startswith("no backward pass is computed again, because the first")


def test_without_mpmath_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mpmath", None)
    with record() as recording:
        (Value(1.0) * 2).backward()
    with pytest.raises(StepgradError, match=r"pip install 'stepgrad\[precision\]'"):
        precision(recording)
