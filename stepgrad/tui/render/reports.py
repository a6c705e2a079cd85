"""Answers that take more than a line: the paths to the output, and what an edit has changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from textual.content import Content

from stepgrad.engine.notation import power
from stepgrad.numbers import factor, gradient, number
from stepgrad.recording.recording import Recording
from stepgrad.replay.cursor import Cursor
from stepgrad.replay.derivatives import derivative
from stepgrad.replay.difference import Change, Difference, differences
from stepgrad.replay.paths import Path, Paths, paths
from stepgrad.replay.session import Session
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
        return Content(f"{name} is the output itself: {derivative(output, output)} = 1.")
    found = paths(recording, root, node, state.seen_by(root))
    if not found.count:
        return Content(f"No path leads from {name} to {output}.")
    many = "one path leads" if found.count == 1 else f"{found.count} paths lead"
    return ink.lines(
        [(f"{many} from {name} to {output}; ", ink.NAME),
         (f"{derivative(output, name)} = ", ink.QUIET),
         (number(found.total), ink.sign(found.total))],
        *(_path(recording, path) for path in found.weightiest),
        *_unlisted(found),
    )  # fmt: skip


def _unlisted(found: Paths) -> Iterator[list[ink.Span]]:
    """Say how many paths there are besides, and what they bring together."""
    more = found.count - len(found.weightiest)
    if more:
        rest = found.total - sum(path.product for path in found.weightiest)
        yield [(f"… {more:,} more, together {number(rest)}", ink.QUIET)]


def _path(recording: Recording, path: Path) -> list[ink.Span]:
    ways = [short_title(recording, node) for node in path.nodes]
    if len(ways) > _STATIONS:
        ways[2:-2] = [f"… {len(ways) - 4} more …"]
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
    rates = {"tangent" if _in_forward_mode(row) else "gradient": None for row in rows}
    heads = ("", "value", "change", " or ".join(rates))
    columns = [
        [(row.name, ink.NAME) for row in rows],
        _changes([row.value for row in rows]),
        [_by(*row.value) for row in rows],
        _changes([row.tangent if _in_forward_mode(row) else row.grad for row in rows]),
    ]
    return ink.lines(*map(list, zip(*map(_column, heads, columns), strict=True)))


def _in_forward_mode(row: Difference) -> bool:
    return row.tangent != (None, None)


def _column(head: str, cells: Sequence[ink.Span]) -> list[ink.Span]:
    """A column as wide as what stands in it, with its heading."""
    width = max(len(head), *(len(text) for text, _ in cells))
    padded = [(f"{text:<{width}}  ", style) for text, style in cells]
    return [(f"{head:^{width}}  ", ink.QUIET), *padded]


def _changes(changes: Sequence[Change]) -> list[ink.Span]:
    """Numbers before and after, the arrows below each other; once, where one stayed the same."""
    told = [_told(change) for change in changes]
    wide = max(len(before) for before, _ in told)
    return [
        (f"{before:>{wide}} → {after}", ink.sign(change[1]))
        if change[0] != change[1]
        else (f"{before:>{wide}}", ink.QUIET)
        for change, (before, after) in zip(changes, told, strict=True)
    ]


def _told(change: Change) -> tuple[str, str]:
    """Two numbers with six digits, or with up to eight where only these tell them apart."""
    before, after = map(gradient, change)
    if before == after and None not in change:
        for digits in (7, 8):
            texts = [number(x, digits) for x in change if x is not None]
            if texts[0] != texts[1]:
                return texts[0], texts[1]
    return before, after


def _by(before: float | None, after: float | None) -> ink.Span:
    """By how much a number changed: of a nudge, the numbers themselves show hardly a digit."""
    by = after - before if before is not None and after is not None else 0.0
    return f"{'+' * (by > 0)}{number(by)}" if by else "", ink.sign(by)
