"""A Jupyter notebook as a program: its code cells, in order.

Each cell is a file to Python, `train.ipynb/cell 3`, so that places, tracebacks and sources name the
cell and the line. Cells count as Jupyter counts them when it runs all: from 1, without empty ones.
What IPython adds to Python (`%matplotlib inline`, `!pip install …`, `get_ipython()`) is skipped,
and a line says so. `await` may stand outside of functions.
"""

from __future__ import annotations
import __future__

import ast
import functools
import json
import linecache
import operator
import os
from collections.abc import Iterator, Sequence
from contextlib import chdir
from dataclasses import dataclass
from inspect import CO_COROUTINE
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from stepgrad.program.parts import Parts, ProgramError
from stepgrad.program.shell import Shell
from stepgrad.recording.source import Source
from stepgrad.syntax import without_magics

_FORMAT = 4
"""The version of the format that has been written since 2015."""

_FUTURE = functools.reduce(
    operator.or_, (getattr(__future__, each).compiler_flag for each in __future__.all_feature_names)
)


@dataclass(frozen=True)
class Notebook:
    """The code cells of a notebook.

    Args:
        name: the path as it was typed.
        cells: the text of each code cell that is not empty.
    """

    name: str
    cells: Sequence[str]

    @classmethod
    def read(cls, name: str, content: bytes) -> Notebook:
        """Read the format of Jupyter, version 4 (nbformat.readthedocs.io).

        Raises:
            ProgramError: it is not such a notebook, or is in another language.
        """
        try:
            told: Any = json.loads(content)
            version, cells, about = told["nbformat"], told.get("cells", ()), told.get("metadata")
            texts = ["".join(each["source"]) for each in cells if each["cell_type"] == "code"]
        except (ValueError, RecursionError):
            raise ProgramError(f"{name}: is not a notebook: it is not JSON") from None
        except (AttributeError, KeyError, TypeError):
            raise ProgramError(f"{name}: is not a notebook: it has no cells with sources") from None
        if version != _FORMAT:
            raise ProgramError(f"{name}: is in format {version} of Jupyter; only 4 can be read")
        language = _language(about)
        if language.lower() != "python":
            raise ProgramError(f"{name}: is a notebook in {language}, not in Python")
        found = cls(name, [text for text in texts if text.strip()])
        for number, text in enumerate(found.cells, 1):
            if "\0" in text:
                raise ProgramError(f"{name}: cell {number} contains a null byte; delete it")
        return found

    @property
    def folder(self) -> str:
        """The folder that it is in, from which it runs as under Jupyter."""
        return str(Path(self.name).resolve().parent)

    def parts(self, main: ModuleType) -> Parts:
        """Yield cell after cell; the last expression of each is shown, as in Jupyter."""
        shell = Shell(self.name)
        main.__dict__.update(display=print, get_ipython=lambda: shell)
        flags = 0  # `from __future__ import …` holds for the cells that follow, too
        with chdir(self.folder):
            for number, text in enumerate(self.cells, 1):
                path = f"{os.path.abspath(self.name)}{os.sep}cell {number}"  # noqa: PTH100
                # Without a time, an entry is never looked for on disk.
                linecache.cache[path] = len(text), None, text.splitlines(keepends=True), path
                source = Source(path, text)
                for code in self._compiled(text, path, number, flags):
                    flags |= code.co_flags & _FUTURE
                    yield code, source

    def _compiled(self, text: str, path: str, number: int, flags: int) -> Iterator[CodeType]:
        python, skipped = without_magics(text)
        for line, what in skipped:
            Shell(self.name).skip(f"cell {number}", line, what)
        flags |= ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        # As `ast.parse` does, which would stand in the traceback of a SyntaxError.
        tree = compile(python, path, "exec", flags | ast.PyCF_ONLY_AST, dont_inherit=True)
        awaits = compile(tree, path, "exec", flags, dont_inherit=True).co_flags & CO_COROUTINE
        shown = [tree.body.pop()] if _ends_in_an_expression(tree, python) else []
        if awaits:  # then all of it runs in the event loop, the first part too
            tree.body.append(ast.fix_missing_locations(_never_awaits()))
        whole = compile(tree, path, "exec", flags, dont_inherit=True)
        yield whole
        if shown:
            flags |= whole.co_flags & _FUTURE
            yield compile(ast.Interactive(shown), path, "single", flags, dont_inherit=True)


def _never_awaits() -> ast.stmt:
    """Return a statement that does nothing, and makes a coroutine of what it is in."""
    return ast.If(ast.Constant(False), [ast.Expr(ast.Await(ast.Constant(None)))], [])


def _language(about: Any) -> str:
    """Return what the metadata says of the kernel's language, which not all editors write."""
    for part, key in (("kernelspec", "language"), ("language_info", "name")):
        told = about.get(part) if isinstance(about, dict) else None
        language = told.get(key) if isinstance(told, dict) else None
        if language and isinstance(language, str):
            return language
    return "python"


def _ends_in_an_expression(tree: ast.Module, text: str) -> bool:
    return bool(tree.body) and isinstance(tree.body[-1], ast.Expr) and text.rstrip()[-1] != ";"
