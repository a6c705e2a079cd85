"""What a lesson asks for and cannot be done."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from test_cli import stepgrad

SCENARIO = """\
title: A lesson
lesson: |
  {lesson}
inputs: {{x: 2.0}}
graph:
  - square = x**2
backward: square
"""


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, int], str]:
    """Write a scenario with a lesson, and return what check says of it."""
    monkeypatch.chdir(tmp_path)

    def said(lesson: str, code: int) -> str:
        Path("my.yaml").write_text(SCENARIO.format(lesson=lesson))
        return stepgrad("check", "my.yaml", code=code).stderr

    return said


@pytest.mark.parametrize(
    ("lesson", "message"),
    [
        ("Press `Q`.", "my.yaml:3:9: unknown key `Q`"),
        ("Press `f`, then `Q`.", "unknown key `Q`"),
        ("Keep pressing `Q` until `x`.", "unknown key `Q`"),
        ("Keep pressing `n` until `sqare.grad`.", "3:27: unknown name `sqare`; did you mean"),
        ("Press `s` until it is there. Go to `sqare`.", "unknown name `sqare`; did you mean"),
        ("Go to `event 999`.", "3:9: no event 999: there are 4; 0 is the start"),
        ("Look at `event 5`.", "no event 5: there are 4"),
        ("Go back to `step 3`.", "no training step `3`"),
        ("Press `:sqare`.", "unknown name `sqare`; did you mean `square`?"),
        ("Press `:101%`.", "is not a percentage"),
        ("Press `:9`.", "no event 9"),
        ("Press `/cube`.", 'no node matches "cube"'),
    ],
)  # fmt: skip
def test_it_is_reported_where_it_is(
    lesson: str, message: str, check: Callable[[str, int], str]
) -> None:
    assert message in check(lesson, 2)


@pytest.mark.parametrize(
    "lesson",
    [
        "Press `f`, `Enter` or `F5`, then `:x`, `:50%`, `:3` and `/squ`. Go to `event 4`, or `x`.",
        "Keep pressing `n` until `x.grad`. The code `y.grad` and `relu(z)` is anything, and so is",
        "Search: `/pow`. Go to `square.grad`, to `BACKWARD`; until `f(x)` is 4, press `n` twice.",
    ],
)
def test_what_there_is_is_not(lesson: str, check: Callable[[str, int], str]) -> None:
    assert check(lesson, 0) == ""


def test_programs_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = '"""A program.\n\nPress `f`, then `Q`.\n"""\n# lesson: {level: beginner}\n'
    text += "from stepgrad import Value\n\n(Value(2.0, label='x') * 3).backward()\n"
    Path("my.py").write_text(text)
    assert "my.py:3:17: unknown key `Q`" in stepgrad("check", "my.py", code=2).stderr
