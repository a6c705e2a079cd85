"""Columns of boxes, each wired to the one before."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from stepgrad.drawing.columns import Column, arrange, needed
from stepgrad.drawing.layout import Box


@st.composite
def networks(draw: st.DrawFn) -> tuple[list[Column], int, int]:
    """Some columns, and an area that is large enough for them."""
    sizes = draw(st.lists(st.integers(1, 6), min_size=1, max_size=5))
    box = draw(st.integers(1, 6))
    columns = [
        Column(
            tuple(100 * number + place for place in range(size)),
            draw(st.integers(2, 20)),
            box,
            draw(st.integers(0, 12)),
            number > 0 and sizes[number - 1] <= box,
        )
        for number, size in enumerate(sizes)
    ]
    room = draw(st.integers(0, 40)), draw(st.integers(0, 9))
    return columns, needed(columns) + room[0], max(sizes) * box + room[1]


def cells(box: Box) -> set[tuple[int, int]]:
    return {(box.x + dx, box.y + dy) for dx in range(box.width) for dy in range(box.height)}


@given(networks())
@settings(deadline=None)
def test_boxes_fit_and_share_no_cell(given: tuple[list[Column], int, int]) -> None:
    columns, width, height = given
    layout = arrange(columns, width, height)
    assert [box.key for box in layout.boxes] == [key for each in columns for key in each.keys]
    for box in layout.boxes:
        assert 0 <= box.x <= width - box.width
        assert 0 <= box.y <= height - box.height
    assert not any(cells(one) & cells(other) for one, other in combinations(layout.boxes, 2))


@given(networks())
@settings(deadline=None)
def test_wires_join_neighbours_and_leave_boxes_and_labels_alone(
    given: tuple[list[Column], int, int],
) -> None:
    columns, width, height = given
    layout = arrange(columns, width, height)
    taken = {cell for box in layout.boxes for cell in cells(box)}
    assert not any(layout.wires_at(x, y) for x, y in taken)
    for wire in layout.wires:
        assert wire.source is not None
        assert wire.path[0] == wire.source.exit
        assert wire.path[-1][0] == wire.target.x - 1
        assert wire.target.y <= wire.path[-1][1] < wire.target.y + wire.target.height
        assert all(0 <= x < width and 0 <= y < height for x, y in wire.path)
        label = {(wire.label[0] + dx, wire.label[1]) for dx in range(wire.label_width)}
        others = [each for each in layout.wires if each is not wire]
        assert not any(each.passes(x, y) for each in others for x, y in label)
    ends = [wire.path[-1] for wire in layout.wires]
    assert len(set(ends)) == len(ends)


def test_a_gap_has_all_its_wires_or_none() -> None:
    two, wide = (1, 2), (11, 12, 13)
    for wired, count in ((True, 6), (False, 0)):
        columns = [Column(two, 5, 4, 0), Column(wide, 5, 4, 6, wired)]
        assert len(arrange(columns, 60, 16).wires) == count
