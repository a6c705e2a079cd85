"""A result as text for a person."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isfinite

from stepgrad.checking.comparison import Comparison
from stepgrad.checking.result import Result
from stepgrad.engine.closeness import FAINTEST
from stepgrad.printable import counted
from stepgrad.scenario.expect import matches

_LARGE = 0.01
"""A difference that a reader takes for a mistake."""


def result_line(result: Result, width: int) -> str:
    """Sum up the result in a line; the name of the file is padded to `width`."""
    promises = result.promises
    gated = [way for way in result.ways if way.limit is not None and way.compared]
    kept = matches(sum(each.ok for each in promises), len(promises)) if promises else ""
    agreed = ""
    if gated:
        gradients = max(way.compared for way in gated)
        agreed = f"gradients {gradients:,} in {sum(way.ok for way in gated)}/{len(gated)} ways"
    if gated and result.passes > gated[0].passes:
        agreed += f", {gated[0].passes} of {result.passes:,} passes"
    status = f", exit status {result.status}" if result.status else ""
    count = len(result.findings)
    found = f", {counted(count, 'verdict')}" if count else ""
    return f"{result.file:<{width}}  {kept:<24}  {agreed:<26}  {result.word}{found}{status}"


def result_details(result: Result, *, verbose: bool) -> Iterator[str]:
    """Yield what is wrong with a file, and all comparisons if one differs or if `verbose`."""
    for promise in result.promises:
        yield from promise.details
    yield from filter(None, (result.failure, result.broken))
    if result.note:
        yield result.note
    if result.ways and (verbose or not all(way.ok for way in result.ways)):
        yield from comparison_lines(result.ways, [each.text for each in result.findings])
    yield from finding_lines(result)


def finding_lines(result: Result) -> Iterator[str]:
    """Yield the verdicts that nothing promises, and what is wrong with those that are promised."""
    for each in result.findings:
        yield f"{each.verdict}: {each.text} ({each.evidence})"
        yield f"    {each.advice}"
    yield from result.diagnosis.broken


def comparison_lines(
    comparisons: Sequence[Comparison], verdicts: Sequence[str] = ()
) -> Iterator[str]:
    """Yield a table of other ways to compute the gradients, and where they first differ.

    Not where that is what one of the `verdicts` says, which are told below.
    A way without a limit is shown with its own error, and fails only what it plainly contradicts.
    """
    yield f"{'way':<20}{'gradients':>9}{'difference':>12}{'limit':>8}"
    for each in comparisons:
        yield _comparison_line(each).rstrip()
        notes = [f"{each.skipped:,} not finite, not compared"] if each.skipped else []
        notes += filter(None, (_why_it_is_no_failure(each), each.note, each.odds))
        if notes:
            yield f"    {'; '.join(notes)}"
    for first in dict.fromkeys(each.first for each in comparisons if each.first):
        if not any(text.startswith(first) for text in verdicts):
            yield f"first to differ: {first}"


def _why_it_is_no_failure(each: Comparison) -> str:
    """Say what a large difference means where a way without a limit does not fail."""
    if each.limit is not None or not each.ok or each.worst <= _LARGE:
        return ""
    return "no failure: near a kink, or with few digits left, this way proves nothing"


def _comparison_line(each: Comparison) -> str:
    if not each.compared:
        return f"{each.way:<20}{0:>9}"
    worst = f"{each.worst:.1e}" if each.worst else "0"
    limit = "none" if each.limit is None else f"{each.limit:.0e}"
    word = "ok" if each.ok else "FAILED"
    where = f"  at {each.where}" if each.worst else ""
    if each.own_error is not None and each.worst and isfinite(each.own_error):
        error = f"{each.own_error:.0e}" if each.own_error > FAINTEST else "0"
        where += f", by a slope known to ±{error}"
    return f"{each.way:<20}{each.compared:>9,}{worst:>12}{limit:>8}  {word:<6}{where}"
