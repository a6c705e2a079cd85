"""The command table: every key, every move, every way to say where to go."""

import re
from dataclasses import replace

import pytest

from replay_runs import training, two_layer
from stepgrad import Cursor, Recording, Value, mark, record, record_scenario
from stepgrad.replay import naming
from stepgrad.replay.commands import places
from stepgrad.replay.commands.places import CommandError, find_place, goto
from stepgrad.replay.commands.script import Press, UnknownCommandError, carry_out, read, replay
from stepgrad.replay.commands.table import BY_KEY, COMMANDS, Command
from stepgrad.replay.gradients.ledger import contributions
from stepgrad.replay.naming import find_node
from stepgrad.replay.program import Program
from stepgrad.replay.session import Session
from stepgrad.replay.state import State, step_number
from stepgrad.replay.telling.titles import title

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


@pytest.mark.parametrize("key", ["r", "", "ss", "pageup", "eject", "pagedown", "ctrl+q", "PageUp"])
def test_a_key_without_a_command_is_named_whole(key: str) -> None:
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
        (
            "los",
            "`los` is not a position, a percentage, a step or a node; did you mean `loss`?",
        ),
        ("zzzzzz", "`zzzzzz` is not a position, a percentage, a step or a node"),
        ("", "write where to go: 14, 50%, step 20, or a name"),
        ("101%", "`101%` is not a percentage from 0% to 100%"),
        ("-1%", "`-1%` is not a percentage from 0% to 100%"),
        ("nan%", "`nan%` is not a percentage from 0% to 100%"),
        ("half%", "`half%` is not a percentage from 0% to 100%"),
        ("step 9", "no training step `9`: they go from 1 to 4"),
        ("step x", "no training step `x`: they go from 1 to 4"),
        ("-3", f"no event -3: there are {RECORDING.length}; 0 is the start"),
        (
            str(RECORDING.length + 1),
            f"no event {RECORDING.length + 1}: there are {RECORDING.length}; 0 is the start",
        ),
        ("--5", "`--5` is not a position, a percentage, a step or a node"),
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
    with pytest.raises(CommandError, match="no training step `1`: no training in this lesson"):
        goto(Cursor(recording), "step 1")


@pytest.mark.parametrize("key", ["?", "space", "ctrl+p", "f1", "tab", "4", "R"])
def test_a_key_that_needs_the_screen_says_so(key: str) -> None:
    with pytest.raises(CommandError, match=re.escape(f"the key `{key}` needs the screen: ")):
        replay(Session(Cursor(RECORDING)), [key])


@pytest.mark.parametrize("key", ["up", "f5", "home", "right", "escape"])
def test_a_key_is_known_by_its_name(key: str) -> None:
    replay(Session(Cursor(RECORDING)), [key])


@pytest.mark.parametrize(
    ("words", "there"),
    [
        (["5s"], 5),
        (["3 step", "2S"], 1),
        (["step"], 1),
        (["next node", "next_node"], 2),
        (["goto 7"], 7),
        (["end", "9999 step"], RECORDING.length),
        (["9999s"], RECORDING.length),
    ],
)
def test_a_number_before_a_key_and_a_name_in_its_place(words: list[str], there: int) -> None:
    assert position(0, *words) == there


@pytest.mark.parametrize(
    ("word", "command", "text", "times"),
    [
        ("5", "show_chain", None, 1),
        ("5 n", "next_node", None, 5),
        ("2w", "watch", None, 2),
        ("e 0.7", "edit", "0.7", 1),
        ("e0.7", "edit", "0.7", 1),
        ("Edit w1 = 0.7", "edit", "w1 = 0.7", 1),
        (": step 20", "goto", "step 20", 1),
        ("go to w1", "goto", "w1", 1),
        ("break where bad", "break_where", "bad", 1),
        ("tape", "show_tape", None, 1),
        ("? moving", "help", "moving", 1),
    ],
)
def test_what_is_typed_is_read(word: str, command: str, text: str | None, times: int) -> None:
    press = read(word)
    assert (press.command.name, press.text, press.times) == (command, text, times)


