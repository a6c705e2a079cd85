"""What a program does that cannot be recorded, and what can be done about it (`RefusedError`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from textwrap import shorten
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils.checkpoint import CheckpointFunction

from stepgrad.errors import StepgradError, suggest
from stepgrad.recording.budget import NODE
from stepgrad.recording.memory import default_memory, in_words


class RefusedError(StepgradError):
    """Something cannot be recorded: which operation where, why, and what to do instead."""

    __module__ = "stepgrad.torch"  # where a person finds it


class _Kind(NamedTuple):
    """Tensors that cannot be recorded.

    Args:
        holds: whether one is of this kind.
        what: what such tensors are called.
        instead: what to do.
    """

    holds: Callable[[Tensor], bool]
    what: str
    instead: str


_KINDS = (
    _Kind(
        lambda each: each.is_nested,
        "nested tensors",
        "pad what they hold to one shape: torch.nn.utils.rnn.pad_sequence(...)",
    ),
    _Kind(
        lambda each: each.is_complex(),
        "complex numbers",
        "compute with the real and the imaginary part, as two tensors",
    ),
    _Kind(
        lambda each: each.layout is not torch.strided,
        "sparse tensors",
        "make the tensor dense first: tensor.to_dense()",
    ),
    _Kind(
        lambda each: each.device.type != "cpu",
        "tensors that are not on the CPU",
        "move a small copy of the model, and its data: model.cpu().double()",
    ),
)

_SOME = 8  # names in a message
_LONG = 120  # characters of what an error of PyTorch says
_TRANSFORMS = {"Grad": "torch.func.grad", "Jvp": "torch.func.jvp"}


def check_tensors(tensors: Iterable[Tensor], where: Callable[[], str]) -> None:
    """Look at the tensors of an operation.

    Args:
        tensors: its operands that gradients go through, and its results.
        where: returns the operation, the line and the module.

    Raises:
        RefusedError: there are some that cannot be recorded.
    """
    for each in tensors:
        for kind in _KINDS:
            if kind.holds(each):
                raise _error(where(), f"{kind.what} cannot be recorded", kind.instead)


def check_order(create_graph: bool, where: Callable[[], str]) -> None:
    """Look whether a backward pass is one that gradients are to go through.

    Raises:
        RefusedError: it is.
    """
    if create_graph:
        instead = "record the program without create_graph=True, or another part of it"
        raise _error(where(), "gradients of gradients cannot be recorded", instead)


def check_row(row: int | None, size: int | None, where: Callable[[], str]) -> None:
    """Look whether a batch has the sample that is to be recorded.

    Args:
        row: which sample; None for all.
        size: how many there are; None if there is no batch.
        where: returns the operation, the line and the module.

    Raises:
        RefusedError: there is no such sample.
    """
    if row is None:
        return
    if size is None:
        instead = "the batch is what a module is called with first: one row for each sample"
        raise _error(where(), "no batch was found to take one sample of", instead)
    if row >= size:
        raise _error(
            where(), f"the batch has no sample {row}", f"it has {size}; the first is number 0"
        )


def check_layers(missing: Sequence[str], known: Sequence[str], where: Callable[[], str]) -> None:
    """Look whether all modules that are to be recorded have been called.

    Raises:
        RefusedError: some are `missing`; says which are known.
    """
    for each in missing:
        if each in known:
            raise _error(where(), f"{each} has not been called", "name another module")
        some = ", ".join([*known[:_SOME], *["…"] * (len(known) > _SOME)])
        what = f"there is no module `{each}`{suggest(each, known)}"
        raise _error(where(), what, f"there are {some}" if known else "there are no modules")


def check_stray(stray: bool, where: Callable[[], str]) -> None:
    """Look whether the program takes what a recorded module has computed on another way.

    Raises:
        RefusedError: it does: it is `stray`.
    """
    if stray:
        what = "this was computed in a module that is recorded, and is no result of it"
        raise _error(where(), what, "record the module that uses it as well, with --layers")


def check_transform(where: Callable[[], str]) -> None:
    """Look whether a function runs inside a transform that differentiates it.

    Raises:
        RefusedError: it does.
    """
    around: Any = torch._C._functorch.peek_interpreter_stack()
    transform = _TRANSFORMS.get(around.key().name) if around is not None else None
    if transform:
        instead = "compute the loss outside of it, and call loss.backward()"
        raise _error(where(), f"what {transform} differentiates cannot be recorded", instead)


def check_function(function: type, where: Callable[[], str]) -> None:
    """Look at a function with a backward pass of its own.

    Raises:
        RefusedError: it is a reentrant checkpoint, which gives gradients to what it does not take.
    """
    if function is CheckpointFunction:
        what = "reentrant checkpoints cannot be recorded"
        raise _error(where(), what, "checkpoint(..., use_reentrant=False) gives the same gradients")


def check_world(world: object, where: Callable[[], str]) -> None:
    """Look whether the program is to run in a world with a bug; `world` is None if it is not.

    Raises:
        RefusedError: it is.
    """
    if world is not None:
        what = "what PyTorch computes cannot be changed by --bug"
        raise _error(where(), what, "record it without, or write the bug into the program")


def unknown(name: str, where: str, error: Exception) -> RefusedError:
    """Return the error that an operation cannot be recorded, and what has kept it from that."""
    why = shorten(str(error), _LONG, placeholder=" …")
    why = why if isinstance(error, NotImplementedError) else f"{type(error).__name__}: {why}"
    what = f"aten::{name} cannot be recorded yet ({why})"
    return _error(where, what, "compute the same with other operations, or from x.detach()")


_SHARE = 4
"""By default, a recording may take a quarter of the memory that is free."""


def too_large(
    nodes: int, room: int, where: str, fitting: Iterable[tuple[str, int | str]], again: str
) -> RefusedError:
    """Return the error that there is no room for nodes.

    Args:
        nodes: how many there are.
        room: for how many there is memory.
        where: the operation, the line and the module.
        fitting: options with which there is room.
        again: what follows options on a command line; empty if the program is recorded by hand.
    """
    what = f"{nodes:,} nodes are too many to record: there is memory for {room:,}"
    ways = [_way(*each, again) for each in fitting]
    needed = nodes * NODE // 2  # a pass may spend the budget twice
    if needed < _SHARE * default_memory():
        ways.append(_way("memory", in_words(needed).replace(" ", ""), again))
    zoom = f"stepgrad torch-zoom --element 'NAME[0,0]' {again or 'PROGRAM'}"
    ways.append(f"{zoom}: one element of a model of any size")
    return _error(where, what, "use a smaller batch or model, or one of these:", *ways)


_WAYS = {
    "only-steps": "this training step",
    "batch-row": "one sample of the batch",
    "layers": "a part of the model",
    "memory": "all, with more memory",
}
"""What options record."""


def _way(option: str, value: int | str, again: str) -> str:
    """Say what to type for an option, and what it records."""
    name = option.removeprefix("only-").replace("-", "_")
    if again:
        typed = f"stepgrad run --{option} {value} {again}"
    elif option == "memory":
        typed = f"stepgrad.record(memory={value!r})"
    else:
        given = {"layers": f"[{value!r}]", "only-steps": f"range({value}, {value} + 1)"}
        typed = f"stepgrad.torch.watch({name}={given.get(option, value)})"
    return f"{typed}: {_WAYS[option]}"


def _error(where: str, what: str, *instead: str) -> RefusedError:
    return RefusedError(f"{where}: {what}", *(f"  {each}" for each in instead))
