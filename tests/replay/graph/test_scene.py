"""A scene holds the nodes that the events of its step name, and finds each at its place."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from graphs import Program, programs, run
from stepgrad import Recording, State, Value, mark, record
from stepgrad.recording import events
from stepgrad.replay.graph.scene import scene
from tries import tries


def named(recording: Recording, begin: int, end: int) -> set[int]:
    """The nodes that events name, before training and between two positions."""
    found: set[int] = set()
    for event in (*recording.events[: recording.steps[0]], *recording.events[begin:end]):
        match event:
            case events.Op(node=node, operands=operands):
                found |= {node, *operands}
            case events.Accumulate(node=node, out=out):
                found |= {node, out}
            case events.Mark():
                pass
            case _:
                found.add(event.focus)
    return found


@settings(max_examples=tries(200), deadline=None)
@given(programs(), programs(), st.data())
def test_it_holds_the_nodes_that_its_events_name(
    first: Program, second: Program, data: st.DataObject
) -> None:
    values = [Value(0.5), Value(-2.0)]
    with record() as recording:
        run(first, values)
        for step in range(3):
            mark("step", step)
            run(second, values)
    begin, end = State(recording, data.draw(st.integers(0, recording.length))).step_bounds
    expected = sorted(named(recording, begin, end))
    assert [*scene(recording, begin, end, constants=True)] == expected
    seen = [node for node in expected if not recording.is_constant(node)]
    shown = scene(recording, begin, end)
    assert [*shown] == seen
    assert [shown[place] for place in range(-len(seen), len(seen))] == seen * 2
    part = slice(*data.draw(st.tuples(*[st.none() | st.integers(-20, 60)] * 2)))
    assert [*shown[part]] == seen[part]
    assert [*shown[::-2]] == seen[::-2]
    places = {node: place for place, node in enumerate(seen)}
    for node in range(recording.size):
        assert shown.place(node) == places.get(node)
        assert shown.after(node) == sum(each < node for each in seen)
