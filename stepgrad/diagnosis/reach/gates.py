"""The gates that shut a parameter off: which they are, how far they are shut, what moved them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from stepgrad.diagnosis.reach.blame import Blame
from stepgrad.diagnosis.survey import Pass, Survey
from stepgrad.diagnosis.wording import gathered, joined, shared_name
from stepgrad.engine import ops
from stepgrad.numbers import number
from stepgrad.recording.recording import Recording
from stepgrad.replay.gradients.between import Edge
from stepgrad.replay.gradients.cuts import cut_set
from stepgrad.replay.gradients.paths import paths
from stepgrad.replay.telling.titles import definition, short_title, title

_NAMED = 3
"""The most gates to name."""


@dataclass(frozen=True, slots=True)
class Gates:
    """The gates that shut a parameter off in a pass, and the edges there."""

    nodes: Sequence[int]
    edges: Sequence[Edge]


def gates_of(survey: Survey, which: Pass, blame: Blame, node: int) -> Gates:
    """Return the gates that separate a parameter from the root of a pass."""
    recording, position = survey.recording, which.block.start
    edges = cut_set(
        recording, which.root, node, position, lambda edge: bool(blame.edge(edge))
    )  # fmt: skip
    blamed = sorted({each for edge in edges for each in blame.edge(edge)})
    gates = [each for each in blamed if each not in survey.parameters]
    return Gates(gates or blamed, edges)


def named(recording: Recording, gates: Iterable[int]) -> str:
    """Name gates, those of all rows in one, with what they compute; if many, by tensor."""
    by_name: dict[str, list[int]] = {}
    for node in gates:
        by_name.setdefault(_without_row(recording, node), []).append(node)
    tensors = gathered(by_name)
    if len(by_name) > _NAMED and len(tensors) < len(by_name):
        return joined(tensors[:_NAMED], len(tensors))
    names = [_gate(recording, nodes) for nodes in islice(by_name.values(), _NAMED)]
    return joined(names, len(by_name))


def margin(recording: Recording, gates: Collection[int], position: int) -> str:
    """Say how far gates are from opening: ` (z is −0.5 at most)`. Empty for others than relus."""
    if any(recording.node(node).op is not ops.RELU for node in gates):
        return ""
    operands = [recording.node(node).operands[0] for node in gates]
    values = (recording.history.value(each, position) for each in operands)
    most = max(value for value in values if value is not None)
    name = short_title(recording, operands[0])
    return f" ({'it' if name.startswith('#') else name} is {number(most)} at most)"


def _without_row(recording: Recording, node: int) -> str:
    """The name of a gate without its outermost scope; if it has none, its operation.

    A tensor has its rows inside: the name of an element is whole.
    """
    name = title(recording, node)
    if name.startswith("#"):
        return recording.node(node).op.name
    return name if name.endswith("]") else name.partition("/")[2] or name


def _gate(recording: Recording, nodes: Sequence[int]) -> str:
    node = recording.node(nodes[0])
    if not node.operands:
        return f"{title(recording, node.index)} = 0"
    name = shared_name(recording, nodes)
    if not node.name:
        return f"a {node.op.name}" if name.startswith("#") or not name else name
    return f"{name} = {definition(recording, node)}"


@dataclass(frozen=True, slots=True)
class Moved:
    """An update that moved a gate: the position just after it, and a clause that says so."""

    position: int
    text: str


def moved_by(survey: Survey, which: Pass, found: Mapping[int, Gates]) -> Moved | None:
    """Find the write that moved the gates of a parameter most, right before they were shut."""
    recording, position = survey.recording, which.block.start
    steps = [step for step in survey.steps if step.position <= position]
    if not steps:
        return None
    step, moved = steps[-1], list[tuple[float, int]]()
    for node in step.before.keys() & found.keys():
        by = step.after[node] - step.before[node]
        for argument in recording.node(found[node].nodes[0]).operands:
            slope = paths(recording, argument, node, position, most=0).total
            moved.append((abs(by * slope), node))
    if not moved or not max(moved)[0]:
        return None
    node = max(moved)[1]
    before, after = number(step.before[node]), number(step.after[node])
    at = survey.updated_before(node, position)
    name = title(recording, node)
    return Moved(at, f"the update at event {at:,} moved {name} from {before} to {after}")
