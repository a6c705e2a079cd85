"""Who hears what a PyTorch program does (`Nodes`, `Borders`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from torch import Tensor

from stepgrad.torch.calls import Call


class Nodes(Protocol):
    """What is recorded of the tensors of a program."""

    def begins(self) -> None:
        """Operations that gradients go through come."""

    def enter(self, inputs: Sequence[Tensor]) -> None:
        """A model is called with these tensors."""

    def meet_all(self, tensors: Sequence[Tensor]) -> None:
        """A model is called that has these parameters."""

    def name(self, tensor: Tensor, name: str, call: Call) -> None:
        """A tensor has a name in a call; without one, that of the function that is called."""


class Borders(Protocol):
    """What lies between modules that are recorded and the rest of the program."""

    @property
    def on(self) -> bool:
        """Whether only some modules are recorded."""

    def enters(self, path: str) -> bool:
        """A module is called; return whether recording begins there."""

    def exits(self) -> None:
        """The call is over in which recording began."""

    def inwards(self, part: Any) -> Any:
        """Return what a module takes in place of an argument."""

    def outwards(self, part: Any) -> Any:
        """Return what the program gets in place of a result."""
