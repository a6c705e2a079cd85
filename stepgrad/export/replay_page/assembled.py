"""The page: its parts written into the frame (`page.html`), as HTML and as data."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from stepgrad.export.figure import figure_of
from stepgrad.export.legend import legend
from stepgrad.export.replay_page.drawing import Room, graph
from stepgrad.export.replay_page.events import event, spans, stops
from stepgrad.export.replay_page.lesson import keys, lesson
from stepgrad.export.replay_page.tape import tape
from stepgrad.export.replay_page.views import View
from stepgrad.export.svg_style import DARK, LIGHT
from stepgrad.printable import counted, printable
from stepgrad.recording.recording import Recording
from stepgrad.replay.commands.table import BY_NAME
from stepgrad.scenario.diagnosed import diagnosed
from stepgrad.scenario.load import ScenarioFile
from stepgrad.version import __version__

_HERE = Path(__file__).parent

_ICONS = {
    "start": "M6 5v14M18 5l-7 7 7 7",
    "phase_start": "M12 5l-7 7 7 7M19 5l-7 7 7 7",
    "step_back": "M15 5l-7 7 7 7",
    "play": "M8 5v14l11-7z",
    "step": "M9 5l7 7-7 7",
    "phase_end": "M5 5l7 7-7 7M12 5l7 7-7 7",
    "end": "M18 5v14M6 5l7 7-7 7",
}
"""The commands that have a button, each with its icon."""

_PAUSE = "M7 5h3.5v14H7zM13.5 5H17v14h-3.5z"


@dataclass(frozen=True, slots=True)
class About:
    """What a recording is called and what is said of it; `command` opens it in the terminal.

    In the command, `{}` is the position.
    """

    title: str
    lesson: str = ""
    command: str = ""
    scenario: ScenarioFile | None = None

    @classmethod
    def of(
        cls, recording: Recording, scenario: ScenarioFile | None = None, command: str = ""
    ) -> About:
        """Take the words of a scenario, or those that a program says of itself."""
        source = recording.source
        if scenario is not None:
            return cls(scenario.title, scenario.lesson, command, scenario)
        title = recording.title or recording.name or "A replay"
        return cls(title, source.docstring if source else "", command)


def replay_page(recording: Recording, ends: Sequence[int], about: About, at: int) -> str:
    """Write the replay of the training steps that have these ends; it opens at a position."""
    views = [View(recording, each) for each in ends]
    frames, drawn = _drawn(views)
    script = (_HERE / "page.js").read_text(encoding="utf-8")
    positions = [view.positions for view in views]
    names = [_name(view, number) for number, view in enumerate(views)]
    data = {
        "at": at,
        "keys": keys(),
        "stops": stops(recording, (each for shown in positions for each in shown)),
        "views": [
            _data(view, frame, name) for view, frame, name in zip(views, frames, names, strict=True)
        ],
    }
    page = Template((_HERE / "page.html").read_text(encoding="utf-8"))
    return page.substitute(
        title=escape(printable(about.title)),
        about=escape(_about(recording, views, about.title)),
        version=__version__,
        style=_style(),
        script=script,
        script_hash=f"sha256-{b64encode(sha256(script.encode()).digest()).decode()}",
        lesson=_lesson(recording, about, positions),
        more=_more(about),
        buttons="\n".join(_buttons()),
        steps=_steps(names),
        views="\n".join(drawn),
        data=_within_script(data),
    )


def _drawn(views: Sequence[View]) -> tuple[Sequence[int], Sequence[str]]:
    """Draw each step; those that look alike share a drawing. Returns which each has, and all."""
    room, drawings = Room(views), dict[str, int]()
    frames = [drawings.setdefault(_drawing(view, room), len(drawings)) for view in views]
    return frames, [
        f'<template id="view{number}">{drawing}</template>' for drawing, number in drawings.items()
    ]


def _drawing(view: View, room: Room) -> str:
    state = view.last.state
    told = legend(figure_of(state, "", view.drawn, "the tape has all of them"), 1)
    return "\n".join((
        *graph(view, room), *tape(view), f'<p class="legend">{"<br>".join(map(escape, told))}</p>',
    ))  # fmt: skip


def _data(view: View, frame: int, name: str) -> Mapping[str, Any]:
    return {
        "name": name,
        "drawn": frame,
        "ordinal": view.last.state.step_ordinal if len(view.recording.steps) > 1 else None,
        "begin": view.begin,
        "first": view.positions[0],
        "last": view.end,
        "phases": spans(view.recording, view.begin, view.end),
        "events": [event(view.recording, position) for position in view.positions],
        "parts": [
            [(position, style, *texts) for position, (style, texts) in history]
            for history in view.histories
        ],
    }


def _name(view: View, number: int) -> str:
    step = view.last.state.step
    if step is not None:
        return f"step {step}"
    return "before the first step" if view.last.state.step_ordinal is None else f"pass {number + 1}"


def _within_script(data: Any) -> str:
    """Write JSON that does not end the element it is in, whatever its texts are."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _about(recording: Recording, views: Sequence[View], title: str) -> str:
    """Say what was recorded, and how much of it the page has."""
    told = ["" if recording.name == title else recording.name, counted(recording.length, "event")]
    shown = sum(view.end - view.begin for view in views)
    if shown < recording.length:
        told.append(f"{shown:,} of them here")
    told += filter(None, (recording.incomplete, f"bug: {recording.world}" * bool(recording.world)))
    return printable(" · ".join(filter(None, told)))


