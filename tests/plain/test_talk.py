"""The debugger by ear: every command has an answer, and does what its key does in a script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replay_runs import training, two_layer
from stepgrad import Cursor, Recording, Value, op, record, record_scenario
from stepgrad.course.glossary import look_up
from stepgrad.errors import StepgradError
from stepgrad.plain.help import help_told
from stepgrad.plain.reader import Reader
from stepgrad.plain.talk import READ, Talk, begin, respond
from stepgrad.replay.commands.script import replay
from stepgrad.replay.commands.table import COMMANDS, GROUPS, PANELS, Command
from stepgrad.replay.lesson.following import Lesson
from stepgrad.replay.session import Session
from stepgrad.scenario import open_scenario
from stepgrad.scenario.build import record_file
from stepgrad.scenario.rerun import rerun
from tries import tries

ANSWERS = {
    "goto": "3", "search": "x", "predict": "1.5", "break_where": "value > 1", "edit": "x = 2",
    "world": "overwrite", "save": "run.json",  # which is refused
}  # fmt: skip


@cache
def session(name: str) -> Session:
    scenario = open_scenario(name)
    return Session.open(Cursor(record_file(scenario)), rerun(scenario))


def talk(start: Session, *lines: str) -> tuple[Talk, Sequence[str]]:
    """What comes of some lines, and what the last one is answered with."""
    now, said = Talk(start), [""]
    for line in lines:
        now, answer = respond(now, line)
        said = [*answer]
    return now, said


def heard(start: Session, *lines: str) -> str:
    return "\n".join(talk(start, *lines)[1])


PLACES = [
    (name, recording, position)
    for name, recording, positions in (
        ("two layers", two_layer(), (0, 8, 21, 26)),
        ("training", training(), (0, 20, 40)),
        ("forward mode", record_scenario("dual_numbers"), (0, 4, 9)),
        ("nothing", Recording(), (0,)),
    )
    for position in positions
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_has_an_answer_that_a_voice_can_say(command: Command) -> None:
    for place, recording, position in PLACES:
        now, said = respond(Talk(Session.open(Cursor(recording, position))), command.keys[0])
        if now.asking is not None:
            now, more = respond(now, ANSWERS[command.name])
            said = [*said, *more]
        assert now.over or (said and all(said)), (place, position)
        assert now.over == (command.name == "quit")
        for text in said:
            assert text.isascii(), text
            assert "  " not in text, "nothing is aligned"
            assert text[-1] in ".?:" or command.panel == "source"


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_a_name_does_what_its_key_does(command: Command) -> None:
    by_key = talk(session("two_layer"), "f", "n", command.keys[0])
    for name in (command.name, command.name.replace("_", " ").capitalize()):
        assert talk(session("two_layer"), "f", "n", name) == by_key


LINES = st.one_of(
    st.sampled_from([key for command in COMMANDS for key in command.keys if not command.asks]),
    st.sampled_from(["5n", "3s", "2 t", "40S", "step", "who wrote", "search h", "goto w1", "e",
                     ":w1", ":50%", ":step 2", ":nowhere", "/h", "/", "/zzz", "e x = 2", "e 0.7",
                     "e", "%", "% overwrite", "% shut h", "B bad", "B", "B value >", "p 1.5", "p ?",
                     "p what", "s 5", "", "help", "? moving", "foo", "9999n", "0", "-", "= 5",
                     "b", "b", "c", "C", "w", "m", "'", "escape", "2", "tab"]),
    st.text(max_size=8),
)  # fmt: skip


def by_keys(start: Session, lines: Sequence[str]) -> Session:
    """The session that a script of the same keys ends in; what it cannot do is left out."""
    for line in lines:
        try:
            start = replay(start, [line])
        except StepgradError:
            continue
    return start


def place(now: Session) -> Session:
    """What is the same whatever was said on the way there."""
    return replace(now, said="")


@pytest.mark.parametrize("name", ["two_layer", "three_nodes", "forgotten_zero_grad"])
@settings(max_examples=tries(60), deadline=None)
@given(lines=st.lists(LINES, max_size=12))
def test_any_lines_end_where_the_same_keys_end(name: str, lines: list[str]) -> None:
    now = Talk(session(name))
    scripted = now.session
    for line in lines:
        before = now.session
        now, _ = respond(now, line)
        if now.asking is not None:  # a script has the answer in the same word
            now, _ = respond(now, "escape")
            assert now.asking is None
            now = replace(now, session=before)
            continue
        if line.strip() in ("space", "play"):
            now = replace(now, session=before)
            continue
        scripted = by_keys(scripted, [line])
        assert at(now.session) == at(scripted), line


def at(now: Session) -> tuple[object, ...]:
    """All that commands change; recordings that are made again are other objects."""
    return (now.cursor.position, now.recording.length, now.selected, now.folded, now.constants,
            now.view, now.zoom, now.edits, now.recording.world, now.bookmarks, now.sought,
            [stop.text for stop in now.stops], now.score.right, len(now.score.asked))  # fmt: skip


@settings(max_examples=tries(100), deadline=None)
@given(lines=st.lists(LINES, max_size=12))
def test_no_line_is_too_odd(lines: list[str]) -> None:
    now = Talk(
        session("square"),
        open_scenario("square"),
        Reader(Lesson.of("one\n\nPress `n`.", session("square").recording)),
    )
    for line in lines:
        now, said = respond(now, line)
        assert said or now.over


def test_the_opening_says_what_this_is_and_how_to_begin() -> None:
    file = open_scenario("two_layer")
    now, said = begin(session("two_layer"), file.title, file.lesson, file)
    assert said[:3] == ["Backpropagation through two layers.", "26 events.", "Lesson, step 1 of 5."]
    assert said[-1] == "s goes to the next event, question mark helps, q leaves."
    _, said = respond(now, "7")
    assert said[0] == "Lesson, step 2 of 5."


def test_the_opening_says_what_is_wrong() -> None:
    recording = record_scenario("disconnected_parameter")
    _, said = begin(Session.open(Cursor(recording)), "A title", "", None)
    assert not any("wrong" in text for text in said), "the lesson has the learner look for it"
    with record() as wrong:
        y = Value(0.0, label="x").log()
        y.backward()
    _, said = begin(Session.open(Cursor(wrong)), "A title", "", None)
    assert "something is wrong: log(x) equals log(0) equals minus infinity" in "\n".join(said)


def test_what_to_write_instead_is_said_as_it_is_typed() -> None:
    now, _ = talk(session("two_layer"), "p")
    said = [respond(now, line)[1][0] for line in ("seven", "")]
    assert said == [
        "seven is not a number. Write 0.25, -3, 2e-3, 1/3, inf or nan.",
        "Write a number, such as 0.25, -3, 2e-3 or 1/3.",
    ]


def test_a_question_waits_for_its_answer() -> None:
    now, said = talk(session("two_layer"), "/w1", "e")
    assert said == [
        "w1 equals 0.5. What value instead?",
        "Type 0.7, w1*2 or w1 = 0.7; leave empty to flip 0 and 1.",
    ]
    now, said = respond(now, "seven")
    assert said[0].startswith("no input or parameter is called seven")
    assert said[1] == "Escape leaves the question."
    now, said = respond(now, "0.7")
    assert now.session.edits == (("w1", 0.7),)
    assert said[0] == "w1 0.5 to 0.7: loss minus 3.36, by the gradient minus 4.8."
    assert now.asking is None


def test_a_question_can_be_left() -> None:
    now, said = talk(session("two_layer"), "p", "escape")
    assert now.asking is None
    assert now.session.secret is None
    assert said == ["Not answered."]


def test_a_prediction_is_judged_and_then_told() -> None:
    start = session("two_layer")
    assert heard(start, "f", "s", "p").startswith(
        "1 arrives at loss equals (y minus target) squared"
    )
    answered = heard(start, "f", "s", "p", "-4").split("\n")
    assert answered[0] == "right: minus 4, score 1 of 1."
    assert answered[1].startswith("Event 15 of 26, backward: the gradient of y minus target")


def test_a_program_cannot_be_edited_and_says_so_each_time() -> None:
    start = Session.open(Cursor(two_layer()))
    for lines in (["e"], ["e", "e"], ["%", "%"]):
        assert "only a scenario can run again" in heard(start, *lines)


def test_a_number_repeats_a_key() -> None:
    assert talk(session("two_layer"), "5s")[0].session.cursor.position == 5
    assert talk(session("two_layer"), "5 next node")[0].session.cursor.position == 5
    assert talk(session("two_layer"), "9999n")[0].session.cursor.position == 26


def test_play_reads_on_to_the_end_of_the_phase_or_to_a_stop() -> None:
    start = session("two_layer")
    now, said = talk(start, "play")
    assert (now.session.cursor.position, len(said)) == (13, 13)
    now, said = talk(start, "5 play")
    assert (now.session.cursor.position, len(said)) == (5, 5)
    now, said = talk(start, "B value > 2", "5 space")
    assert now.session.cursor.position == 1
    assert said[-1] == "stopped: value is greater than 2."
    now, said = talk(session("xor_tanh"), "f", "9999 play")
    assert len(said) == READ


def test_tab_goes_from_panel_to_panel() -> None:
    now, told = Talk(session("two_layer")), []
    for _ in PANELS:
        now, said = respond(now, "tab")
        told.append(said[0])
    assert told == [f"{name.capitalize()}." for name in PANELS]
    assert respond(now, "shift+tab")[1][0] == f"{PANELS[-2].capitalize()}."


@pytest.mark.parametrize(("lines", "told"), [
    ((":h", "2"), "h is relu of z1.\nIt is 1.5.\nThe local derivative of h with respect to z1 is "
                  "1, because z1 is greater than 0.\nIt is made in line 25 of two_layer.yaml."),
    (("G", "/h", "2"), "It received minus 8 from w2 times h at event 21: minus 4 times 2."),
    (("1",), "The tape is empty so far: 13 nodes to come."),
    (("3s", "1"), "x is 3.\ntarget is 4.\nw1 is 0.5.\n10 nodes to come."),
    ((":h", "3"), "Line 25 of 31 in two_layer.yaml: - h = relu(z1)"),
    ((":h", "4"), "Into it goes z1: 1.5.\nIt goes into w2 times h: not computed yet."),
    (("5",), "Nothing has happened yet."),
    (("m", "n", "B value > 2", "6"), "stops: value is greater than 2.\nBookmarks: 0."),
    (("8",), "No parameters are trained here."),
    (("f", "/w1", "x"), "one path leads from w1 to loss; the derivative of loss with respect to w1 "
                        "is minus 24."),
    (("e w1 = 1", "G", "D"), "w1: its value was 0.5 and is 1, 0.5 more, and its gradient was "
                             "minus 24 and is 12."),
    (("e w1 = 0.5000000001", "G", "D"), "w1: its value was 0.5 and is 0.5000000001, "
                                        "1 times 10 to the power of minus 10 more"),
    (("!",), "Nothing wrong is found."),
    (("G", "/w1", "y"), "w1 is 0.5."),
    (("zz",), "There is no command zz. Question mark helps."),
    (("5 zz",), "nothing follows 5."),
    (("next",), "Did you mean next node or next step"),
    (("s 5",), "nothing follows s; a number goes before it: 5s."),
    ((":w9",), "did you mean w1?"),
    ((":3", ":3"), "Event 3 of 26, forward: w1 is 0.5."),
    (("x",), "loss is not computed yet: f goes to the end of the forward pass."),
])  # fmt: skip
def test_what_is_said(lines: tuple[str, ...], told: str) -> None:
    assert told in heard(session("two_layer"), *lines)


def test_of_many_local_derivatives_the_first_are_said() -> None:
    with record() as recording:
        y = op(name="mean")(lambda *xs: sum(xs) / 20)(*map(Value, range(20)))
        y.label = "y"
    told = heard(Session.open(Cursor(recording)), "G", "/y", "2").splitlines()
    assert "The first 8 of 20 local derivatives:" in told
    assert len([line for line in told if line.startswith("The local derivative")]) == 8


def test_a_verdict_names_its_events() -> None:
    told = heard(session("disconnected_parameter"), "!")
    assert "verdict unreached: no path leads from w and b to L" in told
    assert "see events 8 and 12; colon 8 goes there." in told


def test_training_in_words() -> None:
    told = heard(session("xor_tanh"), ":step 80", "f", "9")
    assert "Training has 100 steps; this is step 80." in told
    assert "Over all of training it goes from 4.14906 to 0.174373; it never rises." in told
    assert "For 0 and 0 the answer is minus 0.806653; the target is minus 1." in told


def test_the_timeline_says_which_expected_numbers_match() -> None:
    file = open_scenario("two_layer")
    for keys, told in (("f", "4 of 11"), ("G", "11 of 11")):
        now, _ = respond(replace(Talk(session("two_layer")), scenario=file), keys)
        said = respond(now, "6")[1]
        assert any(told in text for text in said), said
        assert "loss is 4." in said
    now, _ = respond(now, "e x = 1")
    assert not any("expected" in text for text in respond(now, "6")[1])


def test_a_loss_that_swings_and_one_that_stands() -> None:
    assert "it rises" in heard(session("forgotten_zero_grad"), "t", "9")
    assert "it never changes" in heard(session("loss_stands"), "t", "9")


def test_a_node_is_found_by_what_a_voice_says() -> None:
    start = session("xor_tanh")
    for heard_as in (":row1 x1", ":row1/x1", "/row1 x1"):
        now, _ = talk(start, "f", "f", heard_as)
        assert now.session.recording.node(now.session.subject or 0).name == "row1/x1"
    now, _ = talk(session("two_layer"), ":y minus target")
    assert now.session.cursor.position == 12


def test_help_explains_groups_and_commands() -> None:
    for group, commands in GROUPS.items():
        told = [*help_told(group.casefold())]
        assert len(told) == len(commands) + 2 * (look_up(group) is not None)
        assert all(text.isascii() for text in told)
    assert [*help_told("W")] == ["capital W or capital A, who wrote: previous write "
                                 "(to this gradient)."]  # fmt: skip
    assert "The groups are Timeline" in "".join(help_told("nothing of the kind"))
    assert [*help_told("local derivative")] == [
        "How fast the result of one operation changes with one of its operands, while the others "
        "stay.",
        "In sine of square, the local derivative of y with respect to a equals cos(4) equals "
        "minus 0.653644.",
    ]
    everything = "".join(help_told(""))
    assert all(command.name.replace("_", " ") in everything for command in COMMANDS)


LESSON = "Read this.\n\nPress `s` twice, then `f`.\n\nPress `p`.\n\nThat is all."


def lesson_talk(text: str = LESSON, *, onward: bool = False) -> Talk:
    start = session("two_layer")
    reader = Reader(Lesson.of(text, start.recording), onward=onward)
    return Talk(start, open_scenario("two_layer"), reader)


def answers_to(now: Talk, *lines: str) -> tuple[Talk, list[str]]:
    said: Sequence[str] = ()
    for line in lines:
        now, said = respond(now, line)
    return now, [*said]


def test_a_step_that_is_done_is_said_and_the_next_one_is_read() -> None:
    now, said = answers_to(lesson_talk(), "7", "7")
    assert said[:2] == ["Lesson, step 2 of 4.", "Press s twice, then f."]
    now, said = answers_to(now, "2s")
    assert len(said) == 1, "there is more to do"
    now, said = answers_to(now, "f")
    assert said[-4:-1] == ["Step 2 is done.", "Lesson, step 3 of 4.", "Press p."]
    now, said = answers_to(now, "p", "?")
    assert said[-4:-1] == ["Step 3 is done.", "Lesson, step 4 of 4.", "That is all."]
    now, said = answers_to(now, "enter")
    assert said == ["The lesson is done: p predicts it, q leaves."]


def test_enter_goes_on_from_a_step_that_is_only_read_and_at_the_end_to_the_next_lesson() -> None:
    now, said = answers_to(lesson_talk(onward=True), "7", "enter")
    assert said[0] == "Lesson, step 2 of 4."
    now, said = answers_to(now, "2s", "f", "p", "?", "enter")
    assert said == ["The lesson is done: enter opens the next lesson, p predicts it, q leaves."]
    selecting, _ = answers_to(now, "/w1", "enter")
    assert not selecting.goes_on, "what has been selected since is what a person means"
    now, _ = answers_to(now, "enter")
    assert (now.over, now.goes_on) == (True, True)


def test_steps_are_done_while_it_plays_and_all_that_come_are_read() -> None:
    now, said = answers_to(lesson_talk("Press `s`.\n\nOne.\n\nTwo.\n\nPress `G`."), "3 play")
    assert [text for text in said if text.startswith("Lesson")] == [
        "Lesson, step 2 of 4.",
        "Lesson, step 3 of 4.",
        "Lesson, step 4 of 4.",
    ]
    assert now.session.cursor.position == 3


def test_what_a_program_says_of_itself_is_read_and_not_followed() -> None:
    start = session("two_layer")
    reader = Reader(Lesson.of("Press `s`.\n\nMore.", start.recording), guides=False)
    now, said = answers_to(Talk(start, None, reader), "7", "s")
    assert len(said) == 1
    assert answers_to(now, "7")[1][0] == "Lesson, part 2 of 2."


@pytest.mark.parametrize(("lines", "told"), [
    (("f", "4"), ["Inputs: x1 is ", "Layer 1: neuron 1, from z 0, is 0", "Layer 2: "]),
    (("f", "/layer1/neuron3/h", "4"), ["Into layer1 neuron3: b is 0", "w1 is 0.1"]),
    (("G", "4"), ["A network with 4 inputs, and 3 and 4 neurons in its 2 layers.",
                  "neuron 2, from z minus 0.1, is 0, and its gradient is minus 0.0475, and it is "
                  "shut", "loss is 0.89625"]),
    (("f", "v", "4"), ["goes"]),
    (("f", "/layer1/neuron3/h", "enter", "4"), ["goes"]),
])  # fmt: skip
def test_a_network_is_said_layer_by_layer(lines: tuple[str, ...], told: list[str]) -> None:
    said = heard(session("diagonal_flip"), *lines)
    for text in told:
        assert text in said, said


@pytest.mark.parametrize(("lines", "told"), [
    (("/x", "]"), ["x 2 to 2.1: h plus 4.29, by the gradient plus 4.2."]),
    (("/x", "5]", "["), ["x 2 to 2.4: h plus 18.24, by the gradient plus 16.8."]),
    (("/x", "]", "ctrl+z"), ["undone: x equals 2."]),
    (("/x", "]", "ctrl+z", "ctrl+y"), ["redone: x equals 2.1."]),
    (("/x", "e x*2"), ["x 2 to 4: h plus 120, by the gradient plus 84."]),
])  # fmt: skip
def test_a_knob_answers_in_sentences_and_nothing_more(
    lines: tuple[str, ...], told: list[str]
) -> None:
    assert [*talk(session("chain_rule"), *lines)[1]] == told


def test_a_setting_is_edited_by_ear() -> None:
    assert heard(session("xor_tanh"), "f", "e learning_rate = 0.1").startswith(
        "learning rate 0.05 to 0.1: loss stays "
    )


def test_sentences_begin_with_a_capital() -> None:
    file = open_scenario("two_layer")
    start = Session.open(Cursor(record_file(file)), rerun(file))
    _, said = talk(start, "e x=1e5", "D")
    assert said[-2:] == [
        "Nothing differs yet.",
        "The first difference is at event 1: x is 3 before and 100000 now.",
    ]
