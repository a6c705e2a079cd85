from __future__ import annotations

from collections import Counter
from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drawings import STANDARD, Graph, dags, items_of, mlp
from stepgrad.drawing.layered import ordering, tracks
from stepgrad.drawing.layered.vertices import build
from stepgrad.drawing.layout import Box, Item, Layout, lay_out
from stepgrad.replay.graph.neighbourhood import neighbourhood
from tries import tries


def columns(layout: Layout) -> dict[int, set[int]]:
    """Where the boxes of each node stand."""
    return {key: {box.x for box in layout.boxes_of(key)} for key in {b.key for b in layout.boxes}}


def cells(box: Box) -> set[tuple[int, int]]:
    return {(box.x + dx, box.y + dy) for dx in range(box.width) for dy in range(box.height)}


@given(dags())
@settings(deadline=None)
def test_boxes_keep_their_size_and_share_no_cell(items: list[Item]) -> None:
    layout = lay_out(items)
    assert {box.key for box in layout.boxes} == {item.key for item in items}
    for box in layout.boxes:
        assert box.width == items[box.key].width
        assert box.height >= items[box.key].height
        assert 0 <= box.x <= layout.width - box.width
        assert 0 <= box.y <= layout.height - box.height
    assert not any(cells(one) & cells(other) for one, other in combinations(layout.boxes, 2))


@given(dags())
@settings(deadline=None)
def test_wires_run_rightwards_outside_the_boxes_and_enter_in_operand_order(
    items: list[Item],
) -> None:
    layout = lay_out(items)
    for wire in layout.wires:
        xs = [x for x, _ in wire.path]
        assert xs == sorted(xs)
        assert layout.wires_at(*wire.path[-1]) == (wire,)
        assert layout.box_at(*wire.path[-1]) is None
        assert layout.box_at(wire.target.x, wire.path[-1][1]) == wire.target
        for x in range(wire.label[0], wire.label[0] + wire.label_width):
            assert layout.wires_at(x, wire.label[1]) == (wire,)
    for item in items:
        for box in layout.boxes_of(item.key):
            into = [wire for wire in layout.wires if wire.target == box]
            assert tuple(wire.operand for wire in into) == item.operands
            rows = [wire.path[-1][1] for wire in into]
            assert rows == sorted(set(rows))


@pytest.mark.parametrize("graph", STANDARD.values(), ids=STANDARD)
def test_a_layout_is_the_same_each_time(graph: Graph) -> None:
    assert lay_out(items_of(graph)) == lay_out(items_of(graph))


def test_a_result_stands_right_of_its_longest_path() -> None:
    x = columns(lay_out(items_of([("x", ()), ("a", (0,)), ("b", (1,)), ("y", (0, 2))])))
    assert max(x[0]) < min(x[1]) < min(x[2]) < min(x[3])


def test_a_leaf_stands_next_to_its_consumer() -> None:
    layout = lay_out(items_of([("x", ()), ("b", ()), ("a", (0,)), ("c", (2,)), ("y", (3, 1))]))
    [bias], [before] = layout.boxes_of(1), layout.boxes_of(3)
    assert bias.x == before.x


def test_a_leaf_with_uses_close_together_is_one_box() -> None:
    layout = lay_out(items_of(STANDARD["sum_over_paths"]))
    assert set(Counter(box.key for box in layout.boxes).values()) == {1}


def test_a_shared_weight_has_a_stub_for_each_row_of_data() -> None:
    graph = mlp(4)
    layout = lay_out(items_of(graph))
    weights = [key for key, (name, _) in enumerate(graph) if name == "w"]
    assert {len(layout.boxes_of(key)) for key in weights} == {4}
    assert all(len(layout.boxes_of(key)) == 1 for key, (_, ops) in enumerate(graph) if ops)


def test_the_sweeps_take_out_most_crossings() -> None:
    layers = build(items_of(mlp(4)))
    ordering.arrange(layers)
    assert ordering.crossings(layers) < 300


def test_one_trunk_for_each_source() -> None:
    layout = lay_out(items_of(STANDARD["fan out"]))
    trunks = {x for wire in layout.wires[1:] for x, _ in wire.path[1:-1]}
    assert len(trunks) == 1