def _style() -> str:
    light, dark = (
        "".join(f"--{name}: {colour}; " for name, colour in colours.items())
        for colours in (LIGHT, DARK)
    )
    return "\n".join((
        f":root {{ {light}--rule: #d9dee3 }}",
        "@media screen and (prefers-color-scheme: dark) "
        f"{{ :root:not([data-theme=light]) {{ {dark}--rule: #30343b }} }}",
        f"@media screen {{ :root[data-theme=dark] {{ {dark}--rule: #30343b }} }}",
        (_HERE / "page.css").read_text(encoding="utf-8"),
    ))  # fmt: skip


def _lesson(recording: Recording, about: About, positions: Sequence[range]) -> str:
    found = diagnosed(recording, about.scenario).open
    verdicts = "".join(
        f"<li>{escape(printable(verdict.text))}{_links(verdict.events, positions)}</li>"
        for verdict in found
    )
    told = f'<ul class="verdicts">{verdicts}</ul>' if verdicts else ""
    text = lesson(about.lesson, recording, positions) if about.lesson.strip() else ""
    if not (told or text):
        return ""
    return f'<section class="lesson" aria-label="lesson">{told}{text}</section>'


def _links(events: Sequence[int], positions: Sequence[range]) -> str:
    shown = (each for each in events if any(each in range_ for range_ in positions))
    first = next(shown, None)
    return "" if first is None else f' · <a href="#{first}">event {first:,}</a>'


def _more(about: About) -> str:
    """Say how to get to what the page does not do, where a command leads there."""
    if not about.command:
        return ""
    command = escape(printable(about.command))
    return (
        "<p>To try other numbers, predict the next one, or ask why a number is what it is, "
        "open this moment in the terminal: "
        f'<code data-at="{command}">{command.replace("{}", "0")}</code></p>'
    )


def _buttons() -> Iterator[str]:
    for name, path in _ICONS.items():
        command = BY_NAME[name]
        label = escape(command.brief)
        keys = " or ".join(command.keys)
        icon = f'<path class="play" d="{path}"/><path class="pause" d="{_PAUSE}"/>'
        icon = icon if name == "play" else f'<path d="{path}"/>'
        yield (
            f'<button data-do="{name}" aria-label="{label}" title="{label} ({escape(keys)})">'
            f'<svg viewBox="0 0 24 24" aria-hidden="true">{icon}</svg></button>'
        )


def _steps(names: Sequence[str]) -> str:
    """Return a slider over the steps, where there are several."""
    if len(names) < 2:
        return ""
    return (
        f'<label><span id="step-name">{escape(names[0])}</span>'
        f'<input type="range" id="step" min="0" max="{len(names) - 1}" value="0" '
        'aria-label="training step"></label>'
    )
