"""Programs that bring their own engine, healthy or broken: what of them reaches the recorder."""

from __future__ import annotations

from pathlib import Path

import pytest

from hearing import hear, hear_file
from mistakes import MISTAKES, Mistake
from processes import python, run

HERE = Path(__file__).parent
HEALTHY = sorted((HERE / "healthy").glob("*.py"))

PASSES = {
    "local_grads": 3, "paths": 3, "ordered": 4, "nested": 6, "frozen": 0, "asking": 2, "queue": 2,
    "stack": 3,
}  # fmt: skip

SHOWS = {
    "overwrites": "edge",
    "swapped": "edge",
    "upstream missing": "edge",
    "upstream": "edge",
    "local derivative": "edge",
    "sign": "edge",
    "order": "order",
    "seed": "seed",
    "no contribution": "missing",
    "left out": "missing",
    "unvisited": "missing",
    "seeded again": "missing",
    "visited twice": "order",
    "not cleared": "stale",
    "left over": "stale",
    "wrong forward": "forward",
}
"""What a mistake looks like in what is reported."""

SUMMED = "dict_sums", "pull", "running_sums", "local_sums"
"""Engines whose writes are no contributions: what is reported of them does not fit any rule."""

ASKING = ("asking",)
"""Engines in which an object may need no gradient: what is missing may be right."""

LACKING = "childless", "some children", "unlisted"
"""The remarks on operands that are not among the children."""

AT_ITS_LINE = ("overwrites", "swapped", "upstream missing", "sign", "wrong forward")

FAR = "local", "functions", "stack_sub", "queue_swapped"
"""Mistakes in what is computed before the line that writes it."""


@pytest.mark.parametrize("path", HEALTHY, ids=lambda path: path.stem)
def test_healthy_programs_print_what_they_print_and_every_edge_is_right(path: Path) -> None:
    heard, printed = hear_file(path)
    assert printed == run(python(str(path)), cwd=path.parent).stdout
    filtered = any(kind == "some children" for kind, *_ in heard.remarks())
    filtered |= path.stem in ASKING
    if path.stem in SUMMED:
        return
    assert not [each for each in heard.wrong if each[0] != "missing" or not filtered]
    assert heard.passes == PASSES.get(path.stem, 1)


@pytest.mark.parametrize(
    "mistake",
    [each for each in MISTAKES.values() if each.engine not in (*SUMMED, *ASKING)],
    ids=lambda mistake: mistake.name,
)
def test_what_is_reported_shows_the_mistake(mistake: Mistake, tmp_path: Path) -> None:
    heard, _ = hear_file(mistake.planted(tmp_path))
    kind, line = mistake.kind, mistake.line
    first = heard.wrong[0][0] if heard.wrong else ""
    if kind in ("wrong node", "called"):
        assert first in ("early", "hung", "stray", "missing")
        assert (first, line) in [(each, at) for each, at, _ in heard.remarks()]
    elif not {(each, line) for each in LACKING} & {r[:2] for r in heard.remarks()}:
        assert first == SHOWS[kind]
    if kind in AT_ITS_LINE and not mistake.name.startswith(FAR):
        assert line in [spot[0] for each, spot in heard.wrong if spot and each == first]


def test_an_object_that_was_not_seen_before_is_one_node_however_often_it_is_used() -> None:
    heard, _ = hear(
        """
import copy
class V:
    def __init__(self, data, children=()):
        self.data, self.grad, self.children = data, 0.0, children
    def __add__(self, other):
        return V(self.data + other.data, (self, other))
    def __deepcopy__(self, memo):
        made = V.__new__(V)
        vars(made).update(vars(self))
        return made
x = copy.deepcopy(V(2.0))
y = x + x
"""
    )
    assert [(name, operands) for name, _, operands in heard.made()] == [
        ("leaf", ()), ("leaf", ()), ("add", (1, 1)),
    ]  # fmt: skip
