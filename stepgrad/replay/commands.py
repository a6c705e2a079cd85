"""The commands: one table for the screen, the headless script, the help and the docs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from stepgrad.errors import StepgradError, suggest
from stepgrad.replay import predict, showing, what_if
from stepgrad.replay.cursor import Cursor
from stepgrad.replay.session import Session
from stepgrad.replay.titles import short_title, title


class CommandError(StepgradError):
    """A command that does not exist, or cannot be carried out; says what would do."""


@dataclass(frozen=True, slots=True)
class Command:
    """A row of the table.

    `keys` are the default ones, the first is the one to show; `help` says what it does, up to its
    colon in brief; `label` is the same in one word, for the foot of the screen, or empty. `act` is
    what it does to a session, None where it is the screen's own business; where it `asks`, it wants
    a text as well. Where what to ask depends on the session, `question` goes where that is, and
    returns it; nothing, where there is none. `panel` is the one that it gives the screen to, if
    that is what it does. What may take `long` is to be done beside the keys.
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

    @property
    def brief(self) -> str:
        """What it does, where there is little room: its help up to the colon or bracket."""
        return re.split(r": | \(", self.help)[0]


def _moves(move: Callable[[Cursor], Cursor]) -> Callable[[Session, str], Session]:
    def act(session: Session, _: str) -> Session:
        moved = move(session.cursor)
        return session.go(moved, _no_further(moved) if moved == session.cursor else "")

    return act


def _no_further(cursor: Cursor) -> str:
    if cursor.position == cursor.recording.length:
        return "this is the end"
    return "nothing to go to there" if cursor.position else "this is the start"


def _does(act: Callable[[Session], Session]) -> Callable[[Session, str], Session]:
    return lambda session, _: act(session)


def _jump(session: Session) -> Session:
    if session.subject is None:
        return session
    made = session.recording.history.made_at(session.subject)
    return session.go(session.cursor.seek(made))


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
    Command("next_step", ("t",), "next training step: the same place in it", "",
            _moves(Cursor.next_step)),
    Command("previous_step", ("T",), "previous training step", "",
            _moves(Cursor.previous_step)),
    Command("start", ("g", "home"), "start of the recording", "",
            _moves(lambda cursor: cursor.seek(0))),
    Command("end", ("G", "end"), "end of the recording", "",
            _moves(lambda cursor: cursor.seek(cursor.recording.length))),
    Command("goto", (":",), "go to: 14, 50%, step 20 or w1", "",
            lambda session, where: session.go(goto(session.cursor, where)),
            "14, 50%, step 20, or a name"),
    Command("play", ("space",), "play on: again, pause"),
    Command("faster", ("+",), "play faster"),
    Command("slower", ("-",), "play slower"),
    Command("predict", ("p",), "predict the next number: it is asked for, then shown", "guess",
            predict.predict, "a number, like 0.25, 2e-3 or 1/3; ? shows it", predict.ask),
)  # fmt: skip

_LOOKING = (
    Command("search", ("/",), "search the nodes", "", lambda session, text: session.search(text),
            "a part of a name"),
    Command("next_hit", (".",), "next node found", "",
            _does(lambda session: session.next_hit(1))),
    Command("previous_hit", (",",), "previous node found", "",
            _does(lambda session: session.next_hit(-1))),
    Command("select_up", ("up", "k"), "select the node above", "",
            _does(lambda session: session.select_by(-1))),
    Command("select_down", ("down", "j"), "select the node below", "",
            _does(lambda session: session.select_by(1))),
    Command("jump", ("enter",), "to where this node was made", "", _does(_jump)),
    Command("follow", ("escape",), "let go of the selection: follow the cursor", "",
            _does(lambda session: session.select(None))),
    Command("view", ("v",), "how much of the graph: what is near, all of it, or a plot", "",
            _does(showing.next_view)),
    Command("zoom_in", ("i",), "zoom in: less of the graph", "",
            _does(lambda session: showing.zoom_by(session, 1))),
    Command("zoom_out", ("o",), "zoom out: more of the graph", "",
            _does(lambda session: showing.zoom_by(session, -1))),
    Command("constants", ("#",), "show the constants (again: hide them)", "",
            _does(showing.toggle_constants)),
    Command("fold", ("z",), "fold this scope: into a line, or open it", "",
            _does(showing.fold_subject)),
    Command("scope_out", ("u",), "scope out: fold one level more", "", _does(showing.scope_out)),
    Command("scope_in", ("d",), "scope in: open one level", "", _does(showing.scope_in)),
)  # fmt: skip

_PANELS = (
    *(
        Command(
            f"show_{panel}",
            (str(key),),
            f"the {panel} alone: again, all panels",
            "lesson" if panel == "lesson" else "",
            panel=panel,
        )
        for key, panel in enumerate(PANELS, 1)
    ),
    Command("next_panel", ("tab",), "next panel alone"),
    Command("previous_panel", ("shift+tab",), "previous panel alone"),
)

