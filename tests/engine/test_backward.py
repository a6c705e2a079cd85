"""The backward pass: who takes part, in which order, and what adds up."""

import math

import pytest
from hypothesis import assume, given

from graphs import Graph, graphs, tame
from reference import all_bits
from stepgrad import Value
from stepgrad.engine.backward import ancestors


def test_ancestors_are_the_computed_ones_newest_first() -> None:
    x, y = Value(1.0), Value(2.0)
    a = x * y
    b = a + 1
    x * 3  # not an ancestor
    c = b * a
    assert ancestors(c) == [c, b, a]
    assert ancestors(x) == []


@given(graphs())
def test_every_ancestor_comes_once_and_after_what_uses_it(graph: Graph) -> None:
    order = ancestors(graph.build()[-1])
    place = {node: i for i, node in enumerate(order)}
    assert len(place) == len(order)
    assert all(
        place[operand] > place[node] for node in order for operand in node._prev if operand in place
    )


def test_both_edges_of_a_repeated_operand_count() -> None:
    x = Value(3.0)
    (x * x).backward()
    assert x.grad == 6.0


def test_paths_add_up() -> None:
    h = Value(1.5)
    z1, z2 = 2 * h, -h
    (z1**2 + z2**2).backward()
    assert (h.grad, z1.grad, z2.grad) == (15.0, 6.0, -3.0)


def test_a_second_pass_doubles_leaves_and_renews_the_rest() -> None:
    x = Value(3.0)
    y = x * x
    z = y + y
    for leaf in (12.0, 24.0, 36.0):
        z.backward()
        assert (x.grad, y.grad, z.grad) == (leaf, 2.0, 1.0)


def test_two_losses_share_nodes() -> None:
    x = Value(2.0)
    shared = x * x
    first, second = shared * 3, shared * 5
    first.backward()
    second.backward()
    assert (x.grad, shared.grad, first.grad) == (12.0 + 20.0, 5.0, 1.0)


def test_the_gradient_of_a_leaf_by_itself_adds_up_too() -> None:
    x = Value(2.0)
    x.backward()
    x.backward()
    assert x.grad == 2.0


def test_an_edge_with_upstream_zero_still_counts() -> None:
    x = Value(0.0)
    (x.log() * 0).backward()  # 0·inf
    assert x.grad != x.grad


def test_values_written_after_the_forward_pass_are_what_the_backward_pass_multiplies_by() -> None:
    w, x = Value(2.0), Value(3.0)
    y = w * x
    w.data = 10.0
    y.backward()
    assert (y.data, x.grad) == (6.0, 10.0)


@given(graphs())
def test_the_gradient_is_independent_of_earlier_passes(graph: Graph) -> None:
    values = graph.build()
    leaves = values[: len(graph.leaves)]
    values[-1].backward()
    once = [value.grad for value in values]
    for leaf in leaves:
        leaf.grad = 0
    for value in values[len(leaves) :]:
        value.grad = 7.0
    values[-1].backward()
    reached = {*ancestors(values[-1]), *leaves}
    assert all_bits(value.grad for value in values if value in reached) == all_bits(
        grad for value, grad in zip(values, once, strict=True) if value in reached
    )


@given(graphs(tame, size=6))
def test_gradients_are_slopes(graph: Graph) -> None:
    values = graph.build()
    root, leaves = values[-1], values[: len(graph.leaves)]
    root.backward()
    # At a pole, as of √(x − x), the chain rule says inf − inf, as PyTorch's does.
    assume(all(math.isfinite(value.grad) for value in values))
    h = 1e-6

    def moved(which: int, by: float) -> float:
        numbers = [x + by * (i == which) for i, x in enumerate(graph.leaves)]
        return Graph(tuple(numbers), graph.calls).build()[-1].data

    for which, leaf in enumerate(leaves):
        here = root.data
        up, down = moved(which, h) - here, here - moved(which, -h)
        # Where the two sides differ much there is a kink, or rounding hides the slope.
        if up == pytest.approx(down, rel=1e-3, abs=1e-12) and abs(here) < 1e3:
            assert leaf.grad == pytest.approx((up + down) / (2 * h), rel=2e-3, abs=1e-5)
