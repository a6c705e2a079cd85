"""The spy plot: a dot for each node on the diagonal, and one for each operand."""

from dataclasses import replace
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odd_runs import at
from stepgrad import Recording, Value, record, scope
from stepgrad.replay.session import Session
from stepgrad.tui.render.spy import node_at, rows_of, spy


def square() -> Recording:
    with record() as recording:
        a, b = Value(1.0), Value(2.0)
        (a * b) * a
    return recording


def chain(length: int = 300) -> Recording:
    with record() as recording:
        total = Value(1.0)
        for part in range(3):
            with scope(f"part{part}"):
                for _ in range(length // 3):
                    total = total * total
    return recording


CHAIN = chain()


def plotted(recording: Recording, node: int | None = None, zoom: int = 0) -> Session:
    return replace(at(recording, 0).select(node), chosen="plot", zoom=zoom)


def dots(lines: list[str]) -> set[tuple[int, int]]:
    """The dots, as (row, column)."""
    bits = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
    return {
        (4 * y + row, 2 * cell + column)
        for y, line in enumerate(lines)
        for cell, character in enumerate(line)
        for row in range(4)
        for column in range(2)
        if character != " " and ord(character) & bits[row][column]
    }


def test_a_dot_for_each_node_and_each_operand() -> None:
    [line] = spy(plotted(square()), 2, 1)
    expected = {(0, 0), (1, 1), (2, 2), (2, 0), (2, 1), (3, 3), (3, 2), (3, 0)}
    assert dots([line.plain]) == expected


def test_an_empty_cell_is_a_blank() -> None:
    lines = spy(plotted(square()), 4, 4)
    assert lines[0].plain.endswith("   ")


def test_the_line_of_the_node_is_told_apart_and_leads_back_to_it() -> None:
    for node in range(4):
        session = plotted(square(), node)
        lines = spy(session, 8, 4)
        bright = [y for y, line in enumerate(lines) if line.spans[-1].style == "bold $current"]
        assert bright == [node]
        assert node_at(session, node, 4) == node
    assert node_at(session, 4, 4) is None
    assert node_at(Session(at(Recording(), 0).cursor), 0, 4) is None


@given(st.integers(0, 299), st.integers(0, 9), st.integers(1, 40))
def test_zoomed_in_the_subject_is_in_view_and_so_is_every_operand(
    node: int, zoom: int, height: int
) -> None:
    session = plotted(CHAIN, node, zoom)
    rows = rows_of(session, height)
    scene = session.state.scene
    assert scene.place(node) in rows
    assert len(rows) == min(len(scene), max(len(scene) >> zoom, height))
    lines = [line.plain for line in spy(session, 50, height)]
    assert len(lines) == height
    if len(rows) <= 4 * height and len(rows) < 100:
        assert len(dots(lines)) == 2 * len(rows) - (rows.start == 0)


def test_the_rows_stay_while_the_subject_moves_within_them() -> None:
    shown = [rows_of(plotted(CHAIN, node, 2), 10) for node in range(300)]
    assert len(list(groupby(shown))) == len(set(shown)) == 8


@pytest.mark.parametrize(("width", "names"), [(59, []), (60, ["part0", "part1", "part2"])])
def test_a_wide_one_names_the_scopes_where_they_begin(width: int, names: list[str]) -> None:
    lines = [line.plain for line in spy(plotted(CHAIN), width, 20)]
    found = [word for line in lines for word in line.split() if word.startswith("part")]
    assert found == names
