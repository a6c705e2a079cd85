"""A scenario as a program: what each pass runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from stepgrad.engine.value import Value

Edits = Mapping[str, float]
"""Other numbers for inputs, parameters and targets, by the names of their nodes."""

Rows = tuple[int, ...]
"""The samples of a pass, by their place in the file, from 0; a graph has none."""


class Program(NamedTuple):
    """A forward pass that can be run repeatedly, and what training may change.

    `forward` runs some of `rows` and returns the root of the backward pass, or None for a
    scenario without one.
    """

    parameters: list[Value]
    rows: Rows
    forward: Callable[[Rows], Value | None]
