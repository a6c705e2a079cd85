"""What is drawn of a graph that is too large to be drawn whole: folded scopes, each one box."""

from __future__ import annotations

import json
from collections import Counter
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nested import Row, recorded, rows
from odd_runs import at
from readers import SVG, nodes_of, read_dot, read_mermaid, read_svg
from readers import at as at_position
from stepgrad import Cursor, Recording, Value, record, scope
from stepgrad.export import export
from stepgrad.export.figure import figure
from stepgrad.export.svg import svg
from stepgrad.replay.graph.contents import Fold
from stepgrad.replay.graph.outline import enclosing
from stepgrad.replay.graph.picture import Picture


@given(rows, st.integers(1, 20), st.integers(1, 20), st.floats(0, 1))
def test_every_edge_is_within_a_box_or_in_one_wire(
    rows: list[Row], limit: int, room: int, place: float
) -> None:
    recording = recorded(rows)
    state = at(recording, round(place * recording.length)).state
    drawing = figure(state, "", limit, room)
    shown = drawing.picture
    drawn = {box.index for box in shown.boxes}
    scene = {node: box_of(shown, recording, node) for node in state.scene}
    wanted: Counter[tuple[int, int | None]] = Counter()
    for node, out in scene.items():
        for operand in recording.node(node).operands:
            source = scene.get(operand, out)  # an operand outside the scene has no edge in it
            if out in drawn and source != out:
                wanted[out, source if source in drawn else None] += 1
    found: Counter[tuple[int, int | None]] = Counter()
    for edge in shown.edges:
        if edge.operand in scene:
            found[edge.out, edge.operand if edge.operand in drawn else None] += edge.count
    assert found == wanted
    folds = {box.index for box in shown.boxes if isinstance(box, Fold)}
    wires = [(edge.operand, edge.out) for edge in shown.inner_edges]
    at_folds = [ends for ends in wires if not folds.isdisjoint(ends)]
    assert len(set(at_folds)) == len(at_folds)
    read_svg(svg(drawing))


def box_of(shown: Picture, recording: Recording, node: int) -> int:
    """The box of a node: the folded scope that it lies in, if there is one."""
    folds = {
        "/".join(filter(None, (box.scope, box.name))): box.index
        for box in shown.boxes
        if isinstance(box, Fold)
    }
    around = enclosing(recording.node(node).place.scope)
    return next((folds[each] for each in around if each in folds), node)


# --- a graph that no format draws whole


@cache
def tower() -> Recording:
    with record() as recording:
        x, w = Value(2.0, label="x"), Value(1.0, label="w")
        for layer in range(3):
            with scope(f"net/layer{layer}"):
                for _ in range(40):
                    x = (x * w).relu()
        with scope("net/out"):
            x = (x - 3.0).relu()
            x.label = "y"
        x.backward()
    return recording


HEADINGS = ["x", "w", "+ layer0 ×80", "+ layer1 ×80", "+ layer2 ×80"]


def test_scopes_are_folded_and_the_one_of_the_position_is_open() -> None:
    recording = tower()
    end, forward = recording.length, recording.blocks[-1].start
    drawing = figure(at(recording, forward).state, "", 48)
    shown = drawing.picture
    assert [box.heading for box in shown.boxes] == [*HEADINGS, "#243 = #241 − 3", "y = relu(#243)"]
    assert "net: + layer0 ×80: no gradient yet" in svg(drawing)
    labels = {(edge.operand, edge.out): edge.label for edge in shown.edges}
    assert labels[0, 2] == "1"
    assert labels[1, 2] == "×40"
    shown = figure(at(recording, end).state, "", 48).picture
    assert [box.heading for box in shown.boxes] == [*HEADINGS, "+ out ×2"]


@pytest.mark.parametrize("to", ["svg", "dot", "mermaid", "html"])
def test_every_drawing_has_them(to: str) -> None:
    text = export(None, Cursor(tower(), tower().length), to)
    for heading in HEADINGS:
        assert heading in text
    assert text.count("×40") >= 3
    assert "244 nodes in 6 boxes" in text


