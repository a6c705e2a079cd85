"""The commands: one table for the screen, the headless script, the help and the docs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

from stepgrad.engine.world import USAGE
from stepgrad.replay.commands import (
    editing,
    looking,
    moving,
    predicting,
    saving,
    searching,
    stopping,
    turning,
    variants,
)
from stepgrad.replay.commands.moving import move
from stepgrad.replay.cursor import Cursor
from stepgrad.replay.session import Session


class Command(NamedTuple):
    """A row of the table.

    `keys` are the default ones, the first is the one to show. `help` says what it does, in brief up
    to its colon; `label` is a word or two for the footer, or empty. `act` turns a session, and the
    text that the command `asks` for, into the next session; None if only the screen can do it. If
    what to ask depends on the session, `question` moves to the place in question and returns the
    words; no words mean that there is nothing to ask. `form` says what to type, where that depends
    on it. While it asks, a command that `hides` keeps the answer off the screen. `panel` is the
    panel that it shows alone. A `report` is a text to read and close. A `long` command may take a
    while, so it runs in a thread. One that `counts` takes a number typed before its key, as in
    `5]`.
    """

    name: str
    keys: tuple[str, ...]
    help: str
    label: str = ""
    act: Callable[..., Session] | None = None
    asks: str = ""
    question: Callable[[Session], tuple[Session, str]] | None = None
    form: Callable[[Session], str] | None = None
    panel: str = ""
    long: bool = False
    hides: bool = False
    report: bool = False
    counts: bool = False

    def typed(self, session: Session) -> str:
        """What to type where it asks."""
        return self.form(session) if self.form else self.asks

    @property
    def brief(self) -> str:
        """What it does, in brief: its help up to the colon or bracket."""
        return re.split(r": | \(", self.help)[0]


PANELS = ("tape", "node", "source", "graph", "chain", "timeline", "lesson", "parameters",
          "training")  # fmt: skip
"""The panels that can have the screen to themselves, in the order of their keys."""

_TIMELINE = (
    Command("step", ("s", "right"), "next event: one edge of the chain rule", "step",
            partial(move, to=Cursor.step)),
    Command("step_back", ("S", "left"), "previous event", "back",
            partial(move, to=lambda cursor: cursor.step(-1))),
    Command("next_node", ("n",), "next node: made, or its gradient complete", "node",
            partial(move, to=Cursor.next_node)),
    Command("previous_node", ("N",), "previous node", "", partial(move, to=Cursor.previous_node)),
    Command("phase_end", ("f",), "end of the phase", "phase", partial(move, to=Cursor.phase_end)),
    Command("phase_start", ("F",), "start of the phase", "", partial(move, to=Cursor.phase_start)),
    Command("next_step", ("t",), "next training step (at the same point)", "training step",
            partial(move, to=Cursor.next_step, step="next")),
    Command("previous_step", ("T",), "previous training step (at the same point)", "",
            partial(move, to=Cursor.previous_step, step="previous")),
    Command("start", ("g", "home"), "start of the recording", "",
            partial(move, to=lambda cursor: cursor.seek(0))),
    Command("end", ("G", "end"), "end of the recording", "",
            partial(move, to=lambda cursor: cursor.seek(cursor.recording.length))),
    Command("goto", (":",), "go to: 14, 50%, step 20 or w1", "", moving.goto,
            "14, 50%, step 20, or a name"),
    Command("play", ("space",), "play / pause"),
    Command("faster", ("+",), "play faster"),
    Command("slower", ("-",), "play slower"),
    Command("predict", ("p",), "predict the next number: then see it", "predict",
            predicting.predict, predicting.NUMBER, predicting.ask, predicting.form, hides=True),
    Command("continue", ("c", "f5"), "run forward to a stop: the next one, or the end", "continue",
            partial(stopping.run, forward=True), long=True),
    Command("reverse_continue", ("C",), "run back to a stop: the previous one, or the start", "",
            partial(stopping.run, forward=False), long=True),
    Command("break_where", ("B",), "stop on a condition (empty: remove all stops)", "",
            stopping.stop_where, 'bad, op == "relu" and local == 0, abs(grad) > 1e3'),
    Command("bookmark", ("m",), "set bookmark (at this position; press again to remove it)", "",
            moving.bookmark),
    Command("next_bookmark", ("'",), "next bookmark", "bookmark", moving.next_bookmark),
)  # fmt: skip

_TAPE = (
    Command("search", ("/",), "search the nodes", "", searching.search, "part of a name"),
    Command("next_hit", (".",), "next match", "next match", partial(searching.next_hit, by=1)),
    Command("previous_hit", (",",), "previous match", "", partial(searching.next_hit, by=-1)),
    Command("select_up", ("up", "k"), "select the node above", "",
            partial(looking.select_by, lines=-1)),
    Command("select_down", ("down", "j"), "select the node below", "",
            partial(looking.select_by, lines=1)),
    Command("follow", ("escape",), "clear the selection", "clear", looking.clear_selection),
    Command("fold", ("z",), "fold or open this scope (or matrix of parameters)", "",
            looking.fold_subject),
    Command("scope_out", ("u",), "scope out: fold one more level", "", looking.scope_out),
    Command("scope_in", ("d",), "scope in: open one level", "", looking.scope_in),
    Command("constants", ("#",), "show or hide constants", "", looking.toggle_constants),
)  # fmt: skip

_GRAPH = (
    Command("view", ("v",), "graph view: network, nearby nodes, all nodes, or a plot", "",
            looking.next_view),
    Command("zoom_in", ("i",), "zoom in: less of the graph", "", partial(looking.zoom_by, steps=1)),
    Command("zoom_out", ("o",), "zoom out: more of the graph", "",
            partial(looking.zoom_by, steps=-1)),
    Command("fit", ("0",), "fit the graph into its panel (press again for readable boxes)", "",
            looking.fit),
)  # fmt: skip

_NODE = (
    Command("jump", ("enter",), "jump to where it was made: a neuron opens, or closes", "jump",
            moving.jump),
    Command("who_wrote", ("W", "A"), "previous write (to this gradient)", "who wrote",
            moving.previous_write),
    Command("next_write", ("a",), "next write (to this gradient)", "", moving.next_write),
    Command("paths", ("x",), "paths to the output: from this node, and what each contributes",
            "paths", report=True),
    Command("why", ("y",), "why this number: reasons, down to a cause", "why", report=True),
    Command("edit", ("e",), "try another value", "edit", editing.edit,
            "0.7, w1*2 or w1 = 0.7; leave empty to flip 0 ↔ 1", editing.ask, long=True),
    Command("nudge_up", ("]",), "nudge up: by 0.1; 5 before it: by 0.5; a 0 or 1 flips", "nudge",
            partial(turning.nudge, step=turning.COARSE), long=True, counts=True),
    Command("nudge_down", ("[",), "nudge down: by 0.1", "",
            partial(turning.nudge, step=-turning.COARSE), long=True, counts=True),
    Command("nudge_up_finely", ("}",), "nudge up: by 0.001", "",
            partial(turning.nudge, step=turning.FINE), long=True, counts=True),
    Command("nudge_down_finely", ("{",), "nudge down: by 0.001", "",
            partial(turning.nudge, step=-turning.FINE), long=True, counts=True),
    Command("break", ("b",), "stop at this node: when it is made, when its gradient is complete",
            "", partial(stopping.toggle_stop, every=False)),
    Command("watch", ("w",), "watch this node: stop at every change of it", "watch",
            partial(stopping.toggle_stop, every=True)),
)  # fmt: skip

_RECORDING = (
    Command("verdicts", ("!",), "what is wrong: verdicts with evidence, and expected values",
            "verdicts", report=True),
    Command("world", ("%",), "try another world: one with a bug, such as = for +=", "",
            variants.change_world, f"{USAGE}; leave empty for none", variants.ask_world, long=True),
    Command("undo", ("ctrl+z",), "undo an edit", "undo", variants.undo, long=True),
    Command("redo", ("ctrl+y",), "redo an edit", "", variants.redo, long=True),
    Command("undo_edits", ("E",), "undo all edits", "undo all", variants.undo_edits),
    Command("difference", ("D",), "what the edits changed", "difference", report=True),
    Command("save", ("ctrl+s",), "save the recording (stepgrad run opens it)", "save",
            saving.save, "the name of a file", form=saving.form, long=True),
    Command("stop_recording", ("R",), "stop recording: keep what there is"),
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

_ALWAYS = (
    Command("palette", ("ctrl+p",), "every command, by name"),
    Command("help", ("?", "f1"), "this help", "help"),
    Command("quit", ("q",), "quit", "quit"),
)  # fmt: skip

GROUPS: Mapping[str, tuple[Command, ...]] = {
    "Timeline": _TIMELINE,
    "Tape": _TAPE,
    "Graph": _GRAPH,
    "Node": _NODE,
    "Recording": _RECORDING,
    "Panels": _PANELS,
    "Always": _ALWAYS,
}
"""The table, by the panel that a command acts on. Lowercase goes forward, the capital goes back."""

COMMANDS = tuple(command for group in GROUPS.values() for command in group)

BY_NAME: Mapping[str, Command] = {command.name: command for command in COMMANDS}

BY_KEY: Mapping[str, Command] = {key: command for command in COMMANDS for key in command.keys}


KEYS: Mapping[str, tuple[str, ...]] = {command.name: command.keys for command in COMMANDS}
"""The keys of each command, the one to show first."""
