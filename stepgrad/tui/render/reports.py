"""Answers that take more than a line: the paths to the output, and what an edit has changed."""

from __future__ import annotations

from collections import Counter

from textual.content import Content

from stepgrad.engine.notation import power
from stepgrad.numbers import factor, gradient, number
from stepgrad.recording.recording import Recording
from stepgrad.replay.cursor import Cursor
from stepgrad.replay.derivatives import derivative
from stepgrad.replay.difference import Difference, differences
from stepgrad.replay.ledger import latest_pass
from stepgrad.replay.paths import Path, paths
from stepgrad.replay.session import Session
from stepgrad.replay.state import State
from stepgrad.replay.titles import short_title, title
from stepgrad.tui.render import ink

_NUMBER = 11
_STATIONS = 10
"""Up to so many nodes of a path are named."""


def paths_report(session: Session) -> Content:
    """Return how many paths lead from the subject to the output, and what the weightiest bring.

    They are those of the gradients that there are or will be: from the output of the step at hand.
    """
    recording, node, state = session.recording, session.subject, session.state
    root = state.destination
    if node is None or root is None:
        return Content("Nothing is differentiated here: there is no output that paths lead to.")
    name, output = title(recording, node), short_title(recording, root)
    if state.value(root) is None:
        return Content(
            f"{output} is not made yet. Press f for the end of the forward pass, "
            f"select {name} there, and press x again."
        )
    if node == root:
        return Content(f"{name} is the output itself: ∂{output}/∂{output} = 1.")
    found = paths(recording, root, node, _when(state, root))
    if not found.count:
        return Content(f"No path leads from {name} to {output}.")
    many = "one path leads" if found.count == 1 else f"{found.count} paths lead"
    return ink.lines(
        [(f"{many} from {name} to {output}; ", ink.NAME),
         (f"{derivative(output, name)} = ", ink.QUIET),
         (number(found.total), ink.sign(found.total))],
        *(_path(recording, path) for path in found.weightiest),
    )  # fmt: skip


def _when(state: State, root: int) -> int:
    """The position whose values make the local derivatives: not what an update wrote since."""
    block = latest_pass(state.recording, state.position)
    return block.start if block is not None and block.root == root else state.position


def _path(recording: Recording, path: Path) -> list[ink.Span]:
    ways = [short_title(recording, node) for node in path.nodes]
    if len(ways) > _STATIONS:
        ways[3:-2] = [f"… {len(ways) - 5} more …"]
    repeated = Counter(path.locals)
    factors = "·".join(power(factor(local), times) for local, times in repeated.items()) or "1"
    return [(f"{number(path.product):>{_NUMBER}}", ink.sign(path.product)),
            (f" = {factors}  ", ink.PLAIN), (" → ".join(ways), ink.QUIET)]  # fmt: skip


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
