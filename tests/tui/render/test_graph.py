"""The graph at a position: numbers in boxes, derivatives on wires."""

from dataclasses import replace

import pytest
from hypothesis import given

from odd_runs import WIDTHS, at, odd_sessions, widths
from replay_runs import training, two_layer
from stepgrad import Value, record
from stepgrad.replay.session import Session
from stepgrad.tui.render.canvas import Canvas
from stepgrad.tui.render.graph import draw, in_view

TWO_LAYER = two_layer()


def picture(session: Session, *, framed: bool = True) -> Canvas:
    drawing = draw(session.quotient, in_view(session), framed=framed)
    return drawing.paint(session.state, session.selected)


def small() -> Session:
    with record() as recording:
        x = Value(3.0, label="x")
        y = x.relu() * 2.0
        y.label = "y"
        y.backward()
    return at(recording, recording.length)


def test_framed_boxes_hold_name_value_and_gradient() -> None:
    text = picture(small()).plain()
    assert "x" in text
    assert "relu(x)" in text
    assert "┏" in text  # the node that the last event is about
    assert [line.count("3") for line in text.split("\n") if "3" in line] == [2]


def test_slim_ones_hold_names_alone() -> None:
    assert picture(small(), framed=False).plain() == "[x]━ 1 ━━▶ relu(x) ━ 2 ━━▶ y"


def test_what_is_not_made_yet_is_dashed_and_empty() -> None:
    session = small()
    text = picture(session.go(session.cursor.seek(1))).plain()
    assert "╌" in text
    assert "2" not in text


@pytest.mark.parametrize("width", WIDTHS)
def test_a_view_is_as_wide_as_the_panel(width: int) -> None:
    canvas = picture(at(TWO_LAYER, 20))
    for line in canvas.crop(3, 0, width, canvas.height):
        assert line.cell_length == width


def test_a_long_number_loses_digits_and_not_its_exponent() -> None:
    with record() as recording:
        Value(-1.23456789e-300, label="x") * Value(1.0, label="y")
    assert "−1.235e−300" in picture(at(recording, recording.length)).plain()


def test_a_layout_stays_from_event_to_event() -> None:
    recording = training()
    begin = recording.steps[1] + 1
    sizes = set()
    for position in range(begin, recording.steps[2]):
        canvas = picture(at(recording, position))
        sizes.add((canvas.width, canvas.height))
    assert len(sizes) == 1


def long_chain(length: int = 200) -> Session:
    with record() as recording:
        x = Value(1.0, label="x")
        for _ in range(length):
            x = x * 1.01
        x.backward()
    return at(recording, 0)


def test_near_the_subject_two_edges_in_each_direction_and_more_when_zoomed_out() -> None:
    session = long_chain().select(long_chain().state.scene[100])
    sizes = [len(in_view(replace(session, zoom=zoom))) for zoom in (1, 0, -1, -2)]
    assert sizes == [3, 5, 7, 9]
    assert len(in_view(replace(session, view="whole"))) == 201
    huge = long_chain(1000)
    assert len(in_view(replace(huge, view="whole"))) == 3


def test_what_is_near_stays_while_the_subject_is_inside_it() -> None:
    session = long_chain()
    scene = session.state.scene
    shown = in_view(session.select(scene[100]))
    for place in (99, 100, 101):
        assert in_view(session.select(scene[place]), shown) is shown
    moved = in_view(session.select(scene[102]), shown)
    assert moved == tuple(scene[100:105])


def test_near_a_constant_is_near_the_node_that_uses_it() -> None:
    session = long_chain()
    node = session.state.scene[100]
    assert session.recording.node(node - 1).constant
    assert in_view(session.select(node - 1)) == in_view(session.select(node))


@given(odd_sessions(), widths)
def test_odd_names_and_numbers_stay_in_their_boxes(session: Session, width: int) -> None:
    for framed in (True, False):
        canvas = picture(session, framed=framed)
        for line in canvas.crop(0, 0, width, canvas.height):
            assert line.cell_length == width
            assert line.plain.isprintable()
