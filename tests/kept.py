"""Text that is kept in a file: compared exactly, and rewritten by `--snapshot-update`."""

from pathlib import Path

import pytest


def check_kept(path: Path, text: str, config: pytest.Config) -> None:
    """Compare `text` with the file at `path`."""
    if config.getoption("--snapshot-update"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")
