"""What the modules of a program, and their parameters, are called (`Modules`)."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from weakref import WeakKeyDictionary

from torch import Tensor
from torch.nn import Module
from torch.utils.weak import WeakIdKeyDictionary

from stepgrad.recording.naming.kinds import words
from stepgrad.recording.naming.walk import name_all
from stepgrad.torch.frames import Frames

_COMPILED = "_orig_mod."
"""Where a module that `torch.compile` returns keeps the program's own."""


class Modules:
    """Names modules and leaves by where the program holds them.

    A module that no other holds is a model. If there is one model, its parts are called as in
    `named_parameters`; if there are several, the name of each comes before that of its parts.
    """

    def __init__(self, frames: Frames) -> None:
        self._frames = frames
        self._titles: WeakKeyDictionary[Module, str] = WeakKeyDictionary()  # of models
        self._prefixes: WeakKeyDictionary[Module, str] = WeakKeyDictionary()  # of their parts
        self._paths: WeakKeyDictionary[Module, str] = WeakKeyDictionary()
        self.trained = set[str]()  # the paths of those that have parameters
        self._leaves: WeakIdKeyDictionary = WeakIdKeyDictionary()

    def add(self, model: Module, prefix: str = "") -> None:
        """Name the parts of a model; `prefix` comes before their names."""
        own: Module = model._modules.get(_COMPILED.rstrip(".")) or model
        prefix = self._prefixes.setdefault(own, prefix)  # compiled or not, it is one model
        for name, module in model.named_modules():
            path = f"{prefix}{name}.".replace(_COMPILED, "").rstrip(".")
            self._paths.setdefault(module, path)
            if next(module.parameters(), None) is not None:
                self.trained.add(path)
        for name, parameter in model.named_parameters():
            self._leaves.setdefault(parameter, f"{prefix}{name}".replace(_COMPILED, ""))

    def path(self, module: Module) -> str:
        """Return the path of a module: `layers.0.attn`; nothing for the only model."""
        if module not in self._paths:
            self._look(module)
        return self._paths[module]

    @property
    def paths(self) -> list[str]:
        """The paths of all modules that are known."""
        return [*filter(None, self._paths.values())]

    def title(self, model: Module) -> str:
        """Return what a model is called when it must be told from another."""
        return self._titles.get(model) or words(type(model).__name__)

    def leaf(self, tensor: Tensor) -> str:
        """Return the name of a leaf; nothing if no variable leads to it."""
        if tensor not in self._leaves:
            self._look(tensor)
            self._leaves.setdefault(tensor, "")
        return self._leaves[tensor]

    def _look(self, wanted: Module | Tensor) -> None:
        """Name what the variables of the program lead to."""
        models: dict[Module, str] = {}
        tensors: list[tuple[Tensor, str]] = []
        for found, text in self._held():
            if isinstance(found, Module):
                models.setdefault(found, text)
            else:
                tensors.append((found, text))
        if isinstance(wanted, Module):
            models.setdefault(wanted, words(type(wanted).__name__))
        parts = {part for each in models for part in each.modules() if part is not each}
        roots = {each: text for each, text in models.items() if each not in parts}
        several = sum(any(True for _ in each.parameters()) for each in roots) > 1
        for each, text in roots.items():
            self._titles[each] = text
            self.add(each, f"{text}." if several else "")
        for (
            tensor,
            text,
        ) in tensors:  # a parameter is called as in its model, whatever else holds it
            self._leaves.setdefault(tensor, text)

    def _held(self) -> Iterator[tuple[Module | Tensor, str]]:
        def found(thing: object) -> Module | Tensor | None:
            if isinstance(thing, Module) or (isinstance(thing, Tensor) and _is_leaf(thing)):
                return thing
            return None

        for each, held in name_all(found, self._frames.variables(), opaque=_is_opaque):
            yield each, held.text


def _is_leaf(thing: Tensor) -> bool:
    return thing.requires_grad and thing.is_leaf


def _is_opaque(holder: object) -> bool:
    """Whether what an object holds is not named: an optimizer holds what others hold."""
    kind = type(holder)
    of_torch = kind.__module__.partition(".")[0] == "torch"
    return of_torch or issubclass(kind, (Tensor, ModuleType))