def test_readers_find_boxes_and_wires() -> None:
    cursor = Cursor(tower(), tower().length)
    shown = figure(cursor.state, "", 48).picture
    wires = [(f"n{edge.operand}", f"n{edge.out}") for edge in shown.edges]
    graph = read_dot(export(None, cursor, "dot"))
    assert len(nodes_of(graph)) == len(shown.boxes)
    assert [(each.get_source(), each.get_destination()) for each in graph.get_edges()] == wires
    (net,) = graph.get_subgraphs()
    assert net.get("label") == '"net"'
    assert len(nodes_of(net)) == 4
    lines = read_mermaid(export(None, cursor, "mermaid"))
    assert sum("-->" in line for line in lines) == len(wires)
    assert '    n2["+ layer0 ×80<br/>#124;∇#124; 0<br/>0 100#37;"]' in lines
    root = read_svg(export(None, cursor, "svg"))
    assert root.findall(f".//{SVG}path[@class='wire current']") == []
    midway = read_svg(export(None, Cursor(tower(), tower().length - 1), "svg"))
    assert len(midway.findall(f".//{SVG}path[@class='wire current']")) == 1
    (title,) = [each.text for each in root.iter(f"{SVG}title") if "layer0" in (each.text or "")]
    assert title == "net: + layer0 ×80: |grad| 0, shares 0 100%"


def test_what_leads_back_says_so() -> None:
    with record() as recording:
        a = Value(1.0, label="x")
        for _ in range(2):
            with scope("there"):
                a = a * a
            with scope("back"):
                a = a + a
    drawing = figure(at(recording, recording.length).state, "", 4, room=2)
    shown = drawing.picture
    assert [box.heading for box in shown.boxes] == ["x", "+ there ×2", "+ back ×2"]
    root = read_svg(svg(drawing))
    texts = ["".join(text.itertext()) for text in root.iter(f"{SVG}text")]
    assert sorted(text for text in texts if text.startswith(("×", "↺"))) == ["×2", "×4", "↺ ×2"]
    assert any("↺ from a box further right" in text for text in texts)
    assert not any("not shown" in text for text in texts)
    assert len(root.findall(f".//{SVG}path[@class='wire forward open']")) == 1
    assert len(shown.inner_edges) == 3, "other formats lead it back themselves"


def test_what_is_not_drawn_enters_a_scope_by_one_wire() -> None:
    with record() as recording:
        leaves = [Value(1.0) for _ in range(20)]
        with scope("sum"):
            sum(leaves[1:], leaves[0])
    drawing = figure(at(recording, recording.length).state, "", 6, room=6)
    shown = drawing.picture
    assert [box.heading for box in shown.boxes][-1:] == ["+ sum ×19"]
    assert [edge.label for edge in shown.edges] == ["1", "1", "×18"]
    assert len(shown.inner_edges) == 2
    assert "shows 3 of 21 boxes, those near sum: " in drawing.limits[-1]


def test_forward_mode_has_the_edges_that_the_screen_lights() -> None:
    file, cursor = at_position("dual_numbers", "3")
    edges = json.loads(export(file, cursor, "json"))["edges"]
    assert [edge["stage"] for edge in edges] == ["current", "waiting"]
    assert [edge.direction for edge in figure(cursor.state, "").picture.edges] == [1, 0]
    root = read_svg(export(file, cursor, "svg"))
    assert len(root.findall(f".//{SVG}path[@class='wire current']")) == 1
    root = read_svg(export(*at_position("dual_numbers", "4"), "svg"))
    assert len(root.findall(f".//{SVG}path[@class='wire tangent']")) == 2
    assert export(*at_position("dual_numbers", "4"), "dot").count('color="#116329"') == 2
    assert "linkStyle 0,1 stroke:#2da44e" in export(*at_position("dual_numbers", "4"), "mermaid")


def test_json_is_never_folded() -> None:
    found = json.loads(export(None, Cursor(tower(), tower().length), "json"))
    assert len(found["nodes"]) == 244
    assert len(found["edges"]) == 3 * 40 * 3 + 2


def test_elements_of_a_long_list_are_told_apart() -> None:
    with record() as recording:
        names = [f"parameters['embedding'][0][{each}]" for each in range(3)]
        sum((Value(1.0, label=name) for name in names), Value(0.0)).backward()
    texts = export(None, Cursor(recording, recording.length), "svg")
    shown = {each.text or "" for each in read_svg(texts).iter(f"{SVG}text")}
    assert len({each for each in shown if each.startswith("param")}) == 3
