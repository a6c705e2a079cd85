"""What the panels of the screen show, in sentences: one function for each, in a table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from stepgrad.plain.network import (
    network_told,
)
from stepgrad.plain.training import parameters_told, training_told
from stepgrad.plain.words import (
    MOST,
    definition_of,
    listed,
    name_of,
    numbers_of,
    place_of,
    read_message,
    read_number,
    sentence,
    some,
    told_box,
)
from stepgrad.printable import counted, printable
from stepgrad.replay.commands.looking import open_neuron, shown_network
from stepgrad.replay.gradients.ledger import contributions, left_over, written_over
from stepgrad.replay.graph.contents import Fold, Node, content_of
from stepgrad.replay.graph.folding import FoldedGraph
from stepgrad.replay.phases import phases
from stepgrad.replay.program import written
from stepgrad.replay.session import Session
from stepgrad.replay.state import State
from stepgrad.replay.telling.derivatives import MOST_LOCALS, local_derivative, receiving_slots
from stepgrad.replay.telling.sentences import say
from stepgrad.replay.telling.spoken import read_out, spoken
from stepgrad.replay.telling.titles import made_by
from stepgrad.replay.training import steps_trained, trains
from stepgrad.scenario.expect import Check, checks
from stepgrad.scenario.load import ScenarioFile

_NEAR = 6
"""The most nodes before or after another to name."""

NO_NODE = "There is no node yet."


def chain_told(session: Session) -> Iterator[str]:
    """Say what the last event did."""
    position = session.cursor.position
    yield say(session.recording, position - 1) if position else "Nothing has happened yet."


def tape_told(session: Session) -> Iterator[str]:
    """Say the nodes with their numbers, those around the subject if there are many."""
    graph = session.graph if not session.constants else FoldedGraph(session.scene, session.folded)
    boxes = [content_of(session.state, graph, box) for box in graph]
    made = [box for box in boxes if box.made]
    waiting = len(boxes) - len(made)
    if not made:
        yield f"The tape is empty so far: {counted(waiting, 'node')} to come."
        return
    subject = None if session.subject is None else graph.box_of(session.subject)
    at = next((i for i, box in enumerate(made) if box.index == subject), len(made) - 1)
    first = max(0, min(at - MOST // 2, len(made) - MOST))
    yield from map(told_box, made[first : first + MOST])
    if len(made) > MOST:
        yield f"These are {MOST} of {counted(len(made), 'node')}; up and down select the others."
    if waiting:
        yield f"{counted(waiting, 'node')} to come."


def node_told(session: Session) -> Iterator[str]:
    """Say everything about the subject: what it is, its numbers, what it received, and where."""
    node, state = session.subject, session.state
    if node is None:
        yield NO_NODE
        return
    recording, facts = session.recording, state.node(node)
    yield _what(session, node)
    shown = Node(state, node)
    yield sentence(f"It is {numbers_of(shown)}" if shown.made else "It is not computed yet")
    if shown.made and not facts.constant:
        yield from _received(state, node)
        yield from _locals(session, node)
    file, _, line = made_by(recording, facts).rpartition(":")
    if file:
        yield f"It is made in line {line} of {file}."


def _what(session: Session, node: int) -> str:
    name, made_of = name_of(session.recording, node), definition_of(session.recording, node)
    facts = session.state.node(node)
    what = "a constant" if facts.constant else "an input or a parameter"
    if facts.operands:
        return sentence(f"{name} is {made_of}" if made_of else f"This is {name}")
    return sentence(f"{name} is {what}")


def _received(state: State, node: int) -> Iterator[str]:
    """Say what its gradient has received, the latest last."""
    recording, position = state.recording, state.position
    received = contributions(recording, node, position)
    left = left_over(recording, node, position) if received else None
    if left is not None:
        yield f"Before this pass it had {read_number(left)}, which was not cleared."
    if (event := written_over(recording, node, position)) is not None:
        yield f"The last write to its gradient is event {event + 1}. {say(recording, event)}"
    if len(received) > MOST // 2:
        yield f"The last {MOST // 2} of {counted(len(received), 'contribution')}:"
    for each in received[-(MOST // 2) :]:
        seen, right = each.seen
        how = "was overwritten with" if each.overwritten else "received"
        what = "the sum is" if each.overwritten else "right is"
        wrong = "" if right is None else f"; {what} {read_number(right)}"
        yield (
            f"It {how} {read_number(seen)} from {name_of(recording, each.out)} at event "
            f"{each.position}{wrong}: {read_number(each.upstream)} times {read_number(each.local)}."
        )


def _locals(session: Session, node: int) -> Iterator[str]:
    """Say its local derivatives, unless they are to be predicted."""
    state = session.state
    slots = [] if node == session.secret else receiving_slots(state.recording, node)
    if len(slots) > MOST_LOCALS:
        yield f"The first {MOST_LOCALS} of {counted(len(slots), 'local derivative')}:"
    for slot in slots[:MOST_LOCALS]:
        local = local_derivative(state.recording, node, slot, state.seen_by(node))
        because = f", because {spoken(local.because)}" if local.because else ""
        formula = f", which is {spoken(local.symbols)}" if local.varies else ""
        number = read_number(local.value)
        yield sentence(f"T{local.spoken_name[1:]} is {number}{because}{formula}")


def source_told(session: Session) -> Iterator[str]:
    """Say the line of the program or scenario that the subject comes from."""
    place, recording = session.place, session.recording
    source = recording.sources.get(place.file) if place.file else recording.source
    if source is None or place.line is None or not 0 < place.line <= len(source.lines):
        yield "There is no line to show: nothing is known of the source."
        return
    name = source.path.replace("\\", "/").rpartition("/")[2]
    code = source.lines[place.line - 1].strip()
    yield f"Line {place.line} of {len(source.lines)} in {printable(name)}: {printable(code)}"


def graph_told(session: Session) -> Iterator[str]:
    """Say what feeds what: layer by layer, near the subject, or box by box, as the view is."""
    shown = shown_network(session)
    if shown is not None and open_neuron(session) is None:
        yield from network_told(shown, session.selected)
        return
    graph, node = session.graph, session.subject
    if node is None or not len(graph):
        yield NO_NODE
        return
    if session.view == "near":
        yield from _near(session, graph, graph.box_of(node))
        return
    edges = sum(len(graph.bundles(box)) for box in graph)
    yield f"The graph has {counted(len(graph), 'node')} and {counted(edges, 'wire')}."
    fed = (_fed(session.state, graph, box) for box in graph if graph.operands(box))
    count = sum(bool(graph.operands(box)) for box in graph)
    yield from some(fed, count)


def _near(session: Session, graph: FoldedGraph, box: int) -> Iterator[str]:
    """Say what goes into a box, what it goes into, and how that leads on to the output."""
    state = session.state
    yield told_box(content_of(state, graph, box))
    operands, consumers = graph.operands(box), graph.consumers(box)
    if operands:
        yield from some((f"Into it goes {_with_numbers(state, graph, each)}" for each in operands),
                        len(operands), _NEAR)  # fmt: skip
    else:
        yield "Nothing goes into it: it is where the graph begins."
    yield from some((f"It goes into {_with_numbers(state, graph, each)}" for each in consumers),
                    len(consumers), _NEAR)  # fmt: skip
    ahead = [*_ahead(graph, box)]
    if len(ahead) > 1:
        names = [_name(state, graph, each) for each in ahead[:_NEAR]]
        left = len(ahead) - len(names) - 1
        names += [f"{left} more"] * (left > 0) + [_name(state, graph, ahead[-1])] * (left >= 0)
        yield sentence(f"One way on from there: {', then '.join(names)}")
    if not consumers:
        yield "It goes nowhere else: here the graph ends."


def _ahead(graph: FoldedGraph, box: int) -> Iterator[int]:
    """Yield the boxes of one way from a box to the end of the graph."""
    seen = {box}
    while (on := graph.consumers(box)) and on[0] not in seen:
        box = on[0]
        seen.add(box)
        yield box


def _fed(state: State, graph: FoldedGraph, box: int) -> str:
    names = [_name(state, graph, each) for each in graph.operands(box)[:MOST]]
    return sentence(f"Into {_name(state, graph, box)} go {listed(names)}" if len(names) > 1 else
                    f"Into {_name(state, graph, box)} goes {names[0]}")  # fmt: skip


def _name(state: State, graph: FoldedGraph, box: int) -> str:
    line = graph.scope(box)
    scope = "" if line is None else f"scope {spoken(printable(line.scope))}"
    return scope or place_of(Node(state, box))


def _with_numbers(state: State, graph: FoldedGraph, box: int) -> str:
    told = content_of(state, graph, box)
    if isinstance(told, Fold):
        return sentence(f"{_name(state, graph, box)}, folded")
    return sentence(f"{place_of(told)}: {numbers_of(told)}")


def timeline_told(session: Session) -> Iterator[str]:
    """Say where the cursor is, which phases there are, and where the stops and bookmarks are."""
    state, recording = session.state, session.recording
    yield f"Position {state.position} of {recording.length}."
    if trains(recording):
        where = "before training" if state.step is None else f"training step {state.step}"
        yield sentence(f"This is {where}; there are {counted(steps_trained(recording), 'step')}")
    if state.output is not None:
        root, value = state.output
        yield sentence(f"{name_of(recording, root)} is {read_number(value)}")
    begin, end = state.step_bounds
    runs = phases(recording, begin, end) if end > begin else []
    spans = (f"{run.phase}, events {run.first + 1} to {run.last}" for run in runs)
    told = list(some(spans, len(runs), of="phase"))
    if told:
        yield sentence(f"The phases {'of this step' if trains(recording) else 'are'}: "
                       f"{'; '.join(told)}")  # fmt: skip
    if session.stops:
        yield read_message(f"stops: {listed([stop.text for stop in session.stops])}")
    if session.bookmarks:
        yield sentence(f"Bookmarks: {listed([str(mark) for mark in session.bookmarks])}")


def expected_told(session: Session, scenario: ScenarioFile) -> Iterator[str]:
    """Say how many of the numbers that a scenario expects are reached; at the end, which are not.

    They are for the numbers of the scenario, so they do not count after an edit.
    """
    if session.changed:
        return
    found = checks(scenario, session.recording, session.cursor.position)
    if found:
        matched = sum(check.ok for check in found)
        yield f"{matched} of {counted(len(found), 'expected number')} match so far."
    over = session.cursor.position == session.recording.length
    wrong = [check for check in found if over and not check.ok]
    yield from some((_unexpected(check) for check in wrong), len(wrong), _NEAR, "number")


def _unexpected(check: Check) -> str:
    got = "not there" if check.got is None else read_number(check.got)
    return f"{read_out(check.name)} is {got}; expected is {read_number(check.expected)}."


def changes_told(session: Session) -> Iterator[str]:
    """Say the edits and the bug of the world, if there are any."""
    for name, edit in session.edits:
        yield read_message(f"edited: {name} = {written(edit)}")
    if world := session.recording.world:
        yield read_message(f"bug: {world}")


PANELS: Mapping[str, Callable[[Session], Iterator[str]]] = {
    "tape": tape_told,
    "node": node_told,
    "source": source_told,
    "graph": graph_told,
    "chain": chain_told,
    "timeline": timeline_told,
    "parameters": parameters_told,
    "training": training_told,
}
"""The panels by name; the lesson is read part by part (`lesson`)."""
