"""What is near a node: the same as a search of the whole graph finds, for what is visible of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import overload

from hypothesis import given
from hypothesis import strategies as st

from odd_runs import at
from stepgrad import Value, record
from stepgrad.replay.graph.neighbourhood import neighbourhood


class Counted(Sequence[int]):
    """Ascending numbers that count how many of them are taken."""

    taken = 0

    def __init__(self, numbers: range) -> None:
        self._numbers = numbers

    def __len__(self) -> int:
        return len(self._numbers)

    def __iter__(self) -> Iterator[int]:
        return map(self.__getitem__, range(len(self)))

    @overload
    def __getitem__(self, at: int) -> int: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[int]: ...
    def __getitem__(self, at: int | slice) -> int | Sequence[int]:
        found = self._numbers[at]
        self.taken += len(found) if isinstance(found, range) else 1
        return found


Edges = Mapping[int, Sequence[int]]

edges = st.sets(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=120)


@given(edges, st.integers(0, 30), st.integers(0, 4), st.integers(1, 40))
def test_the_nearest_of_the_whole_graph(
    edges: set[tuple[int, int]], centre: int, hops: int, limit: int
) -> None:
    operands: Edges = {key: sorted(op for out, op in edges if out == key) for key in range(31)}
    consumers: Edges = {key: sorted(out for out, op in edges if op == key) for key in range(31)}
    distances = {centre: 0}
    for distance in range(1, hops + 1):
        around = {end for edge in edges for end in edge if not distances.keys().isdisjoint(edge)}
        distances |= dict.fromkeys(around - distances.keys(), distance)
    nearest = sorted(distances, key=lambda key: (distances[key], abs(key - centre), key))
    found = neighbourhood(operands.__getitem__, consumers.__getitem__, centre, hops, limit)
    assert found == nearest[:limit]


def test_of_the_uses_of_a_weight_only_those_close_by_are_looked_at() -> None:
    uses = Counted(range(1, 100_001))
    found = neighbourhood(lambda _: (), lambda key: () if key else uses, centre=0, hops=1, limit=10)
    assert found == [*range(10)]
    assert uses.taken < 100


def test_the_uses_of_a_weight_are_collected_once() -> None:
    with record() as recording:
        weight, total = Value(0.5, label="w"), Value(0.0, label="total")
        for _ in range(10):
            total = total + weight
    graph = at(recording, recording.length).graph
    uses = graph.consumers(graph[0])
    assert len(uses) == 10
    assert graph.consumers(graph[0]) is uses
