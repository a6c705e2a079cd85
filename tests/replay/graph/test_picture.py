"""What there is to see of a graph at a position, wherever it is painted."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from nested import Row, folds, recorded, rows
from odd_runs import at
from stepgrad import Recording, Value, mark, record, scope
from stepgrad.engine.tape import seed
from stepgrad.replay.graph.picture import Part, picture
from stepgrad.replay.graph.stages import Stage
from stepgrad.replay.session import Session


def whole(session: Session) -> Part:
    return Part(session.graph, session.graph)


@given(rows, folds)
def test_operands_come_first_and_what_leads_back_says_so(
    rows: list[Row], folded: frozenset[str]
) -> None:
    recording = recorded(rows)
    session = replace(at(recording, recording.length), folded=folded)
    part = whole(session)
    drawn: set[int] = set()
    for box, bundles in part.entering.items():
        for bundle in bundles:
            back = part.source(box, bundle) != bundle.operand
            assert back == (bundle.operand in part.entering and bundle.operand not in drawn)
            assert not back or part.source(box, bundle) not in session.scene
        drawn.add(box)
    assert sorted(drawn) == sorted(session.graph)


@given(rows, folds, st.floats(0, 1), st.sets(st.integers(0, 40)))
def test_a_part_has_the_edges_of_the_whole(
    rows: list[Row], folded: frozenset[str], place: float, kept: set[int]
) -> None:
    recording = recorded(rows)
    session = replace(at(recording, round(place * recording.length)), folded=folded)
    graph = session.graph
    part = Part(graph, [box for box in graph if box in kept])
    found = picture(session.state, part)
    everything = picture(session.state, whole(session))
    inner = {(edge.operand, edge.out, edge.slot, edge.count, edge.stage) for edge in found.edges}
    for edge in everything.inner_edges:
        ends = {edge.operand, edge.out} <= part.entering.keys()
        assert not ends or (edge.operand, edge.out, edge.slot, edge.count, edge.stage) in inner
    assert bool(part.extent) == (len(part.entering) < len(graph))


# --- forward mode, within folded scopes


def reentered(*, through: bool) -> Recording:
    """Two scopes with an edge between them, and one more in forward mode, after a backward pass.

    The pass goes `through` the first edge, or past it.
    """
    with record() as recording:
        with scope("in"):
            x, other = Value(3.0, label="x"), Value(4.0, label="other")
        with scope("cell"):
            y = x * 2.0
        (y if through else other * 2.0).backward()
        mark("step", 0)  # with what comes before it
        with scope("in"):
            h = Value(2.0, label="h")
            seed(h, 1.0)
        with scope("cell"):
            z = h * 3.0
        z.label = "z"
        _ = z + 1.0
    return recording


def between(recording: Recording, position: int) -> tuple[Stage, int]:
    """The stage and the direction of the wire between the two scopes."""
    session = replace(at(recording, position), folded=frozenset({"in", "cell"}))
    shown = picture(session.state, whole(session))
    (found,) = (edge for edge in shown.edges if edge.count == 2)
    return found.stage, found.direction


def test_the_edge_of_the_last_event_points_where_its_derivative_goes() -> None:
    recording = reentered(through=True)
    made = recording.history.made_at(recording.first_named("z"))
    assert between(recording, made - 1) == ("backward", -1)
    assert between(recording, made) == ("current", 1)
    assert between(recording, made + 1) == ("backward", -1)


def test_a_tangent_shows_whichever_edge_of_several_carried_it() -> None:
    recording = reentered(through=False)
    made = recording.history.made_at(recording.first_named("z"))
    assert between(recording, made - 1) == ("forward", 0)
    assert between(recording, made) == ("current", 1)
    assert between(recording, made + 1) == ("tangent", 1)


def test_edges_from_outside_a_part_come_in_order() -> None:
    with record() as recording:
        a, b = Value(1.0, label="a"), Value(2.0, label="b")
        with scope("cell"):
            (b * 2.0 + a) * b
    session = replace(at(recording, recording.length), folded=frozenset({"cell"}))
    (box,) = (box for box in session.graph if session.graph.scope(box))
    ((outside,),) = Part(session.graph, [box]).entering.values()
    assert [*outside.edges] == sorted(outside.edges)
