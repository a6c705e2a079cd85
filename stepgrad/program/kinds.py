"""What can run as `__main__`: a script, a module (`-m package.module`), a folder, a notebook."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from importlib.abc import InspectLoader
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from stepgrad.program.named import MAIN, MODULE
from stepgrad.program.parts import Parts, Program, ProgramError
from stepgrad.program.text import python_text
from stepgrad.reading import read_regular, why
from stepgrad.recording.source import Source


@dataclass(frozen=True)
class Script:
    """A file, as `python train.py` runs it."""

    name: str
    content: bytes

    @property
    def file(self) -> str:
        """Its path, from the root; links are not resolved, as in Python."""
        return os.path.abspath(self.name)  # noqa: PTH100

    @property
    def folder(self) -> str:
        """The folder that it is in, wherever a link to it is."""
        return str(Path(self.file).resolve().parent)

    def parts(self, main: ModuleType) -> Parts:
        """Yield all of it."""
        file, loader = self.file, SourceFileLoader(MAIN, self.file)
        main.__dict__.update(__file__=file, __loader__=loader, __cached__=None)
        text = python_text(self.name, self.content)
        yield compile(self.content, file, "exec", dont_inherit=True), Source(file, text)


@dataclass(frozen=True)
class Module:
    """A module, as `python -m package.module` runs it; of a package, its `__main__`.

    It belongs to its package: relative imports work.
    """

    module: str
    folder: str
    name: str = "-m"  # until it is found

    def parts(self, main: ModuleType) -> Parts:
        """Import the packages that it is in, and yield all of it."""
        spec = self._found()
        loader = spec.loader
        if isinstance(loader, SourceFileLoader):
            python_text(loader.path, loader.get_data(loader.path))
        code = loader.get_code(spec.name) if isinstance(loader, InspectLoader) else None
        if code is None or not isinstance(loader, InspectLoader):
            raise ProgramError(f"{MODULE}{spec.name}: has no Python code to run")
        file = spec.origin or code.co_filename
        main.__dict__.update(
            __file__=file,
            __cached__=spec.cached,
            __loader__=loader,
            __package__=spec.parent,
            __spec__=spec,
        )
        sys.argv[0] = file
        yield code, Source(file, loader.get_source(spec.name) or "")

    def _found(self) -> ModuleSpec:
        *packages, _ = names = self.module.split(".")
        parts = Path(self.module.removesuffix(".py")).parts
        if Path(self.module).is_file() and all(map(str.isidentifier, parts)):
            right = f"{MODULE}{'.'.join(parts)}"
            raise ProgramError(f"{MODULE}{self.module}: is a file; its module is {right}")
        if not all(names):
            raise ProgramError(f"{MODULE}{self.module}: no such module")
        for depth in range(len(packages)):  # one that is missing is another error than one in them
            _spec(".".join(names[: depth + 1]))
        spec = _spec(self.module)
        if spec.submodule_search_locations is None:
            return spec
        try:
            return _spec(f"{self.module}.{MAIN}")
        except ProgramError:
            raise ProgramError(f"{MODULE}{self.module}: is a package without a {MAIN}.py") from None


def _spec(name: str) -> ModuleSpec:
    try:
        spec = find_spec(name)
    except (ImportError, ValueError) as error:
        if isinstance(error, ImportError) and error.name not in (name, None):
            raise  # an import in a package failed
        spec = None
    if spec is None:
        raise ProgramError(f"{MODULE}{name}: no such module")
    return spec


@dataclass(frozen=True)
class Folder:
    """A folder with a `__main__.py` that is not a package, as `python folder` runs it."""

    name: str

    @property
    def folder(self) -> str:
        """The folder itself."""
        return str(Path(self.name).resolve())

    def parts(self, main: ModuleType) -> Parts:
        """Yield its `__main__`."""
        spec = PathFinder.find_spec(MAIN, [self.name])
        if spec is None or not isinstance(spec.loader, SourceFileLoader):
            raise ProgramError(f"{self.name}: is a folder without a {MAIN}.py")
        main.__dict__.update(
            __file__=spec.origin,
            __cached__=spec.cached,
            __loader__=spec.loader,
            __package__="",
            __spec__=spec,
        )
        file = str(spec.origin)
        text = python_text(str(Path(self.name) / f"{MAIN}.py"), spec.loader.get_data(file))
        code = spec.loader.get_code(MAIN)
        assert code is not None, "it has a source"
        yield code, Source(file, text)


def program_of(name: str) -> Program:
    """Return the program of a name.

    Raises:
        ProgramError: it cannot be read.
    """
    if name.startswith(MODULE):
        return Module(name.removeprefix(MODULE).strip(), str(Path.cwd()))
    try:
        path = Path(name)
        if path.is_dir():
            return _of_folder(path, name)
        content = read_regular(name)
    except (OSError, ValueError) as error:
        raise ProgramError(f"{name}: cannot be read: {why(error)}") from None
    if name.endswith(".ipynb"):
        from stepgrad.program.notebook import Notebook  # noqa: PLC0415 - it needs JSON

        return Notebook.read(name, content)
    return Script(name, content)


def _of_folder(path: Path, name: str) -> Program:
    """A package runs as a module does, from the folder that its outermost package is in."""
    root, names = path.resolve(), list[str]()
    while (root / "__init__.py").is_file():
        root, names = root.parent, [root.name, *names]
    return Module(".".join(names), str(root)) if names else Folder(name)
