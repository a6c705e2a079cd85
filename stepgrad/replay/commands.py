"""The commands: one table for the screen, the headless script, the help and the docs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from stepgrad.errors import StepgradError
from stepgrad.replay import predict, search, showing, what_if
from stepgrad.replay.cursor import Cursor
from stepgrad.replay.places import CommandError, find_place
from stepgrad.replay.session import Session


@dataclass(frozen=True, slots=True)
class Command:
    """A row of the table.

    `keys` are the default ones, the first is the one to show. `help` says what it does, in brief up
    to its colon; `label` is a word or two for the footer, or empty. `act` is what it does to a
    session, None if only the screen can do it. A command that `asks` also takes a text. If what to
    ask depends on the session, `question` moves to the place in question and returns the words;
    no words mean that there is nothing to ask. While it asks, a command that `hides` keeps the
    answer off the screen. `panel` is the panel that it shows alone. A `report` is a text to read
    and close. A `long` command may take a while, so it runs in a thread.
    """

    name: str
    keys: tuple[str, ...]
    help: str
    label: str = ""
    act: Callable[[Session, str], Session] | None = None
    asks: str = ""
    question: Callable[[Session], tuple[Session, str]] | None = None
    panel: str = ""
    long: bool = False
    hides: bool = False
    report: bool = False

    @property
    def brief(self) -> str:
        """What it does, in brief: its help up to the colon or bracket."""
        return re.split(r": | \(", self.help)[0]


def _moves(move: Callable[[Cursor], Cursor], steps: str = "") -> Callable[[Session, str], Session]:
    """Turn a move into a command; if it leads nowhere, it says why. `steps` is for training."""

    def act(session: Session, _: str) -> Session:
        moved = move(session.cursor)
        if moved != session.cursor:
            return session.go(moved)
        at_end = moved.position == moved.recording.length
        said = "this is the end" if at_end else "this is the start"
        if steps:
            several = len(moved.recording.steps) > 1
            said = f"no {steps} training step" if several else "no training in this lesson"
        return session.go(moved, said)

    return act


def _does(act: Callable[[Session], Session]) -> Callable[[Session, str], Session]:
    return lambda session, _: act(session)


def _jump(session: Session) -> Session:
    node = session.subject
    if node is None:
        return session.say("there is no node yet")
    made = session.recording.history.made_at(node)
    if made == session.cursor.position:
        return session.say("this node is made right here")
    return session.go(session.cursor.seek(made)).point_at(node)


def _goto(session: Session, where: str) -> Session:
    place = find_place(session.cursor, where)
    return session.go(session.cursor.seek(place.position)).point_at(place.node)


PANELS = ("tape", "node", "source", "graph", "chain", "timeline", "lesson", "parameters",
          "training")  # fmt: skip
"""The panels that can have the screen to themselves, in the order of their keys."""

_MOVING = (
    Command("step", ("s", "right"), "next event: one edge of the chain rule", "step",
            _moves(Cursor.step)),
    Command("step_back", ("S", "left"), "previous event", "back",
            _moves(lambda cursor: cursor.step(-1))),
    Command("next_node", ("n",), "next node: made, or its gradient complete", "node",
            _moves(Cursor.next_node)),
    Command("previous_node", ("N",), "previous node", "", _moves(Cursor.previous_node)),
    Command("phase_end", ("f",), "end of the phase", "phase", _moves(Cursor.phase_end)),
    Command("phase_start", ("F",), "start of the phase", "", _moves(Cursor.phase_start)),
    Command("next_step", ("t",), "next training step (at the same point)", "",
            _moves(Cursor.next_step, "next")),
    Command("previous_step", ("T",), "previous training step (at the same point)", "",
            _moves(Cursor.previous_step, "previous")),
    Command("start", ("g", "home"), "start of the recording", "",
            _moves(lambda cursor: cursor.seek(0))),
    Command("end", ("G", "end"), "end of the recording", "",
            _moves(lambda cursor: cursor.seek(cursor.recording.length))),
    Command("goto", (":",), "go to: 14, 50%, step 20 or w1", "", _goto,
            "14, 50%, step 20, or a name"),
    Command("play", ("space",), "play / pause"),
    Command("faster", ("+",), "play faster"),
    Command("slower", ("-",), "play slower"),
    Command("predict", ("p",), "predict the next number: then see it", "predict",
            predict.predict, "a number, such as 0.25, 2e-3 or 1/3; ? shows it", predict.ask,
            hides=True),
)  # fmt: skip

_LOOKING = (
    Command("search", ("/",), "search the nodes", "", search.search, "part of a name"),
    Command("next_hit", (".",), "next match", "",
            _does(lambda session: search.next_hit(session, 1))),
    Command("previous_hit", (",",), "previous match", "",
            _does(lambda session: search.next_hit(session, -1))),
    Command("select_up", ("up", "k"), "select the node above", "",
            _does(lambda session: session.select_by(-1))),
    Command("select_down", ("down", "j"), "select the node below", "",
            _does(lambda session: session.select_by(1))),
    Command("jump", ("enter",), "jump to where it was made", "", _does(_jump)),
    Command("follow", ("escape",), "clear the selection", "", _does(Session.clear_selection)),
    Command("view", ("v",), "graph view: nearby nodes, all nodes, or a plot", "",
            _does(showing.next_view)),
    Command("zoom_in", ("i",), "zoom in: less of the graph", "",
            _does(lambda session: showing.zoom_by(session, 1))),
    Command("zoom_out", ("o",), "zoom out: more of the graph", "",
            _does(lambda session: showing.zoom_by(session, -1))),
    Command("constants", ("#",), "show or hide constants", "", _does(showing.toggle_constants)),
    Command("fold", ("z",), "fold or open this scope", "", _does(showing.fold_subject)),
    Command("scope_out", ("u",), "scope out: fold one more level", "", _does(showing.scope_out)),
    Command("scope_in", ("d",), "scope in: open one level", "", _does(showing.scope_in)),
)  # fmt: skip

_PANELS = (
    *(
        Command(
            f"show_{panel}",
            (str(key),),
            f"{panel} only: press again for all panels",
            "lesson" if panel == "lesson" else "",
            panel=panel,
        )
        for key, panel in enumerate(PANELS, 1)
    ),
    Command("next_panel", ("tab",), "next panel only"),
    Command("previous_panel", ("shift+tab",), "previous panel only"),
)

_STOPPING = (
    Command("continue", ("c", "f5"), "run forward to a stop: the next one, or the end", "continue",
            _does(lambda session: session.run(forward=True)), long=True),
    Command("reverse_continue", ("C",), "run back to a stop: the previous one, or the start", "",
            _does(lambda session: session.run(forward=False)), long=True),
    Command("break", ("b",), "stop at this node: when it is made, when its gradient is complete",
            "", _does(lambda session: session.toggle_stop(every=False))),
    Command("break_where", ("B",), "stop on a condition (empty: remove all stops)", "",
            lambda session, condition: session.stop_where(condition),
            'bad, op == "relu" and local == 0, abs(grad) > 1e3'),
    Command("watch", ("w",), "watch this node: stop at every change of it", "",
            _does(lambda session: session.toggle_stop(every=True))),
    Command("who_wrote", ("W", "A"), "previous write (to this gradient)", "",
            _does(Session.who_wrote)),
    Command("next_write", ("a",), "next write (to this gradient)", "", _does(Session.next_write)),
    Command("bookmark", ("m",), "bookmark this position: press again to remove it", "",
            _does(Session.bookmark)),
    Command("next_bookmark", ("'",), "next bookmark", "", _does(Session.next_bookmark)),
)  # fmt: skip

_OTHER = (
    Command("edit", ("e",), "try another value", "edit", what_if.edit,
            "0.7, or w1 = 0.7; leave empty to flip 0 ↔ 1", what_if.ask, long=True),
    Command("undo_edits", ("E",), "undo all edits", "", _does(what_if.undo_edits)),
    Command("difference", ("D",), "what the edits changed", report=True),
    Command("paths", ("x",), "paths to the output: from this node, and what each contributes",
            report=True),
    Command("stop_recording", ("R",), "stop recording: keep what there is"),
    Command("palette", ("ctrl+p",), "every command, by name"),
    Command("help", ("?", "f1"), "this help", "help"),
    Command("quit", ("q",), "quit", "quit"),
)  # fmt: skip

GROUPS: Mapping[str, tuple[Command, ...]] = {
    "Moving": _MOVING,
    "Looking": _LOOKING,
    "Panels": _PANELS,
    "Stopping": _STOPPING,
    "Other": _OTHER,
}
"""The table. Lowercase goes forward, the capital goes back."""

COMMANDS = tuple(command for group in GROUPS.values() for command in group)

BY_KEY: Mapping[str, Command] = {key: command for command in COMMANDS for key in command.keys}


KEYS: Mapping[str, tuple[str, ...]] = {command.name: command.keys for command in COMMANDS}
"""The keys of each command, the one to show first."""

_WORD = re.compile(r"(?!.(?:inf|nan)$)[a-z_]{2,}|\w+\+.+")
"""What is meant as the name of a key, such as `pageup`: not as `p` with an answer after it."""


def replay(
    session: Session,
    keys: Iterable[str],
    report: Callable[[Command, Session], None] | None = None,
) -> Session:
    """Carry out a script of keys. A text that a key asks for follows it directly: `:50%`, `/w1`.

    `report` is called for a command that shows a report instead of changing the session.

    Raises:
        CommandError: no command has this key, or it needs the screen, or its text is wrong.
    """
    for word in keys:
        command, text = _read(word)
        if command.report:
            if report is not None:
                report(command, session)
            continue
        if command.act is None:
            raise CommandError(f"the key `{word}` needs the screen: {command.help}")
        try:
            session = command.act(session, text)
        except StepgradError as error:
            # After a letter, a text may have been meant as a part of a word.
            told = f"`{word}`: {error}" if word[0].isalpha() else str(error)
            raise CommandError(told) from error
    return session


def _read(word: str) -> tuple[Command, str]:
    """Return the command of a word of a script, and the text after its key."""
    if word in BY_KEY:
        return BY_KEY[word], ""
    asking = BY_KEY.get(word[:1])
    if asking is None or not asking.asks or _WORD.fullmatch(word):
        known = " ".join(each.keys[0] for each in COMMANDS if each.act or each.report)
        raise CommandError(f"no command for the key `{word}`; the keys are {known}")
    return asking, word[1:].strip()
