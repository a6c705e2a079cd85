"""What a PyTorch program is doing: in which calls, on which line, with which names (`Program`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.nn import Module
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import _disable_current_modes
from torch.utils._pytree import tree_leaves, tree_map
from torch.utils.weak import WeakIdKeyDictionary

from stepgrad.engine.tape import Place, current_place
from stepgrad.recording.naming.sites import Spot
from stepgrad.recording.places import Places
from stepgrad.recording.source import place_of
from stepgrad.torch import losses
from stepgrad.torch.calls import Call, Here, Named, joined, scopes_of, shape_text
from stepgrad.torch.compiled import compiling_said
from stepgrad.torch.crossed import Crossed
from stepgrad.torch.frames import Frames
from stepgrad.torch.hearing import Borders, Nodes
from stepgrad.torch.limits import Limits
from stepgrad.torch.modes import Modes
from stepgrad.torch.modules import Modules
from stepgrad.torch.results import Results
from stepgrad.torch.warned import warned_at_line

_SHOWN = "__warningregistry__"
"""Where Python keeps which warnings of a file were shown."""


@contextmanager
def unseen() -> Iterator[None]:
    """Compute with tensors inside without being seen."""
    with _disable_current_modes(), torch._C.DisableTorchFunction(), torch.no_grad():
        yield


class Program(TorchFunctionMode):
    """Follows which modules and functions a program calls, and what it calls their results.

    Args:
        places: makes places of lines; None if these are not noted.
        nodes: what is recorded of its tensors.
        over: whether the recording has ended.
        steps: the training steps to record; None for all.
    """

    def __init__(
        self,
        places: Places | None,
        nodes: Nodes,
        over: Callable[[], bool] = lambda: False,
        steps: range | None = None,
    ) -> None:
        super().__init__()
        self._frames = Frames()
        self.modules = Modules(self._frames)
        self.limits = Limits(over, self.where, steps)
        self.borders: Borders | None = None
        self._places = places
        self._nodes = nodes
        self._call = Call()  # that of a module; the program itself where none is called
        self._here: Here | None = None
        self.results = Results(self._frames, nodes)
        self.modes = Modes(self.modules.title, self.place)
        self.crossed = Crossed(self.place)
        self.calls = 0  # of functions of PyTorch
        self.off = WeakIdKeyDictionary()  # where modules use parameters while gradients are off

    @contextmanager
    def following(self) -> Iterator[None]:
        """Follow the program inside."""
        original = Module.__call__
        call = self._module_called

        def __call__(module: Module, *args: Any, **kwargs: Any) -> Any:  # noqa: N807 - it becomes one
            return call(original, module, args, kwargs)

        Module.__call__ = __call__
        try:
            with compiling_said(), self._warned(), self:
                yield
        finally:
            Module.__call__ = original
            self._frames.let_go()

    def _warned(self) -> AbstractContextManager[None]:
        return warned_at_line(self._frames, __file__, globals().setdefault(_SHOWN, {}))

    # Where.

    def here(self) -> Here:
        """Return where the program is."""
        return self._here or self._at(self._call)

    def _at(self, call: Call) -> Here:
        return Here(call, self._frames.spot, current_place().scope)

    def place(self) -> Place:
        """Return the line that the program is at, in the scope that it has opened by hand."""
        return self.placed(self.here())

    def placed(self, here: Here) -> Place:
        """Return the line where the program was, in the scope that it had opened by hand."""
        return self._placed(here.scope, here.spot)

    def where(self) -> str:
        """Say where the program is: `linear at train.py:27, in layers.0`."""
        call, (line, file), _ = self.here()
        text = call.name if call.shape is None and self._here else ""
        if file is not None and line is not None:
            text = f"{text} at {place_of(file, line)}" if text else place_of(file, line)
        return f"{text}, in {self._call.path}" if self._call.path else text

    def leaf(self, tensor: Tensor) -> tuple[str, Here]:
        """Return the name of a leaf, and where it is: each tensor of leaves is a scope."""
        name = self.modules.leaf(tensor)
        shape = shape_text(tensor.shape)
        scope = f"{name} {shape}".replace(".", "/") if name and shape else ""
        return name, Here(Call(name=scope), self.here().spot, "")

    def described(
        self, moves: Sequence[tuple[int, Here]], names: Sequence[Named], nodes: int
    ) -> tuple[tuple[Named, ...], tuple[tuple[int, Place], ...]]:
        """Return what the nodes of a pass are called, and their places.

        Args:
            moves: from which offset on they were made where.
            names: what tensors of them are called, in the calls that have them.
            nodes: how many there are.
        """
        counts = Counter[Call](dict.fromkeys((each.call for each in names if each.call), 0))
        ends = [*(at for at, _ in moves[1:]), nodes]
        for (start, here), end in zip(moves, ends, strict=True):
            counts[here.call] += end - start
        scopes = scopes_of(counts)
        places = (
            (at, self._placed(joined(here.scope, scopes[here.call].path), here.spot))
            for at, here in moves
        )
        return tuple(each.within(scopes) for each in names), tuple(places)

    def _placed(self, scope: str, spot: Spot) -> Place:
        if self._places is None:
            return Place(scope)
        _, file = spot
        if file is not None:
            self._places.read(file)
        return self._places.placed(scope, spot)

    # Calls of functions.

    def __torch_function__(
        self,
        func: Any,
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Run a function of PyTorch, as a call of its own."""
        if self.limits.over:
            return func(*args, **(kwargs or {}))
        self.calls += 1
        self.limits.check_transform()
        self.name_results()
        call = Call(self._call, func.__name__.strip("_"), what=func)
        before, self._here = self._here, self._at(call)
        try:
            out = func(*args, **(kwargs or {}))
        finally:
            self._here = before
        results = [each for each in tree_leaves(out) if isinstance(each, Tensor)]
        if results:
            call.shape = results[0].shape
            self.results.given(results, self._call, function=call)
        self.modes.computed(func, args, kwargs or {}, results)
        self.crossed.computed(func.__name__, args, results)
        if func.__name__ == "nll_loss":
            with unseen():
                losses.keep(args, results[0])
        return out

    def name_results(self) -> None:
        """Name what the latest functions gave, by the variables that hold it by now."""
        if self.results.due:
            with unseen():
                self.results.name()

    # Calls of modules.

    def _module_called(
        self, original: Any, module: Module, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> Any:
        if self.limits.over:
            return original(module, *args, **kwargs)
        outside, call = self._call, self._call_of(module)
        if outside.parent is None and torch.is_grad_enabled():
            inputs = [each for each in tree_leaves((args, kwargs)) if isinstance(each, Tensor)]
            with unseen():
                self._nodes.begins()
                self._nodes.enter(inputs)
            if not self.borders or not self.borders.on:
                self._meet(module)
        if not torch.is_grad_enabled():
            for each in module.parameters(recurse=False):
                if each not in self.off:
                    self.off[each] = self.place()
        self._call = call
        visit, out = self.modes.enter(module, (args, kwargs)), None
        borders = self.borders if self.borders and self.borders.enters(call.path) else None
        if borders is not None:
            args, kwargs = self._taken(module, borders, (args, kwargs))
        try:
            out = original(module, *args, **kwargs)
        finally:
            self._call = outside
            self.modes.leave(visit, out)
            if borders is not None:
                borders.exits()
        self.results.returned(out, outside, call.name.replace("/", "."))
        return out if borders is None else tree_map(borders.outwards, out)

    def _taken(self, module: Module, borders: Borders, given: Any) -> Any:
        """Return the arguments that a module takes with which recording begins."""
        self._meet(module)
        taken = tree_map(borders.inwards, given)
        inputs = [each for each in tree_leaves(taken) if isinstance(each, Tensor)]
        self.results.given([each for each in inputs if not each.is_leaf], self._call, "input")
        return taken

    def _call_of(self, module: Module) -> Call:
        path, parent = self.modules.path(module), self._call
        while path and not parent.holds(path):  # several others share the module
            assert parent.parent is not None, "the program holds everything"
            parent = parent.parent
        name = path.removeprefix(parent.path).strip(".").replace(".", "/")
        return Call(parent, name, self.modules.title(module), module, path)

    def _meet(self, model: Module) -> None:
        if not self.limits.idle:
            with unseen():
                self._nodes.meet_all([*model.parameters()])
