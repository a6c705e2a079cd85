"""A verdict as text for a person."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isfinite

from stepgrad.checking.comparison import FAINTEST, Comparison
from stepgrad.checking.verdict import Verdict


def verdict_line(verdict: Verdict, width: int) -> str:
    """Sum up the verdict in a line; the name of the file is padded to `width`."""
    promises = verdict.promises
    gated = [way for way in verdict.ways if way.limit is not None and way.compared]
    kept = f"checks {sum(each.ok for each in promises)}/{len(promises)}" if promises else ""
    agreed = ""
    if gated:
        gradients = max(way.compared for way in gated)
        agreed = f"gradients {gradients:,} in {sum(way.ok for way in gated)}/{len(gated)} ways"
    if gated and verdict.passes > gated[0].passes:
        agreed += f", {gated[0].passes} of {verdict.passes:,} passes"
    status = f", exit status {verdict.status}" if verdict.status else ""
    return f"{verdict.file:<{width}}  {kept:<13}  {agreed:<26}  {verdict.word}{status}"


def verdict_details(verdict: Verdict, *, verbose: bool) -> Iterator[str]:
    """Yield what is wrong with a file, and all comparisons if one differs or if `verbose`."""
    for promise in verdict.promises:
        yield from promise.details
    if verdict.broken:
        yield verdict.broken
    if verdict.note:
        yield verdict.note
    if verdict.ways and (verbose or not all(way.ok for way in verdict.ways)):
        yield from comparison_lines(verdict.ways)


def comparison_lines(comparisons: Sequence[Comparison]) -> Iterator[str]:
    """Yield a table of other ways to compute the gradients, and where they first differ.

    A way without a limit is shown with its own error.
    """
    yield f"{'way':<20}{'gradients':>9}{'difference':>12}{'limit':>8}"
    for each in comparisons:
        yield _comparison_line(each).rstrip()
        notes = [f"{each.skipped:,} not finite, not compared"] if each.skipped else []
        notes += filter(None, (each.note, each.odds))
        if notes:
            yield f"    {'; '.join(notes)}"
    for first in dict.fromkeys(each.first for each in comparisons if each.first):
        yield f"first to differ: {first}"


def _comparison_line(each: Comparison) -> str:
    if not each.compared:
        return f"{each.way:<20}{0:>9}"
    worst = f"{each.worst:.1e}" if each.worst else "0"
    limit, verdict = "", ""
    if each.limit is not None:
        limit, verdict = f"{each.limit:.0e}", "ok" if each.ok else "FAILED"
    elif each.own_error is not None and each.worst and isfinite(each.own_error):
        limit = f"±{each.own_error:.0e}" if each.own_error > FAINTEST else "±0"
    if each.odds:
        verdict = "FAILED"
    where = f"  at {each.where}" if each.worst else ""
    return f"{each.way:<20}{each.compared:>9,}{worst:>12}{limit:>8}  {verdict:<6}{where}"
