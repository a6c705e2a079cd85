"""Lessons by ear: part by part, and no sign that a voice does not say."""

import pytest

from shelf import COURSE
from stepgrad.plain.lesson import parts

LESSONS = {name: file.lesson for name, file in COURSE.items()}


@pytest.mark.parametrize("name", LESSONS)
def test_no_lesson_has_a_sign_that_is_not_said(name: str) -> None:
    for part in parts(LESSONS[name]):
        assert part.isascii(), part
        assert not set("`_|^") & set(part), part
        assert " = " not in part, part


@pytest.mark.parametrize(("markdown", "told"), [
    ("Press `f`, then `W`.", ["Press f, then capital W."]),
    ("`T` goes back, and `!` lists. `:step 80` jumps.",
     ["Capital T goes back, and exclamation mark lists. Colon step 80 jumps."]),
    ("**dL/dw = −4·2** and `∂₁b/∂a`",
     ["the derivative of L with respect to w equals minus 4 times 2 and the local derivative of b "
      "with respect to the first operand, a"]),
    ("`+=` adds; `=` does not: `∅` is not `–`.",
     ["plus equals adds; equals does not: the sign for never reached is not the sign for not "
      "reached yet."]),
    ("1. one\n2. two", ["1: one 2: two"]),
    ("| a | b |\n|---|---|\n| 1 | −2 |", ["a: 1, b: minus 2."]),
    ("    y = w*x", ["y equals w times x."]),
    ("# Head\n\ntext\nof two lines", ["Head.", "text of two lines"]),
    ("", []),
])  # fmt: skip
def test_a_part_for_each_paragraph(markdown: str, told: list[str]) -> None:
    assert [*parts(markdown)] == told
