"""What begins when a program imports PyTorch: watching its tensors (`tensors_watched`)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from threading import get_ident
from types import ModuleType
from typing import Any

from stepgrad.program.named import ALL, Selection

_TORCH = "torch"


class _Finder(MetaPathFinder):
    """Finds PyTorch as others do, and calls a function when it is loaded."""

    def __init__(self, loaded: Callable[[], None]) -> None:
        self._loaded = loaded

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the spec that the other finders find."""
        if name != _TORCH:
            return None
        for finder in [each for each in sys.meta_path if each is not self]:
            spec = finder.find_spec(name, path, target)
            if spec is not None:
                if spec.loader is not None:
                    spec.loader = _Loader(spec.loader, self._loaded)
                return spec
        return None


class _Loader(Loader):
    """Loads a module as another loader does, and calls a function at the end."""

    def __init__(self, inner: Any, loaded: Callable[[], None]) -> None:
        self._inner = inner
        self._loaded = loaded

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Make the module."""
        found: ModuleType | None = self._inner.create_module(spec)
        return found

    def exec_module(self, module: ModuleType) -> None:
        """Run the module, which knows only its own loader."""
        module.__loader__ = self._inner
        if module.__spec__ is not None:
            module.__spec__.loader = self._inner
        self._inner.exec_module(module)
        self._loaded()


Watching = Callable[[], AbstractContextManager[Any]]
"""Something that goes on while a program uses PyTorch."""


def usual(selection: Selection = ALL, again: str = "") -> AbstractContextManager[Any]:
    """Record the tensors of a program.

    Args:
        selection: which part of it.
        again: what follows the options on a command line that runs it again; for messages.
    """
    watch = import_module("stepgrad.torch").watch
    watching: AbstractContextManager[Any] = watch(**selection._asdict(), again=again)
    return watching


@contextmanager
def tensors_watched(watching: Watching = usual) -> Iterator[None]:
    """Watch the tensors of a program that imports PyTorch inside, or has done so before."""
    home = get_ident()
    with ExitStack() as ending:

        def begin() -> None:
            if get_ident() == home:
                ending.enter_context(watching())

        if _TORCH in sys.modules:
            begin()
            yield
            return
        finder = _Finder(begin)
        sys.meta_path.insert(0, finder)
        try:
            yield
        finally:
            if finder in sys.meta_path:
                sys.meta_path.remove(finder)
