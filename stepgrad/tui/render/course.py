"""The course in the gallery: a line for each lesson, where a person is, and what it builds on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual.content import Content

from stepgrad.course.progress import DONE, SEEN, Mark, Progress
from stepgrad.tui.render import ink


def heading(course_title: str, progress: Progress, titles: Mapping[str, str]) -> Content:
    """Say how far a person is in a course, and with which lesson to continue."""
    course = list(titles)
    counts = [
        f"{symbol} {count} {word}"
        for symbol, word in ((DONE, "done"), (SEEN, "seen"))
        if (count := progress.number(symbol, course))
    ]
    current = progress.current(course)
    far = f"{'  '.join(counts)}  of {len(course)}" if counts else ""
    onward = f"continue: {titles[current]}" if current else "" if far else "choose a lesson"
    said = " · ".join(filter(None, (far, onward)))
    return Content.assemble((f" {course_title}  ", ink.NAME), said)


def line(title: str, mark: Mark, width: int) -> Content:
    """A lesson in the list: its mark, its title, and at the right the best score of its quiz."""
    told = Content(f"{mark.symbol} {title}")
    if not mark.score:
        return told
    room = max(width - len(mark.score) - 2, 0)
    return Content.assemble(
        told.truncate(room, ellipsis=True, pad=True), "  ", (mark.score, ink.QUIET)
    )


def about(command: str, mark: Mark, before: Sequence[tuple[str, Mark]], *, fails: bool) -> Content:
    """What to know of a lesson besides its text: its command, its quiz, and what it builds on."""
    lines = [f"stepgrad run {command}"]
    if fails:
        lines.append(f"stepgrad check {command}: fails, as it is meant to")
    if mark.score:
        lines.append(f"quiz: {mark.score} right, at best")
    if before:
        lines.append("builds on:")
        lines += [f"{mark.symbol} {title}" for title, mark in before]
    return Content.styled("\n".join(lines), ink.QUIET)
