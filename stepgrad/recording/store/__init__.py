"""Files of recordings, `.stepgrad`: what `Recording.save` writes and `Recording.load` reads.

A file is a zip of two members. `manifest.json` (deflated, or stored where it would shrink more than
64-fold) holds what happened, without the numbers; `columns` (stored) holds the numbers. Both have
their CRC-32 in the zip, which is checked when a file is opened. Nothing in a file is ever run.

**The manifest** is an object:

- `format` is "stepgrad recording"; `version` is that of the format, 1 here. A reader refuses higher
  ones. `producer` names the program that wrote the file, `checksum` is the CRC-32 of `columns`.
- `title` is a text; `sources` are objects, the `path` and the `text` of what was run.
- `ops` are pairs: the name of an operation and how many operands it has. Codes count into it.
  `own` says which of these the program has defined: pairs of such a code, and how the local
  derivatives were found ("differences"; empty where the program gives them).
- `places` are objects: the `scope`, the `line` and the `file` at which nodes were made; the last
  two may be null, and without a file, the line is one of the first source.
- `structures`, `sweeps` and `writes` are the shapes of blocks. `nodes` is how many nodes a
  structure makes, and how many writes there are; `outer`, how many nodes of earlier forward blocks
  a structure uses.
- `contexts` hold what the nodes of a forward block are called, and where they were made. `names`
  are pairs: an offset in the block, and the name of the node there. `places` are pairs: from which
  offset on nodes were made at which place.
- Of a sweep, `over` are the numbers of the structures of the forward blocks that it goes over, and
  `root` is the offset in the first of them where it starts. For each, `links` have the numbers (in
  `over`) of the earlier blocks that this one uses, −1 where none of their nodes is reached; null is
  a block of which only leaves are reached. `ordered` is 0, or the number of its computed nodes, if
  they are in an order of their own.
- `walks` are the shapes of backward passes that the program has run itself. `over`, `links` and
  `root` are as of a sweep, but −1 in `links` is also a block that is not gone over, null one of
  which no node computes, and `root` is in the block that `begins` numbers. `computed` and `edges`
  are how many of each there are, `places` the numbers of the lines of its rules. With `by_path`, a
  rule hands on what its node has just received; else all that it has received by then.
- Writes by a rule have its `method` (others null), and the names of its `numbers` and `columns`.
  `places` are pairs as of a context: from which write on they were written at which place; there
  are none where that is not known.
- `kinds` are the kinds of writes: "update" is one of a value, "zero" and "set" are of a gradient.
- `marks` are what begins at marks: "step".
- `blocks` are runs: pairs of a count, and a period that comes so often. A period is a list of
  blocks, each a kind ("forward", "dual", "backward", "foreign", "write", "mark") and a number,
  which counts into `structures` (the first two), `sweeps`, `walks`, `writes` or `marks`. A "dual"
  block is a forward one in forward mode, a "foreign" one a backward pass of the program's own.
- `numbers` are the numbers of the marks, in the order in which they come; null is none.
- `labels` are pairs: the index of a node, and a name that it got after it was logged.
- `remarks` are what no event shows of a program: what `kind` of remark, the index of the `node`
  that it is about, or null, the number of the `place`, and a `text`.
- `spent` is true where recording stopped early, because its memory budget was spent. Without it,
  recording ended with what was recorded.
- `world` is the bug of the world that it was recorded in, such as "shut h1"; null is none.
- `pieces` are the lengths, in bytes, of the pieces that `columns` is made of.

**Nodes** have indices, in the order in which forward blocks make them. A structure names an operand
by its offset in the block, or as number k of the nodes of earlier blocks that it uses. Those are
named by the block and the offset there. The earlier blocks are numbered too, the newest is 0.

**The pieces**, in order:

1. Four of integers, of all structures, one after the other: the code of each node; for each operand
   of each node, by how much its offset is less than that of the node, or −k where it is one of an
   earlier block; of each node of an earlier block, which of them has made it; and its offset there.
2. For each sweep that is `ordered` one: its computed nodes, first the numbers of their blocks, then
   their offsets. Others have them newest first. The leaves follow, newest first. The edges are not
   in the file: each computed node in turn, and each of its operands that is no constant.
   Then for each walk one: its computed nodes, in the same way, those that pass gradients on in the
   order in which they first do; for each edge, by how much the number of its node among them is
   greater than that of the edge before; for each edge, which operand receives; and for the seed and
   each edge, the place, counting into `places` of the walk.
3. Two of integers, of all runs of writes: their kinds, and the indices of their nodes, as
   differences.
4. For each structure the links of its forward blocks, then for each those of its dual ones: the
   number of the context, and that of each earlier block that is used, counting forward blocks. For
   each sweep those of its blocks: how many forward blocks the root is back from the latest one. For
   each walk the same of each forward block that it goes over.
5. For each structure the columns of its forward blocks, then for each its dual ones, then for each
   sweep, for each walk and for each run of writes those of all its blocks: the values of the nodes,
   their final gradients, what the seed and each edge left in a gradient, or what was written. A
   column has an entry for each node, or for each write. After the values follow the local
   derivatives that are stored: of each node of an operation in `own`, one for each operand; after
   those of a dual block, the tangents, one for each node; after a walk, the gradients of its
   computed nodes that it does not write; after what was written, the numbers of the rule, and its
   columns, one after the other.

Of links and of columns of n entries, max(1, min(256, 65536 // n)) that follow each other make a
piece.

**A piece** packs k columns (one, where they are no links or columns) of n entries of 64 bits: two's
complement, or IEEE 754. Its first byte is the order, the second the lag, the rest a zlib stream of
8·k·n bytes: first the lowest bytes of all entries, then the second lowest, and so on; among bytes
of one weight, the first entry of each column comes first. With order 0 these are the columns. With
a higher one, each is `2x` for an integer `x`, or `-2x - 1` for a negative `x`; and that many times,
to each column `x` has to be added the one that is `lag` before it, as it is by then, modulo 2⁶⁴.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo
from zlib import compress, crc32
from zlib import error as ZlibError  # noqa: N812 - it is a class

from stepgrad.atomic import write_atomically
from stepgrad.errors import RecordingError
from stepgrad.progress import part
from stepgrad.reading import why
from stepgrad.recording.log import Log
from stepgrad.recording.store.columns import Unpacker
from stepgrad.recording.store.form import HEAD, MANIFEST, checked
from stepgrad.recording.store.packing import Damaged
from stepgrad.recording.store.read import restore
from stepgrad.recording.store.shapes import Newer
from stepgrad.recording.store.write import describe
from stepgrad.version import __version__

VERSION = 1
"""The version of the format that is written; newer ones are not read."""

_FORMAT = "stepgrad recording"
_MANIFEST, _COLUMNS = "manifest.json", "columns"
_ZIP = b"PK\x03\x04"
_DENSEST = 64  # a manifest that deflates better than this is stored as it is
_KEPT = 32  # pieces that stay unpacked; one is half a megabyte, or a pass that is bigger
_BEGINNING = (1980, 1, 1, 0, 0, 0)  # of time, in a zip: what a file is does not depend on when
_UNZIPPABLE = (
    BadZipFile, EOFError, NotImplementedError, OSError, OverflowError, RuntimeError, ValueError,
    ZlibError,
)  # fmt: skip


def save(log: Log, path: str | os.PathLike[str]) -> None:
    """Write a recording to a file, which appears whole or not at all.

    Raises:
        RecordingError: it cannot be written; what the file was before, it still is.
    """
    log.settle()
    try:
        with part(0.0, 0.5):
            content = _zipped(*describe(log))
        with part(0.5, 1.0):  # what could not be read is not written
            _restore(path, content, restored := Log())
        assert (restored.length, restored.size) == (log.length, log.size)
    except (Damaged, TypeError, ValueError) as error:
        raise RecordingError(path, f"a file cannot hold this recording: {error}") from error
    try:
        write_atomically(path, content)
    except (OSError, ValueError) as error:
        what = "is not written, and what was there is as it was"
        raise RecordingError(path, f"{what}: {why(error)}") from error


def load(path: str | os.PathLike[str], log: Log) -> None:
    """Read a recording from a file into an empty log.

    Numbers are unpacked when they are looked at; the file itself is not needed any more.

    Raises:
        RecordingError: it cannot be read; the message says why, and what to do.
    """
    try:
        if not stat.S_ISREG(Path(path).stat().st_mode):
            raise RecordingError(path, "is not a regular file")
        with Path(path).open("rb") as file:
            content = file.read(len(_ZIP))
            if content == _ZIP:
                content += file.read()
    except (OSError, ValueError) as error:
        raise RecordingError(path, f"cannot be read: {why(error)}") from error
    try:
        _restore(path, content, log)
    except Newer as error:
        raise RecordingError(path, f"needs a newer stepgrad: {error}") from error
    except Damaged as error:
        raise _damaged(path, error) from error


def _damaged(path: str | os.PathLike[str], error: Damaged) -> RecordingError:
    return RecordingError(path, f"is damaged: {error}; take another copy, or record it again")


def _zipped(description: dict[str, Any], pieces: Sequence[bytes]) -> bytes:
    """Return the file of a recording."""
    columns = b"".join(pieces)
    manifest = {
        "format": _FORMAT,
        "version": VERSION,
        "producer": f"stepgrad {__version__}",
        "checksum": crc32(columns),
    } | description
    text = json.dumps(manifest, separators=(",", ":"), allow_nan=False).encode()
    file = BytesIO()
    with ZipFile(file, "w") as archive:
        dense = len(text) > _DENSEST * len(compress(text))
        archive.writestr(
            ZipInfo(_MANIFEST, _BEGINNING), text, ZIP_STORED if dense else ZIP_DEFLATED
        )
        archive.writestr(ZipInfo(_COLUMNS, _BEGINNING), columns)
    return file.getvalue()


def _restore(path: str | os.PathLike[str], content: bytes, log: Log) -> None:
    """Fill a log from the content of a file."""
    text, columns = _unzipped(path, content)
    try:
        manifest = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Damaged(f"its manifest is not JSON ({error})") from None
    head = checked(manifest, HEAD)
    version = head["version"]
    if head["format"] != _FORMAT:
        raise _foreign(path)
    if version > VERSION:
        producer = head["producer"]
        raise Newer(f"{producer} wrote it in format {version}, and this one knows {VERSION}")
    if head["checksum"] != crc32(columns):
        raise Damaged("its columns belong to another manifest")

    unpacker = Unpacker(_KEPT, lambda error: _damaged(path, error))
    restore(checked(manifest, MANIFEST), memoryview(columns), unpacker, log)


def _unzipped(path: str | os.PathLike[str], content: bytes) -> tuple[bytes, bytes]:
    """Return manifest and columns, whose checksums in the zip are right."""
    if not content.startswith(_ZIP):
        raise _foreign(path)
    try:
        with ZipFile(BytesIO(content)) as archive:
            members = {info.filename: info for info in archive.infolist()}
            if not {_MANIFEST, _COLUMNS} <= members.keys():
                raise _foreign(path)
            for name, densest in ((_MANIFEST, _DENSEST), (_COLUMNS, 1)):
                info = members[name]
                if info.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
                    raise Damaged("it is packed in another way")
                if info.file_size > densest * info.compress_size:
                    raise Damaged("it would unpack to more than it may")
            return archive.read(_MANIFEST), archive.read(_COLUMNS)
    except _UNZIPPABLE as error:
        raise Damaged(f"it is cut short or altered ({error})") from None


def _foreign(path: str | os.PathLike[str]) -> RecordingError:
    return RecordingError(path, "is not a stepgrad recording; `recording.save(path)` makes one")
