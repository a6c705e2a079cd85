"""A number on its way along its wire."""

import pytest

from odd_runs import at
from replay_runs import two_layer
from stepgrad.recording.recording import Recording
from stepgrad.tui.render.graph import SLIM, Drawing, draw, in_view
from stepgrad.tui.render.travel import Trip, carry, place, trips

TWO_LAYER: Recording = two_layer()
H, W2 = (TWO_LAYER.first_named(name) for name in ("h", "w2"))
PRODUCT = H + 1
"""w2·h"""


def drawing(position: int) -> Drawing:
    session = at(TWO_LAYER, position)
    return draw(session.graph, in_view(session), SLIM)


def test_forwards_the_operands_travel_and_backwards_the_contribution() -> None:
    made = TWO_LAYER.history.made_at(PRODUCT)
    assert [*trips(at(TWO_LAYER, made).state)] == [
        Trip((PRODUCT, 0), 2.0, back=False),
        Trip((PRODUCT, 1), 1.5, back=False),
    ]
    assert [*trips(at(TWO_LAYER, 21).state)] == [Trip((PRODUCT, 1), -8.0, back=True)]


@pytest.mark.parametrize("position", [0, 1, 14])
def test_nothing_travels_where_no_wire_is_walked(position: int) -> None:
    """At the start, where a number comes in, and where a pass begins."""
    assert [*trips(at(TWO_LAYER, position).state)] == []


def test_a_text_stays_on_its_wire() -> None:
    for wire in drawing(0).painter.layout.wires:
        for share in range(11):
            spot = place(wire, share / 10, 4)
            assert spot is not None
            x, y = spot
            assert wire.passes(x, y)
            assert wire.passes(x + 3, y)
            assert x + 3 < wire.path[-1][0], "not over the arrow head"


def test_a_text_that_is_longer_than_its_wire_is_not_shown() -> None:
    assert all(place(wire, 0.5, 99) is None for wire in drawing(0).painter.layout.wires)


def test_on_its_way_it_is_the_only_number_of_its_wire() -> None:
    state, plan = at(TWO_LAYER, 15).state, drawing(15)  # 1 · −4 arrives over a wire labelled −4
    for share in (0.33, 0.67):
        canvas = plan.paint(state, None)
        carry(canvas, plan, state, share)
        assert canvas.plain().count("−4") == 1


def test_a_contribution_comes_nearer_to_its_operand() -> None:
    state, plan = at(TWO_LAYER, 21).state, drawing(21)
    still = plan.paint(state, None).plain()
    columns = []
    for share in (0.25, 0.75):
        canvas = plan.paint(state, None)
        carry(canvas, plan, state, share)
        [row] = [
            now
            for before, now in zip(still.split("\n"), canvas.plain().split("\n"), strict=True)
            if before != now
        ]
        columns.append(row.index("−8"))
    assert columns[1] < columns[0]
