"""What an event did, in a sentence for a screen reader: no notation, no symbols."""

from __future__ import annotations

from stepgrad.engine.tape import Rule
from stepgrad.numbers import number
from stepgrad.printable import printable
from stepgrad.recording import events
from stepgrad.recording.blocks import Backward
from stepgrad.recording.recording import Recording
from stepgrad.replay.telling.derivatives import local_derivative, spoken_derivative, tangent_terms
from stepgrad.replay.telling.narration import computed, program_line, worked_out, written_at
from stepgrad.replay.telling.spoken import spoken
from stepgrad.replay.telling.titles import short_title, title


def say(recording: Recording, index: int) -> str:
    """Return a sentence that says what an event did, without symbols."""
    event = recording.events[index]
    phase = "" if isinstance(event, events.Mark) else f", {event.phase}"
    sentence = printable(_sentence(recording, event, index))
    return f"Event {index + 1} of {recording.length}{phase}: {sentence}."


def _sentence(recording: Recording, event: events.Event, index: int) -> str:
    if isinstance(event, events.Mark):
        which = "" if event.number is None else f" {event.number}"
        return f"{event.kind}{which} begins"
    name = spoken(title(recording, event.node))
    line = _said_line(written_at(recording, index))
    match event:
        case events.Leaf():
            tangent = "" if event.tangent is None else f", with the tangent {_said(event.tangent)}"
            made = _said_line(program_line(recording, recording.node(event.node)))
            return f"{name} is {_said(event.value)}{tangent}{made}"
        case events.Op():
            return _said_computation(recording, event, index)
        case events.Seed():
            root = spoken_derivative(short_title(recording, event.node), "itself")
            unseeded = "" if event.seeded else "; nothing has seeded it"
            return f"the pass begins: {root} is {_said(event.after)}{unseeded}{line}"
        case events.Accumulate():
            return f"{_said_contribution(recording, event, index)}{line}"
        case events.ZeroGrad():
            return f"the gradient of {name} is cleared; {_said_before(event.before)}{line}"
        case events.Update(rule=Rule() as rule) | events.SetGrad(rule=Rule() as rule):
            return _said_by_rule(recording, event, rule, index)
        case events.SetGrad():
            after = _said(event.after)
            return f"the gradient of {name} is set to {after}; {_said_before(event.before)}{line}"
        case events.Update():
            return f"{name} is set to {_said(event.after)}; {_said_before(event.before)}{line}"
    raise TypeError(f"no sentence for {event!r}")


def _said_computation(recording: Recording, event: events.Op, index: int) -> str:
    """Say what was computed, and from what: `h is relu of z1: relu of 1.5 is 1.5`."""
    told = computed(recording, event, index)
    name, _, formula = told.symbols.rpartition(" = ")
    steps = " is ".join(map(spoken, told.steps))
    line = _said_line(program_line(recording, recording.node(event.node)))
    said = f"{f'{spoken(name)} is ' if name else ''}{spoken(formula)}: {steps}{line}"
    if event.tangent is None:
        return said
    terms = ", plus ".join(
        f"{_said(term.tangent)}, the tangent of {spoken(term.operand)}, times {term.local.said}"
        for term in tangent_terms(recording, event.node, index + 1)
    )
    return f"{said}; its tangent is {_said(event.tangent)}{f': {terms}' if terms else ''}"


def _said_line(line: str) -> str:
    """Say which line of a program did it: `, in line 12 of train.py` for `train.py:12`."""
    file, _, number = line.rpartition(":")
    if not file:  # a cell of a notebook
        return f", in {line}" if line else ""
    return f", in line {number} of {file}"


def _said_contribution(recording: Recording, event: events.Accumulate, index: int) -> str:
    """Say what a gradient received, and its two factors."""
    block = recording.blocks[recording.history.block_at(index)]
    assert isinstance(block, Backward), "contributions are made in backward passes"
    local = local_derivative(recording, event.out, event.slot, block.start)
    name = spoken(title(recording, event.node))
    root, out = (short_title(recording, node) for node in (block.root, event.out))
    shut = "; the gate is shut: nothing passes" if local.shut else ""
    product = f"{_said(event.upstream)}, {spoken_derivative(root, out)}, times {local.said}{shut}"
    after, received = _said(event.after), _said(event.contribution)
    if event.total is not None:
        return (
            f"the gradient of {name} is overwritten with {after}, which is wrong: {product}; "
            f"{_said_before(event.before)}, and the sum is {_said(event.total)}"
        )
    if event.right is not None:
        right = _said(event.right)
        return (
            f"the gradient of {name} receives {received}, which is wrong, and is now {after}; "
            f"{right} is right: {product}"
        )
    return f"the gradient of {name} receives {received} and is now {after}: {product}"


def _said_by_rule(
    recording: Recording, event: events.Update | events.SetGrad, rule: Rule, index: int
) -> str:
    name = spoken(title(recording, event.node))
    subject = name if isinstance(event, events.Update) else f"the gradient of {name}"
    *_, (_, _, numbers) = worked_out(recording, event, rule, index)
    how = _SAID[rule.method].format_map({key: _said(x) for key, x in numbers.items()})
    before = "nothing" if event.before is None else _said(event.before)
    return f"{subject} changes from {before} to {_said(event.after)}: {how}"


_ADAM = (
    "minus the learning rate {learning_rate} times the mean gradient {mean_hat}, "
    "divided by the root of the mean square {square_hat}; the gradient is {grad}"
)
_MOMENTUM = (
    "minus the learning rate {learning_rate} times the velocity {velocity}, "
    "to which the gradient {grad} was added"
)
_SGD = "minus the learning rate {learning_rate} times the gradient {grad}"
_DECAYED = "; to the gradient, the weight decay {weight_decay} times the value is added"

_SAID = {
    "sgd": _SGD,
    "momentum": _MOMENTUM,
    "adam": _ADAM,
    "sgd_decay": _SGD + _DECAYED,
    "momentum_decay": _MOMENTUM + _DECAYED,
    "adam_decay": _ADAM + _DECAYED,
    "adamw": (
        "times 1 minus the learning rate {learning_rate} times the weight decay {weight_decay}; "
        + _ADAM
    ),
    "clip_norm": "all gradients together have the norm {norm}, and {max_norm} is the limit",
}


def _said(x: float) -> str:
    return spoken(number(x))


def _said_before(before: float | None) -> str:
    return "there was none before" if before is None else f"it was {_said(before)} before"
