"""Which of all commands are of use at a moment."""

from __future__ import annotations

import pytest

from replay_runs import training, two_layer
from stepgrad import Cursor
from stepgrad.harness import Replay
from stepgrad.replay.commands import looking, moving, stopping
from stepgrad.replay.commands.moment import of_the_moment, panels
from stepgrad.replay.commands.searching import search
from stepgrad.replay.commands.table import COMMANDS, GROUPS, PANELS
from stepgrad.replay.session import Session

TWO_LAYER, TRAINING = two_layer(), training()


def offered(session: Session, *, lesson: bool = False, verdicts: int = 0) -> list[str]:
    """What is offered besides help and the way out, which are always last."""
    *names, help_, quit_ = of_the_moment(session, lesson=lesson, verdicts=verdicts)
    assert (help_, quit_) == ("help", "quit")
    return names


def at(position: int) -> Session:
    return Session(Cursor(TWO_LAYER).seek(position))


def test_at_the_start_there_is_little_to_know() -> None:
    assert offered(at(0)) == ["step", "next_node", "phase_end"]
    assert offered(at(0), lesson=True)[-1] == "show_lesson"


def test_on_the_way_one_can_go_back_and_predict() -> None:
    assert offered(at(5)) == ["step", "step_back", "next_node", "phase_end", "predict"]


def test_at_the_end_nothing_leads_on() -> None:
    assert offered(at(TWO_LAYER.length)) == ["step_back"]


def test_in_a_training_the_next_step_is_offered_until_the_last() -> None:
    first, last = (Session(Cursor(TRAINING).seek(each)) for each in (1, TRAINING.length))
    assert "next_step" in offered(first)
    assert "next_step" not in offered(last)
    assert "next_step" not in offered(at(5))


def test_verdicts_bring_the_keys_that_list_and_explain_them() -> None:
    assert offered(at(5), verdicts=1)[-2:] == ["verdicts", "why"]
    assert offered(at(5).select(0), verdicts=1)[-1] == "verdicts"


def test_a_selection_brings_what_acts_on_it() -> None:
    h = TWO_LAYER.first_named("h")
    assert offered(at(0).select(h)) == ["jump", "follow", "watch", "step", "next_node"]
    made = TWO_LAYER.history.made_at(h)
    assert "jump" not in offered(at(made).select(h))
    names = offered(at(TWO_LAYER.length).select(h))
    assert names[:5] == ["jump", "follow", "why", "paths", "who_wrote"]


def test_only_what_a_scenario_can_change_is_offered_to_edit() -> None:
    session = Replay.of("two_layer").session
    w1, h = (session.recording.first_named(name) for name in ("w1", "h"))
    assert {"edit", "nudge_up"} <= {*offered(session.select(w1))}
    assert not {"edit", "nudge_up"} & {*offered(session.select(h))}
    assert "edit" not in offered(at(5).select(0)), "a program cannot run again"


def test_what_has_been_set_up_can_be_used() -> None:
    assert "continue" in offered(stopping.stop_where(at(5), "bad"))
    assert "next_bookmark" in offered(moving.bookmark(at(5)))
    assert "next_hit" in offered(search(at(5), "w"))
    edited = Replay.of("two_layer").press("s 'ew1 = 2'").session
    assert {"difference", "undo_edits"} <= {*offered(edited)}
    assert "undo_edits" in offered(looking.select_by(edited, 1))


def test_what_may_be_offered_has_a_word_for_the_foot() -> None:
    assert {command.name for command in COMMANDS if command.label} >= {
        *of_the_moment(at(5), lesson=True, verdicts=1),
        *of_the_moment(at(TWO_LAYER.length).select(8), lesson=True, verdicts=1),
    }


def test_each_command_is_in_one_group() -> None:
    names = [command.name for group in GROUPS.values() for command in group]
    assert len(names) == len(set(names)) == len(COMMANDS)


@pytest.mark.parametrize("lesson", [True, False])
def test_panels_that_have_something_to_show(lesson: bool) -> None:
    taught = Replay.of("two_layer").session.recording
    without = set() if lesson else {"lesson"}
    assert set(PANELS) - set(panels(TRAINING, lesson=lesson)) == {"source", *without}
    assert set(PANELS) - set(panels(taught, lesson=lesson)) == {"parameters", "training", *without}
