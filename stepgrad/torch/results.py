"""What the program calls the tensors that functions and modules give (`Results`)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any
from weakref import ref

from torch import Tensor
from torch.utils._pytree import tree_leaves

from stepgrad.recording.naming.kinds import variables_of
from stepgrad.torch.calls import Call
from stepgrad.torch.frames import Frames
from stepgrad.torch.hearing import Nodes

_WRITTEN = {"add", "sub", "rsub", "mul", "div", "truediv", "rtruediv", "neg", "pow", "rpow"}
"""Functions whose results are called by what they compute, as in `a + b`."""


class _Result:
    """A tensor that a function has given.

    Args:
        tensor: the tensor.
        call: the call of a module that has it now.
        module: what that calls the module that has returned it, which is its name if no variable
            holds it.
        function: the call of the function that has given it.
    """

    def __init__(self, tensor: Tensor, call: Call, module: str, function: Call | None) -> None:
        self.tensor = ref(tensor)
        self.call = call
        self.module = module
        self.function = function


class Results:
    """The latest results, which are named once the program has had time to assign them."""

    def __init__(self, frames: Frames, nodes: Nodes) -> None:
        self._frames = frames
        self._nodes = nodes
        self._latest: list[_Result] = []

    @property
    def due(self) -> bool:
        """Whether there are results without a name."""
        return bool(self._latest)

    def given(
        self,
        tensors: Iterable[Tensor],
        call: Call,
        name: str = "",
        function: Call | None = None,
    ) -> None:
        """A call has tensors, of a function; `name` is theirs if no variable holds them."""
        growing = (each for each in tensors if each.requires_grad)
        self._latest += [_Result(each, call, name, function) for each in growing]

    def returned(self, out: Any, outside: Call, name: str) -> None:
        """A module has returned something to the call outside, which calls the module `name`."""
        given = {id(each) for each in tree_leaves(out)}
        for result in self._latest:
            if id(result.tensor()) in given:
                result.call = outside
                result.module = result.module or name

    def name(self) -> None:
        """Name the latest results, by the variables that hold them by now."""
        results, self._latest = self._latest, []
        wanted = {id(each.tensor()): each for each in results if each.tensor() is not None}
        for found, name in self._held(wanted):
            each = wanted.pop(found)
            self._named(each.tensor(), name, each.call)
        for each in wanted.values():
            function = each.function
            if each.module:
                self._named(each.tensor(), each.module, each.call)
            elif function is not None and function.name not in _WRITTEN:
                self._named(each.tensor(), "", function)

    def held(self, tensors: Iterable[Tensor]) -> Iterator[tuple[Tensor, str]]:
        """Yield the tensors that variables hold, each with the name of one."""
        wanted = {id(each): each for each in tensors}
        for found, name in self._held(wanted):
            yield wanted[found], name

    def _held(self, wanted: Collection[int]) -> Sequence[tuple[int, str]]:
        """Return which objects variables hold, by id, each with the name of the first.

        Of several calls that hold one, the outermost has assigned it, and handed it to others.
        """
        found: dict[int, str] = {}
        if wanted:
            for frame in reversed([*self._frames.running()]):
                for name, value in variables_of(frame).items():
                    if id(value) in wanted and name != "_":
                        found.setdefault(id(value), name)
        return [*found.items()]

    def _named(self, tensor: Tensor | None, name: str, call: Call) -> None:
        if tensor is not None:
            self._nodes.name(tensor, name, call)
