"""The list of lessons by ear."""

import pytest

from shelf import OURS
from stepgrad.course.progress import Mark, Progress
from stepgrad.plain.choosing import HOW, choose, list_told

LESSONS = OURS.lessons


def test_every_lesson_is_in_the_list_and_opens_by_its_number_and_its_name() -> None:
    told = [*list_told(OURS, Progress())]
    assert all(text.isascii() for text in told)
    for number, name in enumerate(LESSONS, 1):
        assert any(text.startswith(f"{number}, {name.replace('_', ' ')}: ") for text in told)
        for line in (f" {number}\n", name, name.replace("_", " ").upper()):
            assert choose(OURS, line, Progress()) == (name, ())
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
    name, said = choose(OURS, line, Progress())
    assert name is None
    assert told in said[0]


def test_a_part_of_a_title_is_enough() -> None:
    assert choose(OURS, "two layers", Progress()) == ("two_layer", ())


def test_the_list_says_what_was_done_and_continue_opens_what_comes_next() -> None:
    first, second, third, *_ = LESSONS
    marks = {first: Mark(seen=True, done=True, right=2, asked=3), second: Mark(seen=True)}
    progress = Progress(marks, last=first)
    told = "\n".join(list_told(OURS, progress))
    assert f"{LESSONS[first].title}; done, 2 of 3 predictions right." in told
    assert f"{LESSONS[second].title}; seen." in told
    assert f"{LESSONS[third].title}." in told
    assert f"continue opens {second.replace('_', ' ')}." in told
    assert choose(OURS, "continue", progress) == (second, ())
    assert choose(OURS, "continue", Progress())[0] is None
