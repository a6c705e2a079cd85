"""The command table: every key, every move, every way to say where to go."""

import re

import pytest

from replay_runs import training
from stepgrad import Cursor, record
from stepgrad.replay.commands import BY_KEY, COMMANDS, Command, replay
from stepgrad.replay.places import CommandError, goto
from stepgrad.replay.session import Session

RECORDING = training()
FIRST, SECOND = RECORDING.steps[:2]
MIDDLE = SECOND + 9

ARRIVALS = {
    "step": MIDDLE + 1,
    "step_back": MIDDLE - 1,
    "next_node": SECOND + 10,
    "previous_node": SECOND + 8,
    "phase_end": SECOND + 13,
    "phase_start": SECOND + 6,
    "next_step": RECORDING.steps[2] + 9,
    "previous_step": FIRST + 9,
    "continue": RECORDING.length,
    "reverse_continue": 0,
    "start": 0,
    "end": RECORDING.length,
}
moves = [command for command in COMMANDS if command.name in ARRIVALS]


def position(start: int, *keys: str) -> int:
    return replay(Session(Cursor(RECORDING, start)), keys).cursor.position


@pytest.mark.parametrize("command", moves, ids=lambda command: command.name)
def test_every_move_by_every_key(command: Command) -> None:
    for key in command.keys:
        assert position(MIDDLE, key) == ARRIVALS[command.name]


def test_no_key_and_no_name_is_given_twice() -> None:
    assert len(BY_KEY) == sum(len(command.keys) for command in COMMANDS)
    assert len({command.name for command in COMMANDS}) == len(COMMANDS)
    assert all(command.help for command in COMMANDS)


def test_a_capital_takes_back_what_its_small_letter_does() -> None:
    for key, command in BY_KEY.items():
        if key.islower() and command in moves and key.upper() in BY_KEY:
            there, back = position(MIDDLE, key), position(MIDDLE, key.upper())
            assert (there - MIDDLE) * (back - MIDDLE) < 0 or key == "g"


def test_a_script_of_keys() -> None:
    assert position(0, "s", "s", "n", "S") == 2
    assert position(0, ":loss", "s") == goto(Cursor(RECORDING), "loss").position + 1
    assert position(3) == 3


@pytest.mark.parametrize("key", ["y", "?", "", "ss"])
def test_a_key_that_does_not_move(key: str) -> None:
    with pytest.raises(CommandError, match=re.escape(f"no command for the key `{key}`")):
        replay(Session(Cursor(RECORDING)), [key])


@pytest.mark.parametrize(
    ("where", "position"),
    [
        ("14", 14),
        (":14", 14),
        (" : 14 ", 14),
        ("0", 0),
        (str(RECORDING.length), RECORDING.length),
        ("0%", 0),
        ("50%", round(RECORDING.length / 2)),
        ("100%", RECORDING.length),
        ("step 1", FIRST + 1),
        (":step  2", SECOND + 1),
        ("neuron/w", 1),
        ("loss", RECORDING.history.made_at(RECORDING.first_named("loss"))),
    ],
)
def test_goto(where: str, position: int) -> None:
    assert goto(Cursor(RECORDING), where).position == position


def test_of_several_so_named_the_one_made_last_by_now_is_meant() -> None:
    here = Cursor(RECORDING, MIDDLE)
    there = goto(here, "out")
    assert SECOND < there.position <= MIDDLE
    assert there.state.event.node == here.state.find("out")  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("los", "`los` is no position, percentage, step or name; did you mean `loss`?"),
        ("zzzzzz", "`zzzzzz` is no position, percentage, step or name"),
        ("", "write where to go: 14, 50%, step 20, or a name"),
        ("101%", "`101%` is no percentage from 0% to 100%"),
        ("-1%", "`-1%` is no percentage from 0% to 100%"),
        ("nan%", "`nan%` is no percentage from 0% to 100%"),
        ("half%", "`half%` is no percentage from 0% to 100%"),
        ("step 9", "no training step `9`: from 1 to 4"),
        ("step x", "no training step `x`: from 1 to 4"),
        ("-3", f"no event -3: there are {RECORDING.length}; 0 is the start"),
        (
            str(RECORDING.length + 1),
            f"no event {RECORDING.length + 1}: there are {RECORDING.length}; 0 is the start",
        ),
        ("--5", "`--5` is no position, percentage, step or name"),
    ],
)
def test_a_bad_place(where: str, message: str) -> None:
    with pytest.raises(CommandError) as caught:
        goto(Cursor(RECORDING), where)
    assert str(caught.value) == message


def test_a_position_of_a_thousand_digits() -> None:
    with pytest.raises(CommandError, match=f"no event {'9' * 20}…: there are "):
        goto(Cursor(RECORDING), "9" * 3_000)


def test_no_training_step_where_there_is_none() -> None:
    with record() as recording:
        pass
    with pytest.raises(CommandError, match="no training step `1`: here is none"):
        goto(Cursor(recording), "step 1")
