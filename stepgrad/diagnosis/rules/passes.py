"""One backward pass of a program's own engine: what in it does not fit (`judged`)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter

from stepgrad.diagnosis.rules.asking import asking, needs
from stepgrad.diagnosis.rules.earlier import earlier
from stepgrad.diagnosis.rules.faults import Fault, Kind
from stepgrad.diagnosis.rules.forward import odd
from stepgrad.diagnosis.rules.lines import Lines, replacing
from stepgrad.diagnosis.rules.remarks import choosing
from stepgrad.diagnosis.rules.seeds import in_loop, unasked
from stepgrad.diagnosis.rules.words import Words
from stepgrad.diagnosis.rules.wrote import (
    Numbers,
    Parts,
    Wrote,
    by_differences,
    tolerance,
    unknown,
)
from stepgrad.engine.tape import Place
from stepgrad.recording import events
from stepgrad.recording.foreign.sweep import ForeignBackward
from stepgrad.recording.recording import Recording


@dataclass
class Judged:
    """What was found in a pass.

    Args:
        faults: what is wrong with its order, its seed, or what is missing.
        wrong: the contributions that are wrong.
        lucky: right ones that replace what was there, where only others come later.
        writes: how many contributions were compared.
        custom: the names of the operations whose true derivatives come from differences.
    """

    faults: list[Fault] = field(default_factory=list)
    wrong: list[Wrote] = field(default_factory=list)
    lucky: list[Wrote] = field(default_factory=list)
    writes: int = 0
    custom: set[str] = field(default_factory=set)

    def add(self, other: Judged) -> None:
        """Take in what was found in another pass."""
        self.faults += other.faults
        self.wrong += other.wrong
        self.lucky += other.lucky[:1]
        self.writes += other.writes
        self.custom |= other.custom


def judged(recording: Recording, blocks: Parts, *, finished: bool) -> Judged:
    """Judge a pass. Where it is not `finished`, nothing is missing."""
    return _Pass(recording, blocks).judge(finished=finished)


class _Pass:
    """The state of going through a pass: what has run by now, and what has arrived."""

    def __init__(self, recording: Recording, blocks: Parts) -> None:
        self._recording = recording
        self._block = blocks[0]
        self._by_path = any(block.sweep.by_path for block in blocks)
        self._lines, self._words = Lines(recording), Words(recording)
        self._parts = [Numbers(recording, block) for block in blocks]
        self._replacing = replacing(recording)
        self._writes = [each for part in self._parts for each in part.writes(self._replacing)]
        self._odd = odd(recording)
        self._choosing, self._asking = choosing(recording), asking(recording)
        known = sum(not unknown(each.expected) for each in self._writes)
        self._found = Judged(writes=known)
        self._done = defaultdict[int, set[int]](set)  # by node: the slots that have received
        self._touched = {self._block.root}
        self._last_of = {each.out: number for number, each in enumerate(self._writes)}

    def judge(self, *, finished: bool) -> Judged:
        self._seed()
        number = 0
        for _, run in groupby(self._writes, key=attrgetter("out")):
            rule = [*run]
            for each in rule:
                self._order(each, number)
                number += 1
            self._rule(rule)
        self._found.lucky += self._lucky()
        whole = finished and not in_loop(self._lines, self._seeded_at)
        if whole and not self._found.faults and not self._found.wrong:
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
        of_value = after == self._recording.history.value(root, start)
        if not after or (after != 1 and (of_value or unasked(self._lines, at, after))):
            text = self._words.seed(root, after, of_value=of_value)
            self._fault("seed", start + 1, text, (root,), at)
        elif before and after == 1 and self._left_by_a_pass(root) and in_loop(self._lines, at):
            text = self._words.seeded_again(root, before)
            self._fault("seeded again", start + 1, text, (root,), at)
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
            self._found.faults.append(earlier(self._recording, self._block, each))

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
        out, op = run[0].out, run[0].op
        if op.stored and by_differences(op):
            self._found.custom.add(op.name)
        again = out in self._done and not self._by_path
        done = self._done[out]  # it has run, even if nothing fits
        for wrote in _by_node(run):
            if again and done.issuperset(wrote[0].slots):
                self._visited_twice(out, wrote[0])
            else:
                done.update(self._operand(wrote))

    def _operand(self, wrote: Sequence[Wrote]) -> Sequence[int]:
        """Look at what an operand receives: each contribution must fit one of its places.

        Those of all places may also come in other parts: 2x for x·x. Return the places that have
        received, right or wrong.
        """
        slots, part = wrote[0].slots, wrote[0].part
        free, wrong = [*slots], list[Wrote]()
        for number, each in enumerate(wrote):
            fitting = next((slot for slot in free if self._fits(each, slot)), None)
            if fitting is not None:
                if not self._by_path:
                    free.remove(fitting)
            elif each.received or not self._lines.keeps(each.place):
                if not free and any(each.place == before.place for before in wrote[:number]):
                    self._visited_twice(each.out, each)
                    break
                wrong.append(each)
        if wrong and (len(wrote) != len(slots) or len(slots) > 1):
            last = wrote[-1]
            due = sum(last.upstream * part.local(last.entry, slot) for slot in slots)
            if last.close(sum(each.received for each in wrote), due):
                return slots
        self._found.wrong += wrong
        return slots if wrong or self._by_path else [slot for slot in slots if slot not in free]

    def _fits(self, wrote: Wrote, slot: int) -> bool:
        """Whether a contribution is right for an operand, as far as that is known."""
        entry, part = wrote.entry, wrote.part
        local = wrote.local if slot == wrote.slot else part.local(entry, slot)
        due = wrote.upstream * local
        if wrote.is_(due) or unknown(due) or unknown(wrote.before) or wrote.out in self._odd:
            return True
        between = part.sides(entry, slot) or [part.local_as_made(entry, slot)] * 2
        least, most = sorted(wrote.upstream * side for side in between)
        return least <= wrote.received <= most or wrote.is_(least)

    def _lucky(self) -> Iterator[Wrote]:
        """The contributions that would replace others, had they come later."""
        if not self._replacing:
            return
        several = Counter(each.node for each in self._writes)
        for each in self._writes:
            if each.place in self._replacing and not each.before and several[each.node] > 1:
                yield each

    def _missing(self) -> Iterator[Fault]:
        """What has arrived at a node and was not handed on to an operand."""
        if not self._writes and not self._lines.stores_rule(self._block.root):
            return  # gradients may be kept in a dict
        end = self._parts[-1].end
        for part in reversed(self._parts):
            for entry, due in enumerate(part.shape.due):
                out = part.node(entry)
                done = self._done[out]
                if len(done) == len(due) or not self._choosing.isdisjoint(self._lines.methods(out)):
                    continue
                for slot in due:
                    if slot in done or part.sides(entry, slot) is not None:
                        continue
                    node = self._recording.operation(out)[1][slot]
                    if self._asking and not needs(self._recording, node):
                        continue
                    arrived = self._recording.history.grad(out, end) or 0.0
                    right = arrived * part.local(entry, slot)
                    least = tolerance(part.shape.ops[entry]) * abs(arrived)
                    if not unknown(right) and abs(right) > least:
                        yield self._absent(out, slot, node, right)

    def _absent(self, out: int, slot: int, node: int, due: float) -> Fault:
        """Say that an operand receives nothing."""
        ran = next((each for each in self._writes if each.out == out), None)
        if ran is None and self._lines.has_rule(out):
            text, loop = self._words.unvisited(out, node, due), self._lines.loop(self._block, None)
            if loop is not None:
                return Fault("unvisited", self._block.start + 1, text, (node, out), loop)
        text = self._words.absent(out, slot, due, ran=ran is not None, asking=self._asking)
        place = self._lines.made(node if self._asking else out)
        if ran is not None and not self._asking:
            place = ran.place if self._several_lack(ran.place) else self._lines.rule(ran)
        position = ran.position if ran else self._block.start + 1
        return Fault("no contribution", position, text, (node, out), place)

    def _several_lack(self, place: Place | None) -> bool:
        """Whether a line writes for several operations, and leaves out operands of each."""
        there = [each for each in self._writes if each.place == place]
        lack = {e.op for e in there if len(self._done[e.out]) < len(e.op.partials)}
        whole = {e.op for e in there if len(e.op.partials) > 1} - lack
        return len(lack) > 1 and not whole

    def _fault(
        self, kind: Kind, position: int, text: str, nodes: tuple[int, ...], place: Place | None
    ) -> None:
        self._found.faults.append(Fault(kind, position, text, nodes, place))


def _by_node(run: Sequence[Wrote]) -> Iterator[Sequence[Wrote]]:
    """Yield the contributions of a rule to each node."""
    found: dict[int, list[Wrote]] = {}
    for each in run:
        found.setdefault(each.node, []).append(each)
    yield from found.values()
