"""Models in the wrong mode: evaluated as in training, or trained as in evaluation (`Modes`).

It matters where a model has modules that act otherwise in training, such as dropout. That a call is
an evaluation shows in its results: they are read, and no gradient ever goes through them, nor do
they enter what gradients go through.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary, ref

from torch import Tensor
from torch.nn import Module, MultiheadAttention, RNNBase
from torch.nn import functional as F  # noqa: N812 - as everybody calls it
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd
from torch.utils._pytree import tree_leaves
from torch.utils.weak import WeakIdKeyDictionary

from stepgrad.engine.tape import Place
from stepgrad.printable import counted
from stepgrad.recording.foreign.remark import DROPS, EVALUATED, SWITCHED, TUNED, Remark

_READ = {"item", "tolist", "__float__", "__int__", "__bool__", "__format__", "__repr__"}
_DRAWN = {"multinomial", "bernoulli", "normal", "poisson"}
"""Functions that read a result, and those that draw from what it says, as an actor does."""

_PICTURE = 3
"""Arrays of at least as many dimensions are made to be looked at."""

_SAMPLES = 4
"""From this many calls with the same input on, it is the spread of random results that counts."""

_MOST = 16
"""Calls that are kept of what a result is computed from."""


class _Input:
    """What a model is called with, as long as it is the same."""

    def __init__(self, tensor: Tensor | None) -> None:
        whole = tensor if tensor is None or tensor._base is None else tensor._base
        self._tensor = None if whole is None else ref(whole)
        self._version = 0 if whole is None or whole.is_inference() else whole._version
        self.calls = 1

    def is_like(self, other: _Input) -> bool:
        """Whether another call has the same input."""
        own = None if self._tensor is None else self._tensor()
        others = None if other._tensor is None else other._tensor()
        return own is not None and own is others and self._version == other._version


class Visit:
    """A call of a model from outside.

    Args:
        model: what is known of the model.
        place: the line.
        training: whether it is in training mode.
        given: what it is called with.
    """

    def __init__(self, model: _Model, place: Place, *, training: bool, given: _Input) -> None:
        self.model = model
        self.place = place
        self.training = training
        self.given = given
        self.acting: dict[str, None] = {}  # classes of modules that act as in training
        self.drops: Place | None = None  # where a function drops, though the model is evaluated
        self.trained = False  # gradients go through its results, or they enter such
        self.read = False

    @property
    def is_wrong(self) -> bool:
        """Whether it is an evaluation in which something acts as in training."""
        evaluates = not self.trained and self.given.calls < _SAMPLES
        return evaluates and bool(self.acting or self.drops)


class _Model:
    """What is known of a model that has modules which act otherwise in training."""

    def __init__(self, model: Module, title: str) -> None:
        self.model = ref(model)
        self.title = title
        self.acting = [
            *dict.fromkeys(type(each).__name__ for each in model.modules() if _acts(each))
        ]
        self.learns = False
        self.given = _Input(None)
        self.read: list[Visit] = []
        self.steps = {True: 0, False: 0}  # in training mode, and not
        self.evaluating: Visit | None = None  # the first that is trained and not in training mode

    def look(self) -> None:
        """Look whether gradients have come by now, and let go of calls that were trained."""
        model = self.model()
        if model is not None and not self.learns:
            self.learns = any(each.grad is not None for each in model.parameters())
        self.read = [each for each in self.read if each.is_wrong]

    def is_held(self, tensors: Sequence[Tensor]) -> bool:
        """Whether tensors with gradients are parameters of the model."""
        model = self.model()
        own = set() if model is None else {id(each) for each in model.parameters()}
        return any(id(each) in own and each.grad is not None for each in tensors)

    def step(self, visits: Sequence[Visit]) -> None:
        """An optimizer uses the gradients that went through some calls."""
        training = any(each.training for each in visits)
        self.steps[training] += 1
        if not training and self.evaluating is None:
            self.evaluating = visits[0]

    def remarks(self) -> Iterator[Remark]:
        """Yield what there is to say, once the recording is over."""
        self.look()
        if self.learns and self.read:
            visit = self.read[0]
            if visit.drops:
                text = f"dropout drops numbers though `{self.title}` is in evaluation mode"
                yield Remark(DROPS, None, visit.drops, text)
            else:
                text = (
                    f"`{self.title}` is evaluated in training mode: its results are only read, and "
                    f"{_act([*visit.acting])} as in training"
                )
                yield Remark(EVALUATED, None, visit.place, text)
        if self.evaluating is not None:
            steps, every = self.steps[False], sum(self.steps.values())
            text = (
                f"`{self.title}` is trained in evaluation mode in {steps} of "
                f"{counted(every, 'step')}: {_act(self.acting)} as in evaluation"
            )
            kind = SWITCHED if self.steps[True] else TUNED
            yield Remark(kind, None, self.evaluating.place, text)


class Modes:
    """Follows calls of models from outside, and what becomes of their results.

    Args:
        title: says what a model is called.
        place: says at which line the program is.
    """

    def __init__(self, title: Callable[[Module], str], place: Callable[[], Place]) -> None:
        self._title = title
        self._place = place
        self._models: WeakKeyDictionary[Module, _Model | None] = WeakKeyDictionary()
        self._every: list[_Model] = []
        self._visit: Visit | None = None
        self._from: WeakIdKeyDictionary = WeakIdKeyDictionary()  # of tensors: visits
        self._through: dict[Visit, None] = {}  # those that gradients went through since a step

    # Calls.

    def enter(self, module: Module, given: Any) -> Visit | None:
        """A module is called; return the visit of a model that begins with it."""
        begun = None
        if self._visit is None and (model := self._model(module)) is not None:
            first = next((each for each in tree_leaves(given) if isinstance(each, Tensor)), None)
            tensors = _Input(first)
            if model.given.is_like(tensors):
                model.given.calls += 1
            else:
                model.given = tensors
            training = module.training
            begun = Visit(model, self._place(), training=training, given=model.given)
            self._visit = begun
        visit = self._visit
        if visit is not None and visit.training and module.training and _acts(module):
            visit.acting[type(module).__name__] = None
        return begun

    def leave(self, visit: Visit | None, out: Any) -> None:
        """A module has given its results; `visit` is what has begun with it."""
        if visit is None:
            return
        self._visit = None
        for each in tree_leaves(out):
            if isinstance(each, Tensor):
                self._from[each] = (visit,)
                if each.grad_fn is not None:
                    each.grad_fn.register_prehook(partial(self._goes_through, visit))

    def _model(self, module: Module) -> _Model | None:
        if module not in self._models:
            acts = any(map(_acts, module.modules()))
            model = self._models[module] = _Model(module, self._title(module)) if acts else None
            self._every += [model] if model is not None else []
        return self._models[module]

    # Results.

    def computed(
        self,
        function: Any,
        given: Sequence[Any],
        settings: Mapping[str, Any],
        out: Iterable[Tensor],
    ) -> None:
        """A function has computed something."""
        visit = self._visit
        drops = function is F.dropout and settings.get("training") and settings.get("p")
        if drops and visit is not None and not visit.training:
            visit.drops = visit.drops or self._place()
        if not len(self._from):
            return
        leaves = tree_leaves((given, settings))
        known = [each for each in leaves if isinstance(each, Tensor) and each in self._from]
        if not known:
            return
        visits = dict.fromkeys(each for tensor in known for each in self._from[tensor])
        name = function.__name__
        if name in _READ or (name == "numpy" and known[0].ndim < _PICTURE):
            for each in visits:
                if not each.read:
                    each.read = True
                    each.model.read.append(each)
        if name in _DRAWN:
            return
        for result in out:
            self._from[result] = tuple(each for each in visits if not each.trained)[-_MOST:]
            if result.requires_grad:  # what no gradient goes through is a number to train with
                for tensor in known:
                    for each in () if tensor.requires_grad else self._from[tensor]:
                        each.trained = True

    # Steps.

    def _goes_through(self, visit: Visit, *_: Any) -> None:
        visit.trained = True
        self._through[visit] = None

    def passing(self) -> None:
        """A backward pass begins."""
        for model in self._every:
            model.given = _Input(None)
            model.look()

    def stepping(self, parameters: Sequence[Tensor]) -> None:
        """An optimizer is about to use the gradients of its parameters."""
        through, self._through = self._through, {}
        for model in {each.model: None for each in through}:
            if model.is_held(parameters):
                model.step([each for each in through if each.model is model])

    def remarks(self) -> Iterator[Remark]:
        """Yield what there is to say, once the recording is over."""
        for model in self._every:
            yield from model.remarks()


def _act(names: Sequence[str]) -> str:
    return f"{' and '.join(names)} {'act' if len(names) > 1 else 'acts'}"


def _acts(module: Module) -> bool:
    """Whether a module acts otherwise in training than in evaluation."""
    if isinstance(module, _DropoutNd):
        return module.p > 0
    if isinstance(module, _BatchNorm):
        return module.track_running_stats
    if isinstance(module, RNNBase):  # drops between its layers
        return float(module.dropout) > 0 and module.num_layers > 1
    return isinstance(module, MultiheadAttention) and float(module.dropout) > 0
