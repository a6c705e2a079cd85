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
from stepgrad.replay.quotient import Bundle
from stepgrad.replay.state import State
from stepgrad.scenario import record_scenario
from stepgrad.tui.render import ink
from stepgrad.tui.render.wires import Wires, label_width


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
    wires = Wires(state)
    begun = [each for each in NETWORK.blocks if each.start < position]
    latest = next((each for each in reversed(begun) if isinstance(each, Backward)), None)
    for box in session.quotient:
        for bundle in session.quotient.bundles(box):
            look = wires.look(bundle)
            walks = [walk(latest, *edge) for edge in bundle.edges] if latest else []
            walked = any(at is not None and at <= position for at in walks)
            assert (look.rank == 2) == (current in bundle.edges)
            made = state.value(bundle.edges[0][0]) is not None
            assert (look.rank > 0) == (made and walked)


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
    wires = Wires(session.state)
    bundles = [each for box in session.quotient for each in session.quotient.bundles(box)]
    found = ((each.edges[0], wires.look(each)) for each in bundles)
    return {edge: (look.label, look.style) for edge, look in found}


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
