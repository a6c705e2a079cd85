"""What a hand-out has in it, as Markdown and as a page."""

from __future__ import annotations

import re
from math import inf, isclose, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from odd_runs import odd_sessions
from readers import at, code_of, read_html, read_markdown, read_svg
from scenario.samples import with_fields
from stepgrad import Cursor, Recording, Value, mark, record
from stepgrad.export import export
from stepgrad.export.figure import figure
from stepgrad.export.handout import LINES
from stepgrad.export.markup import code, without_html
from stepgrad.export.position import end
from stepgrad.replay.session import Session
from stepgrad.scenario.load import ScenarioFile


def handout(name: str, where: str = "") -> str:
    return export(*at(name, where), "markdown")


def of(recording: Recording) -> str:
    return export(None, Cursor(recording, end(recording)), "markdown")


def headings(text: str) -> list[str]:
    return re.findall(r"^#+ .*", text, re.MULTILINE)


def rows(text: str) -> list[list[str]]:
    """The cells of all rows of tables that begin with code, without the marks."""
    lines = re.findall(r"^\| (`.*) \|$", text, re.MULTILINE)
    return [[cell.strip(" `") for cell in line.split(" | ")] for line in lines]


@given(odd_sessions())
def test_no_name_is_read_as_markdown(session: Session) -> None:
    cursor = session.cursor
    shown = figure(cursor.state, "").picture
    found = code_of(read_markdown(export(None, cursor, "markdown")))
    names = [node.title for node in shown.nodes if node.title.strip()]
    assert [name for name in names if name not in found] == []


@pytest.mark.parametrize("text", [" 0 ", "  ", "a", " a", "`", " ` "])
def test_code_is_read_back_as_it_was(text: str) -> None:
    assert code_of(read_markdown(code(text))) == [text] * bool(text.strip())


def test_every_event_of_a_step_is_a_line() -> None:
    tokens = read_markdown(export(*at("two_layer", "100%"), "markdown"))
    items = [int(token.info) for token in tokens if token.type == "list_item_open" and token.info]
    assert items == list(range(1, 27))


def test_the_updates_of_a_step() -> None:
    text = handout("xor_tanh", "step 20")
    phases = ["## Forward pass", "## Gradients cleared", "## Backward pass", "## Update"]
    assert headings(text)[1:5] == phases
    assert len(re.findall(r"^\d+\. `layer\S+(?<!grad) ← ", text, re.MULTILINE)) == 17


