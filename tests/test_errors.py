"""How errors read: positions, excerpts, carets and suggestions."""

import pickle
from collections.abc import Iterable
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from stepgrad.cli import main
from stepgrad.errors import (
    EXCERPT_WIDTH,
    Diagnostic,
    ScenarioError,
    StepgradError,
    nearest,
    suggest,
    suggest_or_list,
)

SOURCE = (
    "title: Two layers",
    "graph:",
    "  - z1 = w3*x + b1",
)


def test_a_diagnostic_shows_its_line_with_a_caret() -> None:
    error = ScenarioError(
        "scenarios/two_layer.yaml",
        [Diagnostic(3, 10, "unknown name `w3`; did you mean `w1`?")],
        SOURCE,
    )
    assert str(error) == (
        "scenarios/two_layer.yaml:3:10: unknown name `w3`; did you mean `w1`?\n"
        "  3 |   - z1 = w3*x + b1\n"
        "    |          ^"
    )


def test_diagnostics_are_sorted_by_position() -> None:
    places = [(3, 5), (1, 9), (3, 1)]
    error = ScenarioError("a.yaml", [Diagnostic(*place, "no") for place in places], SOURCE)
    assert [(d.line, d.column) for d in error.diagnostics] == sorted(places)


def test_an_error_without_source_is_one_line() -> None:
    error = ScenarioError(Path("lost.yaml"), [Diagnostic(1, 1, "no such file")])
    assert str(error) == "lost.yaml: no such file"


def test_a_scenario_error_is_a_stepgrad_error_and_survives_pickling() -> None:
    error = ScenarioError("a.yaml", [Diagnostic(1, 2, "no")], SOURCE)
    again = pickle.loads(pickle.dumps(error))
    assert isinstance(again, StepgradError)
    assert str(again) == str(error)


@pytest.mark.parametrize(
    ("line", "column", "shown", "caret"),
    [
        ("\tx: 1", 2, "    x: 1", 4),
        ("名前: 1", 3, "名前: 1", 4),
        ("e\N{COMBINING ACUTE ACCENT}: 1", 3, "e\N{COMBINING ACUTE ACCENT}: 1", 1),
        ("a\x1b[31m", 3, "a\N{REPLACEMENT CHARACTER}[31m", 2),
        ("x:", 3, "x:", 2),
    ],
    ids=["tab", "wide", "combining", "escape", "end of line"],
)
def test_the_caret_stands_under_its_character(
    line: str, column: int, shown: str, caret: int
) -> None:
    _, excerpt, under = str(ScenarioError("a", [Diagnostic(1, column, "no")], [line])).split("\n")
    assert excerpt == f"  1 | {shown}"
    assert under == f"    | {' ' * caret}^"


@given(st.integers(1, 1_000), st.integers(1, 1_000))
def test_a_long_line_is_cropped_around_the_caret(length: int, column: int) -> None:
    column = min(column, length)
    line = "".join(chr(0x4E00 + number) for number in range(length))  # each character is unique
    _, excerpt, under = str(ScenarioError("a", [Diagnostic(1, column, "no")], [line])).split("\n")
    shown, caret = excerpt.removeprefix("  1 | "), under.removeprefix("    | ").index("^")
    assert len(shown.strip("…")) == min(length, EXCERPT_WIDTH)
    before = shown[: shown.index(line[column - 1])]
    assert caret == sum(1 if character == "…" else 2 for character in before)


def test_what_would_steer_the_terminal_is_not_printed() -> None:
    error = ScenarioError("a\x1b[2J.yaml", [Diagnostic(1, 1, "bad \x07\u202e name")], ["\x9b2J"])
    printed = str(error)
    assert not set("\x1b\x07\u202e\x9b") & set(printed)


@pytest.mark.parametrize(
    ("word", "candidates", "expected"),
    [
        ("tahn", ["sigmoid", "tanh"], "; did you mean `tanh`?"),
        ("w3", ["w1", "w2"], "; did you mean `w1`?"),
        ("ReLU", ["relu", "leaky_relu"], "; did you mean `relu`?"),
        ("softmax", ["max", "min"], ""),
        ("ae", ["square"], ""),
        (
            "w1",
            ["row1/y", "layer1/neuron1/w1", "layer2/neuron1/w1"],
            "; did you mean `layer1/neuron1/w1`?",
        ),
        ("d", ["a", "b"], ""),
        ("x" * 1_000, ["x"], ""),
        ("loss", [], ""),
    ],
)
def test_suggest(word: str, candidates: list[str], expected: str) -> None:
    assert suggest(word, candidates) == expected


@pytest.mark.parametrize(
    ("word", "candidates", "expected"),
    [
        ("tahn", ["sigmoid", "tanh"], "; did you mean `tanh`?"),
        ("q", ["x", "y", "z"], "; use `x`, `y` or `z`"),
        ("q", ["x", "x"], "; use `x`"),
        ("q", [], ""),
        ("q", map(str, range(16)), ""),
    ],
)
def test_suggest_or_list(word: str, candidates: Iterable[str], expected: str) -> None:
    assert suggest_or_list(word, candidates) == expected


@given(st.text(max_size=8), st.lists(st.text(max_size=8)))
def test_what_is_nearest_is_a_candidate_and_a_candidate_is_nearest_to_itself(
    word: str, candidates: list[str]
) -> None:
    assert nearest(word, candidates) in [*candidates, None]
    assert nearest(word, [word]) == word


def test_help_on_nothing_lists_the_topics() -> None:
    said = CliRunner().invoke(main, ["help", "nosuch"]).stderr
    assert "the topics are tour, keys" in said
    assert max(map(len, said.splitlines())) <= 80
