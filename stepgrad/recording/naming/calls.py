"""Which calls of functions a node is made in (`Calls`), while a program runs.

A frame has room for the trace function of a debugger. Where none is there, it carries our mark, so
that the calls around a node are looked at once for each call, and not for each node, and nothing of
the program is kept alive: a mark goes with its frame. Marks of frames that a debugger traces are
kept here while these run.

A mark has a *path*: the functions that were called, from the outermost to the innermost, and for
each the instruction that called it and how many calls of it there were before. In every training
step the paths are the same objects again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from sys import _getframe
from types import FrameType
from typing import Any

from stepgrad.recording.naming.kinds import Kind, outwards
from stepgrad.recording.naming.paths import Count, Path, Where
from stepgrad.recording.naming.sites import Site

_MOST_CALLS = 1 << 10
"""The most calls of one function by one call of another that are told apart."""

_MOST_PATHS = 1 << 16
"""The most paths of a recording."""


class Mark(dict[int, Where]):
    """What is put on a frame: the places of its instructions, by the offset in bytes, and its path.

    Debuggers may call it, as they call each trace function that they find; it does nothing. Where
    they ask whether a frame has one, to put theirs there, it counts as none.
    """

    __slots__ = ("calls", "entries", "path", "sites", "standard")

    def __init__(self, calls: Calls, kind: Kind, path: Path) -> None:
        super().__init__()
        self.calls = calls
        self.path = path
        self.sites = kind.sites
        self.standard = kind.standard
        self.entries: dict[tuple[Kind, int], _Entry] = {}  # by the code, and the instruction

    def __missing__(self, offset: int) -> Where:
        where = self[offset] = Where(self.sites[offset], self.path)
        return where

    def __bool__(self) -> bool:
        return False

    def __call__(self, *_: object) -> None:
        """Do nothing."""


class _Entry:
    """What is known of the calls of some code by one instruction: their marks.

    Args:
        kind: the code.
        site: the instruction, if it is known that it called it.
        name: what calls are called; None if it has to be asked each time.
        count: how many calls there were before; None if they are not told apart.
    """

    __slots__ = ("count", "kind", "marks", "name", "site")

    def __init__(
        self, kind: Kind, site: Site | None, name: str | None, count: Count | None
    ) -> None:
        self.kind = kind
        self.site = site
        self.name = name
        self.count = count
        self.marks: dict[int, Mark] = {}  # by how many calls of the code there were before


class Calls:
    """Finds the call that a frame is, and its path.

    Args:
        kind_of: finds out about the code of a frame; it is asked once for each.
    """

    def __init__(self, kind_of: Callable[[FrameType], Kind]) -> None:
        self.root = Path()
        self._kinds: dict[int, Kind] = {}  # by the id of their code
        self._kind_of = kind_of
        self._traced: dict[FrameType, Mark] = {}  # running ones with a debugger's trace function
        self._batch = 0
        self._paths = 0

    def begin(self, frame: FrameType | None) -> None:
        """Take note that calls are counted from here on; what runs by now is no part of a model."""
        for each in outwards(frame):
            kind = self._kind(each)
            if not kind.ours:
                self._put(each, self._mark(self.root, kind))

    def drive(self, frame: FrameType | None) -> None:
        """Take note that what runs by now runs a backward pass."""
        for each in outwards(frame):
            mark = self._mark_on(each)
            if mark is not None:
                mark.path.around.driver = True

    @property
    def running(self) -> list[FrameType]:
        """The frames of the program that run, from the outermost to the innermost."""
        frames: list[FrameType] = []
        for frame in outwards(_getframe(1)):
            kind = self._kind(frame)
            if kind.runs:
                break
            if not (kind.ours or kind.standard or kind.installed):
                frames.append(frame)
        return frames[::-1]

    def let_go(self) -> None:
        """Keep nothing of the program alive."""
        self._kinds.clear()
        self._traced.clear()

    def next_batch(self, pending: Iterable[Path]) -> None:
        """Count from 0 again, but go on where that would give numbers of pending calls again."""
        going_on = set[Count]()
        for call in {call for path in pending for call in path.outwards}:
            around, kind = call.parent and call.parent.around, call.kind
            count = around and kind and around.counts.get(kind)
            if count and count.batch == self._batch and call.number < _MOST_CALLS // 2:
                going_on.add(count)
        self._batch += 1
        for count in going_on:
            count.batch = self._batch

    def find(self, frame: FrameType | None) -> Where | None:
        """Return where the innermost frame is that is not ours."""
        kinds = self._kinds
        while frame is not None:
            mark: Any = frame.f_trace
            if mark.__class__ is not Mark or mark.calls is not self:
                kind = kinds.get(id(frame.f_code)) or self._kind(frame)
                if kind.ours:
                    frame = frame.f_back
                    continue
                mark = self._traced.get(frame)
                if mark is None:
                    mark = self._enter(frame)
            found: Where = mark[frame.f_lasti]
            return found
        return None

    def site(self, frame: FrameType) -> Site:
        """Return the instruction that a frame is at."""
        return self._kind(frame).sites[frame.f_lasti]

    def _enter(self, frame: FrameType) -> Mark:
        """Return the mark of a frame that was entered since the last look, and is not ours."""
        kinds, each = self._kinds, frame
        mark: Mark | None = None
        back = frame.f_back
        if back is not None and frame.f_trace is None:  # mostly, the call around it is known
            outer: Any = back.f_trace
            if outer.__class__ is Mark and outer.calls is self:
                known: _Entry | None = outer.entries.get((kinds[id(frame.f_code)], back.f_lasti))
                if known is not None:
                    mark = frame.f_trace = self._next(known, outer, frame)
                    return mark
        entered: list[FrameType] = []
        while mark is None:
            entered.append(each)
            kind = kinds.get(id(each.f_code)) or self._kind(each)
            back = None if kind.outermost else each.f_back
            if back is None:
                mark = self._mark(self.root, kind)
                break
            each, mark = back, self._mark_on(back)
        for inner in reversed(entered):
            kind = kinds[id(inner.f_code)]
            if not kind.ours:
                entry = mark.entries.get((kind, each.f_lasti)) or self._entry(inner, kind, mark)
                mark = self._next(entry, mark, inner)
                self._put(inner, mark)
            each = inner
        return mark

    def _mark_on(self, frame: FrameType) -> Mark | None:
        mark: Any = frame.f_trace
        return mark if mark.__class__ is Mark and mark.calls is self else self._traced.get(frame)

    def _put(self, frame: FrameType, mark: Mark) -> None:
        if frame.f_trace is None or frame.f_trace.__class__ is Mark:
            frame.f_trace = mark
            return
        running = {*outwards(frame)}
        self._traced = {at: old for at, old in self._traced.items() if at in running}
        self._traced[frame] = mark

    def _entry(self, frame: FrameType, kind: Kind, parent: Mark) -> _Entry:
        back, site = frame.f_back, None
        if back is not None and back.f_code is parent.sites.code and not parent.standard:
            site = parent.sites[back.f_lasti]
        if kind.apart:
            name, always = kind.named(frame) if kind.name else ("", True)
            count = parent.path.around.counts.setdefault(kind, Count())
            entry = _Entry(kind, site, name if always else None, count)
        else:
            entry = _Entry(kind, site, "", None)
            entry.marks[0] = self._mark(parent.path, kind)
        parent.entries[kind, -1 if back is None else back.f_lasti] = entry
        return entry

    def _next(self, entry: _Entry, parent: Mark, frame: FrameType) -> Mark:
        """Return the mark of the next call of some code."""
        count = entry.count
        if count is None:
            return entry.marks[0]
        if count.batch != self._batch:
            count.batch, count.number = self._batch, 0
        number = count.number
        if number < _MOST_CALLS:
            count.number = number + 1
        mark = entry.marks.get(number)
        if mark is None:
            kind, name = entry.kind, entry.name
            name_now = kind.named(frame)[0] if name is None else name
            path = self._path(parent.path, entry, name_now, number)
            mark = self._mark(path, kind)
            if name is not None:
                entry.marks[number] = mark
        return mark

    def _path(self, parent: Path, entry: _Entry, name: str, number: int) -> Path:
        """Return the path of a call; one that recurs belongs to the call that it recurs in."""
        kind = entry.kind
        key = kind, name, entry.site, number
        path = parent.paths.get(key)
        if path is None:
            if self._paths >= _MOST_PATHS:
                return parent
            self._paths += 1
            again = name and any(each.kind is kind and each.name for each in parent.outwards)
            if again or (kind.of_class and name == parent.around.name):
                name = ""
            path = parent.paths[key] = Path(parent, kind, name, entry.site, number)
        return path

    def _mark(self, path: Path, kind: Kind) -> Mark:
        mark = path.marks.get(kind)
        if mark is None:
            mark = path.marks[kind] = Mark(self, kind, path)
        return mark

    def _kind(self, frame: FrameType) -> Kind:
        code = frame.f_code
        kind = self._kinds.get(id(code))
        if kind is None:
            kind = self._kinds[id(code)] = self._kind_of(frame)
        return kind
