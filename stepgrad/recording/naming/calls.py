"""Which calls of functions a node is made in (`Calls`), while a program runs.

A frame has room for the trace function of a debugger. Where none is there, it carries our mark, so
that the calls around a node are looked at once for each call, and not for each node, and nothing of
the program is kept alive: a mark goes with its frame.

A mark has a *path*: the functions that were called, from the outermost to the innermost, and for
each the instruction that called it and how many calls of it there were before. In every training
step the paths are the same objects again.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from sys import _getframe
from types import CodeType, FrameType
from typing import Any

from stepgrad.recording.naming.sites import Site, Sites

_STANDARD = f"{os.path.dirname(os.__file__)}{os.sep}"  # noqa: PTH120 - as code has it
_INSTALLED = re.compile(r"[\\/](site|dist)-packages[\\/]")
_OF_THE_CLASS = frozenset({"__call__", "__init__", "__post_init__", "forward"})
_LIST = "<listcomp>"

_MOST_CALLS = 1 << 10
"""The most calls of one function by one call of another that are told apart."""

_MOST_PATHS = 1 << 16
"""The most paths of a recording."""

_class_name = type.__dict__["__name__"].__get__
_bases = type.__dict__["__mro__"].__get__


class Kind:
    """What is known of a piece of code: the places of its instructions, and what calls are called.

    Without a `name`, what is called in it is part of the call that is around it.

    Args:
        code: the code.
        sites: its instructions.
        ours: whether it belongs to this package, and not to a program.
    """

    __slots__ = ("code", "installed", "name", "of_class", "ours", "outermost", "sites", "standard")

    def __init__(self, code: CodeType, sites: Sites, *, ours: bool) -> None:
        self.code = code  # kept alive: its id is a key
        self.sites = sites
        self.ours = ours
        path, name = code.co_filename, code.co_name
        self.outermost = name == "<module>"
        self.installed = _INSTALLED.search(path) is not None
        self.standard = is_standard(path)
        before, _, method = code.co_qualname.rpartition(".")
        owner = before.rpartition(".")[2]
        self.of_class = owner if method in _OF_THE_CLASS and owner != "<locals>" else ""
        self.name = _words(self.of_class) if self.of_class else name.strip("_")
        if self.standard or name.startswith("<"):
            self.name = ""

    @property
    def listing(self) -> bool:
        """Whether it is a list comprehension: each time it runs, its elements are counted anew."""
        return self.code.co_name == _LIST

    def named(self, frame: FrameType) -> str:
        """Return the name of a call: for `forward` and the like, the class of the object."""
        if not self.of_class or not self.code.co_argcount:
            return self.name
        kind = type(frame.f_locals.get(self.code.co_varnames[0]))
        names = [_class_name(each) for each in _bases(kind)]
        return _words(names[0]) if self.of_class in names else self.name


class Path:
    """Calls, from the outermost to the innermost; without a `kind`, no call at all.

    Args:
        parent: the calls around the innermost one.
        kind: the code that it runs.
        name: what it is called; empty for one that is part of the call around it.
        site: the instruction that called it, if that is known.
    """

    __slots__ = ("around", "driver", "kind", "name", "parent", "paths", "site")

    def __init__(
        self,
        parent: Path | None = None,
        kind: Kind | None = None,
        name: str = "",
        site: Site | None = None,
    ) -> None:
        self.parent = parent
        self.kind = kind
        self.name = name
        self.site = site
        # Whether it goes on after backward passes, so that it runs the model, and is no part of it.
        self.driver = False
        # The innermost one with a name.
        self.around: Path = self if name or parent is None else parent.around
        self.paths: dict[object, Path] = {}

    @property
    def outwards(self) -> Iterator[Path]:
        """This path, the one around it, and so on."""
        path: Path | None = self
        while path is not None:
            yield path
            path = path.parent


class Call:
    """A mark on a frame.

    Debuggers may call it, as they call each trace function that they find; it does nothing.
    """

    __slots__ = ("calls", "counted", "counts", "owner", "path", "sites", "standard")

    def __init__(self, calls: Calls, kind: Kind, path: Path, owner: Call | None) -> None:
        self.calls = calls
        self.sites = kind.sites
        self.standard = kind.standard
        self.path = path
        self.owner = owner or self  # what counts the calls in it
        self.counts: dict[object, int] = {}
        self.counted = 0  # in which batch

    def __call__(self, *_: object) -> None:
        """Do nothing."""


class Calls:
    """Finds the call that a frame is, and its path.

    Args:
        kind_of: finds out about the code of a frame; it is asked once for each.
    """

    def __init__(self, kind_of: Callable[[FrameType], Kind]) -> None:
        self.root = Path()
        self._kinds: dict[int, Kind] = {}  # by the id of their code
        self._kind_of = kind_of
        self._batch = 0
        self._paths = 0

    def begin(self, frame: FrameType | None) -> None:
        """Take note that calls are counted from here on; what runs by now is no part of a model."""
        while frame is not None:
            kind = self._kind(frame)
            if not kind.ours:
                self._mark(frame, Call(self, kind, self.root, None))
            frame = frame.f_back

    def drive(self, frame: FrameType | None) -> None:
        """Take note that what runs by now runs a backward pass."""
        while frame is not None:
            call = frame.f_trace
            if isinstance(call, Call) and call.calls is self:
                call.path.around.driver = True
            frame = frame.f_back

    @property
    def running(self) -> list[FrameType]:
        """The frames of the program that run, from the outermost to the innermost."""
        frames: list[FrameType] = []
        frame: FrameType | None = _getframe(1)
        while frame is not None:
            kind = self._kind(frame)
            if not (kind.ours or kind.standard or kind.installed):
                frames.append(frame)
            frame = frame.f_back
        return frames[::-1]

    def let_go(self) -> None:
        """Keep nothing of the program alive."""
        self._kinds.clear()

    def next_batch(self) -> None:
        """Count from 0 again."""
        self._batch += 1

    def find(self, frame: FrameType | None) -> tuple[Site, Path] | None:
        """Return the instruction at which the innermost frame is that is not ours, and its path."""
        while frame is not None and self._kind(frame).ours:
            frame = frame.f_back
        if frame is None:
            return None
        call = self.call(frame)
        return call.sites[frame.f_lasti], call.path

    def call(self, frame: FrameType) -> Call:
        """Return the call that a frame is."""
        unmarked: list[FrameType] = []
        each: FrameType | None = frame
        parent: Call | None = None
        while each is not None and parent is None:
            mark: Any = each.f_trace
            if mark.__class__ is Call and mark.calls is self:
                parent = mark
            else:
                unmarked.append(each)
                each = None if self._kind(each).outermost else each.f_back
        for each in reversed(unmarked):
            kind = self._kind(each)
            if not kind.ours:
                parent = self._entered(each, kind, parent)
        assert parent is not None, "a frame that is not ours was asked for"
        return parent

    def _entered(self, frame: FrameType, kind: Kind, parent: Call | None) -> Call:
        """Mark a frame that was entered since the last look."""
        if parent is None:
            call = Call(self, kind, self.root, None)
        elif frame.f_trace is not None and frame.f_trace.__class__ is not Call:
            return Call(self, kind, parent.path, parent.owner)  # a debugger is at work
        else:
            path = self._path(frame, kind, parent)
            # What a frame without a name calls is counted by the one around it.
            owner = None if path.around is not parent.path.around else parent.owner
            call = Call(self, kind, path, owner)
        self._mark(frame, call)
        return call

    def _path(self, frame: FrameType, kind: Kind, parent: Call) -> Path:
        if not kind.name and not kind.listing:
            return parent.path
        name = kind.named(frame) if kind.name else ""
        back, site = frame.f_back, None
        if back is not None and back.f_code is parent.sites.code and not parent.standard:
            site = parent.sites[back.f_lasti]
        owner = parent.owner
        if owner.counted != self._batch:
            owner.counts, owner.counted = {}, self._batch
        number = owner.counts.get(kind, 0)
        owner.counts[kind] = min(number + 1, _MOST_CALLS)
        key = kind, name, site, number
        known = parent.path.paths
        path = known.get(key)
        if path is None:
            path = known[key] = self._new(parent.path, kind, name, site)
        return path

    def _new(self, parent: Path, kind: Kind, name: str, site: Site | None) -> Path:
        """Return a path; one that recurs belongs to the call that it recurs in."""
        again = any(each.kind is kind and each.name for each in parent.outwards) if name else False
        again |= bool(kind.of_class) and name == parent.around.name
        if again or self._paths >= _MOST_PATHS:
            name = ""
        self._paths += 1
        return Path(parent, kind, name, site) if self._paths < _MOST_PATHS else parent

    def _kind(self, frame: FrameType) -> Kind:
        code = frame.f_code
        kind = self._kinds.get(id(code))
        if kind is None:
            kind = self._kinds[id(code)] = self._kind_of(frame)
        return kind

    def _mark(self, frame: FrameType, call: Call) -> None:
        if frame.f_trace is None or frame.f_trace.__class__ is Call:
            frame.f_trace = call


def is_standard(path: str) -> bool:
    """Whether code is of Python's own library."""
    return path.startswith((_STANDARD, "<frozen ")) and not _INSTALLED.search(path)


def _words(name: str) -> str:
    """Return the name of a class as that of a variable: `SelfAttention` is `self_attention`."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name.strip("_"))
    return parted.lower()
