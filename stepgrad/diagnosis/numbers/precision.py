"""What rounding has taken from a recording's passes, told as verdicts (`precision`)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from stepgrad.diagnosis.numbers.recomputed import (
    ALL_DIGITS,
    DIGITS,
    LOST,
    Loss,
    Quantity,
    Recomputed,
)
from stepgrad.diagnosis.verdict import Verdict
from stepgrad.diagnosis.wording import listed
from stepgrad.numbers import number
from stepgrad.printable import counted
from stepgrad.recording.blocks import Backward
from stepgrad.recording.recording import Recording
from stepgrad.replay.telling.titles import definition, title

MOST = 100_000
"""How many nodes are computed again, at most: it takes some seconds."""

_TOLD = 10


def precision(recording: Recording, most: int = MOST) -> Sequence[Verdict]:
    """Compute passes again with more digits; return notes, the gravest first.

    A note is about a gate that is on another side with more digits; or about an operation in which
    digits are lost, and names what inherits the loss. The last note says what was looked at: the
    first backward pass, the last, and the one in the middle, as far as they have at most `most`
    nodes in all.

    Raises:
        StepgradError: mpmath is not installed; says how to get it.
    """
    passes = [block for block in recording.blocks if isinstance(block, Backward)]
    looked = [*_chosen(passes, most)]
    flips: list[Verdict] = []
    births: list[tuple[tuple[bool, float], Verdict]] = []
    for block in looked:
        again = Recomputed(recording, block)
        flips += [_flip(recording, again, gate) for gate in again.flipped]
        births += _births(recording, block, again.losses)
    births.sort(key=lambda birth: birth[0])
    found = {each.text: each for each in [*flips, *(birth for _, birth in births)]}
    told = [*found.values()][:_TOLD]
    return [*told, _looked(looked, len(passes), len(found) - len(told))]


def _chosen(passes: Sequence[Backward], most: int) -> Iterator[Backward]:
    for which in dict.fromkeys((0, len(passes) - 1, len(passes) // 2)) if passes else ():
        most -= passes[which].sweep.width
        if most < 0:
            return
        yield passes[which]


def _births(
    recording: Recording, block: Backward, losses: Sequence[Loss]
) -> Iterator[tuple[tuple[bool, float], Verdict]]:
    """Yield a note for each operation in which digits are lost, and its rank, the worst first.

    Noise where the exact number is 0 comes last: there are no digits to lose.
    """
    families: dict[Quantity, list[Loss]] = defaultdict(list)
    for loss in losses:
        families[loss.born].append(loss)
    for born, family in families.items():
        first = next((loss for loss in family if loss.what == born), family[0])
        heirs = [loss.what for loss in family if loss is not first]
        yield (not first.exact, -first.digits), _birth(recording, block, first, heirs)


def _birth(recording: Recording, block: Backward, loss: Loss, heirs: Sequence[Quantity]) -> Verdict:
    gradient, node = loss.what
    shown = max(6, round(ALL_DIGITS - loss.digits) + 2)
    values, gradients = ([n for of, n in heirs if of is kind] for kind in (False, True))
    inherit = [listed(recording, values)] if values else []
    inherit += [f"the gradients of {listed(recording, gradients)}"] if gradients else []
    text = (
        f"{_told(recording, block, loss.what)} loses {round(loss.digits)} of 16 digits: it is "
        f"{number(loss.recorded, shown)}, and {_written(loss.exact, shown)} with more digits"
        f"{'; inherited by ' if inherit else ''}{' and '.join(inherit)}"
    )
    arrivals = _arrivals(block, node)
    position = recording.history.made_at(node)
    if gradient:
        position = block.arrival(arrivals[-1]) if arrivals else block.start + 1
    return Verdict("precision", text, "", [position], [node], note=True)


def _told(recording: Recording, block: Backward, what: Quantity) -> str:
    """What a number is made of: `d = a − b`, or over which edges its gradient arrives."""
    gradient, node = what
    if gradient:
        edges = _arrivals(block, node)
        through = f"{len(edges)} contributions"
        if len(edges) == 1:
            through = f"through {title(recording, block.edge(edges[0])[0])}"
        return f"the gradient of {title(recording, node)} ({through})"
    made = recording.node(node)
    formula = definition(recording, made)
    return f"{made.name} = {formula}" if made.name else formula


def _written(exact: Any, digits: int = 6) -> str:
    """A number as text, even one that is too small for a float."""
    rounded = float(exact)
    if rounded or not exact:
        return number(rounded, digits)
    return str(exact.context.nstr(exact, 6)).replace("-", "−")


def _arrivals(block: Backward, node: int) -> Sequence[int]:
    column = block.column(node)
    return block.sweep.incoming[column] if column is not None else []


def _flip(recording: Recording, again: Recomputed, gate: int) -> Verdict:
    node = recording.node(gate)
    numbers = " and ".join(
        f"{title(recording, each)} is {number(again.recorded(each))}, with more digits "
        f"{_written(again.exact(each))}"
        for each in node.operands
    )
    text = (
        f"rounding decides the gate {title(recording, gate)} = {definition(recording, node)}: "
        f"{numbers}, on another side of the kink"
    )
    return Verdict("precision", text, "", [recording.history.made_at(gate)], [gate], note=True)


def _looked(looked: Sequence[Backward], passes: int, left_out: int) -> Verdict:
    if not looked:
        text = "no backward pass is computed again" + ", because the first is too large" * bool(
            passes
        )
        return Verdict("precision", text, "", [], note=True)
    nodes = sum(block.sweep.width for block in looked)
    which = f"{len(looked)} of {passes:,} backward passes" if passes > 1 else "the backward pass"
    rest = f"where nothing else is said, at least {round(ALL_DIGITS - LOST)} of 16 digits are right"
    text = (
        f"{counted(nodes, 'node')} of {which} are computed again with {DIGITS} digits: "
        f"{counted(left_out, 'smaller note') + ' left out' if left_out else rest}"
    )
    return Verdict("precision", text, "", [block.start + 1 for block in looked], note=True)
