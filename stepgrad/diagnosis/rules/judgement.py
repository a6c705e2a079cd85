"""The verdict on a program's own engine: everything that its passes show (`judgement`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from stepgrad.diagnosis.rules.causes import cause
from stepgrad.diagnosis.rules.faults import STRUCTURAL, Fault
from stepgrad.diagnosis.rules.forward import wrong_forward
from stepgrad.diagnosis.rules.lines import operations_at
from stepgrad.diagnosis.rules.passes import judged
from stepgrad.diagnosis.rules.remarks import UNFINISHED, hidden, noticed
from stepgrad.diagnosis.rules.wrote import Wrote, foreign_passes
from stepgrad.engine.tape import Place
from stepgrad.printable import counted
from stepgrad.progress import advance
from stepgrad.recording.foreign import ForeignBackward
from stepgrad.recording.kept import kept
from stepgrad.recording.recording import Recording

_WORK = 300_000
"""The most contributions to judge; of more, the passes are some that lie evenly apart."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What there is to say of the backward passes that a program ran itself.

    Args:
        faults: what is wrong: the first, and perhaps one of another kind.
        more: whether there are others.
        passes: how many passes there are.
        judged: how many of them were judged.
        writes: the contributions in these.
        wrong: those that are wrong.
        custom: the operations whose true derivatives come from differences.
        hidden: what could not be seen.
    """

    faults: Sequence[Fault]
    more: bool
    passes: int
    judged: int
    writes: int
    wrong: Sequence[Wrote]
    custom: Sequence[str]
    hidden: Sequence[str]

    @property
    def summary(self) -> str:
        """Count what was judged: `34 gradient writes in 1 backward pass`."""
        of = f" of {self.passes:,}" if self.judged < self.passes else ""
        passes = counted(self.passes, "backward pass")
        many = f"{self.judged:,}{of} {passes.partition(' ')[2]}"
        return f"{counted(self.writes, 'gradient write')} in {many}"

    @property
    def agrees(self) -> str:
        """Say that everything is right: `34 gradient writes in 1 backward pass agree`."""
        custom = f"; {', '.join(self.custom)} by differences" if self.custom else ""
        return f"{self.summary} agree{custom}"


@kept(1)
def judgement(recording: Recording) -> Judgement | None:
    """Judge the passes of a recording; None if the program ran none of its own."""
    passes = foreign_passes(recording.blocks)
    if not passes and not recording.remarks:
        return None
    some = _some(passes)
    faults, wrong, custom = (
        [*noticed(recording), *wrong_forward(recording)],
        list[Wrote](),
        set[str](),
    )
    writes = 0
    for number, block in enumerate(some, 1):
        found = judged(recording, block, finished=_finished(recording, block))
        faults += found.faults
        wrong += found.wrong
        custom |= found.custom
        writes += found.writes
        advance(number, len(some))
    for group in _groups(wrong):
        faults.append(cause(recording, group, shared=_shared(recording, group[0].place, wrong)))
    first, more = _first(sorted(faults, key=lambda each: each.position))
    return Judgement(
        first, more, len(passes), len(some), writes, wrong, sorted(custom), hidden(recording)
    )


def _some(passes: Sequence[ForeignBackward]) -> Sequence[ForeignBackward]:
    """Return the passes to judge: all, or some that lie evenly apart, with the first and last."""
    edges = sum(block.sweep.edges for block in passes)
    step = -(-edges // _WORK) or 1
    return passes if step == 1 else [*passes[:-1:step], passes[-1]]


def _finished(recording: Recording, block: ForeignBackward) -> bool:
    """Whether a pass has not ended in an error of the program."""
    end = block.start + block.length
    crashed = any(remark.kind == UNFINISHED for remark in recording.remarks)
    return not (crashed and end == recording.length)


def _groups(wrong: Sequence[Wrote]) -> Iterator[Sequence[Wrote]]:
    """Yield the contributions that one line makes to one operand of one operation."""
    found: dict[object, list[Wrote]] = {}
    for each in wrong:
        found.setdefault((each.op, each.slot, each.place), []).append(each)
    yield from found.values()


def _shared(recording: Recording, place: Place | None, wrong: Sequence[Wrote]) -> bool:
    """Whether a line writes for several operations, and for all of them what is wrong."""
    every = operations_at(recording, place)
    return len(every) > 1 and every == {each.op.name for each in wrong if each.place == place}


def _first(faults: Sequence[Fault]) -> tuple[Sequence[Fault], bool]:
    """Return the first fault, with one of another kind that does not follow from it."""
    if not faults:
        return (), False
    first = faults[0]
    for each in faults:
        if each.kind != first.kind and not {each.kind, first.kind} <= STRUCTURAL:
            return (first, each), len(faults) > 2
    return (first,), len(faults) > 1
