"""Backward passes that a program's own engine runs: each contribution against the right one.

The other ways compute gradients again with our rules, and compare results. Here the rules are the
program's, so they are judged one by one, by the diagnosis, which also says what is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator

from stepgrad.checking.comparison import Comparison
from stepgrad.diagnosis.rules.judgement import Judgement, judgement
from stepgrad.diagnosis.rules.remarks import in_place
from stepgrad.diagnosis.rules.wrote import SAME
from stepgrad.engine.closeness import relative
from stepgrad.recording.recording import Recording
from stepgrad.replay.telling.titles import title


def by_rules(recording: Recording) -> Iterator[Comparison]:
    """Compare what the rules of an engine added with what is right; nothing if there is none.

    Where an operator computes in place, that the rest agrees does not make it right.
    """
    found = judgement(recording)
    if found is None or not (found.writes or found.faults) or not found.passes:
        return
    if not found.faults and (in_place(recording) or not found.whole):
        return
    offs = [(relative(each.received, each.expected, 0.0), each.node) for each in found.wrong]
    worst, node = max(offs, default=(0.0, -1))
    yield Comparison(
        "own rules",
        found.judged,
        found.writes,
        0,
        worst,
        SAME,
        title(recording, node) if offs else "",
        note="" if found.faults else found.agrees,
        odds=_odds(found, right=not offs),
    )


def _odds(found: Judgement, *, right: bool) -> str:
    """Say what is wrong; `right` is whether what each rule has added is right by itself."""
    if not found.faults:
        return ""
    if right:
        return f"{found.summary} add what they should, but something else is wrong: see `engine`"
    return f"{found.summary}: see `engine`"


def unseen(recording: Recording) -> str:
    """Say what of an engine could not be seen or judged; empty if that is nothing."""
    found = judgement(recording)
    return "" if found is None else "; ".join(found.hidden)
