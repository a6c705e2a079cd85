"""The data of a scenario file, and the place in the text of every value in it.

Every stage that finds a problem with a value asks here where to point.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from stepgrad.scenario.text import Source

Key: TypeAlias = str | int
Path: TypeAlias = tuple[Key, ...]
"""The keys and list indices that lead to a value, such as `("graph", 2)`."""
Data: TypeAlias = "bool | int | float | str | tuple[Data, ...] | dict[Key, Data] | None"


class Place(NamedTuple):
    """Where a value is: indices into the source, and how it is written.

    `key` is where the value's key begins, in a mapping. `style` is YAML's quote or block sign
    (`'`, `"`, `|`, `>`), `""` for a plain scalar, and `[` or `{` for a collection.
    """

    start: int
    end: int
    key: int | None
    style: str


@dataclass(frozen=True, slots=True)
class Document:
    """The data of a scenario file, and the place of the value at every path in it."""

    source: Source
    data: Data = None
    places: dict[Path, Place] = field(default_factory=dict)

    def index(self, path: Path) -> int:
        """Where to point at the value at `path`, or at the nearest value around it.

        For a scalar, that is the scalar itself; for a collection or an empty value, its key.
        """
        while path not in self.places and path:
            path = path[:-1]
        place = self.places[path]
        itself = place.style not in ("[", "{") and place.end > place.start
        return place.start if itself or place.key is None else place.key

    def key_index(self, path: Path) -> int:
        """Where the key of the value at `path` begins; for a list entry, where the entry does."""
        key = self.places[path].key
        return self.index(path) if key is None else key

    def snippet(self, path: Path) -> str:
        """Return the scalar at `path` as it is written in the file."""
        place = self.places[path]
        return self.source.text[place.start : place.end]

    def index_within(self, path: Path, offset: int) -> int:
        """Where character `offset` of the text at `path` is in the source.

        YAML may fold and indent a text but keeps its visible characters in order, so counting those
        finds the place, whatever the style. (An escape in double quotes counts as it is written.)
        """
        place, text = self.places[path], self.data_at(path)
        assert isinstance(text, str)
        start = place.start + (place.style in ("'", '"'))
        if place.style in ("|", ">"):
            start = self.source.text.index("\n", start)
        visible = [
            match.start() for match in re.finditer(r"\S", self.source.text[start : place.end])
        ]
        before = len(re.findall(r"\S", text[:offset]))
        if text[offset : offset + 1].strip() and before < len(visible):
            return start + visible[before]
        return start + (visible[before - 1] + 1 if before else 0)

    def data_at(self, path: Path) -> Data:
        """Return the value at `path`; raises `LookupError` if there is none."""
        value = self.data
        for key in path:
            match value, key:
                case dict(), _:
                    value = value[key]
                case tuple(), int():
                    value = value[key]
                case _:
                    raise LookupError(path)
        return value