_STOPPING = (
    Command("continue", ("c", "f5"), "run on to a stop: the next one, or the end", "cont",
            _does(lambda session: session.run(forward=True)), long=True),
    Command("reverse_continue", ("C",), "run back to a stop: the last one, or the start", "",
            _does(lambda session: session.run(forward=False)), long=True),
    Command("break", ("b",), "stop at this node: where it is made, where its gradient is done", "",
            _does(lambda session: session.toggle_stop(every=False))),
    Command("break_where", ("B",), "stop where a condition holds (nothing: forget all stops)", "",
            lambda session, condition: session.stop_where(condition),
            'isnan(grad), op == "relu" and local == 0, abs(grad) > 1e3'),
    Command("watch", ("w",), "watch this node: stop at every change of it", "",
            _does(lambda session: session.toggle_stop(every=True))),
    Command("who_wrote", ("W", "A"), "last gradient write: who wrote here? (again: the one before)",
            "who", _does(Session.who_wrote)),
    Command("next_write", ("a",), "next gradient write: who will? (again: the one after)", "",
            _does(Session.next_write)),
    Command("bookmark", ("m",), "new bookmark: here; again, take it away", "",
            _does(Session.bookmark)),
    Command("next_bookmark", ("'",), "next bookmark", "", _does(Session.next_bookmark)),
)  # fmt: skip

_OTHER = (
    Command("edit", ("e",), "edit a number: what if an input or a parameter were another?", "edit",
            what_if.edit,
            "0.7, or w1 = 0.7; nothing flips a 0 or a 1", long=True),
    Command("undo_edits", ("E",), "undo all edits", "", _does(what_if.undo_edits)),
    Command("difference", ("D",), "what the edits have changed"),
    Command("paths", ("x",), "paths to the output: from this node, with what each brings"),
    Command("stop_recording", ("R",), "stop recording: what is there by now stays"),
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


def replay(session: Session, keys: Iterable[str]) -> Session:
    """Carry out a script of keys. A text that a key asks for stands behind it: `:50%`, `/w1`.

    Raises:
        CommandError: a key is none of the table, or one for the screen alone.
        ConditionError: a condition that is none.
    """
    for key in keys:
        command, text = BY_KEY.get(key), ""
        if command is None and key[:1] in BY_KEY and BY_KEY[key[:1]].asks:
            command, text = BY_KEY[key[:1]], key[1:].strip()
        if command is None or command.act is None:
            acting = " ".join(each.keys[0] for each in COMMANDS if each.act)
            raise CommandError(f"no command for the key `{key}`; there are {acting}")
        session = command.act(session, text)
    return session


def goto(cursor: Cursor, where: str) -> Cursor:
    """Go to `14` (a position), `50%`, `step 20` (a training step), or `w1` (where it was made).

    A leading colon is allowed. Of several nodes so named, the last one made by now is meant, else
    the first to come.

    Raises:
        CommandError: there is no such place.
    """
    text = where.strip().removeprefix(":").strip()
    if not text:
        raise CommandError("write where to go: 14, 50%, step 20, or a name")
    word, _, rest = text.partition(" ")
    if re.fullmatch(r"-?\d{1,4000}", text, re.ASCII):
        return _goto_event(cursor, text)
    if text.endswith("%"):
        return _goto_share(cursor, text)
    if word == "step" and rest:
        return _goto_step(cursor, rest.strip())
    return _goto_name(cursor, text)


def _goto_event(cursor: Cursor, text: str) -> Cursor:
    length = cursor.recording.length
    if not 0 <= int(text) <= length:
        shown = text if len(text) <= 20 else f"{text[:20]}…"
        raise CommandError(f"no event {shown}: there are {length:,}; 0 is the start")
    return cursor.seek(int(text))


def _goto_share(cursor: Cursor, text: str) -> Cursor:
    try:
        share = float(text[:-1]) / 100
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise CommandError(f"`{text}` is no percentage from 0% to 100%")
    return cursor.seek(round(share * cursor.recording.length))


def _goto_step(cursor: Cursor, text: str) -> Cursor:
    steps = {
        str(step): start
        for start in cursor.recording.steps
        if (step := cursor.seek(start + 1).state.step) is not None
    }
    if text not in steps:
        known = f"from {next(iter(steps))} to {list(steps)[-1]}" if steps else "here is none"
        raise CommandError(f"no training step `{text[:40]}`: {known}")
    return cursor.seek(steps[text] + 1)


def _goto_name(cursor: Cursor, text: str) -> Cursor:
    """Go to where a node was made, by its name, the end of its name, `#index` or `w·x`."""
    recording, history = cursor.recording, cursor.recording.history
    node = cursor.state.find(text)
    if node is not None:
        return cursor.seek(history.made_at(node))
    if re.fullmatch(r"#\d{1,18}", text, re.ASCII) and int(text[1:]) < recording.size:
        return cursor.seek(history.made_at(int(text[1:])))
    for node in cursor.state.scene:
        if text in (short_title(recording, node), title(recording, node)):
            return cursor.seek(history.made_at(node))
    everywhere = recording.names(recording.length)
    for name in everywhere:
        if f"/{name}".endswith(f"/{text}"):
            return cursor.seek(history.made_at(recording.first_named(name)))
    short = dict.fromkeys(name.rpartition("/")[2] for name in everywhere)
    raise CommandError(
        f"`{text[:80]}` is no position, percentage, step or name"
        f"{suggest(text, [*everywhere, *short])}"
    )
