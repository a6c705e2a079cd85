"""Questions in words: each is about a lesson that ships, and comes after those before it."""

from shelf import COURSE
from stepgrad.replay.quiz.prose import PROSE, prose


def test_each_is_a_question_about_a_lesson_in_the_order_of_the_course() -> None:
    assert all(each.prompt.endswith("?") for each in PROSE)
    assert all(each.answer.endswith(".") and len(each.answer) < 200 for each in PROSE)
    course = list(COURSE)
    places = [course.index(each.lesson) for each in PROSE]
    assert places == sorted(set(places))


def test_a_lesson_has_its_own() -> None:
    assert prose() == [*PROSE]
    assert [each.lesson for each in prose("dead_relu")] == ["dead_relu"]
    assert prose("gears") == []
