"""How far a person is: marks that only grow, and the lesson that comes next."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stepgrad.course.progress import Mark, Progress

COURSE = ["a", "b", "c", "d"]
DONE, SEEN = Mark(seen=True, done=True), Mark(seen=True)

marks = st.builds(
    lambda seen, done, asked, missed: Mark(seen, done, max(asked - missed, 0), asked),
    st.booleans(),
    st.booleans(),
    st.integers(0, 9),
    st.integers(0, 9),
)


@given(marks, marks, marks)
def test_the_order_in_which_marks_are_joined_does_not_matter(a: Mark, b: Mark, c: Mark) -> None:
    assert a.joined(b) == b.joined(a)
    assert a.joined(b).joined(c) == a.joined(b.joined(c))
    assert a.joined(a) == a


def test_the_best_share_of_a_quiz_is_kept() -> None:
    assert Mark(right=3, asked=4).joined(Mark(right=5, asked=10)).score == "3/4"
    assert Mark(right=1, asked=1).joined(Mark(right=9, asked=9)).score == "9/9"
    assert Mark().joined(Mark(right=0, asked=2)).score == "0/2"
    assert Mark().score == ""


def test_a_mark_is_one_cell() -> None:
    assert [mark.symbol for mark in (Mark(), Mark(right=1, asked=1), SEEN, DONE)] == [*"  ◐✓"]


def so_far(last: str = "", **done: Mark) -> Progress:
    return Progress(done, last)


def test_one_continues_with_the_last_lesson_until_it_is_done() -> None:
    assert so_far().current(COURSE) is None
    assert so_far("b", b=SEEN).current(COURSE) == "b"
    assert so_far("b", b=DONE).current(COURSE) == "c"
    assert so_far("b", b=DONE, c=DONE).current(COURSE) == "d"


def test_after_the_last_lesson_one_continues_with_what_was_left_out() -> None:
    assert so_far("d", d=DONE, a=DONE).current(COURSE) == "b"


def test_once_all_is_done_there_is_nothing_to_continue_with() -> None:
    assert Progress(dict.fromkeys(COURSE, DONE), "d").current(COURSE) is None


def test_a_lesson_that_has_left_the_course_does_not_count() -> None:
    progress = so_far("gone", gone=DONE, a=DONE)
    assert progress.current(COURSE) == "b"
    assert progress.number("✓", COURSE) == 1


def test_the_next_lesson_is_one_that_is_not_done() -> None:
    assert so_far().following("a", COURSE) == "b"
    assert so_far(b=DONE).following("a", COURSE) == "c"
    assert so_far(a=DONE).following("d", COURSE) == "b"


def test_who_does_all_of_it_again_goes_on_in_order() -> None:
    again = Progress(dict.fromkeys(COURSE, DONE))
    assert [again.following(name, COURSE) for name in COURSE] == ["b", "c", "d", None]


def test_only_a_lesson_that_was_seen_is_the_last() -> None:
    progress = Progress().plus("a", SEEN).plus("b", Mark(right=1, asked=2))
    assert progress.last == "a"
    assert progress.mark("b").score == "1/2"
