"""Which operations have rules that run, and at which lines these write."""

from __future__ import annotations

from collections.abc import Mapping, Set

from stepgrad.diagnosis.rules.wrote import foreign_passes
from stepgrad.engine.tape import Place
from stepgrad.recording.kept import kept
from stepgrad.recording.recording import Recording


@kept(1)
def with_rules(recording: Recording) -> Set[str]:
    """The names of the operations whose rules run."""
    return frozenset[str]().union(*_operations(recording).values())


def operations_at(recording: Recording, place: Place | None) -> Set[str]:
    """Return the names of the operations for which a line writes contributions."""
    return _operations(recording).get(place, frozenset())


@kept(1)
def _operations(recording: Recording) -> Mapping[Place | None, Set[str]]:
    """For each line that writes contributions, for which operations it does."""
    found: dict[Place | None, set[str]] = {}
    for sweep in {block.sweep for block in foreign_passes(recording.blocks)}:
        for edge, out in enumerate(sweep.outs):
            structure = sweep.structures[sweep.passes[out]]
            op = structure.op(sweep.offsets[out])
            found.setdefault(sweep.place(edge + 1), set()).add(op.name)
    return found
