import pytest

from stepgrad.progress import Cancelled, Work, advance, part, watching


def test_whoever_watches_is_told_the_part_that_is_done() -> None:
    told: list[float] = []
    with watching(told.append):
        advance(0, 4)
        advance(3, 4)
        advance(0, 0)
    advance(4, 4)
    assert told == [0.0, 0.75, 1.0]


def test_whoever_watches_can_end_the_work() -> None:
    def enough(part: float) -> None:
        if part >= 0.5:
            raise Cancelled

    done = []

    def work() -> None:
        for number in range(10):
            advance(number, 10)
            done.append(number)

    with watching(enough), pytest.raises(Cancelled):
        work()
    assert done == [0, 1, 2, 3, 4]


def test_work_counts_what_is_done_and_may_be_a_part_of_more() -> None:
    told: list[float] = []
    with watching(told.append):
        with part(0.0, 0.5):
            work = Work(4)
            work.did(1)
            work.did(3)
        with part(0.5, 1.0):
            advance(1, 2)
        Work(0).did(2)
    with part(0.0, 0.5):
        advance(1, 2)
    assert told == [0.125, 0.5, 0.75]
