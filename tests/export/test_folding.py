"""Drawings that are too wide are cut into rows."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from drawings import dags
from readers import SVG, at, read_svg
from stepgrad.drawing.layout import Item, lay_out
from stepgrad.export import export
from stepgrad.export.figure import figure
from stepgrad.export.folding import crossings, windows
from stepgrad.export.svg import svg


@given(dags(), st.integers(1, 120))
@settings(deadline=None)
def test_rows_follow_each_other_and_cut_nothing_but_wires(items: list[Item], width: int) -> None:
    layout = lay_out(items)
    rows = windows(layout, width)
    assert (rows[0].left, rows[-1].right) == (0, layout.width)
    assert all(row.right == following.left for row, following in pairwise(rows))
    for row in rows:
        for box in layout.boxes:
            right = box.x + box.width
            assert right < row.right or box.x >= row.right or row is rows[-1]
            if row.left <= box.x < row.right:
                assert row.top <= box.y <= box.y + box.height <= row.bottom
        for wire in layout.wires:
            label, _ = wire.label
            assert not label < row.right < label + wire.label_width
        assert any(row.left <= box.x < row.right for box in layout.boxes)


@given(dags(), st.integers(1, 120))
@settings(deadline=None)
def test_a_cut_goes_through_the_wires_between_its_two_sides(items: list[Item], width: int) -> None:
    layout = lay_out(items)
    for row in windows(layout, width)[1:]:
        cut = crossings(layout, row.left)
        crossed = sorted((w.target.key, w.slot) for crossing in cut for w in crossing.wires)
        wanted = [w for w in layout.wires if w.source and w.source.x < row.left <= w.target.x]
        assert crossed == sorted((wire.target.key, wire.slot) for wire in wanted)
        assert [crossing.y for crossing in cut] == sorted({crossing.y for crossing in cut})


@given(dags())
@settings(deadline=None)
def test_what_fits_is_in_one_piece(items: list[Item]) -> None:
    layout = lay_out(items)
    assert windows(layout, layout.width) == [(0, 0, layout.width, layout.height)]


def test_a_long_chain_is_legible() -> None:
    root = read_svg(export(*at("vanishing_gradient"), "svg"))
    assert float(root.get("width", "")) <= 1600
    rows = root.findall(f"{SVG}svg")
    assert len(rows) == 6
    places = [(float(row.get("y", "")), float(row.get("height", ""))) for row in rows]
    assert all(y + height <= below for (y, height), (below, _) in pairwise(places))
    assert places[-1][0] + places[-1][1] <= float(root.get("height", ""))
    shown = [tuple(map(float, row.get("viewBox", "").split())) for row in rows]
    assert all(x + wide == next_x + 8 for (x, _, wide, _), (next_x, *_) in pairwise(shown))
    told = "".join(root.itertext())
    assert "continues in the next row" in told


def test_drawings_on_a_page_are_narrower() -> None:
    _, cursor = at("two_layer")
    shown = figure(cursor.state, "two layers")
    wide, narrow = (read_svg(svg(shown, width)) for width in (1600, 960))
    assert wide.findall(f"{SVG}svg") == []
    assert len(narrow.findall(f"{SVG}svg")) == 2
    assert float(narrow.get("width", "")) <= 960 < float(wide.get("width", ""))
