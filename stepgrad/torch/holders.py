"""Which parameters the optimizers of a program hold, and whether they use gradients (`Holders`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from weakref import ref

import torch
from torch import Tensor

from stepgrad.engine.tape import Place
from stepgrad.printable import counted
from stepgrad.recording.foreign.remark import (
    FROZEN,
    HELD,
    IDLE,
    LEFT,
    MAXIMISED,
    OFF,
    STILL,
    UNUSED,
    Remark,
)
from stepgrad.torch.leaves import Leaf
from stepgrad.torch.tensors import Tensors

_MOST = 4
"""The most parameters to name."""

_FEWEST = 2
"""Times that an optimizer clears gradients and does not step, before that is said."""


@dataclass
class _Holder:
    """What is known of an optimizer: whether it has used a gradient, else what there is to say."""

    used: bool = False
    steps: int = 0
    idle: Sequence[ref[Tensor]] = ()  # parameters that had no gradient in any step
    frozen: Sequence[tuple[ref[Tensor], str]] = ()  # that asked for none in any step, with names
    place: Place | None = None  # of the first step
    cleared: int = 0  # times that there were gradients
    remark: Remark | None = None


class Holders:
    """Notices optimizers whose steps, or whose lack of steps, leave gradients unused.

    The turn of an optimizer may come later, or be over: what there is to say is known at the end.
    """

    def __init__(self, tensors: Tensors) -> None:
        self._tensors = tensors
        self._holders: dict[int, _Holder] = {}
        self._held = set[int]()  # leaf tensors, by their first nodes
        self._reached = dict[int, Leaf]()
        self._maximising: Remark | None = None

    def reached(self, leaf: Leaf) -> None:
        """A pass has brought a gradient to a leaf tensor."""
        self._reached[leaf.made.base] = leaf

    def stepping(self, optimizer: torch.optim.Optimizer) -> None:
        """An optimizer is about to write."""
        own, bases = self._own(optimizer)
        self._held |= bases
        self._tensors.program.modes.stepping(own)
        if any(group.get("maximize") for group in optimizer.param_groups):
            self._maximising = Remark(MAXIMISED, None, self._tensors.program.place(), "")
        holder = self._holders.setdefault(id(optimizer), _Holder())
        self._waits(holder, own)
        holder.used = holder.used or any(each.grad is not None for each in own)
        if holder.used or (holder.remark is not None and holder.remark.kind != STILL):
            return
        tensors = counted(len(own), "tensor")
        leaves = [leaf.tensor() for leaf in self._tensors.living()]
        others = sum(each is not None and each.grad is not None for each in leaves)
        if bases & self._reached.keys():
            text = f"the gradients of its {tensors} are cleared before it uses them"
            holder.remark = self._remark(UNUSED, text)
        elif others:
            text = f"no gradient has come to its {tensors}, and gradients have to "
            holder.remark = self._remark(IDLE, text + counted(others, "other"))

    def clearing(self, optimizer: torch.optim.Optimizer) -> None:
        """An optimizer is about to clear the gradients of its parameters."""
        own, bases = self._own(optimizer)
        if not bases or all(each.grad is None for each in own):
            return
        self._held |= bases
        holder = self._holders.setdefault(id(optimizer), _Holder())
        holder.cleared += 1
        if not holder.steps and holder.cleared == _FEWEST:
            text = "it clears the gradients of its {} here, and step() is not called"
            holder.remark = self._remark(STILL, text.format(counted(len(own), "tensor")))

    def remarks(self) -> Iterator[Remark]:
        """Yield what there is to say, once the recording is over."""
        for holder in self._holders.values():
            remark = holder.remark
            still = remark is not None and remark.kind == STILL
            late = still and (holder.steps or self._moved(self._held))
            if remark is not None and not holder.used and not late:
                yield remark
            yield from self._held_in_vain(holder)
        yield from self._frozen()
        if self._maximising is not None:
            yield self._maximising
        left = [leaf for base, leaf in self._reached.items() if base not in self._held]
        left = [each for each in left if isinstance(each.tensor(), torch.nn.Parameter)]
        left = [each for each in left if each.name and not self._moved({each.made.base})]
        if left and any(each.used for each in self._holders.values()):
            named = _named([each.name for each in left])
            text = f"gradients come to {named}, which no optimizer holds and nothing updates"
            node, place = left[0].made.base, self._replaced(left)
            if place is None:
                yield Remark(LEFT, node, Place(), text)
            else:
                text += "; one holds tensors of the same shapes, to which none come"
                yield Remark(IDLE, node, place, text)

    def off(self) -> Iterator[Remark]:
        """Yield which leaf tensors modules use where gradients are off, if none comes to them."""
        for tensor, place in self._tensors.program.off.items():
            leaf = self._tensors.leaf_of(tensor)
            if leaf is not None and leaf.made.base not in self._reached:
                yield Remark(OFF, leaf.made.base, place, "")

    def _frozen(self) -> Iterator[Remark]:
        """Yield which parameters have asked for no gradient in any step of their optimizer."""
        for holder in self._holders.values():
            names = [name for _, name in holder.frozen if name]
            if named := _named(names):
                none = "it does not learn" if len(names) == 1 else "none learns"
                text = f"requires_grad is False for {named}, which the optimizer holds: {none}"
                yield Remark(FROZEN, None, holder.place or Place(), text)

    def _waits(self, holder: _Holder, own: Sequence[Tensor]) -> None:
        """Note which parameters have had no gradient yet, in a step more, and which are frozen."""
        if holder.steps:
            frozen = [(each, name) for each, name in holder.frozen if not _asks(each())]
        else:
            name_of = self._tensors.program.leaf
            frozen = [(ref(each), name_of(each)[0]) for each in own if not each.requires_grad]
        holder.frozen = frozen
        asked = [each() for each in holder.idle] if holder.steps else own
        there = (each for each in asked if each is not None)
        holder.idle = [ref(each) for each in there if each.requires_grad and each.grad is None]
        holder.place = holder.place or self._tensors.program.place()
        holder.steps += 1

    def _held_in_vain(self, holder: _Holder) -> Iterator[Remark]:
        """Yield which parameters that are not in the log an optimizer that serves holds."""
        found: dict[Place | None, list[str]] = {}
        program = self._tensors.program
        for each in self._never_reached(holder):
            found.setdefault(program.off.get(each), []).append(program.leaf(each)[0])
        for off, names in found.items():
            if named := _named([*filter(None, names)]):
                text = f"no gradient comes to {named} in any of {holder.steps} steps of the "
                text += f"optimizer that holds {'it' if len(names) == 1 else 'them'}"
                if off is not None:
                    text += ": gradients are off where "
                    text += "it is used" if len(names) == 1 else "they are used"
                yield Remark(HELD, None, off or holder.place or Place(), text)

    def _never_reached(self, holder: _Holder) -> Iterator[Tensor]:
        """Yield the tensors that an optimizer that serves holds, and that are not in the log."""
        for each in (each() for each in holder.idle if holder.used and holder.steps >= _FEWEST):
            if each is not None and each.grad is None and self._tensors.leaf_of(each) is None:
                yield each

    def _replaced(self, left: Sequence[Leaf]) -> Place | None:
        """Return where an optimizer steps that holds an unused tensor like each of some others."""
        shapes = Counter(tensor.shape for each in left if (tensor := each.tensor()) is not None)
        for holder in self._holders.values():
            if shapes <= Counter(each.shape for each in self._never_reached(holder)):
                return holder.place
        return None

    def _own(self, optimizer: torch.optim.Optimizer) -> tuple[Sequence[Tensor], set[int]]:
        """Return the parameters of an optimizer, and the first nodes of those that are known."""
        own = [each for group in optimizer.param_groups for each in group["params"]]
        leaves = (self._tensors.leaf_of(each) for each in own)
        return own, {leaf.made.base for leaf in leaves if leaf is not None}

    def _moved(self, bases: set[int]) -> bool:
        """Whether something has written to the values of a leaf tensor."""
        index = self._tensors.recorder.log.history.index
        nodes = {base: len(leaf.made) for base, leaf in self._reached.items() if base in bases}
        return any(
            index.is_updated(node)
            for base, count in nodes.items()
            for node in range(base, base + count)
        )

    def _remark(self, kind: str, text: str) -> Remark:
        place = self._tensors.program.place()
        return Remark(kind, None, place, f"the optimizer updates nothing: {text}")


def _asks(tensor: Tensor | None) -> bool:
    """Whether a tensor that is still there asks for gradients."""
    return tensor is not None and tensor.requires_grad


def _named(names: Sequence[str]) -> str:
    """Name some tensors in a sentence; empty if there are none."""
    some = [*names[:_MOST], *([f"{len(names) - _MOST} more"] if len(names) > _MOST else [])]
    *others, last = some or [""]
    return f"{', '.join(others)} and {last}" if others else last
