"""PyTorch's gradients, which were compared with those of the recording while the program ran."""

from __future__ import annotations

from collections.abc import Iterator

from stepgrad.diagnosis.survey import Survey
from stepgrad.diagnosis.verdict import Verdict
from stepgrad.engine.ops import LEAF
from stepgrad.recording.blocks import Backward, Forward
from stepgrad.recording.foreign.remark import (
    AGREES,
    BACKWARD,
    CROSSED,
    DIFFERS,
    DROPS,
    ESTIMATED,
    EVALUATED,
    FROZEN,
    HOOKED,
    IDLE,
    LEFT,
    LOSS,
    MASKED,
    PART,
    ROUNDED,
    STILL,
    SWITCHED,
    TUNED,
    UNUSED,
    Remark,
)
from stepgrad.recording.recording import Recording
from stepgrad.replay.telling.titles import title

NAME = "pytorch"

_ADVICE = {
    BACKWARD: "Correct `backward`, unless it differs on purpose, as a gradient reversal does.",
    ESTIMATED: "",
    DIFFERS: "Look for what changes between the forward and the backward pass: a write through a "
    "NumPy array, for example.",
    HOOKED: "",
    MASKED: "Keep the argument where the derivative is finite, also where the result is not used: "
    "`torch.where(ok, x, 1)` before the operation, not only after it.",
    IDLE: "Make the optimizer from the parameters of the model that is trained, and make it again "
    "where the model is.",
    UNUSED: "Clear the gradients after the step or before the backward pass, not in between.",
    STILL: "Call optimizer.step() after backward().",
    LEFT: "",
    FROZEN: "",
    EVALUATED: "Call `eval()` before the evaluation, and `train()` before training goes on.",
    DROPS: "Give it `training=self.training`, or use `nn.Dropout`: `F.dropout` drops unless it is "
    "told not to.",
    SWITCHED: "Call `train()` after each evaluation, before training goes on.",
    TUNED: "",
    LOSS: "`cross_entropy` and `binary_cross_entropy_with_logits` take logits; `nll_loss` takes "
    "the `log_softmax` of logits over the classes.",
    CROSSED: "Give both the same shape: write `.squeeze(1)` after the column, or `.unsqueeze(1)` "
    "after the row.",
}

_WRONG = BACKWARD, DIFFERS
_NOTES = ESTIMATED, HOOKED, LEFT, FROZEN, TUNED


def pytorch(survey: Survey) -> Iterator[Verdict]:
    """PyTorch's gradients are not those of the recording; or they are, which is a note."""
    recording = survey.recording
    for remark in recording.remarks:
        if remark.kind in _ADVICE:
            node = remark.node
            at = (
                ""
                if node is None or remark.kind in (LEFT, IDLE)
                else f"at {title(recording, node)}, "
            )
            yield Verdict(
                NAME,
                at + remark.text,
                _ADVICE[remark.kind],
                (_position(recording, remark),),
                () if node is None else (node,),
                places=(remark.place,) if remark.place.line else (),
                note=remark.kind in _NOTES,
                unless=("unreached",) if remark.kind == IDLE else (),
                wrong=remark.kind in _WRONG,
            )
    for text in filter(None, [agreement(recording), *given(recording)]):
        yield Verdict(NAME, text, "", (recording.length,), note=True)


def agreement(recording: Recording) -> str:
    """Say how far PyTorch's gradients agree; empty if they do not, or if there are none."""
    found = next((each.text for each in recording.remarks if each.kind == AGREES), "")
    types = [each.text for each in recording.remarks if each.kind == ROUNDED]
    return f"{found} ({', '.join(types)})" if found and types else found


def given(recording: Recording) -> Iterator[str]:
    """Say what is taken as given, where only a part of the program is recorded."""
    return (each.text for each in recording.remarks if each.kind == PART)


def _position(recording: Recording, remark: Remark) -> int:
    """Return where to see it: where the loss is made, the gradient arrives, or the line begins."""
    node, line = remark.node, (remark.place.file, remark.place.line)
    if node is None:
        return next(_of_line(recording, line), recording.length)
    for block in recording.blocks if remark.kind != LOSS else ():
        if isinstance(block, Backward) and (column := block.column(node)) is not None:
            edges = block.sweep.incoming[column]
            return block.arrival(edges[-1]) if edges else block.start + 1
    return recording.history.made_at(node)


def _of_line(recording: Recording, line: tuple[str | None, int | None]) -> Iterator[int]:
    """Yield the positions just after something was computed on a line; leaves only come in."""
    for block in recording.blocks:
        if isinstance(block, Forward):
            for begin, place in block.context.places:
                if place.line and (place.file, place.line) == line:
                    end = block.context.stay(begin)[1] or len(block.structure)
                    made = (n for n in range(begin, end) if block.structure.op(n) is not LEAF)
                    yield from (block.made_at(block.base + each) for each in made)
