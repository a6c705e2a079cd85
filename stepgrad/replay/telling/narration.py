"""What an event did, in one line of mathematics.

The screen, the plain output and the exports share this text; `sentences` has it in words.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import isfinite
from operator import mul
from typing import NamedTuple

from stepgrad.engine.formula import Formula
from stepgrad.engine.notation import atom
from stepgrad.engine.optim import METHODS
from stepgrad.engine.tape import Rule
from stepgrad.numbers import corrected, gradient_inline, number, worked
from stepgrad.printable import printable
from stepgrad.recording import events
from stepgrad.recording.blocks import Backward
from stepgrad.recording.foreign.remark import NEAR
from stepgrad.recording.recording import Node, Recording
from stepgrad.replay.state import State
from stepgrad.replay.telling.derivatives import (
    derivative,
    differential,
    local_derivative,
    tangent_terms,
)
from stepgrad.replay.telling.titles import (
    gradient_title,
    line_of,
    made_by,
    operand_titles,
    short_title,
    title,
)


class Narration(NamedTuple):
    """An event in notation.

    `symbols` is the rule (`dL/dh += dL/dy · ∂y/∂h`), `steps` are the same with numbers put in, the
    result last (`−4 · w2`, `−4 · 2`, `−8`), and `effects` are what changed in the node
    (`h.grad – → −8`, `contribution 1 of 1`), or the line of the program that made it. Steps and
    effects may be empty.
    """

    symbols: str
    steps: Sequence[str] = ()
    effects: Sequence[str] = ()

    @property
    def numbers(self) -> str:
        """All steps on one line: `= −4 · w2 = −4 · 2 = −8`."""
        return "".join(f"= {step} " for step in self.steps).rstrip()

    @property
    def effect(self) -> str:
        """All effects on one line: `h.grad – → −8, contribution 1 of 1`."""
        return ", ".join(self.effects)

    def __str__(self) -> str:
        effect = f"   [{self.effect}]" if self.effect else ""
        return printable(" ".join(filter(None, (self.symbols, self.numbers))) + effect)


def narrate(recording: Recording, index: int) -> Narration:
    """Narrate an event, given by its index in `recording.events`."""
    event = recording.events[index]
    match event:
        case events.Mark():
            which = "" if event.number is None else f" {event.number}"
            return Narration(f"{event.kind}{which} begins")
        case events.Leaf():
            symbols = f"{title(recording, event.node)} = {number(event.value)}"
            if event.tangent is not None:
                name = short_title(recording, event.node)
                symbols += f", {differential(name)} = {number(event.tangent)}"
            line = program_line(recording, recording.node(event.node))
            return Narration(symbols, effects=_texts(line))
        case events.Op(tangent=None):
            return computed(recording, event, index)
        case events.Op():
            return _differentiated(recording, event, index)
        case events.Seed():
            return _seeded(recording, event, index)
        case events.Accumulate():
            return _accumulated(recording, event, index)
        case events.Update(rule=Rule() as rule) | events.SetGrad(rule=Rule() as rule):
            return _by_rule(recording, event, rule, index)
        case events.ZeroGrad() | events.SetGrad():
            name = gradient_title(recording, event.node)
            effects = _instead_of(gradient_inline(event.before), recording, index)
            return Narration(f"{name} ← {number(event.after)}", effects=effects)
        case events.Update():
            name = title(recording, event.node)
            effects = _instead_of(number(event.before), recording, index)
            return Narration(f"{name} ← {number(event.after)}", effects=effects)


def _seeded(recording: Recording, event: events.Seed, index: int) -> Narration:
    root = short_title(recording, event.node)
    seeded = number(event.after) if event.by_hand else "1"
    effects = (
        f"{atom(root)}.grad {gradient_inline(event.before)} → {number(event.after)}",
        "" if event.seeded else "nothing has seeded it",
        _rounded(recording, event.node, index),
        written_at(recording, index),
    )
    return Narration(f"{derivative(root, root)} = {seeded}", effects=_texts(*effects))


def _rounded(recording: Recording, root: int, index: int) -> str:
    """Say how near PyTorch's rounded gradients are in the pass that begins with an event."""
    passes = [
        block.start
        for block in recording.blocks
        if isinstance(block, Backward) and block.root == root
    ]
    texts = [each.text for each in recording.remarks if each.kind == NEAR and each.node == root]
    return dict(zip(passes, texts, strict=False)).get(index, "")


def computed(recording: Recording, event: events.Op, index: int) -> Narration:
    """Narrate a value, without its tangent in forward mode."""
    node = recording.node(event.node)
    written = event.op.written(operand_titles(recording, node))
    values = [recording.history.value(operand, index + 1) or 0.0 for operand in event.operands]
    shown = worked(event.op.value, values) if event.op.known else [*map(number, values)]
    with_numbers = event.op.written(dict(zip(event.op.operands, shown, strict=True)))
    name = title(recording, event.node) if node.name else ""
    scope = f"{node.place.scope}: " if node.place.scope else ""
    symbols = f"{name} = {written}" if name else f"{scope}{written}"
    return Narration(
        symbols, _steps(with_numbers, number(event.value)), _texts(program_line(recording, node))
    )


def _steps(*steps: str) -> Sequence[str]:
    """Leave out repeated steps: `−h = −1.5`."""
    return tuple(dict.fromkeys(steps))


def _texts(*texts: str) -> Sequence[str]:
    """Leave out those that are empty."""
    return tuple(filter(None, texts))


