"""Paths from a node to the output: counted and summed, never enumerated."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphs import Graph, graphs, numbers
from stepgrad import Value, record
from stepgrad.recording.recording import Recording
from stepgrad.replay.gradients.ledger import latest_pass
from stepgrad.replay.gradients.paths import Paths, paths


def paths_to(recording: Recording, node: int, most: int = 8) -> Paths:
    block = latest_pass(recording, recording.length)
    assert block is not None
    return paths(recording, block.root, node, block.start, most)


def two_paths() -> Recording:
    with record() as recording:
        h = Value(1.5, label="h")
        z1, z2 = 2 * h, -h
        (z1**2 + z2**2).backward()
    return recording


def test_one_term_for_each_path() -> None:
    found = paths_to(two_paths(), 0)
    assert (found.count, found.total) == (2, 15.0)
    assert [(path.product, path.locals) for path in found.weightiest] == [
        (12.0, (2.0, 6.0, 1.0)),
        (3.0, (-1.0, -3.0, 1.0)),
    ]


def test_only_the_weightiest_are_kept() -> None:
    found = paths_to(two_paths(), 0, most=1)
    assert (found.count, [path.product for path in found.weightiest]) == (2, [12.0])


def test_more_paths_than_atoms_are_counted_at_once() -> None:
    with record() as recording:
        x = y = Value(1.0)
        for _ in range(300):
            y = y + y
        (y * 2.0**-300).backward()
    found = paths_to(recording, 0)
    assert found.count == 2**300
    assert found.total == x.grad == 1.0


def test_the_root_has_one_path_and_what_is_not_reached_has_none() -> None:
    with record() as recording:
        x, aside = Value(2.0), Value(3.0)
        (x * x).backward()
    assert paths_to(recording, 2) == Paths(1, 1.0, paths_to(recording, 2).weightiest, 0.0)
    assert paths_to(recording, recording.size - 2).count == 0
    assert aside.grad == 0.0


@given(
    st.lists(st.tuples(st.sampled_from("+*-"), st.integers(0, 9), st.integers(0, 9)), max_size=9)
)
def test_the_sum_over_paths_is_the_gradient(program: list[tuple[str, int, int]]) -> None:
    with record() as recording:
        leaf = Value(0.5)
        values = [leaf, leaf * 3]
        for sign, i, j in program:
            a, b = values[i % len(values)], values[j % len(values)]
            values.append({"+": a + b, "*": a * b, "-": a - b}[sign])
        sum(values[1:], values[0]).backward()
    found = paths_to(recording, 0, most=10_000)
    assert found.total == pytest.approx(leaf.grad)
    if found.count == len(found.weightiest):
        assert math.fsum(path.product for path in found.weightiest) == pytest.approx(leaf.grad)


def every_path(recording: Recording, root: int, node: int, position: int) -> list[float]:
    """The product of each path, found the slow and obvious way."""
    found: list[float] = []
    stack = [(root, 1.0)]
    while stack:
        out, product = stack.pop()
        if out == node:
            found.append(product)
            continue
        for slot, operand in enumerate(recording.node(out).operands):
            if not recording.is_constant(operand):
                stack.append((operand, recording.history.carry(out, slot, position)(product)))
    return found


def sizes(products: list[float]) -> list[float]:
    return sorted((abs(x) if x == x else math.inf for x in products), reverse=True)


@given(graphs(numbers | st.sampled_from([math.inf, math.nan]), 9), st.integers(0, 3))
def test_they_are_the_largest_of_all(graph: Graph, which: int) -> None:
    with record() as recording:
        *_, root = graph.build()
        root.backward()
    block = latest_pass(recording, recording.length)
    assert block is not None
    node = block.nodes[-1 - which % len(block.nodes)]
    found = paths(recording, block.root, node, block.start, 5)
    products = every_path(recording, block.root, node, block.start)
    assert found.count == len(products)
    assert sizes([path.product for path in found.weightiest]) == pytest.approx(
        sizes(products)[:5], rel=1e-9, abs=1e-300
    )


def test_a_tie_of_many_paths_is_no_search() -> None:
    with record() as recording:
        y = Value(1.0)
        for _ in range(300):
            y = y * 0.1 + y * 0.1
        (y * 5.0**300).backward()
    found = paths_to(recording, 0)
    assert found.count == 2**300
    products = [path.product for path in found.weightiest]
    assert products == [pytest.approx(found.total / 2**300)] * 8


def test_a_path_that_is_not_finite_comes_first_even_behind_a_shut_gate() -> None:
    with record() as recording:
        x = Value(0.0)
        (x.sqrt() - 1).relu().__add__(3 * x).backward()
    found = paths_to(recording, 0)
    assert [path.locals[1:] for path in found.weightiest] == [(1.0, 0.0, 1.0), (1.0,)]
    assert math.isnan(found.weightiest[0].product)


@pytest.mark.parametrize(("branches", "rest"), [(10, math.inf), (300, None)])
def test_the_rest_of_infinite_paths_is_not_what_their_sum_leaves(
    branches: int, rest: float | None
) -> None:
    with record() as recording:
        x = Value(1.0)
        (sum((x * 1e300 for _ in range(branches)), Value(0.0)) * 1e300).backward()
    found = paths_to(recording, 0)
    assert (found.count, found.total, found.rest) == (branches, math.inf, rest)


def test_the_rest_may_be_finite_where_the_sum_is_not() -> None:
    with record() as recording:
        x = Value(0.0)
        (x * 1e308 + x * 1e308 + x).backward()
    found = paths_to(recording, 0, most=1)
    assert (found.total, found.rest) == (math.inf, 1e308 + 1)
