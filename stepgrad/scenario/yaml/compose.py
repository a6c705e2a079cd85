"""YAML as plain data, with the place of every value.

YAML's own loaders forget where a value was, let a later key overwrite an earlier one, expand
aliases without limit, and read `1e-3` as text and `no` as a boolean. This composer works on the
parser's events instead: it keeps positions, refuses what a scenario does not need, and resolves
scalars by the few rules that a reader expects. Numbers, `true`, `false` and empty values are what
they look like, and everything else is text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import isinf

import yaml

from stepgrad.scenario.text import Problems, Source
from stepgrad.scenario.yaml.document import Data, Document, Key, Path, Place
from stepgrad.scenario.yaml.errors import explain, index_of
from stepgrad.scenario.yaml.scalars import WORDS, is_infinity, is_number, is_whole

MAX_DEPTH = 50
"""The deepest that lists and mappings may be nested."""

MAX_VALUES = 120_000
"""The most values in a file: enough for every weight of the largest network."""

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_LOOKS_AHEAD = 1024  # the most characters in a key by YAML's grammar: a parser reads that far
_QUOTED_OR_BRACKET = re.compile(r"""'[^']*'|"(?:[^"\\]|\\.)*"|(?P<open>[\[{])|(?P<close>[\]}])""")
# Control characters, surrogates, byte order marks; in parts, which `re` compiles ten times faster.
_UNREADABLE = re.compile(
    "[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]|[\ud800-\udfff\ufeff]|[\ufffe\uffff]"
)
_COMMA = re.compile(r"[-+]?[0-9]+,[0-9.]+(?:[eE][-+]?[0-9]+)?$")
_UNPARTED = re.compile(r"([^\W\d]\w*)\s*[:=]\s*(\S+)")


def compose(source: Source, problems: Problems) -> Document:
    """Return the one YAML document in `source`.

    A problem that does not stop the reading (a duplicate key, an anchor, a tag) goes to
    `problems`; one that does raises `ScenarioError`.
    """
    if match := _UNREADABLE.search(source.text):
        problems.stop(match.start(), f"the character U+{ord(match[0]):04X} is not allowed")
    composer = _Composer(source, problems)
    try:
        return composer.document()
    except yaml.MarkedYAMLError as error:
        composer.check_depth_ahead()
        problems.stop(*explain(error, source))
    except (yaml.YAMLError, ValueError, OverflowError):
        # PyYAML's own parser does not check that an escape such as "\UFFFFFFFF" is a character.
        problems.stop(composer.read, "not valid YAML after this")


