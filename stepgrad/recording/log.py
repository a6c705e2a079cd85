"""`Log`: what a program did, as nodes and as blocks of events. Recorders and files add to it."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import overload

from stepgrad.engine.ops import CONSTANT, Op
from stepgrad.engine.tape import Place
from stepgrad.engine.world import World
from stepgrad.printable import counted, printable
from stepgrad.recording.blocks import Block, Forward
from stepgrad.recording.events import Event
from stepgrad.recording.foreign.remark import Remark
from stepgrad.recording.history import History
from stepgrad.recording.numbered import Numbering
from stepgrad.recording.source import Source
from stepgrad.recording.structure import Context


@dataclass(frozen=True, slots=True)
class Node:
    """A node of the computation: what never changes about it.

    `operands` are indices of nodes; `label` is the user's, scopes included, or None. `name` is what
    the node is called: its label, numbered where others of its training step have the same: `h₁`.
    """

    index: int
    op: Op
    operands: tuple[int, ...]
    name: str | None
    place: Place
    label: str | None = None

    @property
    def constant(self) -> bool:
        """Whether this is a plain number in the program, without a gradient or an event."""
        return self.op is CONSTANT


class Log:
    """The blocks of a recording, and what else is known of it.

    It may be read while it is still growing: other threads see it as of the last complete block.
    """

    def __init__(self, title: str = "", source: Source | None = None) -> None:
        self.title = title
        self.sources = {} if source is None else {source.path: source}
        self.blocks: list[Block] = []
        self.memory: int | None = None  # the budget that was given, in bytes, if one was
        self.spent = False  # whether recording stopped early, because its memory budget was spent
        self.changes = 0  # how often something was added: a block, or a name of an earlier node
        self.renames = 0  # how often it was a name
        self._forwards: list[Forward] = []
        self._bases = array("q")
        self.history = History(self.blocks, self._forwards, self._bases)
        self._names: dict[int, str] = {}
        self._numbering: Numbering | None = None
        self._remarks: list[Remark] = []
        self._begun = False
        self._settle: Callable[[], None] = lambda: None
        self._length = 0
        self._size = 0

    @property
    def world(self) -> World | None:
        """The world with a bug that it was made in, if it was; to be set before that."""
        return self.history.world

    @world.setter
    def world(self, world: World | None) -> None:
        self.history.world = world

    @property
    def source(self) -> Source | None:
        """The text that was run, if it is known."""
        return next(iter(self.sources.values()), None)

    @property
    def name(self) -> str:
        """The name of the recording: the file that was run, without its folders, or the title."""
        return printable(self.source.program if self.source else self.title)

    def source_of(self, place: Place) -> Source | None:
        """Return the text that a place is in, if it is known."""
        return self.source if place.file is None else self.sources.get(place.file)

    @property
    def events(self) -> Sequence[Event]:
        """Every event, derived when it is looked at."""
        self.settle()
        return Events(self.history, self.length)

    @property
    def remarks(self) -> Sequence[Remark]:
        """What no event can show of an engine that is not ours."""
        self.settle()
        return self._remarks

    def remark(self, remark: Remark) -> None:
        """Add a remark."""
        self._remarks.append(remark)

    @property
    def incomplete(self) -> str:
        """Why the recording ends before its program does; empty where it does not."""
        if not self.spent:
            return ""
        return f"recorded up to event {self.length:,}: the memory budget is spent"

    @property
    def length(self) -> int:
        """How many events there are."""
        return self._length

    @property
    def size(self) -> int:
        """How many nodes there are, constants included."""
        return self._size

    def node(self, index: int) -> Node:
        """Return a node by its index.

        Raises:
            IndexError: there is no such node.
        """
        self.check(index)
        forward = self.history.forward_of(index)
        context, offset = forward.context, index - forward.base
        return Node(
            index,
            forward.op(offset),
            tuple(map(forward.node, forward.structure.operands(offset))),
            self.called(forward).names.get(offset),
            context.place(offset),
            self._names.get(index) or context.names.get(offset),
        )

    def operation(self, index: int) -> tuple[Op, Sequence[int]]:
        """Return what computed a node, and from which: asked without making a `Node`."""
        return self.history.operation(index)

    def is_constant(self, index: int) -> bool:
        """Whether a node is a constant, asked without making a `Node`."""
        forward = self.history.forward_of(index)
        return forward.structure.op(index - forward.base) is CONSTANT

    def check(self, index: int) -> None:
        """Raise IndexError if there is no node of this index."""
        if not 0 <= index < self._size:
            raise IndexError(f"node {index} of {self.size}")

    def called(self, forward: Forward) -> Context:
        """Return what the nodes of a forward pass are called, and where they were made."""
        return self._numbered().called(forward)

    def _numbered(self) -> Numbering:
        numbering = self._numbering  # once: another thread may be asking, too
        if numbering is None or numbering.since != self.changes:
            numbering = self._numbering = Numbering(self, self._forwards)
        return numbering

    def names(self, position: int) -> dict[str, int]:
        """Return the nodes made by a position, by name; the latest where several have that name.

        Of steps that are alike, the names are those of the latest.
        """
        names: dict[str, int] = {}
        for forward in self._numbered().latest(self, position):
            whole = forward.start + forward.length <= position
            for offset, name in self.called(forward).names.items():
                if whole or forward.made_at(forward.base + offset) <= position:
                    names[name] = forward.base + offset
        return dict(sorted(names.items(), key=lambda item: item[1]))

    def first_named(self, name: str, position: int = 0) -> int:
        """Return the first node of this name that is made after a position.

        Raises:
            KeyError: there is none.
        """
        for forward in self._forwards:
            if forward.start + forward.length > position:
                named = (at for at, other in self.called(forward).names.items() if other == name)
                for node in map(forward.base.__add__, named):
                    if forward.made_at(node) > position:
                        return node
        raise KeyError(name)

    def names_in(self, block: Forward) -> dict[int, str]:
        """Return the named nodes of a forward pass, each with its name."""
        return {block.base + offset: name for offset, name in self.called(block).names.items()}

    @property
    def steps(self) -> Sequence[int]:
        """The positions at which training steps begin.

        These are the marks of kind `step`. Without any, the first forward pass after each backward
        pass begins a step, and so does each pass in forward mode and the first one after it; marks
        right before it belong to it.
        """
        return self.history.index.steps()

    def blocks_between(self, begin: int, end: int) -> Sequence[Block]:
        """Return the blocks that start at a position from `begin` up to, not including, `end`."""
        first_at = self.history.index.first_at
        return self.blocks[first_at(begin) : first_at(end)]

    def add(self, block: Block) -> None:
        """Append a block (for the recorder and for readers of files)."""
        if isinstance(block, Forward):  # first: a reader that sees the block may ask for its nodes
            self._forwards.append(block)
            self._bases.append(block.base)
            self._size += len(block.structure)
        self.blocks.append(block)
        self._length += block.length
        self.changes += 1

    def catch_up(self, source: Log, blocks: int) -> None:
        """Take over the first `blocks` blocks of `source`, which another thread still adds to.

        A reader keeps such a copy so that what it reads does not change in between. Blocks never
        change: both recordings share them.
        """
        for block in source.blocks[len(self.blocks) : blocks]:
            self.add(block)
        self.spent = source.spent and blocks == len(source.blocks)
        given = source._names.copy().items()
        self._names.update((node, name) for node, name in given if node < self.size)
        self._remarks = source._remarks[:]
        self.changes += 1

    def rename(self, node: int, name: str) -> None:
        """Name a node that is already in the log."""
        self._names[node] = printable(name)
        self.changes += 1
        self.renames += 1

    @property
    def labels(self) -> Mapping[int, str]:
        """The names that nodes were given after they were logged, by index."""
        return self._names

    def begin(self, settle: Callable[[], None]) -> None:
        """Recording begins: before the log is read, `settle` is called, so that it is complete.

        Raises:
            ValueError: something has been recorded before, so Values in it would come in again.
        """
        if self._begun or self.blocks:
            raise ValueError("something has been recorded here before: record into a new Recording")
        self._begun, self._settle = True, settle

    def end(self) -> None:
        """Recording ends: what is in the log by now is all of it."""
        self._settle = lambda: None

    def settle(self) -> None:
        """Log what the running program has done up to now."""
        self._settle()


class Events(Sequence[Event]):
    """All events that have happened so far, as a read-only sequence that holds none of them."""

    def __init__(self, history: History, length: int) -> None:
        self._history = history
        self._length = length

    def __len__(self) -> int:
        return self._length

    def __repr__(self) -> str:
        return f"<{counted(len(self), 'event')}>"

    @overload
    def __getitem__(self, index: int) -> Event: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Event]: ...
    def __getitem__(self, index: int | slice) -> Event | Sequence[Event]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(f"event {index} of {len(self)}")
        return self._history.event(index % len(self))
