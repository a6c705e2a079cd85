"""Text that is kept in a file: compared exactly, and written anew by `--snapshot-update`."""

from pathlib import Path

import pytest


def check_kept(path: Path, text: str, config: pytest.Config) -> None:
    """Hold `text` against what the file at `path` says."""
    if config.getoption("--snapshot-update"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")
