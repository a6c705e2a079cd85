"""Files of recordings, `.stepgrad`.

See below.
"""

from __future__ import annotations

import json
import os
import stat
from array import array
from collections.abc import Sequence
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo
from zlib import compress, crc32
from zlib import error as ZlibError  # noqa: N812 - it is a class

from stepgrad.atomic import write_atomically
from stepgrad.errors import RecordingError
from stepgrad.recording.recording import Recording
from stepgrad.recording.store.columns import Damaged, Stream
from stepgrad.recording.store.fields import Fields
from stepgrad.recording.store.read import restore
from stepgrad.recording.store.shapes import Newer
from stepgrad.recording.store.write import describe
from stepgrad.version import __version__

VERSION = 1
"""The version of the format that is written; older ones are read, newer ones are not."""

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


def save(recording: Recording, path: str | os.PathLike[str]) -> None:
    """Write a recording to a file, which appears whole or not at all.

    Raises:
        RecordingError: it cannot be written; what the file was before, it still is.
    """
    recording.settle()
    try:
        content = _zipped(*describe(recording))
        restored = _restore(path, content)  # what could not be read is not written
        assert (restored.length, restored.size) == (recording.length, recording.size)
    except (Damaged, TypeError, ValueError) as error:
        raise RecordingError(path, f"a file cannot hold this recording: {error}") from error
    try:
        write_atomically(path, content)
    except (OSError, ValueError) as error:
        what = "is not written, and what was there is as it was"
        raise RecordingError(path, f"{what}: {_reason(error)}") from error


def load(path: str | os.PathLike[str]) -> Recording:
    """Read a recording from a file.

    Numbers are unpacked when they are looked at; the file itself is not needed any more.

    Raises:
        RecordingError: it cannot be read; says what is wrong with it and what to do.
    """
    try:
        if not stat.S_ISREG(Path(path).stat().st_mode):
            raise RecordingError(path, "is no file")
        with Path(path).open("rb") as file:
            content = file.read(len(_ZIP))
            if content == _ZIP:
                content += file.read()
    except (OSError, ValueError) as error:
        raise RecordingError(path, f"cannot be read: {_reason(error)}") from error
    try:
        return _restore(path, content)
    except Newer as error:
        raise RecordingError(path, f"needs a newer stepgrad: {error}") from error
    except Damaged as error:
        raise _damaged(path, error) from error


def _reason(error: Exception) -> object:
    return (error.strerror if isinstance(error, OSError) else None) or error


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


def _restore(path: str | os.PathLike[str], content: bytes) -> Recording:
    """Return the recording that the content of a file says."""
    text, columns = _unzipped(path, content)
    try:
        manifest = Fields(json.loads(text))
    except (ValueError, RecursionError) as error:
        raise Damaged(f"its manifest is no JSON ({error})") from None
    if manifest.get("format", str) != _FORMAT:
        raise _foreign(path)
    version = manifest.get("version", int)
    if version > VERSION:
        producer = manifest.get("producer", str)
        raise Newer(f"{producer} wrote it in format {version}, and this one knows {VERSION}")
    if manifest.get("checksum", int) != crc32(columns):
        raise Damaged("its columns belong to another manifest")

    @lru_cache(maxsize=_KEPT)
    def unpacked(stream: Stream, number: int) -> Sequence[array[float]]:
        try:
            return stream.unpack(number)
        except Damaged as error:
            raise _damaged(path, error) from error

    return restore(manifest, memoryview(columns), unpacked)


def _unzipped(path: str | os.PathLike[str], content: bytes) -> tuple[bytes, bytes]:
    """Return manifest and columns, which have the checksums that the zip says."""
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
    return RecordingError(path, "is no recording of stepgrad; `recording.save(path)` makes one")
