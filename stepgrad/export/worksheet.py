"""A worksheet: what is given stays, what is asked is blank; and its key, with the blanks filled in.

It has no lesson, because a lesson gives answers. For training, it is about one step, before its
update.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stepgrad.export.blanks import given
from stepgrad.export.handout import LINES, left_out, listed, place
from stepgrad.export.markup import block, code, plain, section, table
from stepgrad.printable import printable
from stepgrad.recording.events import Accumulate, Seed
from stepgrad.replay.graph.contents import Node
from stepgrad.replay.quiz.tasks import Task
from stepgrad.replay.state import State
from stepgrad.replay.telling.narration import narrate

BLANK = "\\_" * 10
"""Where an answer is written."""


def worksheet(  # noqa: PLR0913 - what a sheet is about, and how it is written
    state: State, heading: str, tasks: Sequence[Task], room: int, *, key: bool, student: str = ""
) -> Iterator[str | State]:
    """Yield the lines of a worksheet in Markdown, or of its `key`.

    There is a state where a drawing belongs, if that has at most `room` nodes.
    """
    state = _worked(state)
    nodes = [Node(state, index) for index in listed(state)]
    yield f"# {plain(printable(heading))}{': key' if key else ''}"
    yield from block(place(state))
    name = plain(printable(student)) or ("" if key else BLANK * 3)
    yield from block([f"Name: {name}"] if name else [])
    if len(state.scene) <= room:
        yield state
    yield from section("Values", 2, _values(nodes, key=key))
    yield from block(left_out(len(state.scene) - len(nodes), ("node", "nodes"), "stepgrad export"))
    yield from section("Backward pass", 2, _backward(state, key=key))
    yield from section("Questions", 2, _questions(tasks, key=key, drawn=bool(student)))


def _worked(state: State) -> State:
    """Return the state before the update of its step, which has the numbers to compute with."""
    begin, _ = state.step_bounds
    ends = [
        each.start + each.length
        for each in state.recording.blocks_between(begin, state.position)
        if each.phase in ("forward", "backward")
    ]
    return State(state.recording, min(max(ends, default=state.position), state.position))


def _values(nodes: Sequence[Node], *, key: bool) -> Iterator[str]:
    """Yield the table of nodes: of a leaf, everything but its gradient is given."""
    columns = ["value"]
    columns += ["tangent"] * any(node.tangent is not None for node in nodes)
    columns += ["gradient"] * any(node.grad is not None for node in nodes)
    rows = ((code(node.title), *_cells(node, columns, key=key)) for node in nodes)
    yield from table(["node", "formula", *columns], rows, numbers=columns)


def _cells(node: Node, columns: Sequence[str], *, key: bool) -> Iterator[str]:
    """Yield the formula and the numbers of a node."""
    yield code(node.formula) if node.formula != node.name else ""
    texts = {"value": node.value_text, "tangent": node.tangent_text, "gradient": node.grad_text}
    for column in columns:
        yield code(texts[column]) if key or column in given(node) else BLANK


def _backward(state: State, *, key: bool) -> Iterator[str]:
    """Yield a numbered line for each contribution to a gradient: its rule, then its numbers."""
    begin, _ = state.step_bounds
    recording = state.recording
    events = [
        index
        for index in range(begin, state.position)
        if isinstance(recording.events[index], (Seed, Accumulate))
    ]
    for number, index in enumerate(events[:LINES], 1):
        told = narrate(recording, index)
        if isinstance(recording.events[index], Seed):
            symbols, _, result = told.symbols.rpartition(" = ")
        else:
            symbols, result = told.symbols, told.numbers.removeprefix("= ")
        yield f"{number}. {code(symbols)} = {code(result) if key else BLANK}"
    yield from block(left_out(len(events) - LINES, ("line", "lines"), "stepgrad replay"))


def _questions(tasks: Sequence[Task], *, key: bool, drawn: bool) -> Iterator[str]:
    """Yield the questions; numbers that are drawn for a student are not those of the table."""
    for number, task in enumerate(tasks, 1):
        if number > 1:
            yield ""
        given = f"{task.given}. " if drawn and task.given else ""
        yield f"{number}. {plain(given + task.prompt)}"
        yield from block([f"   {plain(task.answer) if key else BLANK * 3}"])
