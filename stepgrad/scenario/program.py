"""A scenario as a program: what its passes run, whoever runs them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from stepgrad.engine.value import Value

Edits = Mapping[str, float]
"""Other numbers for inputs, parameters and targets, by the names that nodes have."""

Rows = tuple[int, ...]
"""The samples that a pass shows, by their place in the file, from 0; a graph has none."""


@dataclass(frozen=True, slots=True)
class Program:
    """A forward pass that can be run again and again, and what training may change of it.

    `forward` shows some of `rows` and returns the root of the backward pass, or None for a
    scenario without one.
    """

    parameters: list[Value]
    rows: Rows
    forward: Callable[[Rows], Value | None]
