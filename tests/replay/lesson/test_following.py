"""A lesson: which keys and places its text asks for, and how far a learner has come."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepgrad import record_scenario
from stepgrad.harness import Replay
from stepgrad.replay.commands.table import BY_KEY
from stepgrad.replay.lesson.following import Lesson
from stepgrad.replay.lesson.marks import key_of, place_of, shown

RECORDING = record_scenario("two_layer")


def lesson(*paragraphs: str) -> Lesson:
    return Lesson.of("\n\n".join(paragraphs), RECORDING)


def followed(of: Lesson, keys: str) -> list[int]:
    """How many steps are ticked after each of the keys."""
    replay, ticked = Replay.of("two_layer"), []
    for key in keys.split():
        replay.press(key)
        command = BY_KEY.get(key) or BY_KEY[key[0]]
        of = of.after(command.name, replay.session)
        ticked.append(of.ticked)
    return ticked


WALKS: dict[tuple[str, ...], dict[str, list[int]]] = {
    ("Press `f`.", "Press `G`."): {"f G": [1, 2], "G f": [0, 1], "s f S G": [0, 1, 1, 2]},
    ("Press `s` three times.",): {"s s s": [0, 0, 1], "s S s s": [0, 0, 0, 1]},
    ("Press `s` twice, then `n`.",): {"s s n": [0, 0, 1]},
    ("Keep pressing `n` until `h.grad`.",): {"f n n n n n n n n": [0, 0, 0, 0, 0, 0, 0, 0, 1]},
    ("Keep pressing `s`.",): {"s G s": [0, 0, 1]},
    ("Keep pressing `t`.",): {"t": [1]},  # there is no other training step
    ("Keep pressing `f` until the header says `BACKWARD`.",): {"f f": [0, 1]},
    ("Just read.", "And this."): {"s s": [1, 2], "v x u": [0, 0, 0], "G G": [1, 2]},
    ("Just read.", "Press `f`."): {"f": [2], "s f": [1, 2]},
    ("One.", "Two.", "Press `f`.", "Press `G`."): {
        "f n n G": [1, 3, 3, 4],
        "n n f G": [1, 2, 3, 4],
    },
    ("It is at `event 3`.", "See `h`."): {"s s s s": [0, 0, 1, 1], "G": [1], "G s": [1, 2]},
    ("See `h.grad`.",): {"f G": [0, 1]},
    ("Select it (`/w1`, Enter).",): {"/w1": [1], "n n n": [0, 0, 1]},
    ("`q` leaves, and `?` helps.",): {"s": [1]},
    ("1. `f` first.\n2. `G` then.",): {"f G": [1, 2]},
    ("## Head\n\nPress `f`.", "Press `G`.\n\n- a\n- b"): {"f G": [1, 2]},
}


@pytest.mark.parametrize("paragraphs", WALKS)
def test_keys_and_places_tick_steps_in_order(paragraphs: tuple[str, ...]) -> None:
    for keys, ticked in WALKS[paragraphs].items():
        assert followed(lesson(*paragraphs), keys) == ticked, keys


def test_a_step_explains_until_a_key_moves_on_and_that_key_reads_nothing_else() -> None:
    replay = Replay.of("two_layer")
    of = lesson("Press `f`. The loss is 4.", "Read.", "Press `G`.")
    seen = []
    for key in ("f", "v", "s", "s", "G"):
        replay.press(key)
        of = of.after(BY_KEY[key].name, replay.session)
        seen.append((of.shown, of.explaining))
    assert seen == [(0, True), (0, True), (1, False), (2, False), (3, False)]
    for text in ("Press `f`.", "Press `f` (`h` is next).", "Press `f` until `h` is there."):
        assert not lesson(text).steps[0].explains, text
    for text in ("Keep pressing `n` until `h`. It is 2.", "`h` is 1.5: the gate is open."):
        assert lesson(text).steps[0].explains, text


KEYS = st.sampled_from(["s", "S", "n", "N", "f", "F", "g", "G", "x", "v"])


@given(st.lists(KEYS, max_size=30))
def test_what_is_ticked_stays_ticked(keys: list[str]) -> None:
    ticked = followed(
        lesson("Read.", "`f`, then `s` twice.", "Read.", "`g`", "`h`"), " ".join(keys)
    )
    assert ticked == sorted(ticked)


def test_the_end_comes_once_and_a_lesson_without_steps_has_none() -> None:
    assert not Lesson().done
    of = lesson("Press `G`.")
    assert not of.done
    done = of.after("end", Replay.of("two_layer").press("G").session)
    assert done.done
    assert done.after("end", Replay.of("two_layer").session) == done


def test_a_code_span_is_a_key_a_place_or_just_code() -> None:
    for code in ("n", "/w1", ":step 80", "F5", "Enter", "!", "ctrl+p"):
        assert key_of(code), code
    for code in ("h", "h.grad", "event 14", "UPDATE"):
        assert key_of(code) is None
        assert place_of(code, RECORDING), code
    for code in ("+=", "x = 2.001", "op == 1", "dead_relu", "exp", "Value(h.data)", "9h"):
        assert key_of(code) is None, code
        assert place_of(code, RECORDING) is None, code


def test_a_key_is_shown_as_it_is_in_force() -> None:
    own = {"next_node": ("l",), "search": ("f7",), "who_wrote": ("W", "A"), "step": ()}
    codes = {"n": "l", "/w1": "f7w1", "A": "A", "s": "step", "+=": "+=", "h": "h"}
    assert {code: shown(code, own) for code in codes} == codes
