"""`Talk`: a debugger that is typed to; `respond` turns it and a line into the next, and an answer.

The keys and what they do come from the table of commands. What only a screen can do with them
(panels, playing, help) is answered here instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from stepgrad.errors import NotEnoughMemoryError, StepgradError
from stepgrad.plain.help import commands_told, help_told, hint
from stepgrad.plain.news import here, news
from stepgrad.plain.panels import PANELS, expected_told
from stepgrad.plain.reader import Reader
from stepgrad.plain.reports import REPORTS
from stepgrad.plain.words import read_message, sentence
from stepgrad.printable import counted, printable
from stepgrad.progress import advance
from stepgrad.replay.commands import table
from stepgrad.replay.commands.saving import leaving
from stepgrad.replay.commands.script import Press, UnknownCommandError, carry_out, read
from stepgrad.replay.commands.table import Command
from stepgrad.replay.lesson.following import Lesson
from stepgrad.replay.quiz.answers import UNKNOWN
from stepgrad.replay.session import Session
from stepgrad.replay.stops.stop import reason
from stepgrad.replay.telling.sentences import say
from stepgrad.replay.telling.spoken import read_out
from stepgrad.scenario.diagnosed import diagnosed
from stepgrad.scenario.load import ScenarioFile

LEAVE = "escape"
"""What to type to leave a question."""

READ = 100
"""The most events that are read in one answer."""


@dataclass(frozen=True, slots=True)
class Talk:
    """A session, and what has been said.

    The session is of a `scenario`, or of a program, and `lesson` reads what it says of itself.
    `asking` is the command that waits for an answer, `panel` the panel that was told last. It is
    `over` when the person leaves, or `goes_on` to the next lesson.
    """

    session: Session
    scenario: ScenarioFile | None = None
    lesson: Reader = field(default_factory=Reader)
    asking: Command | None = None
    panel: str = ""
    over: bool = False
    goes_on: bool = False


Answer = tuple[Talk, Sequence[str]]


def begin(  # noqa: PLR0913 - what there is to know of a recording
    session: Session,
    title: str,
    text: str,
    scenario: ScenarioFile | None,
    *,
    guides: bool = True,
    onward: bool = False,
) -> Answer:
    """Return the debugger on a session, and say what it is about and what there is to type.

    A text that `guides` is a lesson; at its end, it may lead `onward` to another.
    """
    found = diagnosed(session.recording, scenario)
    lesson = Lesson.of(text, session.recording)
    talk = Talk(session, scenario, Reader(lesson, guides, onward))
    events = counted(session.recording.length, "event")
    opening = [sentence(read_out(printable(title))), f"{events}."]
    opening += [read_message(session.said)] if session.said else []
    if found.open:
        more = f"; {hint('verdicts')} says all {len(found.open)}" * (len(found.open) > 1)
        opening.append(read_message(f"something is wrong: {found.open[0].text}{more}"))
    talk, first = _lesson(talk) if lesson.steps else (talk, ())
    where = here(session) if session.cursor.position else ()
    keys = f"{hint('step')} goes to the next event, {hint('help')} helps, {hint('quit')} leaves."
    return talk, [*opening, *first, *where, keys]


def respond(talk: Talk, line: str) -> Answer:
    """Carry out a typed line; say what is wrong with it, if anything, and what to do instead."""
    try:
        if talk.asking is not None:
            return _answered(talk, talk.asking, line)
        return _performed(talk, read(line)) if line.strip() else (talk, [*here(talk.session)])
    except UnknownCommandError as error:
        return talk, [_unknown(error)]
    except StepgradError as error:
        return talk, [read_message(text) for text in str(error).split("\n")]
    except MemoryError:
        return talk, [read_message(str(NotEnoughMemoryError()))]


def _unknown(error: UnknownCommandError) -> str:
    """Say that there is no such command, and which ones were probably meant."""
    near = f" Did you mean {' or '.join(error.near)}?" if error.near else ""
    return f"There is no command {read_out(error.typed)}.{near} {hint('help').capitalize()} helps."


def leave_question(talk: Talk) -> Answer:
    """Ask no more."""
    return replace(talk, asking=None, session=replace(talk.session, secret=None)), ["Not answered."]


def _performed(talk: Talk, press: Press) -> Answer:
    """Carry out a command, or ask what it wants to know; at the end of a lesson, some lead on."""
    command, over = press.command, talk.lesson.lesson.done
    if command.name == "jump" and talk.lesson.is_for(talk.session):
        return (replace(talk, over=True, goes_on=True), ()) if over else _followed(talk, (), press)
    if command.name == "predict" and over and _is_over(talk.session):
        talk = replace(talk, session=talk.session.go(talk.session.cursor.seek(0)))
    if command.act and command.asks and press.text is None:
        return _ask(talk, command)
    after, said = _carried_out(talk, press)
    return (after, said) if command.name in _OWN else _followed(after, said, press)


def _is_over(session: Session) -> bool:
    return session.cursor.position == session.recording.length


def _followed(talk: Talk, said: Sequence[str], press: Press) -> Answer:
    """Tick what a command has done of the lesson."""
    lesson, more = talk.lesson.after(press.command.name, talk.session, press.times)
    return replace(talk, lesson=lesson), [*said, *more]


def _carried_out(talk: Talk, press: Press) -> Answer:
    command = press.command
    if (own := _OWN.get(command.name)) is not None:
        return own(talk, press)
    if command.panel:
        return _panel(talk, press.alone().panel)
    if command.report:
        return talk, [*REPORTS[press.alone().name](talk.session)]
    if command.act is None:
        return talk, [sentence(f"{command.brief} is for the screen, and changes nothing here")]
    return _became(talk, carry_out(talk.session, press))


def _became(talk: Talk, session: Session) -> Answer:
    """Go on with the session that a command has made, and say what is new in it."""
    return replace(talk, session=session), [*news(talk.session, session)] or [*here(session)]


def _ask(talk: Talk, command: Command) -> Answer:
    """Ask for what a command wants to know."""
    session, question = talk.session, command.brief
    if command.question is not None:
        session, question = command.question(replace(session, said=""))
        talk = replace(talk, session=session)
    said = [read_message(session.said)] if session.said and command.question else []
    if not question:
        return talk, said
    if command.question is None:
        question = f"{question}:"
    return replace(talk, asking=command), [*said, sentence(read_out(question)),
                                           _examples(command.typed(session))]  # fmt: skip


def _examples(form: str) -> str:
    """Say what to type, as it is typed: only signs that no keyboard has are spoken."""
    spoken = form.replace("↔", "and").replace(f"{UNKNOWN} ", "question mark ")
    return sentence(f"Type {spoken}")


def _refused(text: str) -> str:
    """Say why an answer is none; what to write instead is said as it is typed."""
    wrong, write, instead = f"; {text}".partition("; write ")
    wrong = wrong.removeprefix("; ")
    told = [read_message(wrong)] if wrong else []
    return " ".join([*told, sentence(f"Write {instead.replace('−', '-')}")] if write else told)


def _answered(talk: Talk, command: Command, line: str) -> Answer:
    if line.strip().casefold() == LEAVE:
        return leave_question(talk)
    try:
        session = carry_out(talk.session, Press(command, line))
    except StepgradError as error:
        return talk, [_refused(str(error)), f"{LEAVE.capitalize()} leaves the question."]
    after, said = _became(replace(talk, asking=None), session)
    return _followed(after, said, Press(command, line))


def _panel(talk: Talk, name: str) -> Answer:
    """Say what a panel shows; of the lesson, the next part."""
    talk = replace(talk, panel=name)
    if name == "lesson":
        return _lesson(talk)
    told = PANELS.get(name)
    if told is None:
        return talk, [f"The {name} panel is for the screen."]
    said = [*told(talk.session)]
    if name == "timeline" and talk.scenario is not None:
        said += expected_told(talk.session, talk.scenario)
    return talk, said


def _lesson(talk: Talk) -> Answer:
    lesson, said = talk.lesson.read(talk.session)
    return replace(talk, lesson=lesson), said


def _turned(by: int) -> Callable[[Talk, Press], Answer]:
    def turned(talk: Talk, _: Press) -> Answer:
        names = table.PANELS
        at = names.index(talk.panel) + by if talk.panel else min(by, 0)
        name = names[at % len(names)]
        talk, said = _panel(talk, name)
        return talk, [f"{name.capitalize()}.", *said]

    return turned


def _play(talk: Talk, press: Press) -> Answer:
    """Read on: to the end of the phase, or as many events as the count says; or to a stop."""
    session = talk.session
    start = session.cursor.position
    goal = session.cursor.seek(start + press.times) if press.times > 1 else None
    goal = goal or session.cursor.phase_end()
    end, said, lesson = min(goal.position, start + READ), list[str](), talk.lesson
    for position in range(start, end):
        advance(position - start, end - start)
        said.append(say(session.recording, position))
        lesson, more = lesson.after("step", session.go(session.cursor.seek(position + 1)))
        said += more
        if stop := reason(session.recording, session.stops, position):
            said.append(read_message(f"stopped: {stop.text}"))
            end = position + 1
            break
    if start == session.recording.length:
        said.append("This is the end.")
    return replace(talk, session=session.go(session.cursor.seek(end)), lesson=lesson), said


def _quit(talk: Talk, _: Press) -> Answer:
    """Leave; say first what would be lost."""
    if (warned := leaving(talk.session)) is not None:
        return replace(talk, session=warned), [read_message(warned.said)]
    return replace(talk, over=True), ()


def _says(sentences: Callable[[Press], Iterable[str]]) -> Callable[[Talk, Press], Answer]:
    """Make an answer that changes nothing."""
    return lambda talk, press: (talk, [*sentences(press)])


_PICTURE = "Zooming changes the picture on the screen only."
_FITTING = "Fitting changes the picture on the screen only."

_SPEED = "There is no speed here: play reads on to the end of the phase, 5 play five events."

_OWN: Mapping[str, Callable[[Talk, Press], Answer]] = {
    "play": _play,
    "faster": _says(lambda _: [_SPEED]),
    "slower": _says(lambda _: [_SPEED]),
    "zoom_in": _says(lambda _: [_PICTURE]),
    "zoom_out": _says(lambda _: [_PICTURE]),
    "fit": _says(lambda _: [_FITTING]),
    "next_panel": _turned(1),
    "previous_panel": _turned(-1),
    "stop_recording": _says(lambda _: ["Nothing is being recorded."]),
    "palette": _says(lambda _: commands_told()),
    "help": _says(lambda press: help_told(press.text or "")),
    "quit": _quit,
}
"""What commands do here that only the screen can do otherwise."""
