"""Moving: to an event, a place, a write to a gradient, a bookmark."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from stepgrad.numbers import corrected
from stepgrad.recording.blocks import Backward, Write
from stepgrad.recording.events import Accumulate
from stepgrad.recording.foreign.sweep import ForeignBackward
from stepgrad.replay.commands.hints import key
from stepgrad.replay.commands.looking import open_selected
from stepgrad.replay.commands.places import find_place
from stepgrad.replay.cursor import Cursor
from stepgrad.replay.gradients import ledger
from stepgrad.replay.session import Session
from stepgrad.replay.telling.titles import gradient_title, title

_NO_NODE = "there is no node yet"


def move(session: Session, to: Callable[[Cursor], Cursor], step: str = "") -> Session:
    """Move, or say why it leads nowhere: to another training step if it names a `step`."""
    moved = to(session.cursor)
    if moved != session.cursor:
        return session.go(moved)
    at_end = moved.position == moved.recording.length
    said = "this is the end" if at_end else "this is the start"
    if step:
        several = len(moved.recording.steps) > 1
        said = f"no {step} training step" if several else "no training in this lesson"
    return session.go(moved, said)


def jump(session: Session) -> Session:
    """Open or close what is selected, if it is folded; or else go to where the subject was made."""
    opened = open_selected(session)
    if opened is not None:
        return opened
    node = session.subject
    if node is None:
        return session.say(_NO_NODE)
    made = session.recording.history.made_at(node)
    if made == session.cursor.position:
        return session.say("this node is made right here")
    return session.go(session.cursor.seek(made)).point_at(node)


def goto(session: Session, where: str) -> Session:
    """Go to a place (see `find_place`).

    Raises:
        CommandError: there is no such place.
    """
    place = find_place(session.cursor, where)
    return session.go(session.cursor.seek(place.position)).point_at(place.node)


def visit(session: Session, position: int, node: int | None = None) -> Session:
    """Go to a position, and select the node to look at there, if it is in view."""
    moved = session.go(session.cursor.seek(position))
    return moved.point_at(node) if node in moved.scene else moved


def previous_write(session: Session) -> Session:
    """Go back to the latest write to the subject's gradient; from there, to the one before."""
    node = session.subject
    if node is None:
        return session.say(_NO_NODE)
    name, position = gradient_title(session.recording, node), session.cursor.position
    index = ledger.last_write(session.recording, node, position)
    if index is not None and index + 1 == position:  # this very event
        index = ledger.last_write(session.recording, node, index)
        if index is None:
            here = f"written right here: event {position}{_source_of_write(session, position - 1)}"
            return session.say(f"{here}; no earlier write")
    if index is None:
        return session.say(f"no earlier write to {name}")
    said = f"{name} was written here{_source_of_write(session, index)}"
    return replace(session.go(session.cursor.seek(index + 1), said), selected=node)


def next_write(session: Session) -> Session:
    """Go on to the next write to the subject's gradient."""
    node = session.subject
    if node is None:
        return session.say(_NO_NODE)
    name = gradient_title(session.recording, node)
    index = ledger.next_write(session.recording, node, session.cursor.position)
    if index is None:
        return session.say(f"no later write to {name}")
    said = f"{name} is written here{_source_of_write(session, index)}"
    return replace(session.go(session.cursor.seek(index + 1), said), selected=node)


def _source_of_write(session: Session, index: int) -> str:
    """Where a contribution comes from: `, from w1·x`; where it is wrong: `: received 2 ✗ 3`.

    Empty for other writes.
    """
    event = session.recording.events[index]
    if not isinstance(event, Accumulate):
        return ""
    wrong = ""
    if event.total is not None:
        wrong = f": overwritten with {corrected(event.after, event.total)}"
    elif event.right is not None:
        wrong = f": received {corrected(event.contribution, event.right)}"
    return f", from {title(session.recording, event.out)}{wrong}"


def go_to_edge(session: Session, out: int, slot: int) -> Session:
    """Go to the backward step of an edge: where a pass of this training step walks it.

    Of several passes it is the first that is not over; without one, where the node was made.
    """
    passes = [
        block
        for block in session.recording.blocks_between(*session.state.step_bounds)
        if isinstance(block, Backward) and ledger.walk(block, out, slot) is not None
    ]
    here = session.cursor.position
    ahead = (block for block in passes if block.start + block.length >= here)
    block = next(ahead, passes[-1] if passes else None)
    walked = None if block is None else ledger.walk(block, out, slot)
    if walked is None:
        made = session.cursor.seek(session.recording.history.made_at(out))
        return session.go(made, "no backward pass reaches this edge: made here")
    return session.go(session.cursor.seek(walked), "this edge's backward step")


def go_to_line(session: Session, file: str | None, line: int) -> Session:
    """Go to the next event of a line of the program in this training step, or to its first one.

    That makes a node, or is a write by hand or of a rule. Without a file, the line is one of the
    scenario.
    """
    here = session.cursor.position
    made = sorted(_events_of(session, file, line))
    if not made:
        return session.say(f"line {line} makes no node in this part of the run")
    return session.go(session.cursor.seek(next((each for each in made if each > here), made[0])))


def _events_of(session: Session, file: str | None, line: int) -> Iterator[int]:
    """Yield the positions just after the events of a line."""
    recording, bounds = session.recording, session.state.step_bounds
    for node in session.state.scene:
        place = recording.node(node).place
        if (place.file, place.line) == (file, line):
            yield recording.history.made_at(node)
    for block in recording.blocks_between(*bounds):
        if isinstance(block, Write | ForeignBackward):
            for number in range(block.length):
                written = block.place(number)
                if written is not None and (written.file, written.line) == (file, line):
                    yield block.start + number + 1


def bookmark(session: Session) -> Session:
    """Set a bookmark at the position, or remove it."""
    here = session.cursor.position
    if here in session.bookmarks:
        rest = tuple(each for each in session.bookmarks if each != here)
        return session.say("bookmark removed", bookmarks=rest)
    marks = tuple(sorted((*session.bookmarks, here)))
    return session.say(
        f"bookmark at {here}: press {key('next_bookmark')} to come back", bookmarks=marks
    )


def next_bookmark(session: Session) -> Session:
    """Go to the next bookmark; after the last, to the first.

    One after the end waits: an edit may have made the run shorter.
    """
    marks = [mark for mark in session.bookmarks if mark <= session.recording.length]
    if not marks:
        return session.say(f"no bookmarks yet: {key('bookmark')} sets one")
    here = session.cursor.position
    mark = next((mark for mark in marks if mark > here), marks[0])
    return session.go(session.cursor.seek(mark), f"bookmark at {mark}")
