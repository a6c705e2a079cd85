"""Reports: the paths to the output, and what the edits changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby, pairwise

from rich.cells import cell_len
from textual.content import Content

from stepgrad.diagnosis.parting import part
from stepgrad.engine.notation import power
from stepgrad.numbers import factor, gradient, number
from stepgrad.printable import counted
from stepgrad.recording.recording import Recording
from stepgrad.replay.commands.hints import Keymap, key, with_keys
from stepgrad.replay.commands.table import KEYS
from stepgrad.replay.commands.variants import NO_PROGRAM
from stepgrad.replay.difference import Change, Difference, differences
from stepgrad.replay.gradients.between import Edge
from stepgrad.replay.gradients.cuts import cut_set
from stepgrad.replay.gradients.paths import Path, Paths, paths
from stepgrad.replay.session import Session
from stepgrad.replay.telling.derivatives import derivative, partial_at
from stepgrad.replay.telling.titles import short_title, title
from stepgrad.tui.render import ink
from stepgrad.tui.render.listing import Listing, verdicts_report, why_report

_NUMBER = 11
_NAME = 8
"""The fewest cells of a name, however narrow the screen is."""
_STATIONS = 10
"""The most nodes, or factors, of a path to list without a gap."""

_SHUT = 3
"""The most shut edges to name."""


def paths_report(session: Session, keys: Keymap = KEYS, _width: int = 0) -> Content:
    """Return how many paths lead from the subject to the output, and what the largest contribute.

    The output is the root of the training step at hand. Hints name the keys in `keys`. A path may
    be longer than a line of the screen.
    """
    recording, node, state = session.recording, session.subject, session.state
    root = state.destination
    if node is None or root is None:
        return Content("No paths: there is no backward pass here, so there is no output.")
    name, output = title(recording, node), short_title(recording, root)
    if state.value(root) is None:
        hint = (
            f"{output} is not computed yet. Press {key('phase_end')} for the end of the forward "
            f"pass, select {name} there, and press {key('paths')} again."
        )
        return Content(with_keys(hint, keys))
    if node == root:
        return Content(f"{name} is the output itself: {derivative(output, output)} = 1.")
    position = state.seen_by(root)
    found = paths(recording, root, node, position)
    if not found.count:
        return Content(f"No path leads from {name} to {output}.")
    many = "one path leads" if found.count == 1 else f"{found.count:,} paths lead"
    return ink.lines(
        [(f"{many} from {name} to {output}; ", ink.NAME),
         (f"{derivative(output, name)} = ", ink.QUIET),
         (number(found.total), ink.sign(found.total))],
        *_cut(recording, cut_set(recording, root, node, position)),
        *(_path(recording, path) for path in found.weightiest),
        *_unlisted(found),
    )  # fmt: skip


def _cut(recording: Recording, edges: Sequence[Edge]) -> Iterator[list[ink.Span]]:
    """Say which edges shut every path, if none is open."""
    if edges:
        names = [partial_at(recording, edge.out, edge.slot) for edge in edges[:_SHUT]]
        shown = " = ".join([*names, *["…"] * (len(edges) > _SHUT), "0"])
        yield [(f"every path is shut, at {counted(len(edges), 'edge')}: {shown}", ink.QUIET)]


def _unlisted(found: Paths) -> Iterator[list[ink.Span]]:
    """Say how many more paths there are, and the sum of what they contribute."""
    more = found.count - len(found.weightiest)
    if more:
        together = "" if found.rest is None else f", together {number(found.rest)}"
        yield [(f"… {more:,} more{together}", ink.QUIET)]


def _path(recording: Recording, path: Path) -> list[ink.Span]:
    # Where the path is shut, nearest to the output: nothing comes past.
    shut = max((i for i, local in enumerate(path.locals) if local == 0), default=None)
    ways = [short_title(recording, node) for node in path.nodes]
    ways = _shortened(ways, [] if shut is None else [shut, shut + 1])
    runs = _runs(path.locals)
    if len(runs) > _STATIONS:  # a factor of 1 is no news
        runs = _runs([local for local in path.locals if local != 1])
    factors = [power(factor(local), times) for local, times in runs]
    factors = _shortened(factors, [i for i, (local, _) in enumerate(runs) if local == 0])
    return [
        (f"{number(path.product):>{_NUMBER}}", ink.sign(path.product)),
        (f" = {'·'.join(factors) or '1'}  ", ink.PLAIN),
        (" → ".join(ways), ink.QUIET),
    ]


def _runs(factors: Iterable[float]) -> list[tuple[float, int]]:
    """Return each factor with how often it follows itself, in the order of the path."""
    return [(factor_, len(list(run))) for factor_, run in groupby(factors)]


def _shortened(texts: Sequence[str], always: Sequence[int]) -> list[str]:
    """Leave out the middle of a long list, except the places in `always`."""
    if len(texts) <= _STATIONS:
        return list(texts)
    kept = sorted({0, 1, *always, len(texts) - 2, len(texts) - 1})
    shown = [texts[0]]
    for before, place in pairwise(kept):
        missing = place - before - 1
        shown += [f"… {missing} more …"] * (missing > 0)
        shown.append(texts[place])
    return shown


def difference_report(session: Session, keys: Keymap = KEYS, width: int = 0) -> Content:
    """Return the values and gradients at the cursor that the edits changed, and the first event.

    Where that is wider than `width` (0: any), it leaves out by how much, then starts of names.
    """
    if session.program is None:
        return Content(NO_PROGRAM)
    if session.original is None or session.before is None:
        return Content(with_keys(f"There are no edits: {key('edit')} makes one.", keys))
    rows = differences(session.before, session.state)
    parting = part(session.original, session.recording, ("before", "now"))
    if parting is None:
        return Content("Nothing differs: every event is the same.")
    first = f"The first difference is at event {parting.event}: {parting.text}."
    if not rows:
        yet = " yet" if session.cursor.position < parting.event else " here"
        return Content(f"Nothing differs{yet}. {first}")
    rates = {"tangent" if _in_forward_mode(row) else "gradient": None for row in rows}
    names = [("", ink.NAME), *((row.name, ink.NAME) for row in rows)]
    values = _column("value", _changes([row.value for row in rows]))
    by = _column("change", [_by(*row.value) for row in rows])
    derived = _column(
        " or ".join(rates),
        _changes([row.tangent if _in_forward_mode(row) else row.grad for row in rows]),
    )
    most, columns = _widest(names), [values, by, derived]
    if width and most + sum(map(_widest, columns)) > width:
        columns.remove(by)
        most = min(most, max(width - sum(map(_widest, columns)), _NAME))
    named = [(ink.fit_name(name, most), style) for name, style in names]
    table = map(list, zip(named, *columns, strict=True))
    return ink.lines(*table, [], [(first, ink.QUIET)])


def _in_forward_mode(row: Difference) -> bool:
    return row.tangent != (None, None)


def _column(head: str, cells: Sequence[ink.Span]) -> list[ink.Span]:
    """A column as wide as its widest cell, with its heading, after a gap."""
    width = max(len(head), _widest(cells))
    return [
        (f"  {head:^{width}}", ink.QUIET),
        *((f"  {text:<{width}}", style) for text, style in cells),
    ]


def _widest(cells: Sequence[ink.Span]) -> int:
    return max(cell_len(text) for text, _ in cells)


def _changes(changes: Sequence[Change]) -> list[ink.Span]:
    """Numbers before and after, with aligned arrows; one number where nothing changed."""
    told = [_told(change) for change in changes]
    wide = max(len(before) for before, _ in told)
    return [
        (f"{before:>{wide}} → {after}", ink.sign(change[1]))
        if change[0] != change[1]
        else (f"{before:>{wide}}", ink.QUIET)
        for change, (before, after) in zip(changes, told, strict=True)
    ]


def _told(change: Change) -> tuple[str, str]:
    """Two numbers with six digits, or with as many more as it takes to tell them apart."""
    before, after = map(gradient, change)
    if before == after and None not in change:
        for digits in range(7, 18):
            texts = [number(x, digits) for x in change if x is not None]
            if texts[0] != texts[1]:
                return texts[0], texts[1]
    return before, after


def _by(before: float | None, after: float | None) -> ink.Span:
    """By how much a number changed: after a nudge, the numbers themselves hardly show it."""
    by = after - before if before is not None and after is not None else 0.0
    return f"{'+' * (by > 0)}{number(by)}" if by else "", ink.sign(by)


REPORTS: Mapping[str, Callable[[Session, Keymap, int], Content | Listing]] = {
    "difference": difference_report,
    "paths": paths_report,
    "verdicts": verdicts_report,
    "why": why_report,
}
"""The report of each command that has one, with hints that name keys, for a width (0: any)."""
