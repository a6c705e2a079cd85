"""Running a PyTorch program up to one backward pass, for the story of one element (`zoomed`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from stepgrad.program.running import run_program
from stepgrad.recording.recording import Recording


def zoomed(name: str, arguments: Sequence[str], element: str, **settings: int) -> Recording:
    """Run a program until a backward pass is over, and return the story of an element.

    It is empty if the program has ended before. The settings are those of `stepgrad.torch.zoom`.

    Raises:
        ProgramError: the program cannot be read.
        StepgradError: there is no such element, or no gradient has reached it.
    """
    found: list[Any] = []

    @contextmanager
    def zooming() -> Iterator[None]:
        zoom = import_module("stepgrad.torch").zoom
        with zoom(element, **settings, ends=True) as each:
            found.append(each)
            yield

    run_program(name, arguments, tensors=zooming)
    if not found:
        return Recording()
    if found[0].error is not None:
        raise found[0].error
    story: Recording = found[0].recording
    return story