class _Composer:
    """One pass over the parser's events."""

    def __init__(self, source: Source, problems: Problems) -> None:
        self._source = source
        self._problems = problems
        self._parsed: Iterator[yaml.Event] = iter(yaml.parse(source.text, Loader=_LOADER))
        self._places: dict[Path, Place] = {}
        self._depth = 0  # of the collections that are open
        self.read = 0
        """Up to where the parser's events have been read."""

    def _next(self) -> yaml.Event:
        """Return the next event of the parser."""
        event = next(self._parsed)
        self.read = index_of(event.end_mark)
        if isinstance(event, yaml.CollectionStartEvent):
            self._depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            self._depth -= 1
        return event

    def check_depth_ahead(self) -> None:
        """Stop where brackets are nested too deep in what a parser that failed was reading.

        Parsers look ahead, each with a limit of its own, before they hand out an event.
        """
        text, depth = self._source.text, self._depth
        line = text.find("\n", self.read)
        end = min(self.read + _LOOKS_AHEAD, len(text) if line < 0 else line)
        for sign in _QUOTED_OR_BRACKET.finditer(text, self.read, end):
            if sign["open"]:
                self._check_depth(depth, sign.start())
                depth += 1
            elif sign["close"]:
                depth -= 1

    def _check_depth(self, depth: int, start: int) -> None:
        if depth > MAX_DEPTH:
            self._problems.stop(start, f"nested deeper than {MAX_DEPTH} levels")

    def document(self) -> Document:
        """Read the stream: one document, and nothing after it."""
        self._next()  # the start of the stream
        if isinstance(self._next(), yaml.StreamEndEvent):
            self._problems.stop(0, "there is no scenario in the file, only blank lines or comments")
        data = self._value(self._next(), (), None)
        self._next()  # the end of the document
        after = self._next()
        if not isinstance(after, yaml.StreamEndEvent):
            start = _start(after)
            self._problems.stop(start, "a second document begins here; a scenario is one document")
        return Document(self._source, data, self._places)

    def _value(self, event: yaml.Event, path: Path, key: int | None) -> Data:
        """Return the value that begins with `event`, after reading it to its end."""
        start, style = _start(event), ""
        self._check_depth(len(path), start)
        if len(self._places) >= MAX_VALUES:
            self._problems.stop(start, f"more than {MAX_VALUES:,} values")
        self._refuse_indirection(event)
        value: Data = None
        if isinstance(event, yaml.ScalarEvent):
            style = event.style or ""
            value = event.value if style else self._resolve(event.value, start)
        elif isinstance(event, yaml.SequenceStartEvent):
            style, value = "[", self._sequence(path)
        elif isinstance(event, yaml.MappingStartEvent):
            style, value = "{", self._mapping(path)
        self._places[path] = Place(start, index_of(event.end_mark), key, style)
        return value

    def _sequence(self, path: Path) -> tuple[Data, ...]:
        items: list[Data] = []
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            items.append(self._value(event, (*path, len(items)), None))
        return tuple(items)

    def _mapping(self, path: Path) -> dict[Key, Data]:
        entries: dict[Key, Data] = {}
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            start = _start(event)
            self._refuse_indirection(event)
            if not isinstance(event, yaml.ScalarEvent):
                self._problems.stop(start, "a key must be plain text or a whole number")
            key: Key = event.value
            if not event.style and is_whole(event.value):
                key = self._integer(event.value, start)
            if key in entries:
                line, _ = self._source.position(self._places[*path, key].key or 0)
                self._problems.add(start, f"duplicate key `{key}`: it is already on line {line}")
            value = self._value(self._next(), (*path, key), start)
            if value is None and self._is_fraction(event):
                continue
            if value is None and (unparted := _UNPARTED.fullmatch(event.value)):
                key, text = unparted.groups()
                self._problems.add(start, f"write `{key}: {text}`, with a space after the colon")
                value = self._resolve(text, start)
                self._places[*path, key] = Place(start, index_of(event.end_mark), start, "")
            entries[key] = value
        return entries

    def _is_fraction(self, key: yaml.ScalarEvent) -> bool:
        """Whether a key was cut off a number by a comma (`{x: 2,0}`); if so, report that."""
        end = index_of(key.end_mark)
        cut = _COMMA.search(self._source.text[:end].rpartition("\n")[2])
        if cut is None:
            return False
        point = "." not in cut[0]
        meant = cut[0].replace(",", "." if point else "")
        how = "with a decimal point" if point else "without a comma"
        self._problems.add(end - len(cut[0]), f"`{cut[0]}`: write `{meant}`, {how}")
        return True

    def _refuse_indirection(self, event: yaml.Event) -> None:
        """Report aliases, anchors and tags: a scenario is read from top to bottom."""
        if isinstance(event, yaml.AliasEvent):
            message = f"an alias (`*{event.anchor}`): write the value out instead"
            self._problems.add(_start(event), message)
        elif isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent):
            if event.anchor is not None:
                message = f"an anchor (`&{event.anchor}`) is not allowed in a scenario"
                self._problems.add(_start(event), message)
            elif event.tag is not None:
                self._problems.add(_start(event), "a tag (`!…`) is not allowed in a scenario")

    def _resolve(self, text: str, start: int) -> Data:
        """Return the value of a plain scalar: a number, a boolean, None or text."""
        if text in WORDS:
            return WORDS[text]
        if is_infinity(text):
            return float(text.replace(".", ""))
        if not is_number(text):
            return text
        if is_whole(text):
            return self._integer(text, start)
        return self._finite(text, start)

    def _integer(self, text: str, start: int) -> int:
        return 0 if isinf(self._finite(text, start)) else int(text)

    def _finite(self, text: str, start: int) -> float:
        """`text` as a float; a number that overflows would silently become infinity."""
        value = float(text)
        if isinf(value):
            shown = text if len(text) <= 20 else text[:20] + "…"
            self._problems.add(start, f"`{shown}` is too large for a float (at most about 1.8e308)")
        return value


def _start(event: yaml.Event) -> int:
    return index_of(event.start_mark)
