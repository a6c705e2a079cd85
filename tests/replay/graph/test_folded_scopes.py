"""The graph to draw: every edge between two boxes is there once, and none that is not."""

from __future__ import annotations

from collections import Counter

from hypothesis import given

from nested import Row, folds, recorded, rows
from odd_runs import at
from stepgrad import Recording
from stepgrad.replay.graph.folding import FoldedGraph, operands_first
from stepgrad.replay.graph.outline import Outline


def folded_of(
    recording: Recording, folded: frozenset[str], *, constants: bool = False
) -> FoldedGraph:
    session = at(recording, recording.length)
    if constants:
        session = session.say("", constants=True)
    return session.say("", folded=folded).graph


def edges_of(recording: Recording, graph: FoldedGraph) -> list[tuple[int, int, int]]:
    """All edges between nodes of the scene, as node, slot and operand."""
    return [
        (node, slot, operand)
        for node in graph.scene
        for slot, operand in enumerate(recording.node(node).operands)
        if operand in graph.scene and not recording.is_constant(operand)
    ]


@given(rows, folds)
def test_every_edge_between_two_boxes_is_there_once(
    rows: list[Row], folded: frozenset[str]
) -> None:
    recording = recorded(rows)
    graph = folded_of(recording, folded)
    told = Counter(
        (box, bundle.operand, edge)
        for box in graph
        for bundle in graph.bundles(box)
        for edge in bundle.edges
        if bundle.operand in graph
    )
    between = (
        (graph.box_of(node), graph.box_of(operand), (node, slot))
        for node, slot, operand in edges_of(recording, graph)
    )
    assert told == Counter(edge for edge in between if edge[0] != edge[1])


@given(rows, folds)
def test_at_a_folded_scope_there_is_one_bundle_from_each_box(
    rows: list[Row], folded: frozenset[str]
) -> None:
    graph = folded_of(recorded(rows), folded)
    for box in graph:
        bundles = graph.bundles(box)
        merged = [each for each in bundles if graph.scope(box) or graph.scope(each.operand)]
        assert len({each.operand for each in merged}) == len(merged)
        assert all(len(each.edges) == 1 for each in bundles if each not in merged)


@given(rows, folds)
def test_a_box_has_the_operands_and_consumers_of_its_nodes(
    rows: list[Row], folded: frozenset[str]
) -> None:
    recording = recorded(rows)
    graph = folded_of(recording, folded)
    pairs = {(graph.box_of(out), graph.box_of(op)) for out, _, op in edges_of(recording, graph)}
    pairs = {(out, operand) for out, operand in pairs if out != operand}
    assert {(box, operand) for box in graph for operand in graph.operands(box)} == pairs
    assert {(user, box) for box in graph for user in graph.consumers(box)} == pairs


@given(rows, folds)
def test_the_boxes_are_the_targets_of_the_outline(rows: list[Row], folded: frozenset[str]) -> None:
    graph = folded_of(recorded(rows), folded)
    outline = Outline(graph.scene, folded)
    assert list(graph) == [outline.node_of(target) for target in range(outline.targets)]
    for node in graph.scene:
        assert list(graph).index(graph.box_of(node)) == outline.target_of(node)
        line = graph.scope(graph.box_of(node))
        assert line is None or node in line.nodes


@given(rows, folds)
def test_operands_come_first_but_for_one_way_back_in_each_cycle(
    rows: list[Row], folded: frozenset[str]
) -> None:
    graph = folded_of(recorded(rows), folded)
    order = operands_first({box: graph.operands(box) for box in graph})
    assert sorted(order) == sorted(graph)
    place = {box: number for number, box in enumerate(order)}
    for box in graph:
        for operand in graph.operands(box):
            if place[operand] > place[box]:
                assert operand in ahead(graph, box), "only what closes a cycle leads back"
    if not folded:
        assert order == list(graph)


def ahead(graph: FoldedGraph, box: int) -> set[int]:
    """All boxes that depend on a box."""
    found: set[int] = set()
    pending = [box]
    while pending:
        further = set(graph.consumers(pending.pop())) - found
        found |= further
        pending += further
    return found


def test_a_loop_leads_back_into_the_scope_that_it_began_in() -> None:
    assert operands_first({1: [0, 3], 0: [], 3: [1], 4: [3]}) == [0, 1, 3, 4]
    assert operands_first({0: [2], 1: [0], 2: [1]}) == [0, 1, 2]
    assert operands_first({0: [5], 5: []}) == [5, 0], "a scope may begin before its operands"
    assert operands_first({0: [7]}) == [0], "what is not drawn comes neither before nor after"
