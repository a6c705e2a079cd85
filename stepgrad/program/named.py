"""What a person names on a command line: a program, and which part of it is recorded."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

MODULE = "-m "
"""How the name of a program begins that is a module, as `-m package.module` is typed."""

MAIN = "__main__"


class Selection(NamedTuple):
    """Which part of a PyTorch program is recorded; by default, all of it.

    Args:
        steps: these training steps only; the first is 0.
        batch_row: of a batch, this sample's path only; the first is 0.
        layers: what happens in these modules only, by their paths: `layers.0`.
    """

    steps: range | None = None
    batch_row: int | None = None
    layers: tuple[str, ...] = ()


ALL = Selection()


def is_program(name: str) -> bool:
    """Whether a name is that of a Python program: a file, a notebook, `-m module`, or a folder."""
    if name.startswith(MODULE) or name.endswith((".py", ".ipynb")):
        return True
    return bool(name) and "\0" not in name and (Path(name) / f"{MAIN}.py").is_file()
