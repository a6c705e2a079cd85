"""What is exported can be opened by a reader of its format, whatever the names in it are."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from html.parser import HTMLParser
from math import inf, isclose
from pathlib import Path
from xml.etree import ElementTree as ET

import pydot
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from kept import check_kept
from odd_runs import odd_sessions
from stepgrad import Cursor, Value, mark, record
from stepgrad.export import FORMATS, export
from stepgrad.export.picture import Picture, picture
from stepgrad.headless import snapshot
from stepgrad.replay.commands import goto
from stepgrad.replay.session import Session
from stepgrad.scenario import open_scenario
from stepgrad.scenario.build import record_file
from stepgrad.scenario.load import ScenarioFile

GOLDEN = Path(__file__).parents[1] / "golden"
SVG = "{http://www.w3.org/2000/svg}"

CASES = [
    ("sum_over_paths", "100%"), ("two_layer", "0"), ("two_layer", "8"), ("two_layer", "21"),
    ("dead_relu", "100%"), ("xor_tanh", "step 20"), ("xor_tanh", "8100"), ("xor_tanh", "100%"),
]  # fmt: skip


@cache
def at(name: str, where: str) -> tuple[ScenarioFile, Cursor]:
    file = open_scenario(name)
    return file, goto(Cursor(record_file(file)), where)


def whole(cursor: Cursor) -> Picture:
    return picture(cursor.state, "")


# --- the readers


def read_svg(text: str) -> ET.Element:
    root = ET.fromstring(text)
    assert root.tag == f"{SVG}svg"
    assert root[0].tag == f"{SVG}title"
    assert root[1].tag == f"{SVG}desc"
    return root


def read_dot(text: str) -> pydot.Dot:
    graphs = pydot.graph_from_dot_data(text)
    assert graphs is not None
    (graph,) = graphs
    return graph


def nodes_of(graph: pydot.Graph) -> list[str]:
    own = [node.get_name() for node in graph.get_nodes()]
    inner = [name for cluster in graph.get_subgraphs() for name in nodes_of(cluster)]
    return [name for name in own + inner if re.fullmatch(r"n\d+", name)]


def read_markdown(text: str) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse(text)


def code_of(tokens: list[Token]) -> list[str]:
    inline = [each for token in tokens for each in token.children or ()]
    return [each.content for each in inline if each.type == "code_inline"]


_LABEL = r'\["(?:[^"#;]|#\d+;)*"\]'
_MERMAID = re.compile(
    rf"flowchart LR|%%(?!\{{).*|\s+(?:n\d+{_LABEL}|subgraph s\d+{_LABEL}|end"
    r'|n\d+ -->(?:\|"[^"|]*"\|)? n\d+|linkStyle [\d,]+ \S+|classDef \w+ \S+|class n\d+ \w+)'
)


def read_mermaid(text: str) -> list[str]:
    """Hold every line against the grammar of a flowchart, as far as it is used."""
    lines = text.splitlines()
    assert [line for line in lines if not _MERMAID.fullmatch(line)] == []
    opened = sum(line.lstrip().startswith("subgraph") for line in lines)
    assert opened == sum(line.strip() == "end" for line in lines)
    return lines


class Page(HTMLParser):
    """What is open, and whether it is closed in turn; attributes that would load something."""

    VOID = {"meta", "hr", "br"}

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.loads += [name for name, _ in attrs if name in ("src", "xlink:href", "data")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def read_html(text: str) -> Page:
    page = Page()
    page.feed(text)
    page.close()
    assert page.open == []
    assert page.loads == []
    assert not {"script", "link", "img", "iframe"} & set(page.seen)
    return page


READERS: dict[str, Callable[[str], object]] = {
    "svg": read_svg, "dot": read_dot, "mermaid": read_mermaid, "markdown": read_markdown,
    "html": read_html, "json": json.loads,
}  # fmt: skip


def test_each_format_has_a_reader() -> None:
    assert list(READERS) == list(FORMATS)


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
    drawn = drawn_by_graphviz(export(None, Cursor(recording, 1), "dot"))
    texts = [each.text for each in drawn.iter(f"{SVG}text")]
    assert name in texts
    assert f"{name} = 1" in texts


def drawn_by_graphviz(text: str) -> ET.Element:
    run = subprocess.run(
        ["dot", "-Tsvg"], input=text, capture_output=True, check=True, encoding="utf-8"
    )
    assert run.stderr == ""
    return ET.fromstring(run.stdout)


# --- what is in it


@pytest.mark.parametrize(
    ("name", "where", "to", "kept"),
    [
        ("two_layer", "21", "svg", "two_layer_at_21.svg"),
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
    assert [re.findall(r"n\d+", line) for line in lines if "-->" in line] == [*map(list, ends)]
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


def test_boxes_are_inside_and_apart() -> None:
    for case in CASES:
        root = read_svg(export(*at(*case), "svg"))
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
    file, cursor = at("xor_tanh", "8100")
    graph = read_dot(export(file, cursor, "dot"))
    labels = {cluster.get("label") for cluster in graph.get_subgraphs()}
    assert labels == {f'"{name}"' for name in ("layer1", "layer2", "row1", "row2", "row3", "row4")}
    assert len(nodes_of(graph)) == 152
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


def test_numbers_that_json_has_not() -> None:
    with record() as recording:
        (Value(inf, label="x") * 0.0).backward()
    found = json.loads(export(None, Cursor(recording, recording.length), "json"))
    assert [node["value"] for node in found["nodes"]] == ["inf", "nan"]


# --- the hand-out


@given(odd_sessions())
def test_no_name_is_read_as_markdown(session: Session) -> None:
    cursor = session.cursor
    shown = whole(cursor)
    found = code_of(read_markdown(export(None, cursor, "markdown")))
    names = [node.name for node in shown.nodes if node.name.strip()]
    assert [name for name in names if name not in found] == []


def test_every_event_of_a_step_is_a_line() -> None:
    tokens = read_markdown(export(*at("two_layer", "100%"), "markdown"))
    items = [int(token.info) for token in tokens if token.type == "list_item_open" and token.info]
    assert items == list(range(1, 27))


def test_the_updates_of_a_step() -> None:
    file, cursor = at("xor_tanh", "step 20")
    text = export(file, cursor.next_step().step(-1), "markdown")
    headings = re.findall(r"^## (.*)", text, re.MULTILINE)
    assert headings[:4] == ["Forward pass", "Gradients cleared", "Backward pass", "Update"]
    assert len(re.findall(r"^\d+\. `layer\S+(?<!grad) ← ", text, re.MULTILINE)) == 17


def sums(text: str) -> list[tuple[list[str], float]]:
    """The sides of the equations for gradients: sums as Python reads them, and what they make."""
    found = re.findall(r"^- `+\s?\S+\.grad = (.*) = (.*?)\s?`+$", text, re.MULTILINE)
    read = [
        (re.sub(r" \((?:before|after \S+ edges)\)", "", sides), number) for sides, number in found
    ]
    python = str.maketrans({"−": "-", "·": "*"})
    return [(s.translate(python).split(" = "), float(n.translate(python))) for s, n in read]


@pytest.mark.parametrize("users", [2, 5, 30])
@pytest.mark.parametrize("passes", [1, 3])
def test_gradients_that_are_sums_add_up(users: int, passes: int) -> None:
    with record() as recording:
        x = Value(1.5, label="x")
        total = sum((x * (n - 3) for n in range(users)), Value(0.0, label="zero"))
        for _ in range(passes):
            total.backward()
    text = export(None, Cursor(recording, recording.length), "markdown")
    ((sides, grad), *_) = sums(text)
    assert grad == x.grad
    assert len(sides) == 2
    for side in sides:
        assert isclose(eval(side), grad)


def test_what_is_too_much_is_counted() -> None:
    with record() as recording:
        x = Value(1.0, label="x")
        total = sum((x * n for n in range(300)), Value(0.0))
        total.backward()
    cursor = Cursor(recording, recording.length)
    text = export(None, cursor, "markdown")
    scene = len(cursor.state.scene)
    listed = len(re.findall(r"^\| `", text, re.MULTILINE))
    assert f"{listed} of {scene} nodes are shown: those near" in text
    assert listed <= 100
    forward = recording.blocks[0].length
    assert f"… and {forward - 120:,} more lines, left out here." in text
    assert len(text) < 60_000
    assert "nodes are shown" in "".join(read_svg(export(None, cursor, "svg")).itertext())


def test_many_passes_are_counted() -> None:
    with record() as recording:
        mark("step")
        x = Value(1.0, label="x")
        for _ in range(30):
            (x * 2).backward()
    cursor = Cursor(recording, recording.length)
    assert cursor.state.step_bounds[0] == 0
    text = export(None, cursor, "markdown")
    headings = re.findall("^## (.*)", text, re.MULTILINE)
    assert headings == ["Forward pass", "Backward pass"] * 6
    assert "… and 48 more sections, left out here." in text


def test_a_lesson_is_no_program() -> None:
    file, cursor = at("sum_over_paths", "100%")
    hostile = "<script>alert(1)</script>\n\n![x](http://example.org/x.png)\n\n[x](javascript:1)"
    model = file.model.model_copy(update={"lesson": hostile})
    changed = ScenarioFile(file.document, model, file.statements)
    text = export(changed, cursor, "html")
    read_html(text)
    assert "&lt;script&gt;" in text
    assert 'href="javascript' not in text


def test_the_page_has_the_drawing() -> None:
    file, cursor = at("two_layer", "21")
    page = read_html(export(file, cursor, "html"))
    assert page.seen.count("svg") == 1
    assert page.seen.index("h1") < page.seen.index("svg") < page.seen.index("table")
    assert export(file, cursor, "svg") in export(file, cursor, "html")
