"""Which lines replace a gradient, and which gradients are lost to them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagnosing import recorded
from stepgrad.diagnosis.bookkeeping.assignments import replacing
from stepgrad.diagnosis.bookkeeping.replaced import replaced
from stepgrad.diagnosis.survey import survey
from stepgrad.recording.source import Source
from stepgrad.replay.state import State

REPLACING = (
    "w.grad = up * x",
    "w.grad = h.grad * 3",
    "w.grad, b.grad = up, 1.0",
    "b.grad = w.grad = 1.0",
    "for out in outs: w.grad = out.grad * 2",
    "self.w.grad = 2 * self.w.data",
    "up = 2 * y.data\nw.grad = up",
    "def push(up): w.grad = up\npush(2 * w.data)",
)

READING = (
    "w.grad += up * x",
    "w.grad = w.grad + up",
    "w.grad = max(-1, min(1, w.grad))",
    "old = w.grad\nw.grad = old / 2",
    "old = [p.grad for p in ps]\nfor p, g in zip(ps, old):\n    p.grad = g / 2",
    "total[0] += w.grad\nw.grad = total[0]",
    "def mean(p): return p.grad / 2\nw.grad = mean(w)",
    "def scale(p, g): p.grad = g * 2\nscale(w, w.grad)",
    "if (g := w.grad) > 1: w.grad = g / 2",
    "w.grad = 1.0; b.grad += 1.0",
    "w.data = 2.0",
    "w.grad = (",
)


@pytest.mark.parametrize("text", REPLACING)
def test_a_line_replaces(text: str) -> None:
    last = len(text.splitlines()) if not text.startswith("def") else 1
    assert replacing(Source("train.py", text)) == {last}


@pytest.mark.parametrize("text", READING)
def test_a_line_may_read(text: str) -> None:
    assert replacing(Source("train.py", text)) == set()


LINES = {
    "set": "w.grad = 2.0",
    "add": "w.grad += 3.0",
    "clear": "w.grad = 0.0",
    "step": "w.data -= 0.125 * w.grad",
    "use": "y = w * 2.0",
    "use twice": "y = w * w",
    "pass": "(w * 4.0).backward()",
}


def lost(deeds: Sequence[str], learns: bool) -> Sequence[int]:
    """The deeds that replace a gradient which nothing has used, by definition."""
    found: list[int] = []
    written = made = False  # by hand, since it was used; a node was made since then
    used, pending = 0, None
    for number, deed in enumerate(deeds):
        if deed == "set" and written and (used > 1 or (not used and learns)):
            if not made:
                found.append(number)
            elif learns and pending is None:
                pending = number
        match deed:
            case "set" | "add":
                written, made = True, False
            case "clear":
                written, pending = False, None
            case "step":
                found += [] if pending is None else [pending]
                written, used, pending = False, 0, None
            case _:
                used += 2 if deed == "use twice" else 1
                made = True
                written = written and learns and deed != "pass"
    return sorted(found)


@given(st.lists(st.sampled_from([*LINES, "set", "add", "use"]), min_size=2, max_size=14))
def test_lost_gradients_are_those_of_the_definition(deeds: list[str]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "train.py")
        head = 'from stepgrad import Value\nw = Value(0.5, label="w")\n'
        path.write_text(head + "\n".join(LINES[deed] for deed in deeds) + "\n")
        recording = recorded(path)
    brief = survey(recording)
    found = [State(recording, each.event).place for each in replaced(brief)]
    lines = sorted(place.line - 3 for place in found if place and place.line)
    assert lines == lost(deeds, 0 in brief.parameters)