def test_a_command_that_counts_gets_the_number() -> None:
    counting = Command("count", ("#",), "count", act=lambda session, n: session.say(f"{n}"),
                       counts=True)  # fmt: skip
    session = Session(Cursor(RECORDING))
    assert carry_out(session, Press(counting, times=5)).said == "5"
    assert carry_out(session, Press(counting)).said == "1"


@pytest.mark.parametrize("word", ["s 5", "! 3", "x w1"])
def test_a_text_after_a_command_without_a_question_is_refused(word: str) -> None:
    with pytest.raises(CommandError, match=f"nothing follows `{word[0]}`"):
        replay(Session(Cursor(RECORDING)), [word])


def test_an_unknown_command_names_those_that_were_meant() -> None:
    for typed, near in (("next", "next node"), ("serch", "search"), ("zz", "")):
        with pytest.raises(UnknownCommandError) as caught:
            read(typed)
        assert (near in caught.value.near) == bool(near)


def test_the_text_of_a_key_is_told_with_the_key() -> None:
    with pytest.raises(CommandError, match=re.escape("`pq1`: `q1` is not a number") + "|`pq1`"):
        replay(Session(Cursor(RECORDING)), ["pq1"])
    assert replay(Session(Cursor(RECORDING)), ["pnan", "pinf"]).score.asked


