"""Verdicts for whoever has no recording at hand: nodes by name, and the lines to blame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from stepgrad.diagnosis.verdict import Verdict
from stepgrad.diagnosis.wording import gathered
from stepgrad.printable import few
from stepgrad.recording.recording import Recording
from stepgrad.replay.telling.titles import title

_MOST = 4


@dataclass(frozen=True, slots=True)
class Finding:
    """A verdict that stands by itself; the fields are those of `stepgrad diagnose --json`.

    Args:
        verdict: its name, such as `dead`.
        text: the cause, in a sentence.
        advice: what people do about it; empty for a note.
        events: the events to look at, the most telling first.
        nodes: what it is about, by name.
        lines: the lines to blame, such as `train.py:12`.
    """

    verdict: str
    text: str
    advice: str
    events: Sequence[int]
    nodes: Sequence[str]
    lines: Sequence[str]

    @property
    def evidence(self) -> str:
        """Where to look: `events 12, 40, node w1, train.py:12`."""
        events = [f"{each:,}" for each in self.events]
        nodes = [*dict.fromkeys(self.nodes)]  # those of several rows may be called alike
        nodes = gathered(nodes) if len(nodes) > _MOST else nodes
        named = (("event", events), ("node", nodes), ("", self.lines))
        return ", ".join(_listed(*each) for each in named if each[1])


def findings(recording: Recording, verdicts: Sequence[Verdict]) -> Sequence[Finding]:
    """Return verdicts on a recording, told without it."""
    return [
        Finding(
            verdict=each.name,
            text=each.text,
            advice=each.advice,
            events=list(each.events),
            nodes=[title(recording, node) for node in each.nodes],
            lines=each.lines(recording),
        )
        for each in verdicts
    ]


def _listed(noun: str, items: Sequence[str]) -> str:
    """Name a few things: `events 12, 40 and 3 more`."""
    what = f"{noun}{'s' * (len(items) > 1)} " if noun else ""
    return what + few(items, _MOST)
