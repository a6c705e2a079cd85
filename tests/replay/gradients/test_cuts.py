"""The cut set: the shut edges, nearest to the root, that separate a node from it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from graphs import Graph, graphs, numbers
from stepgrad import Value, record
from stepgrad.recording.blocks import Backward
from stepgrad.recording.recording import Recording
from stepgrad.replay.gradients.between import Edge
from stepgrad.replay.gradients.cuts import cut_of, cut_set
from stepgrad.replay.gradients.ledger import latest_pass

Path = tuple[Edge, ...]


def last_pass(recording: Recording) -> Backward:
    block = latest_pass(recording, recording.length)
    assert block is not None
    return block


def every_path(recording: Recording, root: int, node: int) -> list[Path]:
    """Each path from a root down to a node, found the slow and obvious way."""
    found: list[Path] = []
    stack: list[tuple[int, Path]] = [(root, ())]
    while stack:
        out, path = stack.pop()
        if out == node:
            found.append(path)
            continue
        for slot, operand in enumerate(recording.node(out).operands):
            stack.append((operand, (*path, Edge(out, slot, operand))))
    return found


@given(graphs(numbers, 9), st.integers(0, 20))
def test_it_is_the_first_shut_edge_of_each_path_where_none_is_open(graph: Graph, at: int) -> None:
    with record() as recording:
        *_, root = graph.build()
        root.backward()
    block = last_pass(recording)
    node = block.nodes[at % len(block.nodes)]

    def shut(edge: Edge) -> bool:
        return recording.history.local(edge.out, edge.slot, block.start) == 0

    paths = every_path(recording, block.root, node)
    firsts = [next(filter(shut, path), None) for path in paths]
    found = cut_set(recording, block.root, node, block.start)
    if None in firsts:
        assert found == ()
    else:
        # An edge that follows another in a different path is not nearest to the root there.
        assert {*found} <= {*firsts}
        assert all(any(edge in found for edge in path) for path in paths)
    assert (block.column(node) not in cut_of(recording, block).open) == (None not in firsts)


def dead_unit() -> Recording:
    with record() as recording:
        w, v, x = Value(-1.0, label="w"), Value(0.5, label="v"), Value(0.0, label="x")
        z = w * 2 + x * v
        h = z.relu()
        (h * 3 + v).backward()
    return recording


def test_the_nearest_to_the_root_hides_those_below() -> None:
    recording = dead_unit()
    block = last_pass(recording)
    w, x = recording.first_named("w"), recording.first_named("x")
    cuts = [cut_set(recording, block.root, node, block.start) for node in (w, x)]
    assert cuts[0] == cuts[1]
    assert [recording.node(edge.out).op.name for edge in cuts[0]] == ["relu"]


def test_there_is_none_where_a_path_is_open_or_none_leads_there() -> None:
    recording = dead_unit()
    block = last_pass(recording)
    assert not cut_set(recording, block.root, recording.first_named("v"), block.start)
    assert not cut_set(recording, recording.first_named("w") + 4, block.root, block.start)


def test_edges_that_do_not_count_are_open() -> None:
    recording = dead_unit()
    block = last_pass(recording)
    w = recording.first_named("w")
    assert cut_set(recording, block.root, w, block.start, lambda _: False) == ()
    assert block.column(w) in cut_of(recording, block, lambda _: False).open
