"""The list of lessons by ear."""

import pytest

from stepgrad.plain.choosing import HOW, choose, list_told
from stepgrad.scenario import gallery

LESSONS = gallery()


def test_every_lesson_is_in_the_list_and_opens_by_its_number_and_its_name() -> None:
    told = [*list_told(LESSONS)]
    assert all(text.isascii() for text in told)
    for number, name in enumerate(LESSONS, 1):
        assert any(text.startswith(f"{number}, {name.replace('_', ' ')}: ") for text in told)
        for line in (f" {number}\n", name, name.replace("_", " ").upper()):
            assert choose(LESSONS, line) == (name, ())
    assert told[-1] == HOW


@pytest.mark.parametrize(("line", "told"), [
    ("0", "There is no lesson 0"),
    ("999", "There is no lesson 999"),
    ("xor", "lessons match."),
    ("two_layr", "No lesson matches two layr; did you mean two layer?."),
    ("", "Lessons, "),
    ("²", "No lesson matches squared."),
])  # fmt: skip
def test_a_line_that_names_no_lesson(line: str, told: str) -> None:
    name, said = choose(LESSONS, line)
    assert name is None
    assert told in said[0]


def test_a_part_of_a_title_is_enough() -> None:
    assert choose(LESSONS, "two layers") == ("two_layer", ())