def _differentiated(recording: Recording, event: events.Op, index: int) -> Narration:
    """Narrate a tangent; the effects are the value that was computed along with it, and where."""
    name = short_title(recording, event.node)
    terms = [*tangent_terms(recording, event.node, index + 1)]
    symbols, steps = " + ".join(term.symbols for term in terms) or "0", _steps()
    if terms:
        first, *others = (term.numbers for term in terms)
        bracketed = (f"({each})" if each.startswith("−") else each for each in others)
        steps = _steps(
            " + ".join(term.formula for term in terms),
            " + ".join([first, *bracketed]),
            number(event.tangent or 0.0),
        )
    told = computed(recording, event, index)
    effects = (f"{told.symbols} {told.numbers}", *told.effects)
    return Narration(f"{differential(name)} = {symbols}", steps, effects)


def _instead_of(before: str, recording: Recording, index: int) -> Sequence[str]:
    """What a write by hand replaced, and the line of the program that made it."""
    return _texts(f"was {before}", written_at(recording, index))


def written_at(recording: Recording, index: int) -> str:
    """The line of a program that wrote something itself."""
    place = State(recording, index + 1).place
    return line_of(recording, place) if place else ""


def program_line(recording: Recording, node: Node) -> str:
    """The line of a program that made a node; a scenario's own names say as much."""
    return made_by(recording, node) if node.place.file else ""


def _accumulated(recording: Recording, event: events.Accumulate, index: int) -> Narration:
    block = recording.blocks[recording.history.block_at(index)]
    assert isinstance(block, Backward), "contributions are made in backward passes"
    root, out = (short_title(recording, node) for node in (block.root, event.out))
    full = title(recording, event.node)
    edge = index - block.start - 1
    into_it = block.sweep.incoming[block.sweep.receivers[edge]]
    world = recording.world
    overwrites = event.total is not None
    adds = "=" if overwrites or (world and world.overwrites) else "+="
    passed = corrected(event.contribution, event.right)
    left = corrected(event.after, event.total)
    local = local_derivative(recording, event.out, event.slot, block.start)
    upstream, rate = worked(mul, (event.upstream, local.value))
    steps = [f"{upstream} · {local.factor}", f"{upstream} · {local.in_numbers(rate)}"]
    if local.shut and not isfinite(event.upstream):  # no product: inf · 0 is nan
        steps = [local.factor]
    return Narration(
        f"{derivative(root, full)} {adds} {derivative(root, out)} · {local.name}",
        _steps(*steps, number(event.after) if overwrites else passed),
        _texts(
            f"{atom(full)}.grad {gradient_inline(event.before)} → {left}",
            f"contribution {bisect_left(into_it, edge) + 1} of {len(into_it)}",
            "the gate is shut: nothing passes" if local.shut else "",
            written_at(recording, index),
        ),
    )


def _by_rule(
    recording: Recording, event: events.Update | events.SetGrad, rule: Rule, index: int
) -> Narration:
    """Narrate what an optimizer wrote; the effects are the state it keeps for the parameter."""
    name = title(recording, event.node)
    symbols = {**_SYMBOLS, "data": name, "grad": f"{name}.grad"}
    *remembered, (target, formula, numbers) = worked_out(recording, event, rule, index)
    shown = worked(formula.function(*numbers), [*numbers.values()])
    effects = [
        f"{symbols[kept]} = {_written(told, known, (number(x, 4) for x in known.values()))}"
        for kept, told, known in remembered
        if kept in METHODS[rule.method].state
    ]
    return Narration(
        f"{symbols[target]} ← {formula.written(symbols)}",
        (_written(formula, numbers, shown), number(event.after)),
        effects,
    )


def rule_written(rule: Rule, name: str) -> tuple[str, Mapping[str, str]]:
    """Return the formulas of an optimizer for a parameter, and the symbols for its numbers.

    `w ← w − lr·w.grad`, with `lr` for `learning_rate` and so on.
    """
    symbols = {**_SYMBOLS, "data": name, "grad": f"{name}.grad"}
    symbols = {each: symbols.get(each, each) for each in (*symbols, *rule.numbers)}
    formulas = METHODS[rule.method].formulas.items()
    written = (
        f"{symbols.get(each, each)} ← {formula.written(symbols)}" for each, formula in formulas
    )
    return ", then ".join(written), symbols


_SYMBOLS = {
    "learning_rate": "lr",
    "momentum": "μ",
    "velocity": "v",
    "mean_hat": "m_hat",
    "square_hat": "v_hat",
    "mean": "m",
    "square": "v",
    "epsilon": "ε",
    "weight_decay": "λ",
}


def worked_out(
    recording: Recording, event: events.Update | events.SetGrad, rule: Rule, index: int
) -> Iterator[tuple[str, Formula, dict[str, float]]]:
    """Yield the formulas of a rule: what each computes, the formula, and the numbers it uses."""
    numbers = {
        **rule.numbers,
        "data": recording.history.value(event.node, index) or 0.0,
        "grad": recording.history.grad(event.node, index) or 0.0,
    }
    for name, formula in METHODS[rule.method].formulas.items():
        yield name, formula, dict(numbers)
        numbers[name] = formula.function(*numbers)(**numbers)


def _written(formula: Formula, numbers: Mapping[str, float], shown: Iterable[str]) -> str:
    betas = {name: beta for name, beta in numbers.items() if name.startswith("beta")}
    texts = dict(zip(numbers, shown, strict=True))
    return formula.given(betas).written(texts)  # 1 − 0.9 is 0.1
