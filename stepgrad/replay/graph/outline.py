"""The outline of a scene: its nodes, grouped by scope; some scopes are folded."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import NamedTuple

from stepgrad.printable import SHAPE
from stepgrad.recording.kept import kept
from stepgrad.replay.graph.scene import Scene

LARGE = 1000
"""A scene with more nodes than this opens with its scopes folded."""

FITTING = 20
"""The lines of an outline that fit on most screens."""


@dataclass(frozen=True, eq=False)
class ScopeLine:
    """A line that is not a node: the heading of a scope, or a folded scope with its `nodes`."""

    scope: str
    nodes: Sequence[int] = ()

    def holds(self, node: int | None) -> bool:
        """Whether a node is in the folded scope."""
        at = len(self.nodes) if node is None else bisect_left(self.nodes, node)
        return at < len(self.nodes) and self.nodes[at] == node


Line = int | ScopeLine


class _Run(NamedTuple):
    """A heading, if any, and the nodes below it, as places of the scene; a folded one has none."""

    head: ScopeLine | None
    start: int
    stop: int

    @property
    def folded(self) -> bool:
        return self.head is not None and bool(self.head.nodes)

    @property
    def lines(self) -> int:
        return (self.head is not None) + (0 if self.folded else self.stop - self.start)

    @property
    def targets(self) -> int:
        return 1 if self.folded else self.stop - self.start


class Outline:
    """Lines in the order of creation: nodes, with the heading of a scope above its first node.

    A folded scope is one line, in the place of its first node. What can be pointed at is a
    *target*: a node, or a folded scope, which stands for its first node. The headings of open
    scopes are not targets.
    """

    def __init__(self, scene: Scene, folded: frozenset[str]) -> None:
        self._scene = scene
        self._runs: list[_Run] = []
        self._places: list[tuple[int, int]] = []  # from this place on, nodes are in this run
        self._collect(folded)
        self._lines = [0, *accumulate(run.lines for run in self._runs)]
        self._targets = [0, *accumulate(run.targets for run in self._runs)]

    def _collect(self, folded: frozenset[str]) -> None:
        hidden: dict[str, list[tuple[int, int]]] = {}
        at: dict[str, int] = {}
        last = ""
        for scope, start, stop in self._scene.scopes:
            outermost = next((each for each in enclosing(scope) if each in folded), None)
            if outermost is None:
                head = ScopeLine(scope or "·") if scope != last else None
                self._places.append((start, len(self._runs)))
                self._runs.append(_Run(head, start, stop))
                last = scope
                continue
            if outermost not in at:
                at[outermost] = len(self._runs)
                self._runs.append(_Run(None, start, start))
            hidden.setdefault(outermost, []).append((start, stop))
            self._places.append((start, at[outermost]))
            last = ""
        for scope, stretches in hidden.items():
            nodes = [node for start, stop in stretches for node in self._scene[start:stop]]
            run = self._runs[at[scope]]
            self._runs[at[scope]] = _Run(ScopeLine(scope, nodes), run.start, run.stop)

    def __len__(self) -> int:
        return self._lines[-1]

    def __getitem__(self, number: int) -> Line:
        """Return a line by its number, counted from 0.

        Raises:
            IndexError: there is no such line.
        """
        if not 0 <= number < len(self):
            raise IndexError(f"line {number} of {len(self)}")
        at = bisect_right(self._lines, number) - 1
        run, below = self._runs[at], number - self._lines[at]
        if run.head is None:
            return self._scene[run.start + below]
        return self._scene[run.start + below - 1] if below else run.head

    @property
    def folded(self) -> Iterator[ScopeLine]:
        """The lines of folded scopes."""
        return (run.head for run in self._runs if run.head is not None and run.folded)

    @property
    def shown_as(self) -> list[int]:
        """For each place of the scene, its node, or the first node of the folded scope it is in."""
        shown: list[int] = []
        stretches = [*self._places, (len(self._scene), 0)]
        for (start, at), (stop, _) in pairwise(stretches):
            run = self._runs[at]
            nodes = self._scene[start:stop]
            shown += [self._scene[run.start]] * len(nodes) if run.folded else nodes
        return shown

    def __iter__(self) -> Iterator[Line]:
        return map(self.__getitem__, range(len(self)))

    def line_of(self, node: int | None) -> int | None:
        """Return the line of a node, or of the folded scope it is in; None if there is none."""
        found = self._find(node)
        if found is None:
            return None
        at, below = found
        run = self._runs[at]
        return self._lines[at] + (below if run.folded else below + (run.head is not None))

    @property
    def targets(self) -> int:
        """The number of targets."""
        return self._targets[-1]

    def target_of(self, node: int | None) -> int | None:
        """Return which target shows a node, counted from 0; None if none does."""
        found = self._find(node)
        return None if found is None else self._targets[found[0]] + found[1]

    def node_of(self, target: int) -> int:
        """Return the node that a target is, or the first node of a folded scope."""
        at = bisect_right(self._targets, target) - 1
        return self._scene[self._runs[at].start + target - self._targets[at]]

    def _find(self, node: int | None) -> tuple[int, int] | None:
        """The run that shows a node, and the node's offset in it."""
        place = None if node is None else self._scene.place(node)
        if place is None:
            return None
        _, at = self._places[bisect_right(self._places, (place, len(self._runs))) - 1]
        return at, 0 if self._runs[at].folded else place - self._runs[at].start


@kept(8)
def outline(scene: Scene, folded: frozenset[str]) -> Outline:
    """Return the outline of a scene with these scopes folded."""
    return Outline(scene, folded)


def folds(scene: Scene) -> frozenset[str]:
    """Return the scopes to fold when a scene opens: in a small one, only those of tensors."""
    if len(scene) > LARGE:
        return fitting(scene, FITTING)
    scopes = {scope for scope, _, _ in scene.scopes if scope}
    if not any(map(is_tensor, scopes)):
        return frozenset()
    return frozenset(scopes - {each for scope in scopes for each in enclosing(scope)[:-1]})


def is_tensor(scope: str) -> bool:
    """Whether the nodes of a scope are the elements of a tensor: `l1/linear (4×3)`."""
    return SHAPE.search(scope) is not None


def without_shape(scope: str) -> str:
    """Return a scope that is a tensor without its shape, where there is no room for that."""
    return SHAPE.sub("", scope)


def fitting(scene: Scene, room: int) -> frozenset[str]:
    """Return the fewest scopes to fold for an outline of at most `room` lines.

    They are all scopes below some depth; if that is not enough at any depth, they are all scopes.
    """
    scopes = {each for scope, _, _ in scene.scopes for each in enclosing(scope)}
    folded = frozenset(scopes)
    for depth in range(max((scope.count("/") for scope in scopes), default=0)):
        further = frozenset(scope for scope in scopes if scope.count("/") > depth)
        if len(outline(scene, further)) > room:
            break
        folded = further
    return folded


def enclosing(scope: str) -> Sequence[str]:
    """Return the scopes around a scope, the outermost first, and the scope itself last."""
    return list(accumulate(scope.split("/"), "{}/{}".format)) if scope else []
