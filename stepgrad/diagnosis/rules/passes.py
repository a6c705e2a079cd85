"""One backward pass of a program's own engine: what in it does not fit (`judged`)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from stepgrad.diagnosis.rules.faults import Fault, Kind
from stepgrad.diagnosis.rules.forward import odd
from stepgrad.diagnosis.rules.lines import Lines
from stepgrad.diagnosis.rules.words import Words
from stepgrad.diagnosis.rules.wrote import (
    Wrote,
    by_differences,
    sides,
    tolerance,
    unknown,
    writes_of,
)
from stepgrad.engine.tape import Place
from stepgrad.recording import events
from stepgrad.recording.foreign import ForeignBackward
from stepgrad.recording.recording import Recording


@dataclass
class Judged:
    """What was found in a pass.

    Args:
        faults: what is wrong with its order, its seed, or what is missing.
        wrong: the contributions that are wrong.
        writes: how many contributions there are.
        custom: the names of the operations whose true derivatives come from differences.
    """

    faults: list[Fault] = field(default_factory=list)
    wrong: list[Wrote] = field(default_factory=list)
    writes: int = 0
    custom: set[str] = field(default_factory=set)


def judged(recording: Recording, block: ForeignBackward, *, finished: bool) -> Judged:
    """Judge a pass. Where it is not `finished`, nothing is missing."""
    return _Pass(recording, block).judge(finished=finished)


class _Pass:
    """The state of going through a pass: what has run by now, and what has arrived."""

    def __init__(self, recording: Recording, block: ForeignBackward) -> None:
        self._recording = recording
        self._block = block
        self._by_path = block.sweep.by_path
        self._lines, self._words = Lines(recording), Words(recording)
        self._writes = [*writes_of(recording, block)]
        self._odd = odd(recording)
        self._found = Judged(writes=len(self._writes))
        self._done = defaultdict[int, set[int]](set)  # by node: the slots that have received
        self._touched = {block.root}
        self._last_of = {each.out: number for number, each in enumerate(self._writes)}

    def judge(self, *, finished: bool) -> Judged:
        self._seed()
        number = 0
        for _, run in groupby(self._writes, key=lambda each: each.out):
            rule = [*run]
            for each in rule:
                self._order(each, number)
                number += 1
            self._rule(rule)
        if finished and not self._found.faults and not self._found.wrong:
            self._found.faults += [*self._missing()][:1]
        return self._found

    def _seed(self) -> None:
        """The gradient of the root is never set, or to its value, or not cleared before."""
        start, root = self._block.start, self._block.root
        event = self._recording.history.event(start)
        assert isinstance(event, events.Seed), "a pass begins with its seed"
        before, after = event.before or 0.0, event.after
        at = self._seeded_at
        if not after and self._writes:
            at = self._lines.loop(self._block, self._writes[0].place)
        if not after or (after != 1 and after == self._recording.history.value(root, start)):
            self._fault("seed", start + 1, self._words.seed(root, after), (root,), at)
        elif before and after == before + 1:
            text = self._words.not_cleared(root, before)
            place = self._lines.beginning(self._block)
            self._fault("not cleared", start + 1, text, (root,), place)

    @property
    def _seeded_at(self) -> Place | None:
        place = self._block.place(0)
        return place if place.line else None

    def _order(self, each: Wrote, number: int) -> None:
        """A node receives something after its rule has run, or on top of an earlier pass."""
        first = each.node not in self._touched
        self._touched.add(each.node)
        if self._by_path or not each.received:
            return
        if each.node in self._done:
            if self._last_of.get(each.node, -1) > number:
                self._visited_twice(each.node, each)
            else:
                place = self._lines.loop(self._block, each.place)
                text = self._words.order(each)
                self._fault("order", each.position, text, (each.node, each.out), place)
        elif first and each.before and self._left_by_a_pass(each.node):
            text = self._words.not_cleared(each.node, each.before)
            place = self._lines.beginning(self._block)
            self._fault("not cleared", each.position, text, (each.node,), place)

    def _visited_twice(self, out: int, wrote: Wrote) -> None:
        place = self._lines.visiting(self._block, wrote.place)
        self._fault("visited twice", wrote.position, self._words.twice(out), (out,), place)

    def _left_by_a_pass(self, node: int) -> bool:
        """Whether the gradient of a computed node is what an earlier pass has left."""
        recording, start = self._recording, self._block.start
        if not recording.operation(node)[1]:
            return False
        written, _ = next(recording.history.gradient_writes(node, start), (None, 0))
        return isinstance(written, ForeignBackward)

    def _rule(self, run: Sequence[Wrote]) -> None:
        """Look at what a rule has added, operand by operand."""
        out, (op, operands) = run[0].out, self._recording.operation(run[0].out)
        if by_differences(op):
            self._found.custom.add(op.name)
        again = out in self._done and not self._by_path
        done = self._done[out]  # it has run, even if nothing fits
        for node in dict.fromkeys(each.node for each in run):
            wrote = [each for each in run if each.node == node]
            slots = [slot for slot, operand in enumerate(operands) if operand == node]
            if again and done.issuperset(slots):
                self._visited_twice(out, wrote[0])
            else:
                self._found.wrong += self._misfits(wrote, slots)
                done.update(slots)

    def _misfits(self, wrote: Sequence[Wrote], slots: Sequence[int]) -> Sequence[Wrote]:
        """Return the contributions to an operand that fit none of its places in the operation.

        Those of all places may also come in other parts: 2x for x·x.
        """
        free, wrong = [*slots], list[Wrote]()
        for each in wrote:
            fitting = next((slot for slot in free if self._fits(each, slot)), None)
            if fitting is not None:
                if not self._by_path:
                    free.remove(fitting)
            elif each.received or not self._lines.keeps(each.place):
                wrong.append(each)
        last = wrote[-1]
        due = sum(last.upstream * self._local(last, slot) for slot in slots)
        whole = len(wrote) != len(slots) or len(slots) > 1
        if wrong and whole and last.close(sum(each.received for each in wrote), due):
            return []
        return wrong

    def _local(self, wrote: Wrote, slot: int) -> float:
        if slot == wrote.slot:
            return wrote.local
        return self._recording.history.local(wrote.out, slot, self._block.start)

    def _fits(self, wrote: Wrote, slot: int) -> bool:
        """Whether a contribution is right for an operand, as far as that is known."""
        due = wrote.upstream * self._local(wrote, slot)
        if unknown(due) or wrote.is_(due) or wrote.out in self._odd:
            return True
        between = sides(self._recording, wrote.out, slot, self._block.start)
        if between is None:
            return False
        least, most = sorted(wrote.upstream * local for local in between)
        return least <= wrote.received <= most

    def _missing(self) -> Iterator[Fault]:
        """What has arrived at a node and was not handed on to an operand."""
        recording, end = self._recording, self._block.start + self._block.length
        for out in sorted({self._block.root, *self._touched}, reverse=True):
            arrived = recording.history.grad(out, end) or 0.0
            op, operands = recording.operation(out)
            for slot, node in enumerate(operands):
                if slot in self._done.get(out, ()) or recording.is_constant(node):
                    continue
                if sides(recording, out, slot, self._block.start) is not None:
                    continue
                due = recording.history.carry(out, slot, self._block.start)(arrived)
                if due and not unknown(due) and abs(due) > tolerance(op) * abs(arrived):
                    yield self._absent(out, slot, node, due)

    def _absent(self, out: int, slot: int, node: int, due: float) -> Fault:
        ran = next((each for each in self._writes if each.out == out), None)
        text = self._words.absent(out, slot, node, due, ran=ran is not None)
        place = self._lines.rule(ran) if ran else self._lines.made(out)
        position = ran.position if ran else self._block.start + 1
        return Fault("no contribution", position, text, (node, out), place)

    def _fault(
        self, kind: Kind, position: int, text: str, nodes: tuple[int, ...], place: Place | None
    ) -> None:
        self._found.faults.append(Fault(kind, position, text, nodes, place))
