"""Answers that take more than a line: the paths to the output, and what an edit has changed."""

from __future__ import annotations

from textual.content import Content

from stepgrad.numbers import factor, gradient, number
from stepgrad.recording.recording import Recording
from stepgrad.replay.cursor import Cursor
from stepgrad.replay.difference import Difference, differences
from stepgrad.replay.ledger import latest_pass
from stepgrad.replay.paths import Path, paths
from stepgrad.replay.session import Session
from stepgrad.replay.titles import short_title, title
from stepgrad.tui.render import ink

_NUMBER = 11


def paths_report(session: Session) -> Content:
    """Return how many paths lead from the subject to the output, and what the weightiest bring."""
    recording, node = session.recording, session.subject
    block = latest_pass(recording, session.cursor.position)
    if node is None or block is None:
        return Content("No backward pass has begun yet: press f, then x again.")
    found = paths(recording, block, node)
    name, root = title(recording, node), short_title(recording, block.root)
    if not found.count:
        return Content(f"No path leads from {name} to {root}.")
    many = "one path leads" if found.count == 1 else f"{found.count} paths lead"
    return ink.lines(
        [(f"{many} from {name} to {root}; ", ink.NAME), (f"∂{root}/∂{name} = ", ink.QUIET),
         (number(found.total), ink.sign(found.total))],
        *(_path(recording, path) for path in found.weightiest),
    )  # fmt: skip


def _path(recording: Recording, path: Path) -> list[ink.Span]:
    ways = " → ".join(short_title(recording, node) for node in path.nodes)
    factors = "·".join(map(factor, path.locals)) or "1"
    return [(f"{number(path.product):>{_NUMBER}}", ink.sign(path.product)),
            (f" = {factors}  ", ink.PLAIN), (ways, ink.QUIET)]  # fmt: skip


def difference_report(session: Session) -> Content:
    """Return the values and gradients at the cursor that are other than in the original."""
    if session.original is None or not session.edits:
        return Content("Nothing was edited: e edits a number.")
    before = Cursor(session.original).seek(session.cursor.position).state
    rows = differences(before, session.state)
    if not rows:
        ahead = session.cursor.position < session.recording.length
        return Content(f"No number is another by this position{': go on with s' * ahead}.")
    width = max(len(row.name) for row in rows)
    head: list[ink.Span] = [(f"{'':<{width}}  {'value':^25}  {'gradient':^25}", ink.QUIET)]
    return ink.lines(head, *(_difference(row, width) for row in rows))


def _difference(row: Difference, width: int) -> list[ink.Span]:
    return [(f"{row.name:<{width}}", ink.NAME), *_change(*row.value), *_change(*row.grad)]


def _change(before: float | None, after: float | None) -> list[ink.Span]:
    """A number before and after; once, where it has stayed the same."""
    if before == after:
        return [(f"  {_told(before):>{_NUMBER}}   {'':<{_NUMBER}}", ink.QUIET)]
    return [
        (f"  {_told(before):>{_NUMBER}} → ", ink.QUIET),
        (f"{_told(after):<{_NUMBER}}", ink.sign(after)),
    ]


def _told(x: float | None) -> str:
    """A number with up to eight digits, where they fit: a nudge changes the last ones."""
    text = gradient(x)
    if x is None or not text[-1].isdecimal() or text == "~0":
        return text
    return next((more for n in (8, 7) if len(more := number(x, n)) <= _NUMBER), text)
