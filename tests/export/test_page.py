"""A hand-out as a page: what keeps together, what does not wrap, and what is highlighted."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from readers import SVG, at, read_html
from stepgrad import Cursor, Value, record
from stepgrad.export import export
from stepgrad.opening import open_typed

NAMES = ["two_layer", "xor_tanh", "forward_and_reverse", "nan_origin", "dead_relu"]


def page(name: str, where: str = "") -> ET.Element:
    """The body of a page, as a tree; it is well-formed XML but for its void elements."""
    text = export(*at(name, where), "html")
    read_html(text)
    body = text[text.index("<body>") :].partition("</html>")[0]
    return ET.fromstring(re.sub(r"<(br|hr|wbr)>", r"<\1/>", body))


def classes(element: ET.Element) -> list[str]:
    return element.get("class", "").split()


@pytest.mark.parametrize("name", NAMES)
def test_numbers_do_not_wrap(name: str) -> None:
    for table in page(name).iter("table"):
        head = ["".join(cell.itertext()) for cell in table.iter("th")]
        numeric = [each in ("value", "tangent", "gradient", "expected", "got") for each in head]
        assert any(numeric)
        for row in table.iter("tr"):
            assert ["number" in classes(cell) for cell in row] == numeric
    text = export(*at(name), "html")
    assert ".number code { white-space: nowrap;" in text


@pytest.mark.parametrize("name", NAMES)
def test_a_heading_and_what_is_below_it_are_one_section(name: str) -> None:
    body = page(name)
    sections = [*body.iter("section")]
    headings = [each for level in ("h2", "h3") for each in body.iter(level)]
    assert len(headings) == len(sections) > 0
    for section in sections:
        assert section[0].tag in ("h2", "h3")
        assert len(section) > 1
    checks = [each for each in sections if each[0].text == "Checks"]
    assert ["whole" in classes(each) for each in checks] == [True] * len(checks)


def test_what_is_long_is_small_on_paper_and_in_columns() -> None:
    lists = [*page("xor_tanh", "step 20").iter("ol")]
    assert ["lines" in classes(each) for each in lists] == [True, True, False, False]
    assert all("long" in classes(each) for each in lists)
    assert [each.get("style") for each in lists] == ["--digits: 4"] * 4
    assert [classes(each) for each in page("two_layer").iter("ol")] == [[], []]


def test_names_break_after_a_slash() -> None:
    assert "<code>row1/<wbr>layer1/<wbr>neuron1/<wbr>h</code>" in export(*at("xor_tanh"), "html")


# --- the drawings


@pytest.mark.parametrize("to", ["html", "svg", "dot", "mermaid"])
@pytest.mark.parametrize("name", NAMES)
def test_a_finished_drawing_highlights_nothing(name: str, to: str) -> None:
    text = re.sub(r"<style>.*?</style>|classDef.*", "", export(*at(name), to), flags=re.DOTALL)
    for mark in ('class="box focus"', "wire current", "highlighted", " focus", "penwidth=3"):
        assert mark not in text
    assert not re.search(r'BORDER="2"|stroke-width:4px', text)


def test_a_drawing_says_what_is_highlighted() -> None:
    for to in ("html", "svg"):
        text = export(*at("two_layer", "21"), to)
        assert 'class="box focus"' in text
        assert "highlighted: event 21 of 26 · ◀ backward" in text
    text = export(*at("two_layer", "21"), "mermaid")
    assert '["h = relu(z1)<br/>= 1.5<br/>∇ −8<br/>event 21"]' in text


def test_each_row_of_a_drawing_is_whole_on_paper() -> None:
    (figure,) = page("vanishing_gradient").iter("figure")
    first, *others = figure.findall(f"{SVG}svg")
    assert first.get("role") == "img"
    assert len(others) > 2
    assert all(each.get("aria-hidden") == "true" for each in others)
    assert len({each.get("width") for each in (first, *others)}) == 1
    assert figure[-1].tag == "figcaption"
    assert "continues in the next row" in "".join(figure[-1].itertext())


def test_a_wire_that_leaves_a_row_enters_the_next_with_its_name() -> None:
    (figure,) = page("two_layer").iter("figure")
    first, second = figure.findall(f"{SVG}svg")
    leaving, entering = ([*each.iter(f"{SVG}circle")] for each in (first, second))
    assert len(leaving) == len(entering) == 2
    names = [each.text for each in second.iter(f"{SVG}text") if "source" in classes(each)]
    assert names == ["w2·h", "b2"]
    assert not [each for each in first.iter(f"{SVG}text") if "source" in classes(each)]


# --- the lesson and the lines


@pytest.mark.parametrize("to", ["html", "markdown"])
def test_the_docstring_of_a_program_is_its_lesson(to: str, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        '"""Why x is *squared*."""\nfrom stepgrad import Value\n(Value(2.0) ** 2).backward()\n'
    )
    recording = open_typed(str(program)).recording
    text = export(None, Cursor(recording, recording.length), to)
    assert (
        "<p>Why x is <em>squared</em>.</p>" if to == "html" else "\nWhy x is *squared*.\n"
    ) in text


def test_only_a_gradient_of_several_contributions_shows_how_it_grew() -> None:
    with record() as recording:
        x = Value(3.0, label="x")
        (x * 2 + x).backward()
    lines = export(None, Cursor(recording, recording.length), "markdown").splitlines()
    grown = [line for line in lines if "x.grad" in line and "contribution" in line]
    assert len(grown) == 2
    assert not [line for line in lines if "contribution 1 of 1" in line]
