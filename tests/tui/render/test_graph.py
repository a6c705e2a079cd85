"""The graph at a position: numbers in boxes, derivatives on wires."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odd_runs import WIDTHS, at, odd_sessions, widths
from replay_runs import training, two_layer
from stepgrad import Recording, Value, record, scope
from stepgrad.replay.graph import folding
from stepgrad.replay.graph.neighbourhood import neighbourhood
from stepgrad.replay.graph.picture import Part
from stepgrad.replay.session import Session
from stepgrad.tui.render import ink
from stepgrad.tui.render.canvas import Canvas
from stepgrad.tui.render.graph import FRAMED, SLIM, STRETCH, draw, in_view

TWO_LAYER = two_layer()


def picture(session: Session, *, framed: bool = True) -> Canvas:
    drawing = draw(session.graph, in_view(session), FRAMED if framed else SLIM)
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


CHAIN = long_chain()


def test_near_the_subject_two_edges_in_each_direction_and_more_when_zoomed_out() -> None:
    session = long_chain().select(long_chain().state.scene[100])
    sizes = [len(in_view(replace(session, zoom=zoom))) for zoom in (1, 0, -1, -2)]
    assert sizes == [3, 5, 7, 9]
    assert len(in_view(replace(session, chosen="whole"))) == 201
    huge = long_chain(1000)
    assert len(in_view(replace(huge, chosen="whole"))) == 3


def test_what_is_near_stays_while_the_subject_is_inside_it() -> None:
    session = long_chain()
    scene = session.state.scene
    shown = in_view(session.select(scene[96]))
    assert shown == tuple(scene[94:99])
    assert in_view(session.select(scene[97])) == shown
    assert in_view(session.select(scene[98])) == tuple(scene[96:101])


def test_the_view_follows_an_event_without_another_look_at_those_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks = []

    def counted(*asked: Any) -> list[int]:
        looks.append(asked)
        return neighbourhood(*asked)

    monkeypatch.setattr(folding, "neighbourhood", counted)
    recording, each = long_chain().recording, []
    for position in range(300, 300 + 2 * STRETCH):
        in_view(at(recording, position))
        each.append(len(looks))
    assert max(after - before for before, after in pairwise(each)) <= 2


@given(st.integers(0, 401), st.integers(0, 200))
def test_the_neighbours_of_the_subject_are_in_view(position: int, place: int) -> None:
    followed = at(CHAIN.recording, position)
    for session in (followed, followed.select(CHAIN.state.scene[place])):
        subject = session.subject
        assert subject is not None
        assert set(session.graph.near(subject, 1, 12)) <= set(in_view(session))


def test_near_a_constant_is_near_the_node_that_uses_it() -> None:
    session = long_chain()
    node = session.state.scene[100]
    assert session.recording.node(node - 1).constant
    assert in_view(session.select(node - 1)) == in_view(session.select(node))


def layered() -> Recording:
    """Two inputs, a layer of two sums of both of which one is dead, and what they come to."""
    with record() as recording:
        x, y = Value(3.0, label="x"), Value(-2.0, label="y")
        with scope("layer"):
            up, down = (x + y).relu(), (y - x).relu()
        root = up * 2.0 + down
        root.label = "L"
        root.backward()
    return recording


def folded(position: int, *scopes: str) -> Session:
    return replace(at(LAYERED, position), folded=frozenset(scopes))


LAYERED = layered()
END = LAYERED.length


def test_a_folded_scope_is_one_box_with_the_range_of_its_gradients_and_its_zeros() -> None:
    assert (
        picture(folded(END, "layer")).plain()
        == """\
┌x─┐
│3 ├─╮
│2 │ │
└──┘ │
     │       ┌+ layer ×4───────┐         ┌relu(x + y)·2─┐
┏y━┓ ╰─ ×2 ─▶│|grad| 0…2       ┝━┳━ 2 ━━▶│2             ┝━┓
┃−2┣━━━ ×2 ━▶│0 25%            │ ┃       │1             │ ┃
┃2 ┃         └─────────────────┘ ┃       └──────────────┘ ┃       ┌L─┐
┗━━┛                             ┃                        ┗━ 1 ━━▶│2 │
                                 ┗━━━━━━━━━━━━━━━━━━━━━━━━━━ 1 ━━▶│1 │
                                                                  └──┘"""
    )
    assert (
        picture(folded(END, "layer"), framed=False).plain()
        == """\
 x ─ ×2 ─▶╷+ layer ×4       ━━━━━━━━┳━ 2 ━━▶ relu(x + y)·2 ━ 1 ━━▶╷L
