"""The scenarios that ship with stepgrad: where they are, and how a user names one."""

from functools import cache
from os import PathLike
from pathlib import Path

_PACKAGE = Path(__file__).parents[1]


@cache
def shipped() -> dict[str, Path]:
    """Return the shipped scenario files by name (`two_layer`), in alphabetical order."""
    # In an installed package they are inside it; in a checkout they stand beside it.
    for folder in (_PACKAGE / "scenarios", _PACKAGE.parent / "scenarios"):
        if folder.is_dir():
            return {path.stem: path for path in sorted(folder.glob("*.yaml"))}
    return {}


def locate(name: str | PathLike[str]) -> Path:
    """Return the path that a user means: a file as it is, or a shipped scenario by its name."""
    path = Path(name)
    ours = shipped().get(str(name))
    return path if ours is None or path.exists() else ours
