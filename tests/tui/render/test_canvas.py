from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepgrad.tui.render.canvas import EAST, JOINTS, NORTH, SOUTH, WEST, Canvas, cells_of

ARMS = {EAST: "RIGHT", WEST: "LEFT", NORTH: "UP", SOUTH: "DOWN"}
BOTH = {"HORIZONTAL": {"LEFT", "RIGHT"}, "VERTICAL": {"UP", "DOWN"}}


def arms_in_name(character: str) -> dict[str, str]:
    """The weight of each arm, from the Unicode name of a box-drawing character."""
    words = unicodedata.name(character).removeprefix("BOX DRAWINGS ").replace("ARC ", "").split()
    arms: dict[str, str] = {}
    for part in " ".join(words).split(" AND "):
        weight = next((word for word in part.split() if word in ("LIGHT", "HEAVY")), "")
        for word in part.split():
            if word not in ("LIGHT", "HEAVY"):
                arms |= dict.fromkeys(BOTH.get(word, {word}), weight)
    known = [weight for weight in arms.values() if weight]
    return {arm: weight or known[0] for arm, weight in arms.items()}


def test_every_joint_has_the_arms_that_its_unicode_name_says() -> None:
    for arms, characters in JOINTS.items():
        heavy = [subset for subset in range(16) if subset & ~arms == 0]
        for subset, character in zip(heavy, characters, strict=True):
            assert arms_in_name(character) == {
                name: "HEAVY" if subset & arm else "LIGHT"
                for arm, name in ARMS.items()
                if arms & arm
            }, character


def test_lines_that_meet_are_joined_in_either_order() -> None:
    strokes = [(0, 0, WEST | SOUTH), (0, 0, EAST | SOUTH)]
    for order in (strokes, strokes[::-1]):
        canvas = Canvas(1, 1)
        for stroke in order:
            canvas.trace([stroke])
        assert canvas.plain() == "┬"


def test_a_heavy_arm_wins_over_a_light_one() -> None:
    canvas = Canvas(1, 1)
    canvas.trace([(0, 0, WEST | EAST)], heavy=True)
    canvas.trace([(0, 0, WEST | SOUTH)])
    assert canvas.plain() == "┯"


def test_wide_and_combining_characters_and_what_cannot_be_printed() -> None:
    assert cells_of("a\x1b\n梯e\u0301") == ("a", "梯", "", "e\u0301")


def test_half_of_a_wide_character_is_a_blank() -> None:
    canvas = Canvas(4, 1)
    canvas.write(-1, 0, "梯a度")
    assert canvas.plain() == " a度"
    assert [line.plain for line in canvas.crop(0, 0, 3, 1)] == [" a…"]
    assert [line.plain for line in canvas.crop(3, 0, 3, 1)] == ["…  "]


@pytest.mark.parametrize(
    ("x", "width", "seen"),
    [
        (0, 12, "──0.397749┄▶"),
        (2, 8, "0.397749"),
        (4, 8, "…97749┄▶"),
        (0, 5, "──0.…"),
        (4, 2, "……"),
        (4, 1, "…"),
        (1, 1, "─"),
        (10, 2, "┄▶"),
    ],
)
def test_a_text_that_goes_on_outside_a_window_says_so(x: int, width: int, seen: str) -> None:
    canvas = Canvas(12, 1)
    canvas.write(0, 0, "──0.397749┄▶")
    assert canvas.crop(x, 0, width, 1)[0].plain == seen


def test_no_half_of_a_wide_character_is_left_beside_the_mark() -> None:
    canvas = Canvas(6, 1)
    canvas.write(0, 0, "梯度梯")
    assert [line.plain for line in canvas.crop(2, 0, 2, 1)] == ["……"]
    assert [line.plain for line in canvas.crop(2, 0, 4, 1)] == ["… 梯"]
    assert [line.plain for line in canvas.crop(0, 0, 4, 1)] == ["梯 …"]


def test_a_row_has_a_span_for_each_style() -> None:
    canvas = Canvas(6, 1)
    canvas.write(1, 0, "ab", "bold")
    canvas.write(3, 0, "c", "$positive")
    [line] = canvas.crop(1, 0, 6, 1)
    assert line.plain == "abc   "
    assert [(line.plain[span.start : span.end], span.style) for span in line.spans] == [
        ("ab", "bold"),
        ("c", "$positive"),
    ]


@given(st.integers(-9, 9), st.integers(-9, 9), st.integers(0, 9), st.integers(0, 9))
def test_a_window_anywhere_has_its_size(x: int, y: int, width: int, height: int) -> None:
    canvas = Canvas(5, 3)
    canvas.write(1, 1, "梯度")
    lines = canvas.crop(x, y, width, height)
    assert [line.cell_length for line in lines] == [width] * height


def test_rows_are_unlike_by_their_characters_or_their_styles() -> None:
    one, other = Canvas(3, 4), Canvas(3, 4)
    one.write(0, 0, "abc", "bold")
    other.write(0, 0, "abc", "bold")
    one.write(0, 1, "abc")
    one.write(0, 3, "abc")
    other.write(0, 3, "abc", "bold")
    assert list(one.rows_unlike(other)) == list(other.rows_unlike(one)) == [1, 3]


def test_a_window_is_a_canvas_of_its_own_and_blank_beyond_the_edges() -> None:
    canvas = Canvas(4, 2)
    canvas.write(0, 0, "abcd")
    window = canvas.window(-1, -1, 7, 4)
    assert window.plain() == "\n abcd\n\n"
    window.write(0, 2, "x")
    assert canvas.plain() == "abcd\n"
    assert window.is_blank(5, 1, 2)
    assert not window.is_blank(3, 1, 2)
    assert not window.is_blank(6, 1, 2)  # beyond the edge