[y]━ ×2 ━▶╵|grad| 0…2 0 25%         ┗━━━━━━━━━━━━━━━━━━━━━━━ 1 ━━▶╵"""
    )


def test_the_box_around_the_current_node_is_the_bright_one_and_tells_which_it_is() -> None:
    made = picture(folded(6, "layer")).plain()
    assert "┏+ layer ×4━" in made
    assert "┗▶ relu(y − x)━" in made
    handed_on = picture(folded(13, "layer")).plain()
    assert "┗◀ y − x━" in handed_on
    assert "┏" not in picture(folded(0, "layer")).plain()


def test_a_box_is_dashed_until_its_first_node_is_made_and_marked_where_one_is_selected() -> None:
    assert "┌+ layer ×4╌" in picture(folded(2, "layer")).plain()
    inside = LAYERED.first_named("x") + 3
    assert "┌›+ layer ×4─" in picture(folded(END, "layer").select(inside)).plain()


@pytest.mark.parametrize("framed", [True, False])
def test_a_selected_box_has_one_background(framed: bool) -> None:
    session = small().select(0)
    drawing = draw(session.graph, in_view(session), FRAMED if framed else SLIM)
    [box] = drawing.painter.layout.boxes_of(0)
    rows = drawing.paint(session.state, 0).crop(box.x, box.y, box.width, box.height)
    for row in rows:
        within = row.plain.rstrip("━├┝─ ")
        spans = [span for span in row.spans if span.start < len(within)]
        assert all(ink.SELECTED in str(span.style) for span in spans)
        assert sum(span.end - span.start for span in spans) >= len(within)


def test_an_open_scope_is_drawn_node_by_node() -> None:
    assert picture(folded(END)).plain() == picture(folded(END, "elsewhere")).plain()
    assert "relu(y − x)" in picture(folded(END)).plain()


def test_what_leads_back_into_a_scope_is_an_open_end_and_says_so() -> None:
    with record() as recording:
        x = state = Value(1.0, label="x")
        for _ in range(2):
            with scope("cell"):
                state = state * x
            state = state.tanh()
    session = replace(at(recording, recording.length), folded=frozenset({"cell"}))
    assert (
        picture(session, framed=False).plain()
        == """\
                                      ╭─ 0.419974 ─▶ tanh(x·x)
 x ── ×3 ──▶╷+ cell ×2 ───────────────┴─ 0.587817 ─▶[#4]
     ↺ 1 ┄┄▶╵"""
    )


def test_into_a_folded_scope_all_that_is_not_drawn_is_one_wire() -> None:
    session = folded(END, "layer")
    graph = session.graph
    box = graph.box_of(LAYERED.first_named("x") + 3)
    drawing = draw(graph, (box,), SLIM)
    assert drawing.paint(session.state, None).plain().startswith(" ×4 ┅▶")


def test_near_a_folded_scope_are_the_boxes_next_to_it() -> None:
    with record() as recording:
        x = Value(1.0, label="x")
        for number in range(100):
            with scope(f"s{number}"):
                for _ in range(3):
                    x = x * 1.5
    scopes = frozenset(f"s{number}" for number in range(100))
    session = replace(at(recording, 0), folded=scopes)
    graph = session.graph
    assert len(graph) == 101
    inside = graph[50] + 2
    assert set(in_view(session.select(inside))) >= set(graph[49:52])
    assert Part(graph, in_view(session)).extent == "3 of 101 boxes"
    assert len(in_view(replace(session, chosen="whole"))) == 101


@given(odd_sessions(), widths, st.booleans(), st.booleans())
def test_odd_names_and_numbers_stay_in_their_boxes(
    session: Session, width: int, folded: bool, framed: bool
) -> None:
    scopes = frozenset(scope for scope, _, _ in session.state.scene.scopes if scope)
    if folded:
        session = replace(session, folded=scopes)
    canvas = picture(session, framed=framed)
    for line in canvas.crop(0, 0, width, canvas.height):
        assert line.cell_length == width
        assert line.plain.isprintable()
