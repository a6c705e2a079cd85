"""The verdict on a program's own engine: everything that its passes show (`judgement`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, replace

from stepgrad.diagnosis.rules.causes import Causes, lucky
from stepgrad.diagnosis.rules.faults import CERTAIN, CONTRIBUTIONS, ONCE, STRUCTURAL, Fault, Kind
from stepgrad.diagnosis.rules.finals import finals
from stepgrad.diagnosis.rules.forward import wrong_forward
from stepgrad.diagnosis.rules.passes import Judged, judged
from stepgrad.diagnosis.rules.remarks import (
    UNFINISHED,
    blurred,
    hidden,
    noticed,
    seen,
    unfollowed,
)
from stepgrad.diagnosis.rules.writers import operations_at
from stepgrad.diagnosis.rules.wrote import Parts, Wrote, whole_passes
from stepgrad.engine.ops import Op
from stepgrad.engine.tape import Place
from stepgrad.printable import counted
from stepgrad.progress import advance
from stepgrad.recording.foreign.sweep import ForeignBackward
from stepgrad.recording.kept import kept
from stepgrad.recording.recording import Recording

_WORK = 300_000
"""The most contributions to judge; of more, the passes are some that lie evenly apart."""


_BESIDE = 3
"""The most operands of the first wrong rule to name beside the first one."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What there is to say of the backward passes that a program ran itself.

    Args:
        faults: what is wrong: the first, what else is wrong in the rules of its operation, and
            perhaps one of another kind.
        more: whether there are others.
        passes: how many passes there are.
        judged: how many of them were judged.
        writes: the contributions in these.
        wrong: those that are wrong.
        custom: the operations whose true derivatives come from differences.
        hidden: what could not be seen.
        whole: whether it is seen what each result is computed from.
    """

    faults: Sequence[Fault]
    more: bool
    passes: int
    judged: int
    writes: int
    wrong: Sequence[Wrote]
    custom: Sequence[str]
    hidden: Sequence[str]
    whole: bool

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
    passes = [] if unfollowed(recording) else whole_passes(recording.blocks)
    if not passes and not seen(recording):
        return None
    some = _some(passes)
    found = Judged(faults=[*wrong_forward(recording), *noticed(recording)])
    for number, each in enumerate(some, 1):
        found.add(judged(recording, each, finished=_finished(recording, each[-1])))
        advance(number, len(some))
    if found.faults or found.wrong or found.lucky:
        found = _final(recording, found)
    whole = not blurred(recording)
    every = [*found.faults, *_causes(recording, found)]
    faults, more = _first(recording, [e for e in every if whole or e.kind in CERTAIN])
    return Judgement(
        faults, more, len(passes), len(some), found.writes, found.wrong,
        sorted(found.custom), hidden(recording), whole,
    )  # fmt: skip


def _final(recording: Recording, found: Judged) -> Judged:
    """Judge by their results the stretches in which an engine writes final gradients."""
    kept = found
    for each in finals(recording):
        faults = [fault for fault in kept.faults if not each.has(fault)]
        wrong, lucky = (
            [wrote for wrote in writes if not each.start < wrote.position <= each.end]
            for writes in (kept.wrong, kept.lucky)
        )
        faults += filter(None, [each.fault])
        kept = replace(kept, faults=faults, wrong=wrong, lucky=lucky)
    return kept


def _some(passes: Sequence[Parts]) -> Sequence[Parts]:
    """Return the passes to judge: all, or some that lie evenly apart, with the first and last."""
    edges = sum(block.sweep.edges for each in passes for block in each)
    step = -(-edges // _WORK) or 1
    return passes if step == 1 else [*passes[:-1:step], passes[-1]]


def _finished(recording: Recording, block: ForeignBackward) -> bool:
    """Whether a pass has not ended in an error of the program."""
    end = block.start + block.length
    crashed = any(remark.kind == UNFINISHED for remark in recording.remarks)
    return not (crashed and end == recording.length)


def _causes(recording: Recording, found: Judged) -> Iterator[Fault]:
    """Yield why contributions are wrong, once for each line, operation and operand."""
    groups: dict[tuple[Op, int, Place | None], list[Wrote]] = {}
    for each in found.wrong:
        groups.setdefault((each.op, each.slot, each.place), []).append(each)
    others = {(op, slot) for op, slot, _ in groups}
    causes = {key: Causes(recording, group, others) for key, group in groups.items()}
    kinds = set[Kind]()
    for (_, _, place), cause in causes.items():
        at_line = [other.kinds for (*_, there), other in causes.items() if there == place]
        common = frozenset[Kind]().union(*at_line).intersection(*at_line)
        fault = cause.fault(shared=_shared(recording, place, found.wrong, common), common=common)
        kinds.add(fault.kind)
        yield fault
    if found.lucky and "overwrites" not in kinds:
        yield lucky(recording, found.lucky[0])


def _shared(
    recording: Recording, place: Place | None, wrong: Sequence[Wrote], common: Set[Kind]
) -> bool:
    """Whether a line writes for several operations, and what is wrong is the same for all of them.

    Operands that are swapped do not show in a sum, and nothing is missing where 1 arrives.
    """
    every = operations_at(recording, place)
    found = {each.op.name for each in wrong if each.place == place}
    some = not common.isdisjoint({"swapped", "upstream missing"}) and len(found) > 1
    return len(every) > 1 and (some or every == found)


def _first(recording: Recording, faults: Sequence[Fault]) -> tuple[Sequence[Fault], bool]:
    """Return the first fault, what else is wrong in the same rule, and one of another kind.

    Of the last, one that does not follow from the first. And whether there are others.
    """
    if not faults:
        return (), False
    first, *others = sorted(faults, key=lambda each: each.position)
    beside = [each for each in others if _same_rule(recording, first, each)]
    shown = [first, *beside[:_BESIDE]]
    rest = [each for each in others if each not in beside]
    shown += [
        each
        for each in rest
        if each.kind != first.kind and not {each.kind, first.kind} <= STRUCTURAL
    ][:1]
    return shown, len(faults) > len(shown)


def _same_rule(recording: Recording, one: Fault, other: Fault) -> bool:
    """Whether two contributions of one operation are wrong, and not by the same mistake."""
    if not {one.kind, other.kind} <= CONTRIBUTIONS:
        return False
    (_, out), (_, other_out) = one.nodes, other.nodes
    if recording.operation(out)[0] != recording.operation(other_out)[0]:
        return False
    mended = one.kind == "swapped" or (one.kind in ONCE and one.place == other.place)
    return one.kind != other.kind or not mended
