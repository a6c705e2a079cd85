"""The help by ear: in brief, a group of commands, or one command."""

from __future__ import annotations

from collections.abc import Iterator

from stepgrad.course.glossary import look_up
from stepgrad.errors import StepgradError
from stepgrad.plain.words import SPOKEN_KEYS, read_message, sentence
from stepgrad.replay.commands.script import read
from stepgrad.replay.commands.table import GROUPS, Command
from stepgrad.replay.telling.spoken import read_out, spoken_key

INTRODUCTION = (
    "Type a key or the name of a command, then Enter: s, or step.",
    "Small letters go forward, capital letters go back. "
    "A number before a key repeats it: 5s is five steps.",
    "What a key asks for may follow it: colon w1 goes to w1, slash h selects h, e 0.7 edits.",
    "The digits answer questions: 1 the tape, 2 the node at hand, 3 its line, 4 the graph around "
    "it, 5 the last event, 6 where this is, 7 the next part of the lesson, 8 parameters, "
    "9 training.",
    "An empty line says again where this is. q leaves; while something is asked, escape leaves "
    "the question.",
)

ELSEWHERE = {
    "play": "read on: to the end of the phase, or five events with 5 play",
    "faster": "there is no speed here: a voice reads",
    "slower": "there is no speed here: a voice reads",
    "zoom_in": "zoom in: for the picture on the screen only",
    "zoom_out": "zoom out: for the picture on the screen only",
    "fit": "fit the graph: for the picture on the screen only",
    "show_lesson": "the next part of the lesson",
    "next_panel": "what the next panel says",
    "previous_panel": "what the previous panel says",
    "view": "what the graph panel says: nearby nodes, or all nodes",
}
"""What commands do at the prompt, where that is not what they do on the screen."""


def help_told(topic: str) -> Iterator[str]:
    """Explain how to type; or the topic: a word of the glossary, a group of commands, a command."""
    if not topic:
        yield from _introduced()
        return
    entry = look_up(topic)
    group = next((each for each in GROUPS if each.casefold() == topic.strip().casefold()), None)
    if entry is not None:
        yield from map(read_out, (entry.meaning, entry.example))
    if group is not None:
        yield from map(_explained, GROUPS[group])
    if entry is None and group is None:
        try:
            yield _explained(read(topic).command)
        except StepgradError:
            yield sentence(f"There is no command, group or word {topic[:80]}")
            yield f"The groups are {', '.join(GROUPS)}."


def _introduced() -> Iterator[str]:
    yield from INTRODUCTION
    yield from commands_told()
    yield (
        "Question mark and a group, a command or a word of a lesson says more, such as question "
        "mark chain rule."
    )


def commands_told() -> Iterator[str]:
    """Name every command, a sentence for each group."""
    for group, commands in GROUPS.items():
        yield f"{group}: {', '.join(name_said(each) for each in commands)}."


def name_said(command: Command) -> str:
    """Say the name of a command."""
    return command.name.replace("_", " ")


def _explained(command: Command) -> str:
    keys = " or ".join(map(spoken_key, command.keys))
    text = command.panel and f"what the {command.panel} panel says"
    text = ELSEWHERE.get(command.name) or text or command.help
    return sentence(f"{keys}, {name_said(command)}: {read_message(text).rstrip('.')}")


def hint(command: str) -> str:
    """Say the key of a command."""
    return next(iter(SPOKEN_KEYS.get(command, ())), command.replace("_", " "))
