"""Following a lesson by its own text, without an app: what is pressed, and what is shown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO

from stepgrad.program import run_program
from stepgrad.recording.recording import Recording
from stepgrad.replay.commands.table import KEYS
from stepgrad.replay.cursor import Cursor
from stepgrad.replay.graph.outline import ScopeLine
from stepgrad.replay.lesson.following import Lesson
from stepgrad.replay.lesson.marks import key_of
from stepgrad.replay.lesson.steps import Demand, Step
from stepgrad.replay.session import Session
from stepgrad.replay.training import parameters
from stepgrad.scenario import ProgramFile, ScenarioFile
from stepgrad.scenario.build import record_file
from stepgrad.scenario.rerun import rerun
from stepgrad.tui.render.chain import chain
from stepgrad.tui.render.graph import FRAMED, draw, in_view
from stepgrad.tui.render.header import header
from stepgrad.tui.render.listing import Listing
from stepgrad.tui.render.node import node_panel
from stepgrad.tui.render.parameters import parameter_row
from stepgrad.tui.render.reports import REPORTS
from stepgrad.tui.render.tape import scope_row, tape_row
from stepgrad.tui.render.training import training

PATIENCE = 300
"""How often a key that is kept pressed is pressed at most."""

CODE = re.compile(r"`([^`]+)`")


@dataclass(frozen=True, slots=True)
class Followed:
    """A step, with all that the screen showed while it was the current one."""

    step: Step
    shown: str


class Learner:
    """Does what a lesson says, in the order in which it says it."""

    def __init__(self, file: ScenarioFile | ProgramFile) -> None:
        if isinstance(file, ProgramFile):
            with redirect_stdout(StringIO()):
                self.session = Session.open(Cursor(run_program(str(file.path)).recording))
        else:
            self.session = Session.open(Cursor(record_file(file)), rerun(file))
        self.lesson = Lesson.of(file.lesson, self.session.recording)

    def follow(self) -> Iterator[Followed]:
        """Do what each step says; Enter goes on from one that says nothing to do."""
        for number, step in enumerate(self.lesson.steps):
            assert self.lesson.ticked == number, step.markdown
            shown = [screen(self.session)]
            if not step.demands:
                self.lesson = self.lesson.after("jump", self.session)
            codes = CODE.findall(" ".join(step.markdown.split()))
            demands = iter(step.demands)
            for code, follows in zip(codes, [*codes[1:], ""], strict=False):
                key = key_of(code)
                if key is not None and key.awaited:
                    answer = key.answer or (follows if key_of(follows) is None else "")
                    shown += self._do(next(demands), code, answer)
            if step.demands and not any((k := key_of(c)) and k.awaited for c in codes):
                shown += self._do(Demand("next_node", keeps=True), "n", "")
            yield Followed(step, "\n".join(shown))

    def _do(self, demand: Demand, code: str, answer: str) -> Iterator[str]:
        """Press a key as often as the text says, and show the screen after each time."""
        key = key_of(code)
        assert key is not None
        command, before = key.command, self.lesson.met
        for _ in range(PATIENCE if demand.keeps else demand.times):
            if command.report:
                report = REPORTS[command.name](self.session, KEYS, 100)
                yield report.plain
                if isinstance(report, Listing):
                    assert report.lines
            elif command.act:
                asked = {"predict": "?"}.get(command.name, answer)
                self.session = command.act(self.session, *([asked] if command.asks else []))
            self.lesson = self.lesson.after(command.name, self.session)
            yield screen(self.session)
            if self.lesson.met > before:
                return


def screen(session: Session) -> str:
    """All that the panels show at a position, at a width at which nothing is cut."""
    state, recording = session.state, session.recording
    rows = [
        scope_row(session, line, 100)
        if isinstance(line, ScopeLine)
        else tape_row(session, line, 60)
        for line in session.outline
    ]
    parts = [
        header(session, "", (0, 0), 140, keys=KEYS),
        *rows,
        chain(recording, state.position, 140),
        training(state, 60, 30),
        *(parameter_row(session, node, 60) for node in parameters(recording)),
    ]
    if session.subject is not None:
        parts.append(node_panel(state, session.subject, 60, 40))
    texts = [part.plain for part in parts]
    texts.append(draw(session.graph, in_view(session), FRAMED).paint(state, None).plain())
    return "\n".join([*texts, session.said, source(recording)])


def source(recording: Recording) -> str:
    """The statements of a scenario or a program, without its lesson."""
    made = recording.node(0).place if recording.size else None
    of = recording.source_of(made) if made else None
    return "\n".join(of.lines[(made.line or 1) - 1 :]) if of and made else ""
