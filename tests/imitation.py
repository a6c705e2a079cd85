"""An engine that is not ours, as whoever watches one reports it to a recorder.

It computes with the formulas of the op table, and runs its backward passes itself: every mistake
that a program of that kind makes is a `rule` of a test.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache

from hypothesis import strategies as st

from graphs import OWN_NUMBERS, Graph
from stepgrad import Recording, record
from stepgrad.engine.backward import ancestors
from stepgrad.engine.node import Node, tick
from stepgrad.engine.ops import BY_NAME, CONSTANT, LEAF, Op
from stepgrad.engine.own import OwnOp, link
from stepgrad.recording.naming.paths import Path, Where
from stepgrad.recording.naming.sites import Site
from stepgrad.recording.record import active_recorder
from stepgrad.recording.recorder import Recorder

Rule = Callable[["Shadow", int, float, float], "float | None"]
"""What a rule adds to an operand's gradient: asked with its node, which operand that is, the
gradient of the node, and what is right; None where it adds nothing."""

FILE = "mine.py"


@cache
def where(line: int) -> Where:
    """Return a line of the file, outside of all calls."""
    return Where(Site((line, FILE)), Path())


class Shadow(Node):
    """A node of an engine that is not ours."""

    __slots__ = ()

    def __init__(self, op: Op, data: float, *operands: Node) -> None:
        self._data, self._grad, self._operation = data, 0.0, op
        self._first, self._second = (*operands, None, None)[:2]  # type: ignore[assignment]
        self._stamp = tick()


def right(_: Shadow, __: int, ___: float, contribution: float) -> float:
    """Add what is right."""
    return contribution


class Engine:
    """Makes nodes and runs backward passes, and reports to the recorder of this context."""

    def __init__(self, recorder: Recorder | None = None) -> None:
        recorder = recorder or active_recorder()
        assert recorder is not None
        self.door = recorder

    def leaf(self, data: float, name: str = "", line: int = 1) -> Shadow:
        return self._made(Shadow(LEAF, data), line, name)

    def make(
        self, op: Op | str, *operands: Shadow | float, line: int = 2, label: str = ""
    ) -> Shadow:
        op = op if isinstance(op, Op) else BY_NAME[op]
        given = [
            each if isinstance(each, Shadow) else self._made(Shadow(CONSTANT, each), line)
            for each in operands
        ]
        numbers = [each._data for each in given]
        if not op.stored:
            return self._made(Shadow(op, op.value(*numbers), *given), line, label)
        data, local = OWN_NUMBERS[op.name](*numbers)
        node = Shadow(op, data)
        link(node, op, given, local)
        return self._made(node, line, label)

    def _made(self, node: Shadow, line: int, name: str = "") -> Shadow:
        self.door.made_at(node, where(line))
        if name:
            node._label = name
            self.door.name(node)
        return node

    def run(self, graph: Graph, leaves: Sequence[Shadow] = ()) -> list[Shadow]:
        """Do the calls of a graph, on these leaves or on new ones.

        Return all nodes that are no constants, the root last.
        """
        nodes = [*leaves] or [self.leaf(number) for number in graph.leaves]
        for call in graph.calls:
            chosen = [nodes[i % len(nodes)] for i in call.operands]
            nodes.append(self.make(call.op, *call.on(chosen)))
        return nodes

    # Backward passes.

    def seed(self, root: Shadow, number: float = 1.0, line: int = 40) -> None:
        self.door.seeded(root, number, (line, FILE))

    def add(self, out: Shadow, slot: int, contribution: float) -> None:
        """Add a contribution, as the rule of `out` does; rules are at line 10 and 11."""
        operand = out._operands[slot]
        self.set(out, slot, operand._grad + contribution)

    def set(self, out: Shadow, slot: int, after: float) -> None:
        self.door.received(out, slot, out._operands[slot], after, (10 + slot, FILE))

    def edges(self, out: Shadow) -> list[tuple[int, Shadow]]:
        """The operands that receive something, with their slots."""
        return [
            (slot, operand)
            for slot, operand in enumerate(out._operands)
            if operand._operation is not CONSTANT
        ]

    def handed(self, out: Shadow, slot: int, upstream: float) -> float:
        """What is right for an operand."""
        operands = [operand._data for operand in out._operands]
        op = out._operation
        if isinstance(op, OwnOp):
            op = op.holding(out._locals)
        carried: float = op.carry[slot](*operands, out._data, upstream)
        return carried

    def sweep(self, nodes: Iterable[Shadow], rule: Rule = right) -> None:
        """Run the rules of nodes, in this order."""
        for out in nodes:
            for slot, _ in self.edges(out):
                added = rule(out, slot, out._grad, self.handed(out, slot, out._grad))
                if added is not None:
                    self.add(out, slot, added)

    def backward(
        self, root: Shadow, rule: Rule = right, *, order: Sequence[Shadow] | None = None
    ) -> None:
        """Run a whole pass; in our order, if none is given. No gradient is cleared."""
        self.seed(root)
        self.sweep(ancestors(root) if order is None else order, rule)
        self.door.ended()

    def descend(self, root: Shadow, upstream: float = 1.0) -> None:
        """Run a whole pass path by path: each node hands on at once what it receives."""
        self.seed(root, root._grad + upstream)
        self._descend(root, upstream)
        self.door.ended(by_path=True)

    def _descend(self, out: Shadow, upstream: float) -> None:
        for slot, operand in self.edges(out):
            contribution = self.handed(out, slot, upstream)
            self.add(out, slot, contribution)
            self._descend(operand, contribution)

    # Other writes.

    def update(self, node: Shadow, data: float, line: int = 50) -> None:
        self.door.written_at("update", node, data, (line, FILE))

    def clear(self, nodes: Iterable[Shadow], line: int = 51) -> None:
        for node in nodes:
            self.door.written_at("zero", node, 0.0, (line, FILE))


def wandering(graph: Graph, data: st.DataObject) -> Recording:
    """Passes over a graph that walk any edges in any order, and write any numbers."""
    with record(lines=True) as recording:
        engine = Engine()
        nodes = engine.run(graph)
        edges = [(out, slot) for out in nodes for slot, _ in engine.edges(out)]
        for root in data.draw(st.lists(st.sampled_from(nodes), min_size=1, max_size=3)):
            engine.seed(root, data.draw(st.sampled_from([1.0, 0.0, 2.0])))
            for out, slot in data.draw(st.lists(st.sampled_from(edges))) if edges else ():
                upstream, before = out._grad, out._operands[slot]._grad
                right = engine.handed(out, slot, upstream)
                engine.set(out, slot, data.draw(st.sampled_from([before + right, right, 2.0])))
            engine.door.ended(by_path=data.draw(st.booleans()))
            engine.clear(nodes[: data.draw(st.integers(0, 2))])
            nodes.append(engine.make("tanh", root))
            edges.append((nodes[-1], 0))
    return recording


def micrograd_order(root: Shadow) -> list[Shadow]:
    """The order of guides: operands before what is made of them, depth first; then backwards."""
    found: list[Shadow] = []
    seen: set[int] = set()

    def visit(node: Node) -> None:
        if node._stamp not in seen:
            seen.add(node._stamp)
            for operand in node._operands:
                visit(operand)
            found.append(node)  # type: ignore[arg-type]

    visit(root)
    return found[::-1]


def train(engine: Engine, steps: int, rule: Rule = right) -> list[Shadow]:
    """Fit a neuron, as such programs do; return its parameters."""
    w, b = engine.leaf(0.5, "w"), engine.leaf(-0.5, "b")
    for step in range(steps):
        x = engine.leaf(1.0 + step % 3)
        y = engine.make("tanh", engine.make("add", engine.make("mul", w, x), b))
        loss = engine.make("pow", engine.make("sub", y, 0.3), 2.0)
        engine.clear([w, b])
        engine.backward(loss, rule, order=micrograd_order(loss))
        for p in (w, b):
            engine.update(p, p._data - 0.1 * p._grad)
    return [w, b]


def trained(steps: int, rule: Rule = right) -> Recording:
    """The recording of such a program."""
    with record(lines=True) as recording:
        train(Engine(), steps, rule)
    return recording
