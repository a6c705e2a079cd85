"""The text of a scenario file, positions in it, and the problems found there.

Throughout this package a position is an index into the text; it becomes a line and a column only
when a problem is reported. Every way in which a file can fail to be text is handled here.
"""

from __future__ import annotations

import re
import stat
from bisect import bisect_right
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import NoReturn

from stepgrad.errors import Diagnostic, ScenarioError, nearest
from stepgrad.reading import ZIP_MARK, why

MAX_BYTES = 1_000_000
"""The largest scenario file that is read."""

MAX_PROBLEMS = 50
"""The most problems reported for one file; the rest of it is left unread."""

_SUFFIXES = (".yaml", ".yml")
_SCENARIO = ".scenario"  # before the suffix: pytest collects such a file by its name
_KINDS = (_SUFFIXES, (".py", ".ipynb"), (".stepgrad",))
_LINE_BREAK = re.compile(r"\r\n|\n|\r")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


class Source:
    """A scenario's text, where it came from, and the arithmetic between indices and lines."""

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self.text = text
        self.lines = tuple(_LINE_BREAK.split(text))
        self._line_starts = [0, *(match.end() for match in _LINE_BREAK.finditer(text))]

    def position(self, index: int) -> tuple[int, int]:
        """Line and column, both from 1, of the character at `index`."""
        line = bisect_right(self._line_starts, index)
        return line, index - self._line_starts[line - 1] + 1

    def error(self, problems: Iterable[tuple[int, str]], note: str = "") -> ScenarioError:
        """Return the error that reports each (index, message), and a note on all of them."""
        found = (Diagnostic(*self.position(index), message) for index, message in problems)
        return ScenarioError(self.path, found, self.lines, note)


class Problems:
    """Collects what is wrong with one source, so that all of it is reported at once."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._found: dict[tuple[int, str], None] = {}

    def add(self, index: int, message: str) -> None:
        """Note a problem; the same message at the same place is noted once.

        Raises `ScenarioError` when there are more than `MAX_PROBLEMS`: such a file is better fixed
        from the top than read to its end.
        """
        if len(self._found) == MAX_PROBLEMS:
            note = f"too many problems; only the first {MAX_PROBLEMS} are shown"
            raise self._source.error(self._found, note)
        self._found[index, message] = None

    def stop(self, index: int, message: str) -> NoReturn:
        """Note a problem that makes it pointless to read on, and raise all that were found."""
        raise self._source.error([*self._found, (index, message)])

    def raise_if_any(self) -> None:
        """Raise `ScenarioError` if a problem was noted."""
        if self._found:
            raise self._source.error(self._found)

    @property
    def places(self) -> frozenset[int]:
        """The indices at which a problem was noted."""
        return frozenset(index for index, _ in self._found)


def read_source(path: Path, shipped: Iterable[str] = ()) -> Source:
    """Return the text of the file at `path`.

    Raises `ScenarioError` if it is missing (suggesting its neighbours in the folder and the names
    in `shipped`), not a regular file, empty, larger than `MAX_BYTES` or not UTF-8.
    """
    try:
        status = path.stat()
    except FileNotFoundError:
        raise _unreadable(path, "no such file" + suggest_file(path, shipped)) from None
    except (OSError, ValueError) as error:
        raise _unreadable(path, f"cannot be read: {why(error)}") from None
    if stat.S_ISDIR(status.st_mode):
        raise _unreadable(path, "is a folder, not a scenario file")
    if not stat.S_ISREG(status.st_mode):
        raise _unreadable(path, "is not a regular file")
    if status.st_size > MAX_BYTES:
        size = f"{status.st_size / 1e6:,.1f} MB"
        raise _unreadable(path, f"the file is too big: {size}; the limit is 1 MB")
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES).removeprefix(_BYTE_ORDER_MARK)
    except OSError as error:
        raise _unreadable(path, f"cannot be read: {why(error)}") from None
    if not content:
        raise _unreadable(path, "the file is empty")
    return _decode(path, content)


def _decode(path: Path, content: bytes) -> Source:
    """Return the source in `content`; a byte that is not UTF-8 is reported where it is."""
    if content.startswith(ZIP_MARK):
        raise _unreadable(path, "is a recording or a zip file, not a scenario")
    try:
        return Source(path, content.decode())
    except UnicodeDecodeError as error:
        message = f"not UTF-8 text: byte 0x{content[error.start]:02X}"
        if content.startswith(_UTF16_MARKS):
            message += "; the file looks like UTF-16: save it as UTF-8"
        else:
            message += "; save the file as UTF-8"
        before = content[: error.start].decode()
        source = Source(path, content.decode(errors="replace"))
        raise source.error([(len(before), message)]) from None


def _unreadable(path: Path, message: str) -> ScenarioError:
    """Return an error about the file as a whole."""
    return ScenarioError(path, [Diagnostic(1, 1, message)])


def name_of(path: Path) -> str:
    """Return what a scenario is called: the name of its file, without its endings."""
    return path.stem.removesuffix(_SCENARIO)


def neighbours(path: Path, endings: Collection[str] = _SUFFIXES) -> dict[str, str]:
    """Return the files in the same folder with these suffixes: the path of each by its name."""
    try:
        files = sorted(path.parent.iterdir())
        return {name_of(each): str(each) for each in files if each.suffix in endings}
    except (OSError, ValueError):
        return {}


def suggest_file(path: Path, shipped: Iterable[str] = ()) -> str:
    """Suggest what is nearest by name, in the same folder or among what ships.

    The suffix of a scenario, a program or a recording means one; any other may mean any of them.
    """
    kind = next((kind for kind in _KINDS if path.suffix in kind), ())
    endings = kind or tuple(ending for kind in _KINDS for ending in kind)
    # The suffix does not count: every file of the kind has it.
    meant = {name: name for name in shipped} | neighbours(path, endings)
    meant = {name: file for name, file in meant.items() if file != str(path)}  # a dangling link
    near = nearest(name_of(path) if kind else path.name, meant)
    return f"; did you mean `{meant[near]}`?" if near is not None else ""
