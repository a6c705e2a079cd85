"""Results of the program's own operations that were given operands, and no rule (`ruleless`).

`Value(data, children)` gets its derivatives from the `_backward` that follows. Without one, nothing
passes back, and no number shows it: a gradient of 0 may be right.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stepgrad.diagnosis.rules.faults import Fault
from stepgrad.diagnosis.rules.words import Words
from stepgrad.engine.own import NO_RULE, OwnOp
from stepgrad.recording.blocks import Backward
from stepgrad.recording.kept import kept
from stepgrad.recording.recording import Recording
from stepgrad.recording.sweep import Sweep


def ruleless(recording: Recording) -> Iterator[Fault]:
    """Yield a fault for the first such node of each operation at which a gradient arrives."""
    found = set[str]()
    for block in recording.blocks:
        if not isinstance(block, Backward):
            continue
        for edge in _edges(block.sweep):
            out, slot = block.edge(edge)
            op, operands = recording.operation(out)
            if op.name not in found and block.grads[block.sweep.outs[edge]]:
                found.add(op.name)
                node, place = operands[slot], recording.node(out).place
                text = Words(recording).ruleless(out, node)
                yield Fault(
                    "no rule", block.arrival(edge), text, (node, out), place if place.line else None
                )


@kept(1)
def _edges(sweep: Sweep) -> Sequence[int]:
    """Return the edges of the nodes of a sweep that have no rule."""
    found = set[int]()
    for entry in range(sweep.computed):
        op = sweep.structures[sweep.passes[entry]].op(sweep.offsets[entry])
        if isinstance(op, OwnOp) and op.by == NO_RULE:
            found.add(entry)
    return [edge for edge, out in enumerate(sweep.outs) if out in found] if found else ()
