"""Worksheets, their keys, and hand-outs on paper: no answers, no keys to press, no lost heading."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from processes import limited, run
from readers import at
from stepgrad.cli import main
from stepgrad.course.grading import pose_for
from stepgrad.export import export, worksheet
from stepgrad.export.markup import plain
from stepgrad.export.prose import for_paper
from stepgrad.export.worksheet import BLANK

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


def sheet(name: str, *, key: bool = False, to: str = "markdown") -> str:
    return worksheet(*at(name), to, key=key)


def test_what_is_given_stays_and_what_is_asked_is_blank() -> None:
    text = sheet("relu_gate")
    assert f"| `x1` |  | `2` | {BLANK} |" in text
    assert f"| `p` | `x1·x2` | {BLANK} | {BLANK} |" in text
    assert f"`da/dz += da/da · ∂a/∂z` = {BLANK}" in text
    assert "What is da/dx1?" in text
    assert "Here z = x1·x2 + 1 is 7" not in text


def test_a_student_has_the_numbers_of_the_quiz() -> None:
    tasks = pose_for("relu_gate", "Ann").tasks
    file, cursor = at("relu_gate")
    ann = worksheet(file, cursor, "markdown", key=True, student="Ann")
    assert "Name: Ann" in ann
    assert all(plain(f"{task.given}. {task.prompt}") in ann for task in tasks)
    assert all(plain(task.answer) in ann for task in tasks)
    assert ann != worksheet(file, cursor, "markdown", key=True, student="Bob")


def test_only_a_worksheet_is_for_a_student() -> None:
    result = CliRunner().invoke(main, ["export", "relu_gate", "--to", "svg", "--student", "Ann"])
    assert result.exit_code == 2
    assert "--student goes with --worksheet or --key" in result.stderr


def test_the_key_is_the_worksheet_with_its_blanks_filled_in() -> None:
    key = sheet("relu_gate", key=True)
    assert BLANK not in key
    assert "| `p` | `x1·x2` | `6` | `1` |" in key
    assert "`da/dx1 += da/dp · ∂p/∂x1` = `1 · x2 = 1 · 3 = 3`" in key
    assert "da/dx1 is 3" in key
    asked = [line.partition(f" = {BLANK}")[0] for line in sheet("relu_gate").splitlines()]
    rules = [line for line in asked if re.match(r"\d+\. `", line)]
    assert rules
    assert all(f"{rule} = " in key for rule in rules)


def test_a_worksheet_of_training_has_the_numbers_before_the_update() -> None:
    assert "| `layer1/neuron1/b` |  | `0` |" in worksheet(
        *at("trained", "step 0"), "markdown", key=False
    )


def test_a_tangent_that_is_computed_is_blank() -> None:
    text = worksheet(*at("dual_numbers", "4"), "markdown", key=False)
    assert "| `x` |  | `2` | `1` |" in text
    assert f"| `a` | `x²` | {BLANK} | {BLANK} |" in text


def test_the_drawing_of_a_worksheet_gives_no_answer_away() -> None:
    page = sheet("relu_gate", to="html")
    assert "<title>p = x1·x2: no gradient yet</title>" in page
    assert "<title>x1: value 2.0</title>" in page
    drawing = page.partition("<figure>")[2].partition("</figure>")[0]
    assert not re.search(r"gradient −?\d|carried|shut|highlighted", drawing)
    key = sheet("relu_gate", key=True, to="html")
    assert "<title>p = x1·x2: value 6.0, gradient 1.0</title>" in key
    boxes = drawing.count('class="box')
    leaves = len(re.findall(r"<title>\w+: value ", drawing))
    assert key.count('class="box') == boxes > leaves > 0
    wires = drawing.count('class="wire ')
    assert drawing.count("_____</text>") == 2 * boxes - leaves + wires


def test_the_key_of_a_training_step_highlights_nothing() -> None:
    key = sheet("single_neuron", key=True, to="html")
    assert "<figure>" in key
    assert "highlighted" not in key


def test_a_drawing_that_is_too_large_to_read_is_left_out() -> None:
    assert "<figure>" not in sheet("xor_tanh", to="html")


@pytest.mark.parametrize("to", ["svg", "json"])
def test_a_worksheet_is_text(to: str) -> None:
    result = CliRunner().invoke(main, ["export", "square", "--to", to, "--worksheet"])
    assert result.exit_code == 2
    assert "a worksheet is markdown or html" in result.stderr


@pytest.mark.parametrize("name", ["two_layer", "chain_rule", "xor_tanh", "square", "nan_origin"])
def test_a_handout_says_to_press_nothing(name: str) -> None:
    text = export(*at(name), "markdown")
    assert not re.search(r"\bpress", text, re.IGNORECASE)


@pytest.mark.parametrize(
    ("lesson", "kept"),
    [
        ("Press `f`. The loss is 4.", "The loss is 4."),
        ("`D` shows it. So it is.", "So it is."),
        ("See `x`: it grows.", "See `x`: it grows."),  # a node has this name
        ("Press `x`.\n\nMore.", "More."),
        ("One. Type `e`, and z is −5. Now the gate is shut.\n\nTwo.", "One.\n\nTwo."),
        ("1. Press `f`.\n2. Look.", "2. Look."),
        ("**One. `D`. Two.** Three.", "Three."),
        ("```\npress `f`.\n```", "```\npress `f`.\n```"),
        ("The pressure is 3.", "The pressure is 3."),
    ],
)
def test_what_is_about_keys_is_left_out(lesson: str, kept: str) -> None:
    assert for_paper(lesson, {"x"}) == kept


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")
@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="there is no pdftotext")
def test_two_layer_is_one_printed_page_and_no_heading_is_alone(tmp_path: Path) -> None:
    pages = printed(tmp_path, "two_layer")
    assert len(pages) == 1
    assert "Checks" in pages[0]
    headings = {"Forward pass", "Backward pass", "Update", "Checks", "Gradients that are sums"}
    for text in printed(tmp_path, "xor_tanh"):
        assert text.strip().splitlines()[-1].strip() not in headings


def printed(folder: Path, name: str) -> list[str]:
    """Return the text of each page that a browser prints."""
    page, paper = folder / f"{name}.html", folder / f"{name}.pdf"
    page.write_text(export(*at(name), "html"))
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer"]
    command = [*options, f"--user-data-dir={folder}", f"--print-to-pdf={paper}", page.as_uri()]
    run([str(CHROMIUM), *command])
    return run(limited("pdftotext", "-layout", paper, "-")).stdout.split("\f")[:-1]