def sums(text: str) -> list[tuple[list[str], float]]:
    """The sides of the equations for gradients: sums as Python reads them, and what they make."""
    found = re.findall(r"^- `+\s?\S+\.grad = (.*) = (.*?)\s?`+$", text, re.MULTILINE)
    read = [
        (re.sub(r" \((?:before|after \S+ contributions)\)", "", sides), number)
        for sides, number in found
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
        total = sum((x * n for n in range(1200)), Value(0.0))
        total.backward()
    cursor = Cursor(recording, recording.length)
    text = of(recording)
    more = len(cursor.state.scene) - len(rows(text))
    assert len(rows(text)) == LINES < more
    assert f"… and {more:,} more nodes (nodes with names come first)" in text
    assert "`stepgrad export --to json` shows all" in text
    forward = recording.blocks[0].length
    left_out = f"… and {forward - LINES:,} more lines: `stepgrad replay` shows all."
    assert left_out in text
    assert len(text) < 200_000
    assert "shows 24 of 2,402 nodes" in "".join(read_svg(export(None, cursor, "svg")).itertext())


def test_of_many_nodes_those_with_names_come_first() -> None:
    with record() as recording:
        x = Value(1.0, label="x")
        total = sum((x * n for n in range(1200)), Value(0.0))
        total.label = "total"
        total.backward()
    listed = [row[0] for row in rows(of(recording))]
    assert (listed[0], listed[-1]) == ("x", "total")


def test_one_step_is_no_series_of_passes() -> None:
    with record() as recording:
        x = Value(1.0, label="x")
        mark("step", 0)
        (x * 2).backward()
    assert headings(of(recording))[1:] == ["## Forward pass", "## Backward pass"]


def test_many_phases_are_counted() -> None:
    with record() as recording:
        mark("step")
        x = Value(1.0, label="x")
        for _ in range(30):
            (x * 2).backward()
    assert Cursor(recording, recording.length).state.step_bounds[0] == 0
    text = of(recording)
    assert headings(text)[1:-1] == ["## Forward pass", "## Backward pass"] * 6
    assert "… and 48 more sections: " in text


def test_a_lesson_is_no_program() -> None:
    file, cursor = at("sum_over_paths", "100%")
    hostile = "<script>alert(1)</script>\n\n![x](http://example.org/x.png)\n\n[x](javascript:1)"
    model = with_fields(file.model, lesson=hostile)
    changed = ScenarioFile(file.document, model, file.statements)
    text = export(changed, cursor, "html")
    read_html(text)
    assert "&lt;script&gt;" in text
    assert 'href="javascript' not in text


def test_the_page_has_the_drawing() -> None:
    file, cursor = at("two_layer", "21")
    text = export(file, cursor, "html")
    page = read_html(text)
    assert text.count("<figure>") == 1
    assert page.seen.index("h1") < page.seen.index("svg") < page.seen.index("table")


# --- which part of a recording it is


def test_a_training_is_shown_with_its_last_backward_pass() -> None:
    text = handout("xor_tanh")
    phases = ["## Forward pass", "## Gradients cleared", "## Backward pass", "## Update"]
    assert headings(text)[1:5] == phases
    assert "\nTraining step 99, events 39,321 to 39,717 of 39,853.\n" in text
    for to in ("svg", "dot", "mermaid"):
        assert "step 99" in export(*at("xor_tanh"), to)


def test_the_place_is_told_where_it_is_not_the_whole() -> None:
    assert "event" not in handout("two_layer").partition("## ")[0]
    assert "\nUp to event 21 of 26.\n" in handout("two_layer", "21")
    assert "\nTraining step 20, up to event 8,100 of 39,853.\n" in handout("xor_tanh", "8100")


def test_leftover_gradients_and_updated_values_are_told() -> None:
    left_over = "the gradients are left over from an earlier one"
    assert left_over in handout("xor_tanh", "100%")
    assert left_over not in handout("xor_tanh")
    new = "Updated nodes show their new values"
    assert new in handout("xor_tanh")
    assert new not in handout("xor_tanh", "8100")


def test_forward_mode_is_shown_with_every_pass() -> None:
    text = handout("forward_and_reverse")
    passes = [line[3:] for line in headings(text) if line.startswith("## ")]
    by = [f"Forward mode with respect to {name}" for name in "xyz"]
    assert passes == [*by, "Reverse mode", "Checks"]
    loss = [row[2:] for row in rows(text) if row[0] == "L" and len(row) == 4 and row[1]]
    assert loss[:4] == [["49", "70"], ["49", "28"], ["49", "14"], ["49", "1"]]
    heads = re.findall(r"^\| node .*", text, re.MULTILINE)
    assert ["tangent" in head for head in heads] == [True, True, True, False]
    assert ["gradient" in head for head in heads] == [False, False, False, True]
    page = export(*at("forward_and_reverse"), "html")
    read_html(page)
    assert page.count("<figure>") == 4
    marks = re.findall(r' id="(\w+)"', page)
    assert len(marks) == len(set(marks))


def test_passes_have_headings_without_marks() -> None:
    with record() as recording:
        mark("by hand")
        for _ in range(2):
            x = Value(2.0, label="x")
            (x * 3).backward()
    passes = [line for line in headings(of(recording)) if line.startswith("## ")]
    assert passes == ["## By hand", "## Pass 2"]


def test_of_many_passes_some_are_counted() -> None:
    with record() as recording:
        for n in range(30):
            mark(f"pass by {n}")
            x = Value(2.0, label="x")
            (x * n).backward()
    text = of(recording)
    passes = [line for line in headings(text) if line.startswith("## ")]
    assert passes == [f"## Pass by {n}" for n in range(12)]
    assert "… and 18 more passes: " in text


# --- what is in its table


def test_the_table_has_every_name_and_number() -> None:
    text = handout("xor_relu")
    _, cursor = at("xor_relu")
    shown = figure(cursor.state, "").picture.nodes
    table = [row for row in rows(text) if len(row) == 4][: len(shown)]
    assert [row[0] for row in table] == [node.title for node in shown]
    assert [row[2:] for row in table] == [[node.value_text, node.grad_text] for node in shown]


def test_names_in_the_text_are_in_the_table() -> None:
    with record() as recording:
        x = Value(0.5)
        y = ((x.tanh() * x).exp() + x.tanh() * x.exp()).relu()
        (y * y).backward()
    text = of(recording)
    used = set(re.findall(r"#\d+", text.partition("## ")[2]))
    assert used
    assert used <= {row[0] for row in rows(text)}


SIGNS = [
    ("`∅`: no gradient ever arrives", "disconnected_parameter", "", True),
    ("`∅`: no gradient ever arrives", "two_layer", "", False),
    ("`–`: no gradient has arrived yet", "two_layer", "16", True),
    ("`–`: no gradient has arrived yet", "two_layer", "", False),
    ("`0`: zero, which is not the same as none", "dead_relu", "", True),
    ("`0`: zero, which is not the same as none", "three_nodes", "", False),
    ("`0`: a small change of the input that the pass", "forward_and_reverse", "14", True),
    ("`0`: a small change of the input that the pass", "dual_numbers", "4", False),
    ("A node without numbers is not computed yet.", "two_layer", "8", True),
    ("A node without numbers is not computed yet.", "two_layer", "", False),
    ("`∂` is local, of one operation", "two_layer", "", True),
    ("`∂` is local, of one operation", "two_layer", "8", False),
    ("brackets show a gradient before and after (`–`: none)", "two_layer", "", True),
    ("brackets show a gradient before and after (`–`: none)", "two_layer", "8", False),
    ("rounded to six digits", "dual_numbers", "", True),
    ("rounded to six digits", "two_layer", "", False),
]


@pytest.mark.parametrize(("words", "name", "where", "there"), SIGNS)
def test_signs_are_explained_where_they_occur(
    words: str, name: str, where: str, there: bool
) -> None:
    assert (words in handout(name, where)) == there


def test_what_is_no_number_is_explained() -> None:
    with record() as recording:
        Value(-inf, label="least")
        (Value(nan, label="x") * 2.0).backward()
    text = of(recording)
    assert "`nan`: not a number." in text
    assert "`−inf`: minus infinity, or too far below zero for a float64." in text
    assert "`inf`:" not in text


# --- sums, checks, the page


@pytest.mark.parametrize(
    ("users", "hidden"),
    [(8, None), (9, None), (10, "after 2 contributions"), (11, "after 3 contributions")],
)
def test_no_single_term_is_left_out_of_a_sum(users: int, hidden: str | None) -> None:
    with record() as recording:
        x = Value(1.5, label="x")
        sum((x * (n + 1) for n in range(users)), Value(0.0, label="zero")).backward()
    text = of(recording)
    assert re.findall(r"\((after .*?)\)", text)[:1] == ([hidden] if hidden else [])


def test_a_gradient_that_was_not_cleared_is_a_sum() -> None:
    assert "- `w.grad = 13.3407 (before) + (−2.81214)·1 = " in handout("forgotten_zero_grad")


@pytest.mark.parametrize(
    ("name", "where", "there"),
    [
        ("nan_origin", "", True), ("nan_origin", "100%", True), ("nan_origin", "50%", False),
        ("forward_and_reverse", "", True), ("forward_and_reverse", "50%", False),
        ("two_layer", "0", False),
    ],
)  # fmt: skip
def test_checks_stand_where_they_are_about(name: str, where: str, there: bool) -> None:
    text = handout(name, where)
    assert ("## Checks" in headings(text)) == there
    assert "✗" not in text


def test_a_lesson_has_no_heading_of_the_first_rank() -> None:
    file, cursor = at("sum_over_paths")
    lesson = "# One\n\ntext\n\n## Two #\n\nThree\n=====\n\n```\n# comment\n```\n\n> # Four"
    model = with_fields(file.model, lesson=lesson)
    changed = ScenarioFile(file.document, model, file.statements)
    text = export(changed, cursor, "html")
    assert read_html(text).seen.count("h1") == 1
    for heading in ("<h2>One</h2>", "<h3>Two</h3>", "<h2>Three</h2>", "<h2>Four</h2>"):
        assert heading in text
    assert "<code># comment\n</code>" in text


def test_the_title_of_a_page_stands_there_once() -> None:
    file, cursor = at("two_layer")
    text = export(file, cursor, "html")
    assert re.findall(rf"<(\w+)[^>]*>{file.title}", text) == ["title", "h1", "title"]  # tooltip
    assert "event 26 of 26" not in re.sub(r"<(title|desc).*?</\1>", "", text)


def test_a_drawing_on_a_page_keeps_its_size_but_on_paper() -> None:
    text = export(*at("vanishing_gradient"), "html")
    style, _, paper = text.partition("</style>")[0].partition("@media print")
    assert "max-width: 100%" not in style
    assert "figure svg { max-width: 100%; max-height: 66vh; height: auto }" in paper
    width = int(re.findall(r'<svg xmlns="\S+" width="(\d+)"', text)[0])
    assert width <= 960


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("a <b>c</b>", r"a \<b>c\</b>"),
        ("`<b>` <b>", r"`<b>` \<b>"),
        ("<script>\nalert(1)\n</script>", "\\<script>\nalert(1)\n\\</script>"),
        ("> <div>\n> x", "> \\<div>\n> x"),
        ("- <!-- a\n\n  b -->", "- \\<!-- a\n\n  b -->"),
        ("1 < 2 and <https://a.b/c>", "1 < 2 and <https://a.b/c>"),
        ("    <b>", "    <b>"),
        ("```\n<b>\n```", "```\n<b>\n```"),
        ("<script>\n`\n\n<img src=x>\n\n`", "\\<script>\n`\n\n\\<img src=x>\n\n`"),
    ],
)
def test_html_in_a_lesson_is_plain_text(text: str, plain: str) -> None:
    assert without_html(text) == plain


@given(st.text("<>/!-`\\ab='\" \n[]?&:.", max_size=40))
def test_no_html_is_left(text: str) -> None:
    tokens = MarkdownIt("commonmark").parse(without_html(text))
    every = [each for token in tokens for each in (token, *(token.children or ()))]
    assert not [each for each in every if each.type.startswith("html")]