ACTING = [command for command in COMMANDS if command.act and not command.asks]
SILENT_PLACES = [Cursor(RECORDING, place) for place in (0, 1, MIDDLE, RECORDING.length)] + [
    Cursor(recording, place)
    for recording in (
        two_layer(), record_scenario("dual_numbers"), record_scenario("diagonal_flip"), Recording()
    )
    for place in (0, recording.length // 2, recording.length)
]  # fmt: skip


@pytest.mark.parametrize("command", ACTING, ids=lambda command: command.name)
def test_no_key_does_nothing_in_silence(command: Command) -> None:
    for place in SILENT_PLACES:
        session = Session.open(place)
        for _ in range(3):
            assert command.act
            after = command.act(session)
            assert after.said or replace(after, said="") != replace(session, said=""), place
            session = after


def test_a_report_is_handed_to_whoever_prints_it() -> None:
    asked: list[str] = []
    replay(Session(Cursor(RECORDING)), ["x", "D"], lambda command, _: asked.append(command.name))
    assert asked == ["paths", "difference"]


def test_t_moves_only_where_something_is_repeated() -> None:
    start = Session(Cursor(two_layer()))
    for keys in (["t"], ["G", "T"], ["G", "t"], ["n", "n", "T"]):
        before = replay(start, keys[:-1])
        after = replay(before, keys[-1:])
        assert after.cursor == before.cursor
        assert after.said == "no training in this lesson"
    assert replay(Session(Cursor(RECORDING)), ["G", "t"]).said == "no next training step"


FLIP = record_scenario("diagonal_flip")


def test_a_word_that_is_no_name_is_not_looked_for_in_what_the_nodes_compute(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def looked(_: Recording, index: int) -> str:
        raise AssertionError(f"node {index} is looked at")

    state = Cursor(FLIP, FLIP.length).state
    called = title(FLIP, state.scene[-5])
    assert not called.isalnum()
    assert find_node(state, called) is not None
    monkeypatch.setattr(naming, "title", looked)
    assert find_node(state, "nowhere") is None


@pytest.mark.parametrize(
    ("name", "full"),
    [
        ("x2", "row1/x2"),
        ("neuron2/z", "row1/layer1/neuron2/z"),
        ("t3", "row1/t3"),
        ("row1/t3", "row1/t3"),
    ],
)
def test_every_command_finds_a_name_by_its_unique_end(name: str, full: str) -> None:
    node = FLIP.first_named(full)
    start = Session(Cursor(FLIP, FLIP.length), program=Program(lambda *_: FLIP))
    assert find_node(start.state, name) == node
    assert replay(start, [f":{name}"]).subject == node
    assert replay(start, [f"/{name}"]).subject == node
    for place in (0, FLIP.length):
        assert replay(Session(Cursor(FLIP, place)), [f":{name}"]).subject == node
    if not FLIP.node(node).operands:
        assert replay(start, [f"e {name} = 1"]).edits == ((full, 1.0),)
    if not FLIP.node(node).constant:
        assert replay(start, ["g", f'Bnode == "{name}"', "c"]).state.focus == node


@pytest.mark.parametrize("word", [":{}", "e{} = 1"])
def test_an_ambiguous_end_is_answered_with_what_it_may_mean(word: str) -> None:
    start = Session(Cursor(FLIP, FLIP.length), program=Program(lambda *_: FLIP))
    with pytest.raises(CommandError, match="`w4` matches 3 nodes: layer1/neuron1/w4, layer1/neu"):
        replay(start, [word.format("w4")])


def test_a_search_that_finds_nothing_ends_a_script_before_it_edits_another_node() -> None:
    with pytest.raises(CommandError, match='no node matches "nowhere"'):
        replay(Session(Cursor(FLIP, FLIP.length)), ["/nowhere", "e0"])


@pytest.mark.parametrize(("where", "message"), [
    ("step", "which step? e.g. `step 20`"),
    ("stp", "`stp` is not a position, a percentage, a step or a node; did you mean `step`?"),
    ("stp 3", "`stp 3` is not a position, a percentage, a step or a node; did you mean `step`?"),
])  # fmt: skip
def test_a_step_that_is_misspelt(where: str, message: str) -> None:
    with pytest.raises(CommandError) as caught:
        goto(Cursor(RECORDING), where)
    assert str(caught.value) == message


def test_steps_may_have_any_numbers_and_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []

    def counted(recording: Recording, ordinal: int) -> int | None:
        read.append(ordinal)
        return step_number(recording, ordinal)

    monkeypatch.setattr(places, "step_number", counted)
    recording = Recording()
    with record(recording):
        w = Value(1.0, label="w")
        for number in (7, 3, 20):
            mark("step", number)
            (w * 2).backward()
        recording.settle()
        starts = list(recording.steps)
        for number, start in zip((7, 3, 20), starts, strict=True):
            assert goto(Cursor(recording), f"step {number}").position == start + 1
        assert read == [0, 1, 2]
        mark("step", 5)
        (w * 2).backward()
    assert goto(Cursor(recording), "step 5").position == recording.steps[3] + 1
    assert read == [0, 1, 2, 3]


def test_a_count_has_a_limit_and_says_so() -> None:
    assert read("9999n").times == 9999
    with pytest.raises(CommandError, match="`10000n`: a command is repeated at most 9,999 times"):
        read("10000n")
    with pytest.raises(CommandError, match="no command for the key"):
        read("10000?!")


def test_a_gradient_is_a_place() -> None:
    recording = record_scenario("two_layer")
    place = find_place(Cursor(recording), ":h.grad")
    node = recording.names(recording.length)["h"]
    assert (place.node, place.position) == (node, contributions(recording, node, 26)[-1].position)
    root = recording.names(recording.length)["loss"]
    seed = find_place(Cursor(recording), "loss.grad").position
    assert State(recording, seed).grad(root) == 1
    assert State(recording, seed - 1).grad(root) is None
    with pytest.raises(CommandError, match="`hh` is not a position"):
        find_place(Cursor(recording), "hh.grad")
    with record() as forward:
        Value(1.0, label="x") * 2
    with pytest.raises(CommandError, match=r"x receives no gradient here"):
        find_place(Cursor(forward), "x.grad")


def test_a_gradient_is_that_of_the_training_step() -> None:
    recording = record_scenario("xor_tanh")
    name = "layer1/neuron1/w1"
    node = recording.names(recording.length)[name]
    for number in (0, 1, 5):
        cursor = Cursor(recording, find_place(Cursor(recording), f"step {number}").position)
        start, end = cursor.state.step_bounds
        place = find_place(cursor, f"{name}.grad")
        assert start < place.position <= end
        assert State(recording, place.position).grad(node) not in (None, 0)
