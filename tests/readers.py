"""Readers of the formats that are exported, and what there is to read."""

from __future__ import annotations

import re
from functools import cache
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pydot
from markdown_it import MarkdownIt
from markdown_it.token import Token

from scenario.samples import parse
from stepgrad import Cursor
from stepgrad.export.position import end, find
from stepgrad.scenario import open_scenario
from stepgrad.scenario.build import record_file
from stepgrad.scenario.load import ScenarioFile

SVG = "{http://www.w3.org/2000/svg}"


TRAINED = """\
title: A trained network
network: {sizes: [1, 1, 1], activation: tanh, init: {seed: 1}}
data: {inputs: [0.5, -1], targets: [1, -1]}
loss: sum_squared_error
train: {steps: 3, learning_rate: 0.1}
expect: {loss: {2: 1}}
"""
"""The smallest lesson with everything that training has, as `trained`."""


@cache
def at(name: str, where: str = "") -> tuple[ScenarioFile, Cursor]:
    """Open a scenario at the position that an export of it is of."""
    file = parse(TRAINED) if name == "trained" else open_scenario(name)
    recording = record_file(file)
    return file, Cursor(recording, find(recording, where) if where else end(recording))


def read_svg(text: str) -> ET.Element:
    root = ET.fromstring(text)
    assert root.tag == f"{SVG}svg"
    assert root[0].tag == f"{SVG}title"
    assert root[1].tag == f"{SVG}desc"
    return root


@cache
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
    r'|n\d+ --[>x](?:\|"[^"|]*"\|)? n\d+|linkStyle [\d,]+ \S+|classDef \w+ \S+|class n\d+ \w+)'
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

    VOID = {"meta", "hr", "br", "wbr"}

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
