"""Gradients that are written by hand in place of others, and losses: `overwritten`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from stepgrad.diagnosis.bookkeeping.assignments import replacing
from stepgrad.diagnosis.bookkeeping.last_only import Last, last_only
from stepgrad.diagnosis.survey import Survey
from stepgrad.diagnosis.verdict import Verdict
from stepgrad.diagnosis.wording import listed
from stepgrad.numbers import number
from stepgrad.printable import counted
from stepgrad.recording.blocks import Backward, Block, Forward, Write
from stepgrad.recording.kept import kept
from stepgrad.recording.written import Written, written
from stepgrad.replay.telling.titles import gradient_title


@dataclass(frozen=True, slots=True)
class Replaced:
    """A gradient was written by hand in place of another one that had not been used.

    Args:
        node: whose gradient it is.
        event: the position just after the write.
        after: what it wrote.
        because: the position just after the earlier write.
        before: what that one had written.
    """

    node: int
    event: int
    after: float
    because: int
    before: float


def overwritten(survey: Survey) -> Iterator[Verdict]:
    """A line puts a contribution in place of another one, where it should add."""
    found = replaced(survey)
    if found:
        first, recording = found[0], survey.recording
        name = gradient_title(recording, first.node)
        yield Verdict(
            "overwritten",
            f"{name} = {number(first.after)} (event {first.event:,}) replaces "
            f"{number(first.before)} (event {first.because:,}), which nothing has used; this "
            f"happens in {counted(len(found), 'write')} to "
            f"{listed(recording, [each.node for each in found])}",
            "Add up the contributions of all paths and rows: set the gradient to 0 first, then "
            "write `+=` in place of `=`.",
            (first.event, first.because),
            [*dict.fromkeys(each.node for each in found)],
        )
    elif last := last_only(survey):
        yield _last(survey, last)


def _last(survey: Survey, last: Last) -> Verdict:
    """A loop keeps the last of its losses, where it should add them up."""
    recording, name, lost = survey.recording, last.name, last.dropped[-1]
    made = recording.history.made_at(lost[0])
    losses = "loss is" if len(lost) == 1 else "losses are"
    value = number(recording.history.first_value(lost[0]))
    return Verdict(
        "overwritten",
        f"`{name} = …` in a loop keeps only the last result, and backward() runs after the loop "
        f"(event {last.seed:,}): {len(lost):,} other {losses} computed before it and not used, "
        f"such as {value} (event {made:,}); this happens before each of the last "
        f"{counted(len(last.dropped), 'pass')}",
        f"Set `{name} = 0` before the loop, and write `{name} += …` in it.",
        (made, last.seed),
        lost,
        places=[last.place],
    )


@kept(1)
def replaced(survey: Survey) -> Sequence[Replaced]:
    """Return the gradients that were lost in this way, in order."""
    reader = _Reader(survey)
    for place, block in enumerate(survey.recording.blocks):
        if block.start >= survey.end:
            break
        reader.take(place, block)
    return reader.found


class _Reader:
    """Goes over the blocks; `_unread` are gradients written by hand that nothing has used yet.

    An update uses them. It is also the last to do so where no node is made in between: then the
    gradients of computed nodes, and of inputs, have served.
    """

    def __init__(self, survey: Survey) -> None:
        self.found: list[Replaced] = []
        self._survey = survey
        self._unread: dict[int, Written] = {}
        self._pending: dict[int, Replaced] = {}  # of parameters: true if an update follows
        self._others = False  # whether some of `_unread` are no parameters
        self._since = 0  # where a run of writes begins

    def take(self, number: int, block: Block) -> None:
        """Go on over a block, the one of this number."""
        match block:
            case Forward():
                self._ends(block.start + block.length)
            case Backward():
                self._unread.clear()
            case Write() if self._unread or self._pending or "set" in block.writes.kinds:
                for each in written(block):
                    if each.kind == "update":
                        self._use(each.node, each.position)
                    elif each.kind == "zero":
                        self._forget(each.node)
                    elif block.rule is None:
                        self._set(number, each.node, each)

    def _ends(self, position: int) -> None:
        """A run of writes is over: only parameters are still to be updated."""
        self._since = position
        if self._others:
            self._others = False
            left = self._unread.keys() & self._survey.parameters
            self._unread = {node: self._unread[node] for node in left}

    def _use(self, node: int, position: int) -> None:
        self._ends(position)
        self._unread.pop(node, None)
        if node in self._pending:
            self.found.append(self._pending.pop(node))

    def _forget(self, node: int) -> None:
        self._unread.pop(node, None)
        self._pending.pop(node, None)

    def _set(self, number: int, node: int, wrote: Written) -> None:
        earlier = self._unread.get(node)
        if earlier and earlier.after and self._replaces(wrote):
            if self._survey.recording.node(node).operands:
                # What comes back from here is written again: another pass by hand begins.
                self._unread = {n: each for n, each in self._unread.items() if n >= node}
            lost = Replaced(node, wrote.position, wrote.after, earlier.position, earlier.after)
            if not self._adds_up(number, node, wrote):
                pass
            elif earlier.position > self._since:
                self.found.append(lost)
            elif node in self._survey.parameters:
                self._pending.setdefault(node, lost)
        self._unread[node] = wrote
        self._others |= node not in self._survey.parameters

    def _replaces(self, wrote: Written) -> bool:
        """Whether the line that makes a write replaces a gradient."""
        place = wrote.place
        source = place and self._survey.recording.source_of(place)
        return bool(place and source and place.line in replacing(source))

    def _adds_up(self, number: int, node: int, wrote: Written) -> bool:
        """Whether several contributions come back to a node, since the update before a write.

        The graph says so; a parameter that is in no graph is used in sums that are not recorded.
        """
        used = 0
        updated = any(place < wrote.offset for place in wrote.block.writes.updates.get(node, ()))
        for block in () if updated else reversed(self._survey.recording.blocks[:number]):
            if isinstance(block, Forward) and (ref := block.ref(node)) is not None:
                used += block.structure.refs.count(ref)
            if used > 1:
                return True
            if isinstance(block, Write) and node in block.writes.updates:
                break
        return not used and node in self._survey.parameters
