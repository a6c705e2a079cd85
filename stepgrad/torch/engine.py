"""Where PyTorch's own machinery is listened to: backward passes, optimizers, assignments."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.autograd.function import _SingleLevelFunction
from torch.nn import Module
from torch.nn.utils import clip_grad
from torch.optim import optimizer

from stepgrad.engine.tape import Rule
from stepgrad.torch.backward import Backwards
from stepgrad.torch.optimizers import Step
from stepgrad.torch.passes import Pass
from stepgrad.torch.program import unseen
from stepgrad.torch.tensors import Tensors

if TYPE_CHECKING:
    from stepgrad.torch.mode import Watching


@contextmanager
def listening(tensors: Tensors, mode: Watching) -> Iterator[None]:
    """Have PyTorch report to `tensors`; in the end, nothing is left of that."""
    heard = _Heard(tensors, mode)
    with ExitStack() as stack:
        for owner, name, replaced in heard.replaced():
            stack.enter_context(_replaced(owner, name, replaced))
        before = optimizer.register_optimizer_step_pre_hook(heard.steps)
        after = optimizer.register_optimizer_step_post_hook(heard.stepped)
        stack.callback(before.remove)
        stack.callback(after.remove)
        stack.callback(heard.end)
        yield


@contextmanager
def _replaced(owner: Any, name: str, by: Any) -> Iterator[None]:
    """Replace an attribute for a while; one that is inherited is then inherited again."""
    own = name in vars(owner)
    before = vars(owner).get(name)
    setattr(owner, name, by)
    try:
        yield
    finally:
        if own:
            setattr(owner, name, before)
        else:
            delattr(owner, name)


class _Heard:
    """What PyTorch reports."""

    def __init__(self, tensors: Tensors, mode: Watching) -> None:
        self._tensors = tensors
        self._mode = mode
        self._backwards = Backwards(tensors)
        self._step: Step | None = None

    def replaced(self) -> Iterator[tuple[Any, str, Any]]:
        """Yield what is replaced while the program is watched: where, its name, and by what."""
        run = torch.autograd._engine_run_backward
        yield torch.autograd, "_engine_run_backward", self._running(run)
        for name in ("data", "grad"):
            yield Tensor, name, self._assigned(getattr(torch._C.TensorBase, name))
        for owner, names in _HOOKS.items():
            for name in names:
                yield owner, name, self._hooking(getattr(owner, name))
        yield torch.optim.Optimizer, "zero_grad", self._clearing(torch.optim.Optimizer.zero_grad)
        if hasattr(clip_grad, _CLIP):  # before PyTorch 2.6, what is clipped is written by no rule
            yield clip_grad, _CLIP, self._clipping(getattr(clip_grad, _CLIP))
        # Not `Function.apply` itself: a program may have kept that.
        yield _SingleLevelFunction, "apply", classmethod(self._applying())

    def end(self) -> None:
        """The program is over."""
        with unseen():
            self._tensors.limits.check_count(self._tensors.samples.size)
            if not self._tensors.limits.idle:
                self._tensors.writing.look()
            self._tensors.settle()
            self._backwards.end()

    # Backward passes.

    def _running(self, run: Callable[..., Any]) -> Callable[..., Any]:
        def engine(
            outputs: Sequence[Tensor],
            upstream: Sequence[Tensor | None],
            keep: bool,
            create: bool,
            inputs: Sequence[Any],
            *args: Any,
            **kwargs: Any,
        ) -> Any:
            inner = torch._C._current_autograd_node() is not None  # inside of another pass
            if not inner:
                self._tensors.limits.check_count(self._tensors.samples.size)
            if not inner and not self._tensors.limits.over:
                self._tensors.limits.passed()
            if inner or self._tensors.limits.idle:
                return run(outputs, upstream, keep, create, inputs, *args, **kwargs)
            self._tensors.limits.check_order(create)
            with unseen():
                root = self._begun(outputs, upstream)
            with self._tensors.between.listening():
                try:
                    found = run(outputs, upstream, keep, create, inputs, *args, **kwargs)
                except RuntimeError as error:
                    self._mode.versions.explain(error)
                    raise
                with unseen():
                    if self._tensors.borders.on:  # what has arrived there is a part of the pass
                        root = self._tensors.root(outputs, upstream)
                    if root is not None:
                        self._backwards.begins(root, outputs)
                        returned = None if kwargs["accumulate_grad"] else found
                        self._backwards.passed(root, inputs, returned)
            return found

        return engine

    def _begun(
        self, outputs: Sequence[Tensor], upstream: Sequence[Tensor | None]
    ) -> tuple[Pass, int] | None:
        """A pass begins; return the node that it starts from, if that is known."""
        tensors = self._tensors
        tensors.writing.look()
        if tensors.borders.on:
            tensors.limits.check_layers(tensors.borders.missing, tensors.program.modules.paths)
            tensors.borders.begin()
            _ = tensors.made  # what is added to it comes after what was computed
            return None
        root = tensors.root(outputs, upstream)
        if root is None:  # what it brings is written by this line
            tensors.writing.begins()
        else:
            tensors.limits.check_row(tensors.samples.row, tensors.samples.size)
        return root

    def _applying(self) -> Callable[..., Any]:
        mode, tensors = self._mode, self._tensors

        def apply(function: Any, *args: Any) -> Any:
            above: Any = super(_SingleLevelFunction, function)
            return above.apply(*args)

        def applied(function: Any, *args: Any) -> Any:
            inputs = [each for each in args if isinstance(each, Tensor)]
            growing = [each for each in inputs if mode.grows(each)]
            if not growing or mode.inside:
                return apply(function, *args)
            tensors.begins()
            if tensors.limits.idle or tensors.borders.outside:
                return apply(function, *args)
            tensors.limits.check_function(function)
            with unseen():
                for each in growing:
                    tensors.meet(each)
                made = tensors.made
                args = tuple(map(self._cut, args))
            since = len(made)
            mode.inside += 1
            try:
                out = apply(function, *args)
            finally:
                mode.inside -= 1
            if made is tensors.made:
                self._backwards.functions.called(
                    function, made, range(since, len(made)), inputs, out
                )
            return out

        return applied

    def _cut(self, argument: Any) -> Any:
        """Return a copy of a tensor that no gradient goes through, beside which no nodes stand.

        In the forward of a function, autograd sees nothing: what has nodes has gradients.
        """
        known = isinstance(argument, Tensor) and argument in self._tensors.beside
        return argument.clone() if known and not argument.requires_grad else argument

    def _hooking(self, register: Callable[..., Any]) -> Callable[..., Any]:
        def hooking(owner: Any, *args: Any, **kwargs: Any) -> Any:
            self._backwards.hooked()
            return register(owner, *args, **kwargs)

        return hooking

    # Writes.

    def _assigned(self, descriptor: Any) -> property:
        writing, limits = self._tensors.writing, self._tensors.limits

        def assign(tensor: Tensor, value: Any) -> None:
            if not limits.idle:
                with unseen():
                    writing.begins()
            descriptor.__set__(tensor, value)

        return property(descriptor.__get__, assign, descriptor.__delete__)

    def _clipping(self, clip: Callable[..., Any]) -> Callable[..., Any]:
        def clipping(
            parameters: Any, max_norm: float, total_norm: Tensor, *args: Any, **kwargs: Any
        ) -> None:
            if self._tensors.limits.idle:
                clip(parameters, max_norm, total_norm, *args, **kwargs)
                return
            parameters = [parameters] if isinstance(parameters, Tensor) else [*parameters]
            with unseen():
                self._tensors.writing.look()
                norm, most = float(total_norm), float(max_norm)
            clip(parameters, max_norm, total_norm, *args, **kwargs)
            with unseen():
                leaves = [each for each in map(self._tensors.leaf_of, parameters) if each]
                leaves = [each for each in leaves if each.grad is not None]
                if leaves and not norm + _EPSILON <= most:
                    rule = Rule("clip_norm", {"max_norm": most, "norm": norm, "epsilon": _EPSILON})
                    self._tensors.writing.clipped(leaves, rule)

        return clipping

    def _clearing(self, clear: Callable[..., Any]) -> Callable[..., Any]:
        def zero_grad(clearing: torch.optim.Optimizer, *args: Any, **kwargs: Any) -> None:
            if not self._tensors.limits.idle:
                with unseen():
                    self._backwards.holders.clearing(clearing)
            clear(clearing, *args, **kwargs)

        return wraps(clear)(zero_grad)

    def steps(self, stepping: torch.optim.Optimizer, *_: Any) -> None:
        """An optimizer is about to write."""
        if self._tensors.limits.idle:
            return
        with unseen():
            self._tensors.writing.look()
            self._tensors.writing.begins()
            self._step = Step(stepping)
            self._backwards.holders.stepping(stepping)

    def stepped(self, *_: Any) -> None:
        """An optimizer has written."""
        step, self._step = self._step, None
        with unseen():
            for leaves, rule in step.rules(self._tensors.leaf_of) if step is not None else ():
                self._tensors.writing.updated(leaves, rule)


_HOOKS: Mapping[type, Sequence[str]] = {
    Tensor: ("register_hook", "register_post_accumulate_grad_hook"),
    Module: ("register_full_backward_hook", "register_full_backward_pre_hook"),
}
"""What registers hooks that may change gradients."""

_CLIP = "_clip_grads_with_norm_"
_EPSILON = 1e-6  # PyTorch's, in clip_grad_norm_
