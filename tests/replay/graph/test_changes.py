"""What an edit changed, in boxes and on wires: `old → new` until it is undone."""

from __future__ import annotations

import pytest

from stepgrad.harness import Replay
from stepgrad.numbers import fitting_change
from stepgrad.replay.graph.contents import Node
from stepgrad.replay.graph.folding import folded_graph
from stepgrad.replay.graph.picture import Part, picture
from stepgrad.replay.session import Session

EDITED = Replay.of("chain_rule").press("G /x ]").session


def node(session: Session, name: str) -> Node:
    return Node(session.state, session.recording.first_named(name), before=session.before)


@pytest.mark.parametrize(
    ("width", "told"),
    [(11, "49 → 53.29"), (10, "49 → 53.29"), (9, "49→53.29"), (7, "49→53.3"), (6, "→53.29"),
     (5, "→53.3")],
)  # fmt: skip
def test_a_change_takes_the_digits_and_blanks_that_fit(width: int, told: str) -> None:
    assert fitting_change(("49", 49.0), ("53.29", 53.29), width) == told


def test_numbers_that_read_alike_are_no_change() -> None:
    assert fitting_change(("2", 2.0), ("2", 2.0), 20) == ""
    assert fitting_change(("–", None), ("2", 2.0), 20) == "– → 2"
    assert fitting_change(("1.00001", 1.00001), ("1.00002", 1.00002), 9) == "→1.00002"


def test_a_box_has_what_its_numbers_were() -> None:
    value, grad = node(EDITED, "x").numbers
    assert (value.old, value.text, grad.old, grad.text) == ("2", "2.1", "42", "43.8")
    value, grad = node(EDITED, "h").numbers
    assert (value.fitted(11), grad.fitted(11)) == ("49 → 53.29", "1")
    assert grad.old == ""
    back = Replay(EDITED).press("E").session
    assert back.before is None
    assert node(back, "x").numbers[0].old == ""


def test_a_wire_has_what_its_local_derivative_was() -> None:
    state = EDITED.state
    graph = folded_graph(state.scene, frozenset())
    edges = picture(state, Part(graph, [*graph]), before=EDITED.before).edges
    assert [edge.fitted(12) for edge in edges] == ["3", "1", "14 → 14.6"]
    assert [edge.fitted(4) for edge in edges] == ["3", "1", "14.6"]
    assert [edge.label for edge in edges] == ["3", "1", "14.6"]


def test_what_another_structure_lacks_has_no_past() -> None:
    other = Replay.of("xor_tanh").press("eactivation=linear G").session
    last = len(other.scene) - 1
    told = Node(other.state, other.scene[last], before=other.before)
    assert told.numbers[0].old == ""
