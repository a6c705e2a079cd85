"""The steps of a lesson: all of them in a column, or the current one in a strip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.content import Content

from stepgrad.course.glossary import mentions
from stepgrad.replay.commands.hints import Keymap
from stepgrad.replay.lesson.following import Lesson
from stepgrad.replay.lesson.marks import key_of
from stepgrad.tui.render import ink
from stepgrad.tui.render.lesson import code_span, lesson, pressing

ROWS = 3
"""How high the strip is."""

PLACE = "underline"
WORD = "underline"
"""The style of a word that the glossary explains at a click."""
DUE = f"{ink.CURRENT} reverse"
"""The style of the key to press next."""


class _Shown:
    """Shows the code spans of the step to look at: keys that have been pressed are quiet."""

    def __init__(self, of: Lesson, keys: Keymap) -> None:
        step = of.steps[of.shown]
        self._places = step.places
        self._keys = keys
        self._pressed = len(step.demands) if of.explaining else of.due

    def __call__(self, code: str) -> ink.Span:
        text, style = code_span(code, self._keys)
        key = key_of(code)
        if code in self._places:
            return text, PLACE
        if key is None or not key.awaited:
            return text, style
        self._pressed -= 1
        if self._pressed < 0:
            return text, f"{DUE} {pressing(key)}" if self._pressed == -1 else style
        return text, ink.QUIET


@dataclass(frozen=True, slots=True)
class Column:
    """All steps below each other, and which lines are those of the current one."""

    lines: Sequence[Content]
    current: range


def column(of: Lesson, width: int, keys: Keymap, end: Content) -> Column:
    """Return the steps, the current one bright, those before it ticked; `end` follows the last."""
    lines: list[Content] = []
    ticked, bright = of.ticked, range(0)
    for number, step in enumerate(of.steps):
        now = number == of.shown
        code = _Shown(of, keys) if now else lambda code: code_span(code, keys)
        mark = ("✓ ", ink.FORWARD) if number < ticked else ("▶ " if now else "  ", ink.CURRENT)
        text = lesson(step.markdown, width - 2, code, explained if now else _as_it_is)
        if lines:
            lines.append(Content())
        start = len(lines)
        lines += [
            ink.line(("  ", "") if i else mark) + (line if now else line.stylize(ink.QUIET))
            for i, line in enumerate(text)
        ]
        if now:
            bright = range(start, len(lines))
    if of.done and not of.explaining:
        bright = range(len(lines) + 1, len(lines) + 2)
        lines += [Content(), *end.wrap(max(width, 1))]
    return Column(lines, bright)


def strip(of: Lesson, width: int, keys: Keymap, end: Content) -> Content:
    """Return the current step in `ROWS` lines, with its number, and with the next key in view.

    If it is longer than that, the last line names the key that shows all. Of a step that is done,
    and explains what is to be seen, it is the end. At the end of the lesson it is what to do next.
    """
    if of.shown == len(of.steps):
        return Content("\n").join(end.wrap(max(width, 1)))
    step = of.steps[of.shown]
    number = f"{of.shown + 1}/{len(of.steps)}"
    room = max(width - len(number) - 2, 8)
    text = [*lesson(step.markdown, room, _Shown(of, keys), explained)]
    if of.explaining or (not step.demands and len(text) <= ROWS):
        text = _and_on(text, room, keys, len(text) + 1 if of.explaining else ROWS)
    due = next((i for i, line in enumerate(text) if _has_due(line)), of.explaining * len(text))
    first = max(0, min(due - 1, len(text) - ROWS)) if due >= ROWS else 0
    shown = text[first : first + ROWS]
    if first + ROWS < len(text):
        shown[-1] = _and_more(shown[-1], room, keys)
    mark = "✓" if of.explaining else "…" if first else " "
    gutters = [f"{number}{mark} ", *[" " * (len(number) + 2)] * ROWS]
    return Content("\n").join(
        Content.styled(gutter, ink.NAME) + line
        for gutter, line in zip(gutters, shown, strict=False)
    )


def explained(text: Content) -> Content:
    """Mark the words of the glossary, which a click explains."""
    for start, end, entry in mentions(text.plain):
        text = text.stylize(f"{WORD} {ink.doing('explain', entry.word)}", start, end)
    return text


def _as_it_is(text: Content) -> Content:
    return text


def _has_due(line: Content) -> bool:
    return any(str(span.style).startswith(DUE) for span in line.spans)


def _and_more(line: Content, room: int, keys: Keymap) -> Content:
    """Say at the end of a line which key shows the rest, if there is such a key."""
    for key in keys.get("show_lesson", ())[:1]:
        more = ink.line(("… ", ink.QUIET), (f"{key} shows all", ink.CURRENT))
        return line.wrap(max(room - more.cell_length - 1, 1))[0].rstrip() + " " + more
    return line


def _and_on(lines: list[Content], room: int, keys: Keymap, rows: int) -> list[Content]:
    """Say after the last line which key goes on, if there is such a key and room in the rows."""
    for key in keys.get("jump", ())[:1]:
        hint = ink.line((f"{key} ", ink.CURRENT), ("goes on", ink.QUIET))
        if lines and lines[-1].cell_length + 2 + hint.cell_length <= room:
            return [*lines[:-1], lines[-1] + "  " + hint]
        if len(lines) < rows:
            return [*lines, hint]
    return lines


def ending(keys: Keymap, *, onward: bool, below: str) -> Content:
    """Return the line at the end of a lesson, which may lead `onward` to another.

    `below` is what one comes back to.
    """
    named = (("jump", "next lesson" * onward), ("predict", "predict it"), ("quit", below))
    hints = [f"{keys[name][0]}: {does}" for name, does in named if does and keys.get(name)]
    return ink.line(("✓ done", ink.FORWARD), *((f" · {hint}", ink.CURRENT) for hint in hints))
