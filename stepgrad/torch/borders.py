"""Where modules that are recorded border on the rest of a program, which is not (`Borders`).

What such a module takes enters as given numbers. The rest of the program, from its results to the
loss, is one sum: the loss as it is near these numbers, by the gradients that PyTorch brings there.
The program gets copies of the results, and the module copies of what it takes: so what arrives at
a copy has come across the border.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils._python_dispatch import _disable_current_modes
from torch.utils.weak import WeakIdKeyDictionary

from stepgrad.torch.beside import Beside
from stepgrad.torch.cells import Cells
from stepgrad.torch.limits import Limits
from stepgrad.torch.passes import Pass


class Crossing(NamedTuple):
    """A tensor at the border.

    Args:
        made: the pass that was being made.
        ids: the numbers of its nodes there.
        data: their values.
        uses: the passes that have made these nodes.
    """

    made: Pass
    ids: Tensor
    data: Tensor
    uses: Collection[Pass] = ()

    def cells(self, made: Pass) -> Cells:
        """Return it as cells of a pass that uses it."""
        if self.made is made:
            return Cells(made, self.ids, self.data)
        made.uses.update((self.made, *self.uses))
        return Cells(made, self.numbers, self.data)

    @property
    def numbers(self) -> Tensor:
        """The indices of its nodes, once the pass is in the log.

        One that has only moved nodes is not: they are all of earlier ones.
        """
        return self.ids if self.made.forward is None else self.made.absolute(self.ids)


class Borders:
    """The borders of the modules that are recorded.

    Args:
        layers: the paths of these modules; empty if all of the program is recorded.
        limits: tells which operations are left out.
        beside: the nodes of the tensors.
        made: returns the pass that is being made.
    """

    def __init__(
        self, layers: Sequence[str], limits: Limits, beside: Beside, made: Callable[[], Pass]
    ) -> None:
        self.layers = layers
        self.results: list[tuple[Crossing, Tensor]] = []  # with what came back in this pass
        self.inputs: list[tuple[Crossing, Tensor]] = []
        self._limits = limits
        self._beside = beside
        self._made = made
        self._inside = False
        self._called = set[str]()
        self._shared: WeakIdKeyDictionary = WeakIdKeyDictionary()  # leaves that the rest uses
        self._copied: WeakIdKeyDictionary = WeakIdKeyDictionary()  # of results, by their copies

    @property
    def on(self) -> bool:
        """Whether only some modules are recorded."""
        return bool(self.layers)

    @property
    def outside(self) -> bool:
        """Whether what the program computes now is not recorded."""
        return self.on and not self._inside

    @property
    def missing(self) -> Sequence[str]:
        """The modules that have not been called."""
        return [each for each in self.layers if each not in self._called]

    @property
    def said(self) -> str:
        """Which modules are recorded, in a sentence."""
        names = " and ".join(self.layers)
        return (
            f"of the modules, only {names} {'are' if len(self.layers) > 1 else 'is'} recorded: "
            "what goes in is given, and so are the gradients of what comes out, as PyTorch "
            "computed them"
        )

    def shares(self, leaf: Tensor | None) -> bool:
        """Whether the rest of the program uses a leaf, too."""
        return leaf in self._shared

    # Across the border.

    def enters(self, path: str) -> bool:
        """A module is called; return whether recording begins there."""
        if path not in self.layers:
            return False
        self._called.add(path)
        begins = not self._inside and torch.is_grad_enabled() and not self._limits.idle
        self._inside = self._inside or begins
        return begins

    def exits(self) -> None:
        """The call is over in which recording began."""
        self._inside = False

    def inwards(self, part: Any) -> Any:
        """Return what a module takes in place of an argument."""
        if not isinstance(part, Tensor) or not part.requires_grad or part.is_leaf:
            return part
        result, version = self._copied.get(part, (None, None))
        if result is not None and version == part._version:
            return result  # of another module that is recorded
        with _unseen():
            return self._given(part)

    def _given(self, part: Tensor) -> Tensor:
        made, copy = self._made(), part.clone()
        cells = made.leaves(copy.detach().to(torch.float64, copy=True))
        assert cells.ids is not None
        self._beside.put(copy, cells.ids, made)
        _listen(copy, Crossing(made, cells.ids, cells.data), self.inputs)
        return copy

    def outwards(self, part: Any) -> Any:
        """Return what the program gets in place of a result."""
        if not isinstance(part, Tensor) or not part.requires_grad or part.is_leaf:
            return part
        with _unseen():
            ids = self._beside.window(part)
            return part if ids is None else self._taken(part, ids)

    def _taken(self, part: Tensor, ids: Tensor) -> Tensor:
        copy = part.clone()
        data = part.detach().to(torch.float64, copy=True)
        uses = {*self._beside.passes_of(part)}
        _listen(copy, Crossing(self._made(), ids.clone(), data, uses), self.results)
        self._copied[copy] = part, copy._version
        return copy

    def strays(self, operands: Collection[Tensor]) -> bool:
        """Look what the rest of the program uses; return whether it takes more than results."""
        stray = False
        for each in operands:
            whole = each if each._base is None else each._base
            if whole.is_leaf:
                self._shared[whole] = True
            else:
                stray |= each in self._beside
        return stray

    # Backward.

    def begin(self) -> None:
        """A backward pass begins."""
        self.results.clear()
        self.inputs.clear()

    def with_rest(
        self,
        result: Cells | None,
        outputs: Sequence[Tensor],
        held: Callable[[Iterable[Tensor]], Iterable[tuple[Tensor, str]]],
    ) -> Cells | None:
        """Add what comes out of the modules, if only these are recorded, up to the true loss.

        `held` yields the outputs that variables hold, each with the name of one.
        """
        if not self.on:
            return result
        made = self._made()
        total = self._total(made)
        if total is None:
            return result
        result = total if result is None else result + total
        if len(outputs) == 1 and outputs[0].numel() == 1:
            loss = outputs[0].detach().to(torch.float64).reshape(result.shape)
            result = result + (loss - result.data)
            made.computed(result, loss, len(made) - 1)
            for _, name in held(outputs):
                assert result.ids is not None
                made.name(name, result.ids)
        return result

    def _total(self, made: Pass) -> Cells | None:
        """Add up the results, each times the gradient that came back; None if none did."""
        total: Cells | None = None
        for crossing, gradient in self.results:
            upstream = made.cells(gradient)
            parts = crossing.cells(made) * upstream
            if upstream.ids is not None:
                made.name("upstream", upstream.ids)
            part = parts.reshaped(-1).total()
            total = part if total is None else total + part
        return total


@contextmanager
def _unseen() -> Iterator[None]:
    """Compute inside without being seen, but by autograd."""
    with _disable_current_modes(), torch._C.DisableTorchFunction():
        yield


def _listen(copy: Tensor, crossing: Crossing, heard: list[tuple[Crossing, Tensor]]) -> None:
    """Have a copy tell what arrives at it."""

    def hear(_: Any, arrived: Sequence[Tensor | None]) -> None:
        if arrived[0] is not None:
            heard.append((crossing, arrived[0].detach().to(torch.float64, copy=True)))

    assert copy.grad_fn is not None
    copy.grad_fn.register_hook(hear)
