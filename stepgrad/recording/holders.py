"""Which variables hold the leaves of a running program (`Holders`)."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from inspect import CO_OPTIMIZED
from itertools import repeat, takewhile
from types import CellType, CodeType, FrameType, FunctionType, ModuleType
from typing import Any

from stepgrad.engine.node import Node
from stepgrad.recording.naming.kinds import class_names, is_installed, owner_of, variables_of
from stepgrad.recording.naming.walk import Held, found_at, name_all

_MOST_MISSED = 1 << 16
_UNASKED = 8
_FREE = 1 << 13
"""How many items of the program may be looked at besides one for each node."""
_MOST_VAIN = 2

_CONTAINERS = frozenset({list, tuple, dict})
_PACKAGE, _ENGINE = f"{__name__.partition('.')[0]}.", f"{Node.__module__.rpartition('.')[0]}."


class Holders:
    """Finds leaves by the variables of the modules, and of the calls that run, of a program.

    Leaves are wanted by stamp, so that none is kept alive for it. `node_of` returns the node of an
    object of the program; None for one that is none.
    """

    def __init__(self) -> None:
        self.node_of: Callable[[object], Node | None] = _node_of
        self._wanted: dict[int, object] = {}  # their origins, by stamp
        self._missed: set[int] = set()  # that were looked for, and not found
        self._modules: dict[int, dict[str, object]] = {}  # their variables, by id
        self._due = False
        # A program that writes to each leaf as it makes it has a pass logged for each of them.
        self._unasked = _UNASKED
        self._room = _FREE  # how many items may be looked at; a little less than none at times
        self._vain = Counter[object]()  # the latest searches that found nothing of an origin

    def let_go(self) -> None:
        """Keep nothing of the program alive."""
        self.node_of = _node_of
        self._modules.clear()
        self._wanted.clear()
        self._missed.clear()
        self._vain.clear()

    def stand_in(self, stands_for: Callable[[object], Node | None]) -> None:
        """Take note of what finds the nodes of objects that are none themselves."""
        self.node_of = lambda thing: _node_of(thing) or stands_for(thing)

    def register(self, variables: dict[str, object]) -> None:
        """Take note of a module of the program, given its variables."""
        self._modules.setdefault(id(variables), variables)

    def want(self, stamps: Iterable[int], origins: Iterable[object] = repeat(None)) -> None:
        """Take note of leaves that have no name yet.

        `origins` tell what makes each, if that is known. Where it makes leaves that nothing holds,
        as a loss does that starts from `Value(0.0)`, the program is not searched for each of them.
        """
        self._wanted.update(zip(stamps, origins, strict=False))

    def made(self, count: int) -> None:
        """The program has made this many nodes: as many more items may be searched."""
        self._room += count

    def look(self, *, again: bool = False) -> None:
        """Have leaves found the next time; `again`, also those not found before, at any cost.

        Otherwise a program that holds a lot and makes little would be searched most of the time.
        """
        self._due = self._due or again or self._room > 0
        if again:
            self._wanted |= dict.fromkeys(self._missed)

    @property
    def waiting(self) -> bool:
        """Whether there are leaves without a name."""
        return bool(self._wanted)

    def find(
        self, frames: Sequence[FrameType], *, unasked: bool = False
    ) -> dict[int, tuple[Node, Held]]:
        """Return what holds the wanted leaves, by stamp, if it is time to look.

        `frames` are the calls of the program that run, from the outermost to the innermost. A few
        times, leaves are looked for `unasked`.
        """
        if not self._wanted or not (self._due or (unasked and self._unasked > 0)):
            return {}
        self._unasked -= not self._due
        self._due = False
        wanted, self._wanted = self._wanted, {}
        origins = {*wanted.values()}
        if all(origin is not None and self._vain[origin] >= _MOST_VAIN for origin in origins):
            self._miss(wanted.keys())
            return {}
        held = name_all(
            self.node_of,
            self._variables(frames),
            self._is_opaque,
            self._looked,
            lambda node: node._stamp in wanted,
        )
        found = {node._stamp: (node, where) for node, where in held}
        self._miss(wanted.keys() - found.keys())
        fruitful = {wanted[stamp] for stamp in found}
        for origin in origins:
            self._vain[origin] = 0 if origin in fruitful else self._vain[origin] + 1
        return found

    def at(self, held: Held, frames: Sequence[FrameType]) -> Node | None:
        """Return the node that is held there now, if one is."""
        return next(filter(None, map(self.node_of, found_at(held, self._variables(frames)))), None)

    def items(
        self,
        sharing: Callable[[], Mapping[str, Mapping[int, int]]],
        frames: Sequence[FrameType],
    ) -> dict[int, str]:
        """Return the subscripts of the results that are items of an array of numpy.

        Args:
            sharing: returns what results variables hold, by name, and by stamp.
            frames: the calls of the program that run.
        """
        array = getattr(sys.modules.get("numpy"), "ndarray", None)
        shared = {} if array is None else sharing()
        found: dict[int, str] = {}
        for frame in frames if shared else ():
            variables = variables_of(frame)
            for name in shared.keys() & variables.keys():
                if type(variables[name]) is array:
                    for node, held in name_all(self.node_of, [{name: variables[name]}]):
                        result = shared[name].get(node._stamp)
                        if result is not None:
                            found[result] = "".join(held.steps[1:])
        return found

    def _looked(self, items: int) -> None:
        self._room -= items

    def _miss(self, stamps: Collection[int]) -> None:
        if len(self._missed) < _MOST_MISSED:
            self._missed.update(stamps)

    def _variables(self, frames: Sequence[FrameType]) -> Iterator[Mapping[str, object]]:
        running = {id(frame.f_globals) for frame in frames}
        others: dict[str, object] = {}
        for variables in self._modules.values():
            name = variables.get("__name__")
            module = sys.modules.get(name) if type(name) is str else None
            if module is None or name == "__main__" or id(variables) in running:
                yield variables
            else:
                others[str(name)] = module
        # What an object holds while it is made is not yet where it will be.
        for frame in takewhile(lambda frame: frame.f_code.co_name != "__init__", frames):
            if frame.f_code.co_flags & CO_OPTIMIZED:  # a function's: its variables are plain
                local = variables_of(frame)
                if self._is_method(frame.f_code, local):
                    break  # the order of a backward pass, for example, is no model
                if not any(self._is_computed(local.get(name)) for name in frame.f_code.co_freevars):
                    yield local  # and not those of a rule
        yield others  # those that no variable leads to

    def _is_method(self, code: CodeType, variables: Mapping[str, object]) -> bool:
        """Whether a call is of a method of nodes, which is the program's engine at work."""
        first = variables.get(code.co_varnames[0]) if code.co_argcount else None
        return self.node_of(first) is not None and owner_of(code) in class_names(type(first))

    def _is_opaque(self, holder: object) -> bool:
        """Whether an object is not a model; nor is a rule, which holds its result."""
        if type(holder) in _CONTAINERS:  # as most holders are
            return False
        if issubclass(type(holder), ModuleType):
            return id(vars(ModuleType)["__dict__"].__get__(holder)) not in self._modules
        closure = (holder.__closure__ or ()) if type(holder) is FunctionType else ()
        return _is_opaque(holder) or any(map(self._is_computed, map(_content, closure)))

    def _is_computed(self, thing: object) -> bool:
        node = self.node_of(thing)
        return node is not None and bool(node._operation.partials)


def _node_of(thing: object) -> Node | None:
    return thing if issubclass(type(thing), Node) else None  # type: ignore[return-value]


def _content(cell: CellType) -> object:
    try:
        return cell.cell_contents
    except ValueError:  # not assigned yet
        return None


def _is_opaque(holder: Any) -> bool:
    """Whether an object is no model, and may hold a lot: ours, or a function of a library."""
    kind = type(holder)
    if kind is FunctionType:
        file = holder.__globals__.get("__file__")
        return type(file) is str and is_installed(file)
    if issubclass(kind, type):
        return _module_of(holder).startswith(_PACKAGE)
    module = _module_of(kind)
    return module.startswith(_PACKAGE) and not module.startswith(_ENGINE)


def _module_of(cls: object) -> str:
    """Return the name of a class's module; what the program defines does not run."""
    module = vars(type)["__dict__"].__get__(cls).get("__module__")
    return module if type(module) is str else ""
