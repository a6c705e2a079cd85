"""The lessons that need PyTorch, followed by their own keys; their numbers are on the screen."""

from __future__ import annotations

import pytest

pytest.importorskip("torch", reason="PyTorch is not installed: pip install '.[torch]'")

from picture import TENSORS, take_tensors
from scenario.test_lessons_followed import (
    test_a_lesson_ends_by_its_own_keys_and_says_what_the_screen_shows as follow,
)
from shelf import COURSE

LESSONS = [name for name in COURSE if name.startswith("torch_")]


def test_there_are_lessons() -> None:
    assert len(LESSONS) == 3


@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_ends_by_its_own_keys_and_says_what_the_screen_shows(name: str) -> None:
    follow(name)


async def test_the_picture_in_the_readme_is_of_today() -> None:
    assert TENSORS.read_text(encoding="utf-8") == await take_tensors(), (
        "run python tests/picture.py"
    )
