"""The calls that nodes are made in (`Call`): of modules, and of PyTorch's functions in them.

What a call is a scope of is known when the pass is over: whether a module is called again, and how
many elements a function has made.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

from stepgrad.recording.naming.sites import Spot

_FEWEST = 2
"""The fewest nodes of a function that make a scope."""


@dataclass(eq=False)
class Call:
    """A call of a module or of a function.

    Args:
        parent: the call that it is in; None for the program itself.
        name: what is called, as a scope: `layers/0`, `linear`. Empty if only several calls of it
            make a scope.
        again: what several calls of it are named after.
        what: the module or function that is called.
        path: of a module: `layers.0`; those of its parts begin with it.
        shape: of what a function gives; unknown of a module, and until the function returns.
    """

    parent: Call | None = None
    name: str = ""
    again: str = ""
    what: Hashable = None
    path: str = ""
    shape: Sequence[int] | None = None

    @property
    def module(self) -> str:
        """The path of the module that it is a call of, or in."""
        return self.path or ("" if self.parent is None else self.parent.module)

    def holds(self, path: str) -> bool:
        """Whether the module of a path is a part of this one."""
        return not self.path or path.startswith(f"{self.path}.")


class Here(NamedTuple):
    """Where the program is: the call, the line, and the scope that it has opened by hand."""

    call: Call
    spot: Spot
    scope: str


class Scope(NamedTuple):
    """The scope of a call.

    Args:
        path: the scope: `layers/0/linear (2×3)`; that around it, where a call makes none.
        name: what the call is called there: `layers/0/linear`.
    """

    path: str
    name: str


class Named(NamedTuple):
    """A tensor with a name.

    Args:
        name: its name; empty if it is called after the function that has given it.
        shape: its shape.
        offsets: those of its elements in their pass, below 0 if they are not of it.
        call: the call that has the name, or of that function; None if it holds everywhere.
    """

    name: str
    shape: tuple[int, ...]
    offsets: Sequence[int]
    call: Call | None = None

    def within(self, scopes: Mapping[Call, Scope]) -> Named:
        """Return it with the scope that it has the name in: `layers/0/h`."""
        if self.call is None:
            return self
        scope = scopes[self.call]
        return self._replace(
            name=joined(scope.path, self.name) if self.name else scope.name, call=None
        )

    @property
    def elements(self) -> Iterator[tuple[int, str]]:
        """Yield the offset and the name of each: `w[1,0]`; of one without dimensions, `w`."""
        for at, place in zip(self.offsets, product(*map(range, self.shape)), strict=True):
            if at >= 0:
                yield at, f"{self.name}[{','.join(map(str, place))}]" if place else self.name


def scopes_of(counts: Mapping[Call, int]) -> dict[Call, Scope]:
    """Return the scope of each call, given how many nodes were made in it, outside its calls."""
    families: dict[tuple[Call | None, Hashable, str], list[Call]] = defaultdict(list)
    seen: dict[Call, None] = {}
    for call in counts:
        for each in reversed([*_outwards(call)]):
            if each not in seen:
                seen[each] = None
                families[each.parent, each.what, each.name or each.again].append(each)
    parts: dict[Call, str] = {}
    for (_, _, name), family in families.items():
        for number, call in enumerate(family):
            parts[call] = f"{name}{number}" if len(family) > 1 else call.name
    scopes: dict[Call, Scope] = {}
    for call in seen:  # the outer ones come first
        around = "" if call.parent is None else scopes[call.parent].path
        part = parts[call]
        name = joined(around, part)
        if call.shape is not None:
            few = counts.get(call, 0) < _FEWEST
            part = "" if few else f"{part} {shape_text(call.shape)}".rstrip()
        scopes[call] = Scope(joined(around, part), name)
    return scopes


def joined(*parts: str) -> str:
    """Return the scope that some are inside each other."""
    return "/".join(filter(None, parts))


def shape_text(shape: Sequence[int]) -> str:
    """Write the shape of a tensor: `(96×32)`; nothing for one without dimensions."""
    return f"({'×'.join(map(str, shape))})" if shape else ""


def _outwards(call: Call | None) -> Iterable[Call]:
    while call is not None:
        yield call
        call = call.parent
