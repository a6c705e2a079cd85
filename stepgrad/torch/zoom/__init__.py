"""One element's gradient in a model that is too large to be recorded as a whole (`zoom`)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.utils._python_dispatch import _disable_current_modes

from stepgrad.engine.tape import Place
from stepgrad.errors import StepgradError
from stepgrad.recording.recording import Recording
from stepgrad.torch.zoom.seen import Seeing, Step
from stepgrad.torch.zoom.story import Element, tell


class Zoom:
    """One element, and its story once the first backward pass is over.

    Args:
        name: the parameter and the place in it, as in `layers.0.weight[3,7]`.
        depth: through how many operations it is followed.
        top: how many parts of each gradient are followed; the others are summed up.
    """

    def __init__(self, name: str, depth: int = 3, top: int = 5) -> None:
        self.name = name
        self._depth = depth
        self._top = top
        self.step = Step()
        self.recording: Recording | None = None

    def find(self, parameters: dict[str, torch.Tensor]) -> Element:
        """Return the element.

        Raises:
            StepgradError: there is none of this name, or no gradient has reached it.
        """
        form = re.fullmatch(r"(.+?)(?:\[([\d, ]*)\])?", self.name)
        assert form is not None, "everything has this form"
        path, place = form[1], [int(each) for each in (form[2] or "").split(",") if each.strip()]
        if path not in parameters:
            raise StepgradError(f"no parameter {path!r}; there are {', '.join([*parameters][:8])}")
        tensor = parameters[path]
        shape = [*tensor.shape]
        fits = len(place) == len(shape)
        if not fits or any(at >= size for at, size in zip(place, shape, strict=True)):
            raise StepgradError(f"{path} has the shape {tuple(shape)}: name one element of it")
        index = 0
        for at, size in zip(place, shape, strict=True):
            index = index * size + at
        return Element(tensor, index)

    def finish(self, parameters: dict[str, torch.Tensor]) -> None:
        """Tell the story: the pass is over."""
        element = self.find(parameters)
        self.step.finish()
        if element.tensor not in self.step.gradients:
            raise StepgradError(f"no gradient has reached {self.name}")
        self.recording = tell(self.step, element, self.name, depth=self._depth, top=self._top)


@contextmanager
def zoom(
    model: torch.nn.Module,
    element: str,
    *,
    depth: int = 3,
    top: int = 5,
    place: Callable[[], Place] = Place,
) -> Iterator[Zoom]:
    """Follow one element of a model's parameters through the first backward pass inside.

    `zoom(model, "layers.0.weight[3,7]")` gives a `Zoom`; afterwards, `recording` is the story.

    Raises:
        StepgradError: there is no such element, or no gradient has reached it.
    """
    found = Zoom(element, depth, top)
    parameters = dict(model.named_parameters())
    found.find(parameters)
    seeing = Seeing(found.step, place)
    engine: Any = torch.autograd
    original = engine._engine_run_backward

    def run(outputs: Any, *args: Any, **kwargs: Any) -> Any:
        if found.step.loss is not None:
            return original(outputs, *args, **kwargs)
        seeing.begin(outputs[0])
        done = original(outputs, *args, **kwargs)
        with _disable_current_modes():
            found.finish(parameters)
        return done

    engine._engine_run_backward = run
    try:
        with seeing:
            yield found
    finally:
        engine._engine_run_backward = original
