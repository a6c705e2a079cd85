"""Which line of which file makes or changes a node, and in which calls, from Python's frames.

A frame knows which instruction it is at. Finding the line of an instruction takes longer, and gives
the same answer each time, so that is cached. Scopes and names are worked out when a pass is logged,
once for all passes that are made alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from sys import _getframe
from types import FrameType
from typing import Any, Generic, NamedTuple, TypeVar, get_args

from stepgrad.engine.node import Node
from stepgrad.engine.tape import Place, current_place
from stepgrad.recording.described import Described, Describing
from stepgrad.recording.holders import Holders
from stepgrad.recording.kept import Recent
from stepgrad.recording.naming.assigned import Assignments, assignments
from stepgrad.recording.naming.calls import Calls, Mark
from stepgrad.recording.naming.kinds import Kind, is_installed, is_numpy, is_standard
from stepgrad.recording.naming.paths import Where, shape_of
from stepgrad.recording.naming.sites import NOWHERE, Site, Sites
from stepgrad.recording.naming.walk import Held
from stepgrad.recording.places import Places, is_ours, runs_programs

Noted = tuple[Node, Where, Place]
"""A node, the instruction in a call that made it, and the scope by hand."""

_Found = TypeVar("_Found")


@dataclass(frozen=True, eq=False, slots=True)
class _Alike(Generic[_Found]):
    """How nodes were made, and what is known of nodes that are made so."""

    made: tuple[object, ...]
    found: _Found


class _Pass(NamedTuple):
    """What is known of a pass.

    Args:
        described: that, as others that are made alike have it.
        describing: what it comes from.
        held: one of the leaves that something holds, by its offset. In others, that may be held
            elsewhere, as the next item of a list.
    """

    described: Described
    describing: Describing
    held: tuple[int, Held] | None


class Callers:
    """Finds the places at which a program makes nodes.

    Args:
        places: makes places of lines.
    """

    WIDTH = len(get_args(Noted))
    """How many things are noted of each node."""

    def __init__(self, places: Places) -> None:
        self.holders = Holders()
        self._places = places
        self._assignments: dict[str, Assignments | None] = {}  # by path
        self._calls = Calls(self._kind)
        self.find = self._calls.find
        self._nowhere = Where(NOWHERE, self._calls.root)
        self._calls.begin(_getframe(1))
        self._described = Recent[_Alike[_Pass]]()  # by the calls themselves
        self._describing = Recent[_Alike[Describing]]()  # by the shape of the calls
        self._late: list[tuple[Node, Held]] = []

    def let_go(self) -> None:
        """Keep nothing of the program alive."""
        self.holders.let_go()
        self._calls.let_go()
        self._late.clear()

    def returns(self, frame: FrameType) -> bool:
        """Whether a call returns what its instruction gives; so it seems where no text says."""
        return self._calls.site(frame).returned

    def noting(self, extend: Callable[[Noted], None]) -> Callable[[Node], None]:
        """Return an `append` for a tape that finds out first which line makes the node."""
        calls, find = self._calls, self.found

        def note(value: Node) -> None:
            # The caller is the engine; its caller is mostly the program.
            frame = _getframe(2)
            mark: Any = frame.f_trace
            if mark.__class__ is Mark and mark.calls is calls:
                extend((value, mark[frame.f_lasti], current_place()))
            else:
                extend((value, find(frame), current_place()))

        return note

    def found(self, frame: FrameType | None) -> Where:
        """Return where a frame is, or the innermost frame around it that is not ours."""
        return self._calls.find(frame) or self._nowhere

    def placing(self) -> Callable[[], Place]:
        """Return a function that finds out where the program is that writes."""
        calls, find, known = self._calls, self.found, dict[tuple[Site, str], Place]()

        def place() -> Place:
            # The callers are the tape and the engine; the next is mostly the program.
            frame = _getframe(3)
            mark: Any = frame.f_trace
            if mark.__class__ is Mark and mark.calls is calls:
                site = mark.sites[frame.f_lasti]
            else:
                site = find(frame).site
            key = site, current_place().scope
            found = known.get(key)
            if found is None:
                found = known[key] = self._places.placed(key[1], site.spot)
            return found

        return place

    def look(self, *, driven: bool, again: bool) -> None:
        """Have leaves found; if it is `driven`, what runs by now runs a backward pass."""
        if driven:
            self._calls.drive(_getframe(1))
        self.holders.look(again=again)

    def next_batch(self, pending: Sequence[Any]) -> None:
        """Start counting calls again; the parts of all pending `Noted` follow each other."""
        self._calls.next_batch({where.path for where in pending[1 :: self.WIDTH]})

    def described(self, noted: Sequence[Any]) -> tuple[Sequence[Node], Described]:
        """Return nodes, and what is known of them; the parts of all `Noted` follow each other."""
        width = self.WIDTH
        nodes, wheres, places = (noted[part::width] for part in range(width))
        self.holders.made(len(nodes))
        codes = bytes([node._operation.code for node in nodes])
        made = codes, wheres, places
        alike = next((each for each in self._described if each.made == made), None)
        if alike is None or self._moved(alike.found, nodes):
            alike = _Alike(made, self._described_anew(nodes, *made))
        elif alike.found.held is None:
            self._want(alike.found.describing, nodes, wheres)
        self._described.put(alike)
        return nodes, alike.found.described

    def _moved(self, latest: _Pass, nodes: Sequence[Node]) -> bool:
        """Whether a leaf is not held where it was in the latest pass that was made alike."""
        if latest.held is None:
            return False
        offset, held = latest.held
        return self.holders.at(held, self._calls.running) is not nodes[offset]

    def _want(
        self, describing: Describing, nodes: Sequence[Node], wheres: Sequence[Where]
    ) -> Mapping[int, int]:
        """Have leaves searched for; return their offsets by stamp."""
        unnamed = describing.unnamed(nodes)
        self.holders.want(unnamed, [wheres[at].site for at in unnamed.values()])
        return unnamed

    def _described_anew(
        self,
        nodes: Sequence[Node],
        codes: bytes,
        wheres: Sequence[Where],
        places: Sequence[Place],
    ) -> _Pass:
        """Return what is known of nodes, after looking for what holds their leaves."""
        describing = self._found_out(nodes, codes, wheres, places)
        unnamed = self._want(describing, nodes, wheres)
        found = self.holders.find(self._calls.running, unasked=True)
        held = {at: found.pop(stamp)[1] for stamp, at in unnamed.items() if stamp in found}
        self._late += found.values()
        items = self.holders.items(partial(describing.sharing, nodes), self._calls.running)
        return _Pass(describing.described(held, items), describing, next(iter(held.items()), None))

    def _found_out(
        self,
        nodes: Sequence[Node],
        codes: bytes,
        wheres: Sequence[Where],
        places: Sequence[Place],
    ) -> Describing:
        """Return what variables and scopes nodes have.

        The calls may be others than before. Where a program calls a function on each of many rows,
        each row has calls of its own, and the same names and scopes as the others.
        """
        made = codes, places, shape_of(wheres)
        alike = next((each for each in self._describing if each.made == made), None)
        if alike is None:
            alike = _Alike(made, Describing(nodes, codes, wheres, places, self._places.placed))
        self._describing.put(alike)
        return alike.found

    def late_names(self) -> Iterator[tuple[Node, str]]:
        """Yield leaves that are in the log without a name, with what holds them."""
        late, self._late = self._late, []
        if self.holders.waiting:
            late += self.holders.find(self._calls.running).values()
        for leaf, held in late:
            if leaf._label is None:
                yield leaf, held.text

    def _kind(self, frame: FrameType) -> Kind:
        code, variables = frame.f_code, frame.f_globals
        file = code.co_filename
        sites = Sites(code, partial(self._read, file, variables))
        ours = is_ours(file) or is_numpy(file)
        return Kind(code, sites, ours=ours, runs=runs_programs(file))

    def _read(self, file: str, variables: dict[str, object]) -> Assignments | None:
        """Read a file of the program; return what is assigned in it."""
        source = self._places.read(file, variables)
        if is_standard(file):
            return None
        # A library that calls the program, as pytest does, holds a lot, and no model.
        if not is_installed(file) or variables.get("__name__") == "__main__":
            self.holders.register(variables)
        if source is not None and source.path not in self._assignments:
            self._assignments[source.path] = assignments(source.text)
        return None if source is None else self._assignments[source.path]
