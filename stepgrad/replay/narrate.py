"""What an event did, in one line of mathematics, and in words.

The same text serves the screen, the plain output and a screen reader.
"""

from __future__ import annotations

from dataclasses import dataclass

from stepgrad.engine.formula import atom, product
from stepgrad.recording import events
from stepgrad.recording.blocks import Backward
from stepgrad.recording.recording import Recording
from stepgrad.replay.numbers import factor, gradient, number
from stepgrad.replay.titles import operand_titles, short_title, title


@dataclass(frozen=True, slots=True)
class Narration:
    """An event in notation.

    `symbols` is the rule (`∂L/∂h += ∂L/∂y · ∂y/∂h`), `numbers` the same with numbers put in
    (`= −4 · w2 (2) = −8`), `effect` what became of the node (`h.grad – → −8, edge 1 of 1`). The
    last two may be empty.
    """

    symbols: str
    numbers: str = ""
    effect: str = ""

    def __str__(self) -> str:
        effect = f"   [{self.effect}]" if self.effect else ""
        return " ".join(filter(None, (self.symbols, self.numbers))) + effect


@dataclass(frozen=True, slots=True)
class LocalDerivative:
    """∂out/∂operand at an edge.

    `symbols` is the formula (`1 − h²`), `number` its value, and `because` the condition that
    chose it at a kink (`z1 > 0`), or empty.
    """

    symbols: str
    value: float
    because: str

    def __str__(self) -> str:
        if self.because:
            return f"{number(self.value)} ({self.because})"
        if self.symbols == number(self.value):
            return factor(self.value)
        return f"{product(self.symbols)} ({number(self.value)})"


def narrate(recording: Recording, index: int) -> Narration:
    """Narrate an event, given by its index in `recording.events`."""
    event = recording.events[index]
    match event:
        case events.Mark():
            which = "" if event.number is None else f" {event.number}"
            return Narration(f"{event.kind}{which} begins")
        case events.Leaf():
            return Narration(f"{title(recording, event.node)} = {number(event.value)}")
        case events.Op():
            return _computed(recording, event, index)
        case events.Seed():
            root = short_title(recording, event.node)
            effect = f"{root}.grad {gradient(event.before)} → {number(event.after)}"
            return Narration(f"∂{root}/∂{root} = 1", effect=effect)
        case events.Accumulate():
            return _accumulated(recording, event, index)
        case events.ZeroGrad() | events.SetGrad():
            name = title(recording, event.node)
            effect = f"was {gradient(event.before)}"
            return Narration(f"{name}.grad ← {number(event.after)}", effect=effect)
        case events.Update():
            return _updated(recording, event, index)


def local_derivative(recording: Recording, out: int, slot: int, position: int) -> LocalDerivative:
    """Explain ∂out/∂operand with the values of a position at which `out` is made."""
    node, history = recording.node(out), recording.history
    value = history.local(out, slot, position)
    operands = dict(zip(node.op.operands, node.operands, strict=True)) | {"out": out}
    values = {name: history.value(operand, position) or 0.0 for name, operand in operands.items()}
    constants = {
        name: values[name] for name, operand in operands.items() if recording.node(operand).constant
    }
    titles = operand_titles(recording, node)
    formula, because = node.op.partials[slot].branch(values, titles)
    formula = formula.given(constants)
    # A condition on a constant alone (`2 ≠ 0`) teaches nothing; one that chose a number does.
    because = because if formula.constant is not None else ""
    return LocalDerivative(formula.written(titles), value, because)


def derivative(over: str, under: str) -> str:
    """∂over/∂under, with brackets around an unnamed expression."""
    return f"∂{atom(over)}/∂{atom(under)}"


def _computed(recording: Recording, event: events.Op, index: int) -> Narration:
    node = recording.node(event.node)
    written = event.op.written(operand_titles(recording, node))
    values = (recording.history.value(operand, index + 1) or 0.0 for operand in event.operands)
    with_numbers = event.op.written(dict(zip(event.op.operands, map(number, values), strict=True)))
    name = title(recording, event.node) if node.name else ""
    scope = f"{node.place.scope}: " if node.place.scope else ""
    symbols = f"{name} = {written}" if name else f"{scope}{written}"
    # −h = −1.5 says it once.
    steps = dict.fromkeys((with_numbers, number(event.value)))
    return Narration(symbols, f"= {' = '.join(steps)}")


def _accumulated(recording: Recording, event: events.Accumulate, index: int) -> Narration:
    block = recording.blocks[recording.history.block_at(index)]
    assert isinstance(block, Backward), "contributions are made in backward passes"
    root, out, name = (short_title(recording, node) for node in (block.root, event.out, event.node))
    full = title(recording, event.node)
    edge = index - block.start - 1
    siblings = block.sweep.incoming[block.sweep.receivers[edge]]
    local = local_derivative(recording, event.out, event.slot, block.start)
    return Narration(
        f"{derivative(root, full)} += {derivative(root, out)} · {derivative(out, name)}",
        f"= {number(event.upstream)} · {local} = {number(event.contribution)}",
        f"{atom(full)}.grad {gradient(event.before)} → {number(event.after)}, "
        f"edge {siblings.index(edge) + 1} of {len(siblings)}",
    )


def _updated(recording: Recording, event: events.Update, index: int) -> Narration:
    name = title(recording, event.node)
    if event.rule is None:
        return Narration(f"{name} ← {number(event.after)}", effect=f"was {number(event.before)}")
    grad = recording.history.grad(event.node, index) or 0.0
    rate = number(event.rule.learning_rate)
    return Narration(
        f"{name} ← {name} − lr·{name}.grad",
        f"= {number(event.before)} − {rate}·{factor(grad)} = {number(event.after)}",
    )
