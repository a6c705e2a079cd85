"""The writer of a log: what a recorder has collected becomes blocks of a recording.

The shape of a block is recognised among the known ones, its numbers are packed into a column.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from stepgrad.engine.backward import propagate
from stepgrad.engine.node import Node
from stepgrad.engine.ops import CONSTANT
from stepgrad.engine.tape import Place, Rule, WriteKind
from stepgrad.recording.batch import Batch, first_of_row
from stepgrad.recording.blocks import Backward, Block, Column, Forward, packed
from stepgrad.recording.budget import Budget
from stepgrad.recording.changes import Changes
from stepgrad.recording.foreign.remark import Remark
from stepgrad.recording.foreign.walks import Walk, Walks
from stepgrad.recording.kept import Recent
from stepgrad.recording.known import Known
from stepgrad.recording.log import Log
from stepgrad.recording.naming.sites import Spot
from stepgrad.recording.pending import Pending
from stepgrad.recording.plan import Plans
from stepgrad.recording.released import MANY
from stepgrad.recording.sweep import Sweep
from stepgrad.recording.template import Description, Located, Made, Pattern, Template


class Writer:
    """Adds blocks to a log, and knows which Values are in it.

    Args:
        log: where the blocks go.
        budget: counts the bytes that they take.
        place: makes a place of a line.
        adopted: called with Values that were made outside, and are in the log by now.
    """

    def __init__(
        self,
        log: Log,
        budget: Budget,
        place: Callable[[Spot | None], Place],
        adopted: Callable[[Iterable[Node]], None],
    ) -> None:
        self.known = Known()
        self._adopted = adopted
        self._log = log
        self._budget = budget
        self._forward_of = log.history.forward_of
        self._patterns: dict[bytes, list[Pattern]] = {}
        # By node count: the patterns that have recurred, the latest first.
        self._recurring = defaultdict[int, Recent[Pattern]](Recent)
        self._before: Template | None = None  # that of the latest pass
        self.changes = Changes(log, self.known, self.add)
        self._plans = Plans(self.known, self._forward_of)
        self._walks = Walks(self.known, self._forward_of, place)
        self._latest: Made | None = None

    def let_go(self) -> None:
        """Keep no Value alive: nothing more will be written."""
        self.changes.let_go()
        self._latest = None

    def add(self, block: Block) -> None:
        """Add a block."""
        self._log.add(block)
        self._budget.take(block)

    def settle(self, pending: Pending) -> None:
        """Add everything that is pending but a pass that the program runs itself."""
        self.settle_written(pending)
        self.settle_parts(pending)
        if pending.made:
            self.forward(pending.take_made())
        for remark in pending.take_remarks():
            self.remarked(*remark)
        for value, name in pending.take_named():
            self.rename(value, name)

    def settle_parts(self, pending: Pending) -> None:
        """Add evaluations that are over, if much is pending, and the writes before them.

        They are divided in the same way whenever that is, and not where memory is short.
        """
        if pending.divisible and self._budget.room >= MANY:
            self.settle_written(pending)
            for batch in pending.take_parts():
                self.forward(batch)
                if self._budget.room < MANY:
                    break

    def settle_written(self, pending: Pending) -> None:
        """Add writes by hand."""
        if pending.written:
            self.changes.by_hand(pending.take_written())

    def rename(self, value: Node, name: str | None) -> None:
        """Give a node a name, if it is in the log and there is one."""
        if name and self.known.has(value):
            self._log.rename(self.known.index(value), name)
            self._budget.take_name()

    # Forward passes.

    def forward(self, batch: Batch) -> None:
        """Add a forward block of Values, after all that it uses and that is not in the log yet."""
        nodes, description = batch.nodes, Description(batch)
        found, values = self._recognised(description)
        if found is None:
            missing = self._missing([*description.outer.values()], nodes)
            cut = _used(nodes, missing) if missing else 0
            if cut:  # a thread that is not recorded has made them of pending Values
                self.forward(batch.part(0, cut))
                self.forward(batch.part(cut, len(nodes)))
                return
            self._adopt(missing)
            found = self._described(description)
        template, outer, earlier = found
        if self._before is not None:
            self._before.following = template
        self._before = template
        if values is None:
            values = packed([node._data for node in nodes])
        start, base, context = self._log.length, self._log.size, template.context(batch)
        structure = template.structure
        stored: Column = ()
        if structure.own:
            stored = packed([local for at in structure.own_nodes for local in nodes[at]._locals])
        block = Forward(start, structure, base, values, batch.tangents, earlier, context, stored)
        self.add(block)
        self.known.add(batch, base)
        self._latest = Made(block, nodes, outer)

    def _recognised(self, description: Description) -> tuple[Located | None, array[float] | None]:
        """Find the template of a pass that is like others; the column of its numbers may come too.

        None where there is none, or where it uses a Value that is not in the log.
        """
        tried = self._recurring.get(len(description.nodes))
        if tried is None:
            return None, None
        expected = self._before and self._before.following
        if expected is not None and expected.pattern is not tried[0] and expected.pattern in tried:
            tried.put(expected.pattern)
        for pattern in tried:
            recognised = pattern.recognise(description)
            if recognised is not None:
                outer, values = recognised
                try:
                    return self._located(pattern, outer), values
                except KeyError:
                    continue
        return None, None

    def _described(self, description: Description) -> Located:
        """Find or make the template of nodes whose operands are all in the log."""
        new, outer = description.pattern, [*description.outer.values()]
        alike = self._patterns.setdefault(new.codes, [])
        for pattern in alike:
            if pattern.refs == new.refs and pattern.own == new.own:
                self._recurring[len(new.codes)].put(pattern)
                return self._located(pattern, outer)
        alike.append(new)
        return new.placed(outer, self.known, self._forward_of)

    def _located(self, pattern: Pattern, outer: Sequence[Node]) -> Located:
        expected = self._before and self._before.following
        return pattern.located(outer, expected, self._latest, self.known, self._forward_of)

    # Values that were made outside.

    def indices(self, values: Sequence[Node]) -> tuple[int, ...]:
        """Return where in the log Values are, after adding those that are not in it."""
        self._adopt(self._missing(values))
        return tuple([self.known[value._stamp] for value in values])

    def _missing(self, values: Sequence[Node], pending: Sequence[Node] = ()) -> Sequence[Node]:
        """Return the Values that have to be logged before these are; `pending` are about to be."""
        known = self.known
        try:
            for value in values:
                known[value._stamp]
        except KeyError:
            return known.unlogged(values, pending)
        return ()

    def _adopt(self, nodes: Sequence[Node]) -> None:
        """Add Values that were made outside, as they are by now."""
        if not nodes:
            return
        names = tuple((i, node._label) for i, node in enumerate(nodes) if node._label)
        self.forward(Batch(nodes, first_of_row(nodes), names, ((0, Place()),)))
        self._adopted(nodes)
        # Gradients of passes that were not recorded.
        carried = [node for node in nodes if node._grad and node._operation is not CONSTANT]
        self.changes.of_kind(
            "set", [*map(self.known.index, carried)], [node._grad for node in carried]
        )

    # Backward passes.

    def backward(self, root: Node, report: Callable[[Iterable[Node]], None] | None) -> None:
        """Run a backward pass and log it; `report` is called with the Values that it will write."""
        self.indices([root])
        plan, over = self._plans.find(root)
        world = self._log.world
        run = plan.run() if report is None and world is None else None
        if run is not None:
            self.add_backward(plan.sweep, over, run(root))
            return
        order, leaves = self._plans.participants(root, plan, over, self._latest)
        if report is not None:
            report([*order, *leaves])
        sweep = plan.sweep
        if world is None:
            propagate(root, order)
        else:
            order = world.order(order)
            world.propagate(root, order)
            sweep = plan.hasty if world.hasty and order else sweep
        grads = packed([node._grad for node in order] + [leaf._grad for leaf in leaves])
        self.add_backward(sweep, over, grads)

    def add_backward(self, sweep: Sweep, over: tuple[Forward, ...], grads: array[float]) -> None:
        """Add a backward block."""
        self.add(Backward(self._log.length, sweep, over, grads))

    def walked(self, walk: Walk) -> Sequence[Node]:
        """Add a backward pass that the program has run itself; return what it has written to."""
        try:
            block = self._walks.block(walk, self._log.length, self._latest)
        except KeyError:  # a node was made outside
            self.indices([*walk.outs, *walk.receivers])
            block = self._walks.block(walk, self._log.length, self._latest)
        self.add(block)
        return walk.receivers

    def remarked(self, kind: str, node: Node | None, place: Place, text: str) -> None:
        """Add a remark."""
        index = self.known.index(node) if node is not None and self.known.has(node) else None
        self._log.remark(Remark(kind, index, place, text))

    def traceable(self, root: Node) -> tuple[Made, Sweep, tuple[Forward, ...]] | None:
        """Return the latest forward pass, and how backward goes from `root` in it.

        None if the sweep does not start from a computed node of this pass, or leads through
        computed nodes of others.
        """
        made = self._latest
        if made is None or not self.known.has(root):
            return None
        plan, over = self._plans.find(root)
        if over[0] is not made.forward or not plan.alone or not plan.sweep.edges:
            return None
        return made, plan.sweep, over

    def write_all(
        self, kind: WriteKind, values: Sequence[Node], after: array[float], rule: Rule | None
    ) -> None:
        """Add the writes of an optimizer."""
        try:
            self.changes.by_rule(kind, values, after, rule)
        except KeyError:  # a Value was made outside
            self.indices(values)
            self.changes.by_rule(kind, values, after, rule)


def _used(nodes: Sequence[Node], values: Sequence[Node]) -> int:
    """Return how many of some nodes there are up to the last one that other Values are made of."""
    used = {operand._stamp for value in values for operand in value._operands}
    return max((i + 1 for i, node in enumerate(nodes) if node._stamp in used), default=0)
