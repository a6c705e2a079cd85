from __future__ import annotations

from pathlib import Path

import pytest
from pytest_textual_snapshot import SVGImageExtension

from stepgrad.recording.recording import Recording

# This version of the plugin sets the older spelling of the name that syrupy reads.
SVGImageExtension.file_extension = "svg"


@pytest.fixture
def saved(monkeypatch: pytest.MonkeyPatch) -> dict[Path, Recording]:
    """Recordings that are saved, by path: in memory, and a mark in the file."""
    kept: dict[Path, Recording] = {}

    def save(recording: Recording, path: Path) -> None:
        path.write_bytes(b"recording")
        kept[path] = recording

    monkeypatch.setattr(Recording, "save", save, raising=False)
    monkeypatch.setattr(Recording, "load", lambda path: kept[Path(path).absolute()], raising=False)
    return kept
