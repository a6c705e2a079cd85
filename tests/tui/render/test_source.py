"""A line of the source."""

import pytest
from hypothesis import given

from odd_runs import odd_names, widths
from stepgrad.recording.recording import Source
from stepgrad.tui.render.source import source_line

SOURCE = Source("net.yaml", "inputs: {x: 3}\ngraph:\n\t- h = relu(x)  # [bold]\n")


def test_lines() -> None:
    assert source_line(SOURCE, 1, 40, current=False).plain == "   1 inputs: {x: 3}"
    assert source_line(SOURCE, 3, 40, current=True).plain == "▶  3     - h = relu(x)  # [bold]"
    assert source_line(SOURCE, 3, 20, current=True).plain == "▶  3     - h = relu…"
    assert source_line(SOURCE, 1, 1, current=False).plain == "…"
    long = Source("long.py", "x\n" * 1000)
    assert source_line(long, 7, 40, current=False).plain == "    7 x"


@given(odd_names, widths)
def test_it_is_never_wider_than_asked(text: str, width: int) -> None:
    line = source_line(Source("x", f"{text}\nmore"), 1, width, current=True)
    assert line.cell_length <= width
    assert line.plain.isprintable()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('"""What it does.\n\n    indented\n"""\nx = 1\n', "What it does.\n\nindented"),
        ("x = 1\n", ""),
        ("inputs: {x: 3}\ngraph:\n  - h = relu(x)\n", ""),
        ("x = (", ""),
        ("\0", ""),
    ],
)
def test_a_program_says_what_it_is_and_another_text_says_nothing(text: str, told: str) -> None:
    assert Source("a.py", text).docstring == told