@given(st.integers(1, 8).flatmap(lambda n: st.lists(st.integers(0, n - 1), min_size=n, max_size=n)))
@settings(max_examples=tries(500))
def test_trunks_that_want_the_same_rows_make_way_for_each_other(owners: list[int]) -> None:
    """Rows at the right belong to any nets; no two nets may then run along the same cells."""
    nets = [
        (start, [end for end, owner in enumerate(owners) if owner == start])
        for start in sorted(set(owners))
    ]
    trunks, width = tracks.route(nets)
    used: Counter[tuple[int, int, bool]] = Counter()
    for (start, ends), trunk in zip(nets, trunks, strict=True):
        own = set()
        for end in ends:
            turns = [(-1, start), (trunk.first, start), (trunk.first, trunk.row)]
            turns += [(trunk.last, trunk.row), (trunk.last, end), (width, end)]
            for (x0, y0), (x1, y1) in pairwise(turns):
                own |= {(x, y0, False) for x in range(x0, x1 + 1) if y0 == y1}
                own |= {(x0, y, True) for y in range(min(y0, y1), max(y0, y1) + 1) if y0 != y1}
        used.update(own)
    assert set(used.values()) == {1}


def test_a_click_finds_the_box_and_the_upright_wire_of_a_crossing() -> None:
    layout = lay_out(items_of([("a", ()), ("b", ()), ("x", (0, 1)), ("y", (0, 1))]))
    [box] = layout.boxes_of(3)
    assert layout.box_at(box.x, box.y + 1) == box
    assert layout.box_at(box.x - 1, box.y) is None
    assert layout.wires_at(box.x, box.y) == ()
    for wire in layout.wires:
        for (x, y0), (x1, y1) in pairwise(wire.path):
            if x == x1:
                found = layout.wires_at(x, (y0 + y1) // 2)
                assert wire in found
                assert {each.operand for each in found} == {wire.operand}


def test_what_cannot_be_a_graph_is_refused() -> None:
    with pytest.raises(ValueError, match="node 0 comes before its operand 1"):
        lay_out([Item(0, (1,), 3, 1), Item(1, (), 3, 1)])
    with pytest.raises(ValueError, match="node 0 comes before its operand 0"):
        lay_out([Item(0, (0,), 3, 1)])
    with pytest.raises(ValueError, match="node 0 is given twice"):
        lay_out([Item(0, (), 3, 1), Item(0, (), 3, 1)])


def test_a_long_chain_needs_no_deep_recursion() -> None:
    layout = lay_out([Item(key, (key - 1,) if key else (), 3, 1) for key in range(3000)])
    assert layout.height == 1


def test_a_trunk_is_all_the_wires_that_share_it() -> None:
    layout = lay_out(items_of(STANDARD["fan out"]))
    shared = {wires for box in layout.boxes if len(wires := layout.wires_at(*box.exit)) > 1}
    assert shared
    for wires in shared:
        assert len({wire.operand for wire in wires}) == 1
        assert len({wire.target for wire in wires}) == len(wires)


def test_a_neighbourhood_is_nearest_first_then_what_was_made_next_to_it() -> None:
    graph = STANDARD["two_layer"]
    operands = [sorted(entering) for _, entering in graph]
    consumers: list[list[int]] = [[] for _ in graph]
    for key, entering in enumerate(operands):
        for operand in entering:
            consumers[operand].append(key)

    def near(hops: int, limit: int = 120) -> list[str]:
        keys = neighbourhood(
            operands.__getitem__,
            consumers.__getitem__,
            centre=8,
            hops=hops,
            limit=limit,
        )
        return [graph[key][0] for key in keys]

    assert near(0) == ["h"]
    assert near(1) == ["h", "z1", "m2"]
    assert near(2) == ["h", "z1", "m2", "m1", "y", "w2", "b1"]
    assert near(2, limit=4) == ["h", "z1", "m2", "m1"]
    assert len(near(99)) == len(graph)


def test_leaves_alone_stand_in_short_columns() -> None:
    layout = lay_out(items_of([(name, ()) for name in "abcdefg"]))
    assert layout.height <= 3 * items_of([("a", ())])[0].height + 2
    assert len({box.x for box in layout.boxes}) == 3
    assert [box.key for box in layout.boxes] == list(range(7))
