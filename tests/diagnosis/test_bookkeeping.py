"""The faults agree with an account that is kept event by event."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from hypothesis import given
from hypothesis import strategies as st

from stepgrad import SGD, Recording, Value, clip_norm, record
from stepgrad.diagnosis.bookkeeping.tracking import find_faults
from stepgrad.diagnosis.survey import survey
from stepgrad.recording import events

DEEDS = (
    *("root 0", "root 1", "root 2", "pass 0", "pass 1", "pass 0", "pass 2"),
    *("step both", "step first", "step tied", "clear both", "clear first", "set", "clip"),
)

loops = st.lists(st.sampled_from(DEEDS), min_size=2, max_size=16)

Faults = Mapping[int, Sequence[int]]
"""For each leaf, the position of the first event, and how often an update makes it come true."""


def run(loop: Sequence[str]) -> Recording:
    with record() as recording:
        v, w = Value(0.75, label="v"), Value(0.5, label="w")
        roots = {"0": v * w + v, "1": w * w * 3.0}
        roots["2"] = roots["0"] + roots["1"] * 2.0
        optimizers = {"both": SGD([v, w], 0.25), "first": SGD([v], 0.125)}
        optimizers["tied"] = SGD([w, w], 0.125)
        for deed in loop:
            match deed.split():
                case ["root", "2"]:
                    roots["2"] = roots["0"] + roots["1"] * 2.0
                case ["root", which]:
                    roots[which] = v * w + v if which == "0" else w * w * 3.0
                case ["pass", which]:
                    roots[which].backward()
                case ["step", which]:
                    optimizers[which].step()
                case ["clear", which]:
                    optimizers[which].zero_grad()
                case ["set"]:
                    w.grad = 2.0
                case _:
                    clip_norm([v, w], 1.0)
    return recording


class Account:
    """What is in the gradient of each leaf, event by event."""

    def __init__(self, recording: Recording) -> None:
        self.found: dict[str, dict[int, list[int]]] = defaultdict(dict)
        self._roots: dict[int, list[int]] = defaultdict(list)  # of what is in it
        self._used: dict[int, bool] = defaultdict(bool)
        self._suspects: dict[int, dict[str, int]] = defaultdict(dict)
        self._moved: dict[int, int] = {}
        self._recording = recording
        root, landed = -1, set[int]()
        for position, event in enumerate(recording.events, 1):
            match event:
                case events.Leaf() | events.Op():
                    self._moved.clear()
                case events.Seed(node=root):
                    self._moved.clear()
                    landed = set()
                case events.Accumulate(node=node) if not recording.node(node).operands:
                    if node not in landed:
                        landed.add(node)
                        self._lands(position, event, root)
                case events.ZeroGrad(node=node, before=before):
                    lost = self._roots.pop(node, None) and not self._used[node] and before
                    wiped = position if lost else self._suspects[node].get("wiped")
                    self._suspects[node] = {"wiped": wiped} if wiped else {}
                    self._used[node] = False
                case events.SetGrad(node=node, rule=None):
                    self._roots[node], self._used[node] = [-1], False
                    self._suspects[node] = {}
                case events.Update(node=node):
                    self._updates(position, node)

    def _lands(self, position: int, event: events.Accumulate, root: int) -> None:
        node, suspects = event.node, self._suspects[event.node]
        suspects.pop("wiped", None)
        if event.before and self._used[node]:
            suspects.setdefault("not_cleared", position)
        elif event.before and not self._within(root).isdisjoint(self._roots[node]):
            suspects.setdefault("doubled", position)
        if self._used[node]:
            self._roots[node], self._used[node] = [], False
        self._roots[node].append(root)

    def _within(self, root: int) -> set[int]:
        below = (self._within(each) for each in self._recording.node(root).operands)
        return {root}.union(*below)

    def _updates(self, position: int, node: int) -> None:
        suspects = self._suspects.pop(node, {})
        if "not_cleared" in suspects:
            suspects.pop("doubled", None)
        for kind, first in suspects.items():
            self._add(kind, node, position if kind == "wiped" else first)
        if node in self._moved:
            self._add("twice", node, position)
        self._moved[node] = position
        self._used[node] = bool(self._roots.get(node))

    def _add(self, kind: str, node: int, first: int) -> None:
        self.found[kind].setdefault(node, [first, 0])[1] += 1


@given(loops)
def test_the_faults_are_those_of_an_account_event_by_event(loop: Sequence[str]) -> None:
    recording = run(loop)
    kept, account = find_faults(survey(recording)), Account(recording).found
    learns = bool(survey(recording).steps)
    for kind in ("not_cleared", "wiped", "twice", *["doubled"] * learns):
        faults = getattr(kept, kind)
        found = {node: [fault.event, len(fault.steps)] for node, fault in faults.items()}
        assert found == account[kind], kind
