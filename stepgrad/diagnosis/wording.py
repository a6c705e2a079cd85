"""What verdicts call the nodes that they are about."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import takewhile

from stepgrad.recording.numbered import unnumbered
from stepgrad.recording.recording import Recording
from stepgrad.replay.telling.titles import title

_MOST = 4


def listed(recording: Recording, nodes: Iterable[int], most: int = _MOST) -> str:
    """Name some nodes in a sentence: `w1, w2 and b`, or `w1, w2, w3, w4 and 12 more`.

    Where there are more than these, elements of a tensor or a list are one: `w (12 elements)`.
    """
    names = [*dict.fromkeys(title(recording, node) for node in nodes)]
    if len(names) <= most:
        return joined(names, len(names))
    names = gathered(names)
    return joined(names[:most], len(names))


def gathered(names: Iterable[str]) -> list[str]:
    """Gather elements by what they are elements of: `w (12 elements)`."""
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(name.rpartition("[")[0] if name.endswith("]") else name, []).append(name)
    return [
        each[0] if len(each) == 1 else f"{of} ({len(each):,} elements)"
        for of, each in found.items()
    ]


def joined(names: Sequence[str], number: int) -> str:
    """Join names in a sentence, the first of `number`."""
    if number > len(names):
        return f"{', '.join(names)} and {number - len(names):,} more"
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def shared_name(recording: Recording, nodes: Sequence[int]) -> str:
    """Name nodes that differ by the row of the data: `layer1/h` for `row1/layer1/h` and the like.

    Of `h₀`, `h₁`, that is `h`. Empty where their names have nothing in common.
    """
    titles = {title(recording, node) for node in nodes}
    parted = titles if len(titles) == 1 else map(unnumbered, titles)
    names = [each.split("/")[::-1] for each in parted]
    shared = takewhile(lambda parts: len({*parts}) == 1, zip(*names, strict=False))
    return "/".join(parts[0] for parts in reversed([*shared]))
