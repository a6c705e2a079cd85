"""One element's gradient, in a model that is too large to be recorded as a whole (`zoom`).

The operations of one training step are kept as they are (`step.py`). From the element on, each is
asked how its results depend on one number (`jacobian.py`), and the largest ways on are followed
(`story.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.nn import Module

from stepgrad.engine.tape import Place
from stepgrad.errors import StepgradError, suggest
from stepgrad.recording.places import Places
from stepgrad.recording.recording import Recording
from stepgrad.torch.calls import Here
from stepgrad.torch.element.step import Seeing, Step, listen
from stepgrad.torch.element.story import Element, Story, tell
from stepgrad.torch.program import Program, unseen

_SOME = 5  # names in a message
_FORM = re.compile(r"(?P<tensor>.+?)(?:\[(?P<place>[\d, ]*)\])?")


class Zoom:
    """One element of a program's leaves, and its story once its backward pass is over.

    Args:
        element: the leaf and the place in it, as in `layers.0.weight[3,7]`.
        depth: through how many operations it is followed.
        top: how many parts of each gradient are followed; the others are summed up.
        step: which backward pass; the first is 0.
        ends: whether the program ends with it.
    """

    def __init__(self, element: str, depth: int, top: int, step: int, *, ends: bool) -> None:
        self.element = element
        self.recording = Recording(f"the gradient of {element}")
        self.error: StepgradError | None = None  # why there is no story
        self._ends = ends
        self._told = False
        self._depth = depth
        self._top = top
        self._left = step
        self._step = Step()
        self._program = Program(Places(self.recording.sources), self._step)

    @contextmanager
    def following(self, model: Module | None = None) -> Iterator[None]:
        """Follow the program inside, up to the end of its backward pass."""
        if model is not None:
            self._program.modules.add(model)
            _find(self.element, dict(model.named_parameters()))
        engine: Any = torch.autograd
        original = engine._engine_run_backward
        seeing = Seeing(self._step, self._program.here)

        def run(outputs: Sequence[Any], *args: Any, **kwargs: Any) -> Any:
            if self._told or self._left:
                self._left -= 1
                self._step.operations.clear()
                return original(outputs, *args, **kwargs)
            self._step.loss = outputs[0]
            self._program.name_results()
            listen(self._step)
            done = original(outputs, *args, **kwargs)
            try:
                with unseen():
                    self._tell()
            except StepgradError as error:
                self.error = error
                if not self._ends:
                    raise
            if self._ends:
                raise SystemExit(0)
            return done

        engine._engine_run_backward = run
        try:
            with seeing, self._program.following():
                yield
        finally:
            engine._engine_run_backward = original

    def _tell(self) -> None:
        self._told = True
        step = self._step
        start = _find(
            self.element, {self._program.modules.leaf(each): each for each in step.leaves}
        )
        step.finish()
        if start.tensor not in step.gradients:
            raise StepgradError(f"no gradient has reached {self.element}")
        story = Story(step, start, self._top)
        story.follow(self._depth)
        tell(self.recording, story, self.element, self._places)

    def _places(self, moves: Sequence[Here]) -> Sequence[Place]:
        # A tensor is no scope here: few of its elements are followed.
        modules = [here._replace(call=here.call.parent or here.call) for here in moves]
        _, places = self._program.described([*enumerate(modules)], (), len(moves))
        return [place for _, place in places]


def _find(name: str, leaves: Mapping[str, Tensor]) -> Element:
    """Return an element by its name.

    Raises:
        StepgradError: there is none; says what there is.
    """
    form = _FORM.fullmatch(name)
    path = form["tensor"] if form else name
    place = [int(each) for each in re.findall(r"\d+", (form and form["place"]) or "")]
    if path not in leaves:
        known = [*filter(None, leaves)]
        some = ", ".join([*known[:_SOME], *["…"] * (len(known) > _SOME)])
        meant = suggest(path, known) or f"; there are {some or 'no leaves'}"
        raise StepgradError(f"no gradient goes to `{path}`{meant}")
    tensor = leaves[path]
    fits = len(place) == tensor.ndim
    if not fits or any(at >= size for at, size in zip(place, tensor.shape, strict=True)):
        shape = "×".join(map(str, tensor.shape)) or "one number"
        raise StepgradError(f"{name}: no such element; {path} is {shape}")
    strides = [int(torch.tensor(tensor.shape[dim + 1 :]).prod()) for dim in range(tensor.ndim)]
    return Element(tensor, sum(at * stride for at, stride in zip(place, strides, strict=True)))


@contextmanager
def zoom(  # noqa: PLR0913 - all that there is to say
    element: str,
    model: Module | None = None,
    *,
    depth: int = 3,
    top: int = 5,
    step: int = 0,
    ends: bool = False,
) -> Iterator[Zoom]:
    """Follow one element of a leaf through one training step inside.

    `with zoom("layers.0.weight[3,7]") as found: …`; afterwards, `found.recording` is its story: the
    numbers that it reaches, with their local derivatives, and what comes back from each.

    Args:
        element: the leaf, as the program calls it or as in `named_parameters`, and the place in it.
        model: whose parameter it is; without it, the program is searched.
        depth: through how many operations it is followed.
        top: how many parts of each gradient are followed; the others are summed up.
        step: which backward pass; the first is 0.
        ends: whether the program ends with it.

    Raises:
        StepgradError: there is no such element, or no gradient has reached it.
    """
    found = Zoom(element, depth, top, step, ends=ends)
    with found.following(model):
        yield found
