"""A hand-out in Markdown: a derivation up to a position, line by line.

For training it has one step, for forward mode every pass up to the position. What is too long for
paper is left out, and its length is given.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, groupby, islice

from stepgrad.engine.notation import atom
from stepgrad.export.markup import block, code, demoted, plain, section, table
from stepgrad.export.prose import for_paper
from stepgrad.export.signs import remarks, signs
from stepgrad.numbers import corrected, factor, gradient_inline, number
from stepgrad.printable import printable
from stepgrad.recording.blocks import Backward, Marked
from stepgrad.recording.events import Accumulate
from stepgrad.recording.recording import Recording
from stepgrad.replay.gradients.ledger import Contribution, contributions
from stepgrad.replay.graph.contents import Node
from stepgrad.replay.state import State
from stepgrad.replay.telling.narration import narrate
from stepgrad.replay.training import trains
from stepgrad.scenario.expect import Check

LINES = 350
"""The most lines of a section or a table."""

SECTIONS = 12
"""The most passes, and the most phases of each."""

TERMS = 8
"""The most terms of a sum; in a longer one, the last terms."""

_HEADINGS = {
    "forward": "Forward pass",
    "backward": "Backward pass",
    "zero": "Gradients cleared",
    "set": "Gradients set",
    "update": "Update",
}


def handout(
    state: State, heading: str, lesson: str, checks: Sequence[Check]
) -> Iterator[str | State]:
    """Yield the lines of a hand-out in Markdown, and a state wherever a drawing of it belongs."""
    yield f"# {plain(printable(heading))}"
    yield from block(place(state))
    yield from block([state.recording.incomplete] if state.recording.incomplete else [])
    names = state.recording.names(state.recording.length)
    yield from block(demoted(for_paper(lesson, names)))
    passes = [state] if trains(state.recording) else [*_passes(state)]
    for each in passes[:SECTIONS]:
        if len(passes) > 1:
            yield from ("", f"## {plain(printable(_which(each)))}")
        yield each
        yield from _pass(each, 2 if len(passes) == 1 else 3)
    yield from block(left_out(len(passes) - SECTIONS, ("pass", "passes"), "stepgrad replay"))
    yield from section("Checks", 2, _promises(state, checks))


def place(state: State) -> Iterator[str]:
    """Say which part of a recording this is, unless it is all of it."""
    begin, end = state.step_bounds
    training = trains(state.recording)
    whole = f"{state.recording.length:,}"
    told = [] if state.step is None or not training else [f"Training step {state.step}"]
    if state.position != (end if training else state.recording.length):
        told.append(f"up to event {state.position:,} of {whole}")
    elif training:
        told.append(f"events {begin + 1:,} to {end:,} of {whole}")
    if told:
        text = ", ".join(told)
        yield f"{text[0].upper()}{text[1:]}."


def _passes(state: State) -> Iterator[State]:
    """Yield each pass begun before a position: at its end, or at the position."""
    recording, position = state.recording, state.position
    steps = recording.steps if len(recording.steps) > 1 else ()
    begun = [step for step in steps if 0 < step < position]
    yield from (State(recording, end) for end in (*begun, position))


def _which(state: State) -> str:
    """Return the heading of a pass: its mark, or its number."""
    if state.step_ordinal is None:
        return "Before the first pass"
    begin, _ = state.step_bounds
    match state.recording.blocks_between(begin, begin + 1):
        case [Marked(kind=kind, number=None), *_]:
            return f"{kind[:1].upper()}{kind[1:]}"
    return f"Pass {state.step_ordinal + 1}"


def _pass(state: State, level: int) -> Iterator[str]:
    nodes = [Node(state, index) for index in listed(state)]
    yield from block(_values(nodes))
    yield from block(remarks(state, nodes))
    more = "node", "nodes (nodes with names come first)"
    yield from block(left_out(len(state.scene) - len(nodes), more, "stepgrad export --to json"))
    yield from _phases(state, level)
    yield from section("Gradients that are sums", level, _sums(state, nodes))


def listed(state: State) -> Sequence[int]:
    """Return the nodes that fit into a table, in order; nodes with names take precedence."""
    named = (index for index, _ in state.scene.names)
    return sorted(islice(dict.fromkeys(chain(named, state.scene)), LINES))


def _values(nodes: Sequence[Node]) -> Iterator[str]:
    """Yield the table of nodes, and the meanings of the symbols in it."""
    columns = {
        "node": [node.title for node in nodes],
        "formula": [node.formula if node.formula != node.name else "" for node in nodes],
        "value": [node.value_text for node in nodes],
        "tangent": [node.tangent_text for node in nodes],
        "gradient": [node.grad_text for node in nodes],
    }
    if all(node.tangent is None for node in nodes):
        del columns["tangent"]
    elif all(node.grad is None for node in nodes):
        del columns["gradient"]
    rows = zip(*columns.values(), strict=True)
    cells = (tuple(map(code, row)) for row in rows)
    yield from table([*columns], cells, numbers=("value", "tangent", "gradient"))
    yield from block(f"{code(sign)}: {meaning}." for sign, meaning in signs(columns))


def _phases(state: State, level: int) -> Iterator[str]:
    """Yield a section for each phase of a step or a pass, with a numbered line for each event."""
    begin, _ = state.step_bounds
    happened = state.recording.blocks_between(begin, state.position)
    blocks = (block for block in happened if block.phase in _HEADINGS)
    phases = [
        (phase, [range(block.start, block.start + block.length) for block in group])
        for phase, group in groupby(blocks, key=lambda block: block.phase)
    ]
    for phase, stretches in phases[:SECTIONS]:
        first = max(begin, stretches[0].start)
        last = min(stretches[-1].stop, state.position)
        lines = [
            f"{index + 1}. {code(_line(state.recording, index))}"
            for index in range(first, min(last, first + LINES))
        ]
        yield from section(_HEADINGS[phase], level, lines)
        yield from block(left_out(last - first - LINES, ("line", "lines"), "stepgrad replay"))
    more = "section", "sections"
    yield from block(left_out(len(phases) - SECTIONS, more, "stepgrad replay"))


def _line(recording: Recording, index: int) -> str:
    """Narrate an event; only a gradient of several contributions shows how it grew."""
    told = narrate(recording, index)
    block = recording.blocks[recording.history.block_at(index)]
    match block, recording.events[index]:
        case Backward(), Accumulate(before=None, by_hand=None):
            receiver = block.sweep.receivers[index - block.start - 1]
            if len(block.sweep.incoming[receiver]) == 1:
                return str(told._replace(effects=()))
    return str(told)


def left_out(count: int, what: tuple[str, str], command: str) -> Iterator[str]:
    """Say how many are left out, if any, and which command shows them all.

    `what` is the word for one of them, and the word for several.
    """
    if count > 0:
        yield f"… and {count:,} more {what[count > 1]}: {code(command)} shows all."


def _sums(state: State, nodes: Sequence[Node]) -> Iterator[str]:
    """Yield each gradient of this step that is a sum, with its terms."""
    begin, _ = state.step_bounds
    for node in nodes:
        received = contributions(state.recording, node.index, state.position)
        if not received or received[0].position <= begin:
            continue
        hidden = len(received) - TERMS if len(received) > TERMS + 1 else 0
        before = state.recording.history.grad(node.index, received[hidden].position - 1)
        if before or len(received) > 1:
            what = f"after {hidden:,} contributions" if hidden else "before"
            yield f"- {code(_sum(node, before or 0.0, what, received[hidden:]))}"


def _sum(node: Node, before: float, what: str, received: Sequence[Contribution]) -> str:
    """Write a gradient as a sum: of products, then of their values.

    Where a rule has replaced the sum so far, what is left is beside the right sum.
    """
    start = [f"{number(before)} ({what})"] if before else []
    factors = (f"{factor(each.upstream)}·{factor(each.local)}" for each in received)
    left = gradient_inline(node.grad)
    if any(each.overwritten for each in received):
        due = [each.amount if each.right is None else each.right for each in received]
        amounts = [*map(factor, due)]
        left = corrected(node.grad or 0.0, before + sum(due))
    else:
        amounts = [
            factor(each.amount) if each.right is None else f"({corrected(each.amount, each.right)})"
            for each in received
        ]
    sums = [" + ".join([*start, *terms]) for terms in (factors, amounts)]
    return " = ".join((f"{atom(node.title)}.grad", *sums, left))


def _promises(state: State, checks: Sequence[Check]) -> Iterator[str]:
    """Yield the table of the values that a scenario expects at the end of its recording."""
    rows = (
        (
            code(check.name),
            code(number(check.expected)),
            "–" if check.got is None else code(number(check.got)),
            "✓" if check.ok else "✗",
        )
        for check in checks[:LINES]
    )
    if checks:
        last = state.recording.length
        if state.position < last:
            yield from (f"These are for the end of the recording, event {last:,}.", "")
        yield from table(("what", "expected", "got", ""), rows, numbers=("expected", "got"))
        more = "check", "checks"
        yield from block(left_out(len(checks) - LINES, more, "stepgrad check --json"))
