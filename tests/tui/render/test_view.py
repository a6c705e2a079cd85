"""What a panel shows of a drawing: whole where it fits, in pages where it does not."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odd_runs import at, odd_sessions
from replay_runs import training
from stepgrad import Recording, Value, record, record_scenario
from stepgrad.harness import Replay
from stepgrad.program import run_program
from stepgrad.recording.events import Accumulate
from stepgrad.replay.commands.looking import fit
from stepgrad.replay.graph.folding import FoldedGraph
from stepgrad.replay.session import Session
from stepgrad.scenario.library import shipped, shipped_programs
from stepgrad.tui.render.view import View, pages, rows_needed, view
from stepgrad.tui.widgets.graph import share

ROWS = {(140, 45): 37, (80, 24): 16, (80, 20): 12}
"""The rows that tape and graph share, by the size of the screen; the last has little to spare."""

MOST = {(140, 45): 16, (80, 24): 7, (80, 20): 7}
"""How many nodes a graph may have to be whole in view after any key."""

ARROW = re.compile("[←→↑↓]")


def record_lesson(name: str) -> Recording:
    if name in shipped():
        return record_scenario(name)
    with redirect_stdout(io.StringIO()):
        return run_program(str(shipped_programs()[name])).recording


def seen(session: Session, width: int, rows: int) -> View:
    """The graph in a panel that has all the rows it asks for."""
    room = share(rows, len(session.outline), fit=session.fit)
    return view(session, width, rows_needed(session, width, room), room)


def positions(recording: Recording) -> Sequence[int]:
    """All positions or, in long training, some of them."""
    return range(0, recording.length + 1, 1 + recording.length // 500)


@pytest.mark.parametrize("name", [*shipped(), *shipped_programs()])
def test_a_lesson_of_few_nodes_is_whole_in_view_at_every_position(name: str) -> None:
    recording = record_lesson(name)
    looked: set[tuple[FoldedGraph, int | None]] = set()
    for position in positions(recording):
        session = Session.open(at(recording, position).cursor)
        nodes = len(session.state.scene)
        if nodes > max(MOST.values()) or (place := (session.graph, session.subject)) in looked:
            continue
        looked.add(place)
        for size, rows in ROWS.items():
            if nodes <= MOST[size]:
                shown = seen(session, size[0], rows)
                assert not ARROW.search(shown.title), (size, position)
                assert shown.docked is None
                assert not shown.drawing.part.extent


def two_layer() -> Recording:
    return record_scenario("two_layer")


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120, 140, 200])
def test_what_is_out_of_view_is_counted_and_nothing_is_cut(width: int) -> None:
    recording = two_layer()
    names = {recording.node(node).name for node in range(recording.size)} - {None}
    for position in range(recording.length + 1):
        shown = seen(at(recording, position), width, 16)
        text = shown.canvas.plain()
        boxes = {box.key for box in shown.drawing.layout.boxes}
        whole = {box.key for box in shown.drawing.layout.boxes if shown.window.holds(*box[1:])}
        if shown.docked is not None:
            whole.add(shown.docked.key)
        counted = sum(map(int, re.findall(r"\d+", shown.title)))
        assert counted == len(boxes - whole)
        assert "…" not in text
        drawn = set(re.findall(r"[a-z]\w*", text))
        assert drawn & names <= {word for key in whole for word in words(recording, key)}


def words(recording: Recording, node: int) -> set[str]:
    """The names in the title of a node."""
    facts = recording.node(node)
    return {facts.name or ""} | {recording.node(each).name or "" for each in facts.operands}


@pytest.mark.parametrize("width", [40, 60, 80, 140])
def test_the_root_and_the_subject_are_always_in_view(width: int) -> None:
    recording = two_layer()
    root = recording.first_named("loss")
    for position in range(recording.length + 1):
        for selected in (None, *range(recording.size)):
            if selected is not None and recording.node(selected).constant:
                continue
            session = at(recording, position).select(selected)
            shown = seen(session, width, 16)
            whole = {box.key for box in shown.drawing.layout.boxes if shown.window.holds(*box[1:])}
            assert session.subject in whole | {root}
            assert root in whole or (shown.docked is not None and shown.docked.key == root)


@pytest.mark.parametrize("width", [60, 79, 80, 100, 119, 140])
def test_beside_a_docked_root_the_subject_of_a_part_is_whole(width: int) -> None:
    recording = record_scenario("xor_tanh")
    begin, end = recording.steps[0] + 1, recording.steps[1]
    for position in range(begin, end, 13):
        session = at(recording, position)
        shown = seen(session, width, 22)
        assert shown.drawing.part.extent
        whole = {box.key for box in shown.drawing.layout.boxes if shown.window.holds(*box[1:])}
        whole |= set() if shown.docked is None else {shown.docked.key}
        assert {session.subject, session.state.destination} <= whole, position


def test_both_ends_of_the_current_edge_are_in_view_if_they_are_neighbours() -> None:
    recording = two_layer()
    h, product = recording.first_named("h"), recording.first_named("h") + 1
    session = at(recording, 21)
    assert isinstance(session.state.event, Accumulate)
    assert (session.state.event.node, session.state.event.out) == (h, product)
    for width in (40, 60, 80):
        shown = seen(session, width, 16)
        whole = {box.key for box in shown.drawing.layout.boxes if shown.window.holds(*box[1:])}
        assert {h, product} <= whole


def test_a_docked_root_has_a_broken_wire_and_is_what_a_click_on_it_means() -> None:
    shown = seen(at(two_layer(), 3), 80, 16)
    assert shown.docked is not None
    assert "┄▶ loss" in shown.canvas.plain()
    assert shown.box_at(shown.docked.x, shown.docked.y) == shown.docked
    assert shown.box_at(shown.docked.x - 1, shown.docked.y) is None
    assert not shown.wires_at(shown.docked.x - 1, shown.docked.y)


def test_a_drawing_is_in_the_middle() -> None:
    lines = seen(at(record_scenario("chain_rule"), 8), 140, 37).canvas.plain().split("\n")
    left = min(len(line) - len(line.lstrip()) for line in lines if line)
    right = 140 - max(map(len, lines))
    assert abs(left - right) <= 1


def test_framed_boxes_are_drawn_wherever_they_fit_and_say_which_number_is_which() -> None:
    recording = record_scenario("chain_rule")
    for position in range(recording.length + 1):
        shown = seen(at(recording, position), 80, 16)
        assert shown.drawing.form.framed
        assert "value over gradient" in shown.title
    text = shown.canvas.plain()
    assert "│49" in text  # the value of h
    assert "│42" in text or "┃42" in text  # the gradient of x
    forward = record_scenario("dual_numbers")
    assert "value over tangent" in seen(at(forward, 3), 140, 37).title
    assert "over" not in seen(at(two_layer(), 3), 80, 16).title


def test_a_drawing_stays_in_its_place_from_key_to_key() -> None:
    for name in ("chain_rule", "two_layer", "sum_over_paths", "forgotten_zero_grad"):
        recording = record_scenario(name)
        places = set()
        for position in range(recording.steps[0] + 1 if recording.steps else 0, recording.length):
            shown = seen(at(recording, position), 140, 37)
            places.add((shown.window, shown.drawing.layout.width, shown.drawing.form))
        assert len(places) == 1, name


def test_the_chain_rule_stands_on_the_wire_of_the_current_edge() -> None:
    recording = record_scenario("chain_rule")
    lines = seen(at(recording, 7), 140, 37).canvas.plain()
    assert "━ 14 · 1 = 14 ━▶" in lines
    assert "·" not in seen(at(recording, 4), 140, 37).canvas.plain().replace("3·x", "")


def test_where_the_wire_has_no_room_the_chain_rule_is_beside_it() -> None:
    lines = seen(at(two_layer(), 21), 140, 37).canvas.plain().split("\n")
    [product] = [number for number, line in enumerate(lines) if "−4 · 2" in line]
    assert "━ 2 ━" in lines[product - 1]
    assert "= −8" in lines[product + 1]


def test_a_chain_rule_beside_its_wire_is_on_the_side_that_the_wire_comes_from() -> None:
    lines = seen(at(record_scenario("single_neuron"), 19), 80, 16).canvas.plain().split("\n")
    [below] = [number for number, line in enumerate(lines) if "−2 · 1 = −2" in line]
    assert "[b]━┛" in lines[below - 1], "and not above the wire of w·x"


@pytest.mark.parametrize("name", ["tied_weight", "gradient_check"])
def test_a_chain_rule_that_is_longer_than_its_wire_does_not_leave_the_panel(name: str) -> None:
    recording = record_lesson(name)
    last = next(
        number
        for number, event in enumerate(recording.events, 1)
        if isinstance(event, Accumulate) and event.before
    )
    shown = seen(at(recording, last), 80, 16).canvas.plain()
    assert re.search(r"\S+ · \S+ = \S+, Σ \S+", shown)


def test_after_an_edit_a_box_has_room_for_the_new_number_and_its_arrow() -> None:
    session = Replay.of("chain_rule").press("G 'ex = 2.001'").session
    shown = seen(session, 80, 16).canvas.plain()
    assert "│→49.042│" in shown
    assert "┃→42.018┃" in shown


def test_a_gradient_that_is_being_added_up_has_its_running_sum_on_the_wire() -> None:
    recording = record_scenario("sum_over_paths")
    h = recording.first_named("h")
    sums = []
    for position in range(1, recording.length + 1):
        session = at(recording, position)
        event = session.state.event
        if isinstance(event, Accumulate) and event.node == h:
            sums.append(re.findall(r"Σ [−\d]+", seen(session, 140, 37).canvas.plain()))
    assert sums == [[], ["Σ 15"]]


def test_a_graph_that_does_not_fit_does_so_on_demand() -> None:
    session = at(two_layer(), 21)
    assert ARROW.search(seen(session, 80, 16).title)
    fitted = fit(session)
    shown = seen(fitted, 80, 16)
    assert not ARROW.search(shown.title)
    assert shown.docked is None
    assert fit(fitted).fit is False


def test_the_graph_has_the_rows_that_its_drawing_needs() -> None:
    chain, paths = (at(record_scenario(name), 1) for name in ("chain_rule", "sum_over_paths"))
    assert rows_needed(chain, 140, share(37, 4)) == 4
    assert rows_needed(paths, 140, share(37, 6)) == 9
    assert rows_needed(at(training(), 5), 20, 7) <= 7


@given(st.integers(8, 60), st.integers(1, 200))
def test_tape_and_graph_share_all_rows_and_neither_is_without(rows: int, lines: int) -> None:
    graph = share(rows, lines)
    assert rows // 2 - 1 <= graph <= rows - 3
    assert share(rows, lines, fit=True) >= graph


@given(
    st.lists(st.tuples(st.integers(1, 9), st.integers(0, 9)), min_size=1, max_size=20),
    st.integers(8, 40),
    st.integers(0, 10),
)
def test_on_some_page_any_two_neighbours_are_whole(
    sizes: list[tuple[int, int]], page: int, dock: int
) -> None:
    spans, end = [], 0
    for size, gap in sizes:
        spans.append((end, end + size))
        end += size + gap
    extent = spans[-1][1]
    starts = pages(spans, page, page + dock, extent)
    assert starts == sorted(set(starts))
    assert starts[-1] + page + dock >= extent or starts[-1] == spans[-1][0]
    for (first, _), (_, stop) in pairwise(spans):
        if stop - first <= page:
            ends = [start + page + dock * (start == starts[-1]) for start in starts]
            assert any(
                start <= first and stop <= end for start, end in zip(starts, ends, strict=True)
            )


@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(1, 9)), min_size=1, max_size=12),
    st.integers(1, 20),
)
def test_of_spans_that_overlap_each_is_whole_on_a_page(
    places: Sequence[tuple[int, int]], page: int
) -> None:
    spans = sorted({(start, start + size) for start, size in places})
    extent = max(stop for _, stop in spans)
    starts = pages(spans, page, page, extent)
    assert starts == sorted(set(starts))
    for first, stop in spans:
        if stop - first <= page:
            assert any(start <= first and stop <= start + page for start in starts)
        else:
            assert first in starts or any(start <= first < start + page for start in starts)


@given(odd_sessions(), st.integers(1, 200), st.integers(1, 40), st.booleans())
def test_a_view_is_as_large_as_its_panel(
    session: Session, width: int, height: int, fitted: bool
) -> None:
    shown = view(replace(session, fit=fitted), width, height, height)
    assert (shown.canvas.width, shown.canvas.height) == (width, height)
    for line in shown.canvas.crop(0, 0, width, height):
        assert line.cell_length == width


def test_a_moved_window_stays_on_the_drawing() -> None:
    with record() as recording:
        x = Value(1.0, label="x")
        for _ in range(30):
            x = x.tanh()
        x.backward()
    session = at(recording, 5)
    shown = view(session, 80, 10, 10, (10_000, 10_000))
    assert shown.window.left + shown.window.width <= shown.drawing.layout.width
    assert shown.pan_by(0, 0)[0] < 10_000
    assert view(session, 80, 10, 10, shown.pan_by(-1, 0)).window.left == shown.window.left - 1
