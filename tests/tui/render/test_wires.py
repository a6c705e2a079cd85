"""What lights a wire: a gradient on its way back, or a tangent on its way forward."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from odd_runs import at
from stepgrad import Recording, Value, record, scope
from stepgrad.engine.tape import seed
from stepgrad.recording.blocks import Backward
from stepgrad.recording.events import Accumulate
from stepgrad.replay.gradients.ledger import walk
from stepgrad.replay.graph.folding import Bundle
from stepgrad.replay.graph.picture import Part, picture
from stepgrad.replay.state import State
from stepgrad.scenario import record_scenario
from stepgrad.tui.render import ink
from stepgrad.tui.render.graph import SLIM, draw, in_view
from stepgrad.tui.render.wires import label_width, look


def network() -> Recording:
    """Two rows through one neuron, and a part that the loss does not depend on."""
    with record() as recording:
        with scope("neuron"):
            w, b = Value(0.5, label="w"), Value(-0.25, label="b")
        losses = []
        for row in range(1, 3):
            with scope(f"row{row}"):
                x = Value(float(row), label="x")
                with scope("neuron"):
                    h = (w * x + b).tanh()
                losses.append(h * h)
                _ = h + 1.0
        (losses[0] + losses[1]).backward()
    return recording


NETWORK = network()
SCOPES = ("neuron", "row1", "row1/neuron", "row2", "row2/neuron")


@given(st.integers(0, NETWORK.length), st.frozensets(st.sampled_from(SCOPES)))
def test_a_wire_is_lit_while_a_gradient_comes_over_one_of_its_edges(
    position: int, folded: frozenset[str]
) -> None:
    session = replace(at(NETWORK, position), folded=folded)
    state = session.state
    event = state.event
    current = (event.out, event.slot) if isinstance(event, Accumulate) else None
    part = Part(session.graph, session.graph)
    shown = picture(state, part)
    begun = [each for each in NETWORK.blocks if each.start < position]
    latest = next((each for each in reversed(begun) if isinstance(each, Backward)), None)
    for box, bundles in part.entering.items():
        for bundle, edge in zip(bundles, shown.entering[box], strict=True):
            wire = look(edge)
            walks = [walk(latest, *edge) for edge in bundle.edges] if latest else []
            walked = any(at is not None and at <= position for at in walks)
            assert wire.heavy == (wire.style == ink.CURRENT) == (current in bundle.edges)
            made = state.value(bundle.edges[0][0]) is not None
            lit = wire.style in (ink.CURRENT, ink.BACKWARD)
            assert lit == (made and walked)


def forward() -> Recording:
    """Forward mode by x of a sum that y has a part in too."""
    with record() as recording:
        x, y = Value(2.0, label="x"), Value(5.0, label="y")
        seed(x, 1.0)
        (x * y + y).tanh()
    return recording


def looks(recording: Recording, position: int) -> dict[tuple[int, int], tuple[str, str]]:
    """Label and style of each wire, by its edge."""
    session = at(recording, position)
    shown = picture(session.state, Part(session.graph, session.graph))
    found = (((each.out, each.slot), look(each)) for each in shown.edges)
    return {edge: (wire.label, wire.style) for edge, wire in found}


def test_in_forward_mode_the_wires_are_lit_that_the_tangent_comes_over() -> None:
    recording = forward()
    product, total, tanh = 2, 3, 4
    made = recording.history.made_at
    assert looks(recording, made(product)) == {
        (product, 0): ("5", ink.CURRENT),
        (product, 1): ("2", ink.PLAIN),  # y is held fast
        (total, 0): ("", ink.QUIET),
        (total, 1): ("", ink.QUIET),
        (tanh, 0): ("", ink.QUIET),
    }
    later = looks(recording, made(total))
    assert later[product, 0] == ("5", ink.FORWARD)
    assert later[product, 1] == ("2", ink.PLAIN)
    assert later[total, 0] == ("1", ink.CURRENT)
    assert later[total, 1] == ("1", ink.PLAIN)


def test_each_pass_of_forward_mode_lights_the_wires_of_its_own_input() -> None:
    recording = record_scenario("forward_and_reverse")
    lit = [0] * len(recording.steps)
    for position in range(recording.length + 1):
        pass_ = State(recording, position).step_ordinal
        styles = [style for _, style in looks(recording, position).values()]
        lit[pass_ or 0] += styles.count(ink.CURRENT)
    assert lit == [3, 3, 2, 5], "u, s and L by x and by y, s and L by z, and every edge back"


def test_a_wire_of_many_edges_says_how_many() -> None:
    edges = [(node, 0) for node in range(1200)]
    bundle = Bundle(0, edges)
    assert label_width(NETWORK, bundle) == len(" ×1,200 ")


def test_on_a_trunk_the_wire_shows_that_has_come_furthest() -> None:
    with record() as recording:
        x = Value(3.0, label="x")
        _ = x * 2.0, x * 3.0
    session = at(recording, recording.history.made_at(2))
    canvas = draw(session.graph, in_view(session), SLIM).paint(session.state, None)
    assert canvas.plain() == " x ─┬─ 2 ──▶[x·2]\n    ╰──────▶ x·3"
    (trunk,) = canvas.crop(3, 0, 2, 1)
    assert [span.style for span in trunk.spans if span.style == ink.QUIET] == []


def test_a_bar_crosses_a_wire_that_lets_nothing_back() -> None:
    with record() as recording:
        x = Value(-1.0, label="x")
        (x.relu() + x.abs()).backward()
    session = at(recording, recording.length)
    shown = picture(session.state, Part(session.graph, session.graph))
    assert {each.out: look(each).shut for each in shown.edges} == {1: True, 2: False, 3: False}
    canvas = draw(session.graph, in_view(session), SLIM).paint(session.state, None)
    assert canvas.plain().count("┿▶") == 1
    ahead = at(recording, recording.history.made_at(3))
    before = picture(ahead.state, Part(ahead.graph, ahead.graph)).entering[1][0]
    assert look(before).shut
    assert not look(before, secret=True).shut  # it would give the local derivative away


def test_a_label_has_fewer_digits_where_there_is_little_room_and_is_never_cut() -> None:
    with record() as recording:
        (Value(1 / 3, label="a") * Value(2.0, label="b")).backward()
    session = at(recording, recording.length)
    edges = picture(session.state, Part(session.graph, session.graph)).edges
    third = next(edge for edge in edges if edge.label == "0.333333")
    assert [look(third, room).label for room in (9, 6, 4, 2)] == ["0.333333", "0.3333", "0.33", ""]
