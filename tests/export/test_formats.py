"""What is exported can be opened by a reader of its format, whatever the names in it are."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from math import inf
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kept import check_kept
from odd_runs import odd_sessions
from processes import limited, run
from readers import (
    SVG,
    at,
    nodes_of,
    read_dot,
    read_html,
    read_markdown,
    read_mermaid,
    read_svg,
)  # fmt: skip
from stepgrad import Cursor, Value, record, scope
from stepgrad.export import FORMATS, export
from stepgrad.export.figure import PAGE, figure
from stepgrad.export.svg import svg
from stepgrad.headless import snapshot
from stepgrad.replay.graph.picture import Picture
from stepgrad.replay.session import Session

GOLDEN = Path(__file__).parents[1] / "golden"

CASES = [
    ("sum_over_paths", "100%"), ("two_layer", "0"), ("two_layer", "8"), ("two_layer", "21"),
    ("dead_relu", "100%"), ("trained", "step 2"), ("trained", "90"), ("trained", "100%"),
]  # fmt: skip


def whole(cursor: Cursor) -> Picture:
    return figure(cursor.state, "").picture


READERS: dict[str, Callable[[str], object]] = {
    "svg": read_svg, "dot": read_dot, "mermaid": read_mermaid, "markdown": read_markdown,
    "html": read_html, "json": json.loads,
}  # fmt: skip


def test_each_format_has_a_reader() -> None:
    assert list(READERS) == list(FORMATS)


@pytest.mark.parametrize("to", FORMATS)
def test_a_recording_that_ends_early_says_so(to: str) -> None:
    with record(memory=20_000) as recording:
        for _ in range(100):
            (Value(2.0) * 3).backward()
    assert recording.spent
    assert recording.incomplete in export(None, Cursor(recording, 9), to)


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("to", FORMATS)
def test_shipped_ones_can_be_read(to: str, case: tuple[str, str]) -> None:
    READERS[to](export(*at(*case), to))


@given(odd_sessions(), st.sampled_from(list(FORMATS)))
def test_odd_ones_can_be_read(session: Session, to: str) -> None:
    cursor = session.cursor
    READERS[to](export(None, cursor, to))


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
@pytest.mark.parametrize("case", CASES, ids=str)
def test_graphviz_draws_it(case: tuple[str, str]) -> None:
    file, cursor = at(*case)
    drawn = drawn_by_graphviz(export(file, cursor, "dot"))
    boxes = [each for each in drawn.iter(f"{SVG}g") if each.get("class") == "node"]
    assert len(boxes) == len(cursor.state.scene)


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
def test_graphviz_writes_names_as_they_are() -> None:
    name = 'a\\N{"<&>}\\n&amp;'
    with record() as recording:
        Value(1.0, label=name)
        Value(2.0)
    drawn = drawn_by_graphviz(export(None, Cursor(recording, 1), "dot"))
    texts = [each.text for each in drawn.iter(f"{SVG}text")]
    assert name in texts
    assert f"{name} = 1" in texts


def drawn_by_graphviz(text: str) -> ET.Element:
    drawn = run(limited("dot", "-Tsvg"), text)
    assert (drawn.returncode, drawn.stderr) == (0, "")
    return ET.fromstring(drawn.stdout)


# --- what is in it


@pytest.mark.parametrize(
    ("name", "where", "to", "kept"),
    [
        ("two_layer", "21", "svg", "two_layer_at_21.svg"),
        ("diagonal_flip", "100%", "svg", "diagonal_flip.svg"),
        ("sum_over_paths", "100%", "dot", "sum_over_paths.dot"),
        ("sum_over_paths", "100%", "mermaid", "sum_over_paths.mmd"),
        ("sum_over_paths", "100%", "markdown", "sum_over_paths.md"),
        ("sum_over_paths", "100%", "html", "sum_over_paths.html"),
        ("three_nodes", "100%", "json", "three_nodes.json"),
    ],
)
def test_golden(name: str, where: str, to: str, kept: str, pytestconfig: pytest.Config) -> None:
    check_kept(GOLDEN / kept, export(*at(name, where), to), pytestconfig)


@pytest.mark.parametrize("case", CASES[:5], ids=str)
def test_every_node_and_edge_is_drawn(case: tuple[str, str]) -> None:
    file, cursor = at(*case)
    shown = whole(cursor)
    names = [f"n{node.index}" for node in shown.nodes]
    ends = [(f"n{edge.operand}", f"n{edge.out}") for edge in shown.edges]
    graph = read_dot(export(file, cursor, "dot"))
    assert sorted(nodes_of(graph)) == sorted(names)
    assert [(e.get_source(), e.get_destination()) for e in graph.get_edges()] == ends
    lines = read_mermaid(export(file, cursor, "mermaid"))
    assert [re.findall(r"n\d+", line) for line in lines if re.search("--[>x]", line)] == [
        *map(list, ends)
    ]
    root = read_svg(export(file, cursor, "svg"))
    boxes = root.findall(f".//{SVG}rect[@rx]")
    assert len(boxes) >= len(names)  # a leaf may stand near each of its users
    assert len(root.findall(f".//{SVG}path[@class='gap']")) == len(ends)
    for node in shown.nodes:
        assert any(node.name in "".join(text.itertext()) for text in root.iter(f"{SVG}text"))


def test_what_happened_last_stands_out() -> None:
    file, cursor = at("two_layer", "21")
    root = read_svg(export(file, cursor, "svg"))
    (wire,) = root.findall(f".//{SVG}path[@class='wire current']")
    (box,) = root.findall(f".//{SVG}rect[@class='box focus']")
    x, y = float(box.get("x", "")), float(box.get("y", ""))
    width, height = float(box.get("width", "")), float(box.get("height", ""))
    assert wire.get("d", "").startswith(f"M{x + width:g} {y + height / 2:g}")
    assert "penwidth=3" in export(file, cursor, "dot")
    assert "stroke-width:4px" in export(file, cursor, "mermaid")


def test_a_wire_that_lets_nothing_back_has_a_bar_across_it() -> None:
    file, cursor = at("dead_relu", "100%")
    (edge,) = (edge for edge in whole(cursor).edges if edge.shut)
    graph = read_dot(export(file, cursor, "dot"))
    barred = [each for each in graph.get_edges() if each.get("arrowhead") == "normaltee"]
    assert [(each.get_source(), each.get_destination()) for each in barred] == [
        (f"n{edge.operand}", f"n{edge.out}")
    ]
    assert export(file, cursor, "mermaid").count(f"n{edge.operand} --x|") == 1
    drawing = export(file, cursor, "svg")
    assert len(read_svg(drawing).findall(f".//{SVG}rect[@width='2.5']")) == 1
    assert "┿ shut: nothing comes back" in drawing
    assert "┿ shut" not in export(*at("two_layer", "21"), "svg")


def test_boxes_are_inside_and_apart() -> None:
    for case in [*CASES, ("xor_tanh", "8100")]:
        shown = figure(at(*case)[1].state, "", PAGE, hops=2)
        root = read_svg(svg(shown, width=99_999))
        width, height = float(root.get("width", "")), float(root.get("height", ""))
        graph = root.find(f"{SVG}g")
        assert graph is not None
        dx, dy = map(float, re.findall(r"\d+", graph.get("transform", "")))
        rects = [
            tuple(float(each.get(key, "")) for key in ("x", "y", "width", "height"))
            for each in graph.findall(f".//{SVG}rect[@rx]")
        ]
        for x, y, wide, high in rects:
            assert 0 <= x + dx <= x + dx + wide <= width
            assert 0 <= y + dy <= y + dy + high <= height
        for i, (x, y, wide, high) in enumerate(rects):
            for x2, y2, wide2, high2 in rects[:i]:
                assert x + wide < x2 or x2 + wide2 < x or y + high < y2 or y2 + high2 < y


def test_scopes_are_clusters() -> None:
    file, cursor = at("trained", "90")
    graph = read_dot(export(file, cursor, "dot"))
    labels = {cluster.get("label") for cluster in graph.get_subgraphs()}
    assert labels == {f'"{name}"' for name in ("layer1", "layer2", "row1", "row2")}
    assert len(nodes_of(graph)) == len(cursor.state.scene) > 20
    assert 'subgraph s0["layer1"]' in export(file, cursor, "mermaid")


def test_json_has_everything() -> None:
    file, cursor = at("xor_tanh", "8100")
    found = json.loads(export(file, cursor, "json"))
    assert {key: found[key] for key in snapshot(file, cursor)} == json.loads(
        json.dumps(snapshot(file, cursor))
    )
    shown = whole(cursor)
    assert [node["index"] for node in found["nodes"]] == [*cursor.state.scene]
    assert [node["grad"] for node in found["nodes"]] == [node.grad for node in shown.nodes]
    assert len(found["edges"]) == len(shown.edges)
    made = {node["index"]: node["value"] for node in found["nodes"]}
    assert {edge["operand"] for edge in found["edges"]} <= set(made)


def test_tangents_are_in_every_format() -> None:
    file, cursor = at("dual_numbers", "4")
    boxes = read_svg(export(file, cursor, "svg"))
    texts = ["".join(text.itertext()) for text in boxes.iter(f"{SVG}text")]
    assert texts.count("d") == 3
    assert not set("∂∇") & set(texts)
    assert "= value · d tangent · on a wire: the local derivative · ▸ carried a tangent" in texts
    assert texts.count("−2.61457") == 1
    assert export(file, cursor, "dot").count(">tangent<") == 3
    assert "d −2.61457" in export(file, cursor, "mermaid")
    nodes = json.loads(export(file, cursor, "json"))["nodes"]
    assert [round(node["tangent"], 6) for node in nodes] == [1, 4, -2.614574]
    end = json.loads(export(*at("dual_numbers"), "json"))["nodes"]
    assert [node["tangent"] for node in end] == [None] * 3


def test_slopes_are_those_that_the_gradients_were_made_with() -> None:
    file, cursor = at("forgotten_zero_grad", "step 0")
    found = json.loads(export(file, cursor, "json"))
    index = {node["name"]: node["index"] for node in found["nodes"]}
    grads = {node["index"]: node["grad"] for node in found["nodes"]}
    (edge,) = (edge for edge in found["edges"] if edge["operand"] == index["x"])
    assert grads[index["x"]] == grads[edge["out"]] * edge["local"]


def test_what_others_are_near_is_called_by_its_full_name() -> None:
    with record() as recording:
        x = Value(1.0)
        for _ in range(PAGE):
            x = x + 1.0
        with scope("out"):
            x.exp().label = "y"
    text = export(None, Cursor(recording, recording.length), "svg")
    assert (
        "shows 3 of 50 nodes, those near out/y; the screen and --to json have all of them" in text
    )


def test_checks_are_about_the_end() -> None:
    found = json.loads(export(*at("xor_tanh"), "json"))
    assert len(found["checks"]) == 9
    assert all(check["ok"] for check in found["checks"])


def test_numbers_that_json_has_not() -> None:
    with record() as recording:
        (Value(inf, label="x") * 0.0).backward()
    found = json.loads(export(None, Cursor(recording, recording.length), "json"))
    assert [node["value"] for node in found["nodes"]] == ["inf", "nan"]
