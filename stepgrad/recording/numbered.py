"""What nodes are called: by their labels, which are numbered where a graph has equal ones.

A loop gives a variable again: `h = tanh(w·h)` makes nodes that are all labelled `h`. Within a
training step they are called `h₀`, `h₁`, `h₂`, in the order in which they are made, and elements
`h₁[0]`. No name of a Python program has such digits. Nodes from before that the step uses are
counted first: so a start that all steps share is `h₀` in each, and what a step takes over from the
one before goes on from there. A label that only one node has is its name.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING

from stepgrad.recording.blocks import Forward
from stepgrad.recording.kept import kept
from stepgrad.recording.structure import Context, Structure

if TYPE_CHECKING:
    from stepgrad.recording.log import Log

_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_DIGITS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
_NO_DIGITS = str.maketrans("", "", "₀₁₂₃₄₅₆₇₈₉")
_ELEMENT = re.compile(r"(?:\[[^\[\]]*\])+\Z")
_start = attrgetter("start")

Used = tuple[str, int, int]
"""A label, and a node of an earlier pass that has it: the number of the pass, and the offset."""


def unnumbered(name: str) -> str:
    """Return a name without its number: `h` for `h₁`."""
    return name if name.isascii() else name.translate(_NO_DIGITS)


def plain(name: str) -> str:
    """Return a name with its number in digits that every keyboard has: `h1` for `h₁`."""
    return name if name.isascii() else name.translate(_DIGITS)


def is_called(name: str, text: str) -> bool:
    """Whether a typed text may mean a name: it is the same, or without its number, or plain."""
    return text in (name, unnumbered(name), plain(name))


def node_called(names: Mapping[str, int], text: str) -> int | None:
    """Return the node that a typed text means; None if there is none.

    `h` is the latest of `h`, `h₀`, `h₁`, and `h1` is `h₁` where nothing else is called so.
    """
    for forms in FORMS:
        called = (node for name, node in names.items() if text in {form(name) for form in forms})
        if (latest := max(called, default=None)) is not None:
            return latest
    return None


FORMS: Sequence[Sequence[Callable[[str], str]]] = ((str, unnumbered), (plain,))
"""How a name may be typed: as it is or without its number, or else in plain digits."""


class Numbering:
    """What the nodes of forward passes are called, counted for those steps that are looked at.

    It holds as long as nothing is added to the log: `since` is that of its `changes`.
    """

    def __init__(self, log: Log, forwards: Sequence[Forward]) -> None:
        self.since = log.changes
        self._forwards = forwards
        self._steps = log.steps
        self._late = sorted(each for each in dict(log.labels).items() if each[1])
        self._called: dict[Forward, Context] = {}
        self._before = {
            label: (forward, offset)
            for forward in self._between(0, self._steps[0] if self._steps else 0)
            for offset, label in sorted(self._labelled(forward).names.items())
        }

    def called(self, forward: Forward) -> Context:
        """Return what the nodes of a pass are called, and where they were made."""
        found = self._called.get(forward)
        if found is None:
            self._count(forward)
            found = self._called[forward]
        return found

    def latest(self, log: Log, position: int) -> Sequence[Forward]:
        """Return passes that have begun by a position: those of the latest step of each kind.

        Every label that there is by then is in one of them.
        """
        passes: set[Forward] = set()
        found = {log.history.forward_of(node) for node, _ in self._late}
        for context, blocks in log.history.index.contexts().items():
            if context.names:
                begun = bisect_left(blocks, position, key=_start)
                found.update(blocks[max(begun - 2, 0) : begun])  # one may be half made
        for each in found:
            if each not in passes:
                passes.update(self._step_of(each))
        return sorted((each for each in passes if each.start < position), key=attrgetter("base"))

    def _step_of(self, forward: Forward) -> Sequence[Forward]:
        """Return the passes of the step of one; what comes before the first belongs to that."""
        following = max(bisect_right(self._steps, forward.start), 1)
        begin = self._steps[following - 1] if following > 1 else 0
        end = self._steps[following] if following < len(self._steps) else None
        return self._between(begin, end)

    def _between(self, begin: int, end: int | None) -> Sequence[Forward]:
        forwards = self._forwards
        first = bisect_left(forwards, begin, key=_start)
        stop = len(forwards) if end is None else bisect_left(forwards, end, first, key=_start)
        return forwards[first:stop]

    def _count(self, forward: Forward) -> None:
        """Number the step of a pass, and first those that it goes on from."""
        due = [forward]
        while due:
            step = self._step_of(due[-1])
            own = (*map(self._labelled, step),)
            used = [*self._used(step, own)]
            uncounted = [other for _, other, _ in used if other not in self._called]
            if uncounted:
                due.append(uncounted[0])
                continue
            starts: dict[str, int] = {}
            for label, other, offset in used:
                stem, _ = _parted(label)
                number = _number(label, self._called[other].names[offset])
                starts[stem] = max(number + 1, starts.get(stem, 0))
            self._called |= zip(step, _numbered(own[0], own, (*starts.items(),)), strict=True)
            due.pop()

    def _used(
        self, step: Sequence[Forward], own: tuple[Context, ...]
    ) -> Iterator[tuple[str, Forward, int]]:
        """Yield the labels of a step that nodes from before have which it uses, and these nodes."""
        first = step[0].base
        for forward in step:
            if forward.earlier and forward.earlier[-1].base < first:
                earlier = (*map(self._labelled, forward.earlier),)
                for label, number, offset in _used_again(forward.structure, earlier, own):
                    if forward.earlier[number].base < first:
                        yield label, forward.earlier[number], offset
        if step[0] is not self._forwards[0]:
            for label in self._before.keys() & _labels(own[0], own):
                yield label, *self._before[label]

    def _labelled(self, forward: Forward) -> Context:
        """Return the labels of a pass, those included that nodes got after it was logged."""
        first = bisect_left(self._late, (forward.base,))
        late = self._late[first : bisect_left(self._late, (forward.end,), first)]
        if not late:
            return forward.context
        return _with(forward.context, tuple((node - forward.base, name) for node, name in late))


@kept(4)
def _with(context: Context, late: tuple[tuple[int, str], ...]) -> Context:
    return Context({**context.names, **dict(late)}, context.places)


@kept(4)
def _labels(_first: Context, contexts: tuple[Context, ...]) -> frozenset[str]:
    return frozenset().union(*(context.names.values() for context in contexts))


@kept(4)
def _used_again(
    structure: Structure, earlier: tuple[Context, ...], own: tuple[Context, ...]
) -> Sequence[Used]:
    """Return what a pass uses of earlier ones whose label its step, `own`, makes again."""
    labels = _labels(own[0], own)
    outer = zip(structure.outer_passes, structure.outer_offsets, strict=True)
    used = ((earlier[number].names.get(offset), number, offset) for number, offset in outer)
    return [(label, number, offset) for label, number, offset in used if label in labels]


@kept(4)
def _numbered(
    _first: Context, contexts: tuple[Context, ...], starts: tuple[tuple[str, int], ...]
) -> Sequence[Context]:
    """Return the contexts of a step with its equal labels numbered, each from its start."""
    if not starts and len(_labels(_first, contexts)) == sum(len(each.names) for each in contexts):
        return contexts
    repeated, following = dict(starts), dict[str, int]()
    counted = [[*_counted(each, repeated, following)] for each in contexts]
    names = (
        {
            offset: f"{stem}{_subscript(number)}{element}" if stem in repeated else stem + element
            for offset, stem, number, element in nodes
        }
        for nodes in counted
    )
    return [
        context if called == context.names else Context(called, context.places)
        for context, called in zip(contexts, names, strict=True)
    ]


def _counted(
    context: Context, repeated: dict[str, int], following: dict[str, int]
) -> Iterator[tuple[int, str, int, str]]:
    """Yield the offset of each labelled node, with its label in parts and its number in between.

    An element right after another of the same name belongs to the same thing, also where the last
    thing of this name was shorter. `repeated` has what comes again, with where to start;
    `following` the next number of each label.
    """
    last = -1, "", 0
    for offset, label in sorted(context.names.items()):
        stem, element = _parted(label)
        number = following.get(label, repeated.get(stem, 0))
        if element and last[:2] == (offset - 1, stem):
            number = max(number, last[2])
        following[label] = number + 1
        last = offset, stem, number
        if number:
            repeated.setdefault(stem, 0)
        yield offset, stem, number, element


def _parted(label: str) -> tuple[str, str]:
    """Part a label: what is numbered, and the place of an element in it, as `[0]`."""
    element = _ELEMENT.search(label) if label.endswith("]") else None
    return (label[: element.start()], element[0]) if element else (label, "")


def _number(label: str, name: str) -> int:
    """Return the number in a name; 0 if there is none."""
    stem, element = _parted(label)
    number = name[len(stem) : len(name) - len(element)]
    return int(number.translate(_DIGITS)) if number else 0


def _subscript(number: int) -> str:
    return str(number).translate(_SUBSCRIPTS)
