"""Local derivatives that a program stores itself: compared at first, then now and then."""

from __future__ import annotations

import math
import sys
from types import FrameType

import pytest

import stepgrad
from hearing import hear
from stepgrad.foreign import watching
from stepgrad.foreign.calls import Looking
from stepgrad.foreign.numeric import Forward
from stepgrad.recording.record import active_recorder, record

ENGINE = """
import math
class V:
    def __init__(self, data, children=(), local_grads=()):
        self.data, self.grad = data, 0.0
        self.children, self.local_grads = children, local_grads
    def __mul__(self, other):
        return V(self.data * other.data, (self, other), (other.data, self.data))
def soft(v):
    return V(math.log(1 + math.exp(v.data)), (v,), (SLOPE,))
"""
TANH = """
def tanh(v):
    return V(math.tanh(min(v.data, 1.0)), (v,), (0.5,))
"""
SIGMOID = "1 / (1 + math.exp(-v.data))"


class Counted:
    def __init__(self, monkeypatch: pytest.MonkeyPatch, owner: type, name: str) -> None:
        self.times = 0
        inner = getattr(owner, name)

        def counted(*arguments: object) -> object:
            self.times += 1
            return inner(*arguments)

        monkeypatch.setattr(owner, name, counted)


def test_right_ones_are_compared_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = Counted(monkeypatch, Forward, "derivatives")
    looked = Counted(monkeypatch, Looking, "made_by")
    loop = "for i in range(640):\n    soft(V(i / 320 - 1))"
    heard, _ = hear(ENGINE.replace("SLOPE", SIGMOID) + loop)
    softs = [node for node in heard.nodes if node._operation.name == "soft"]
    assert len(softs) == 640
    for node in softs:
        (x,) = node._operands
        assert node._locals == pytest.approx([1 / (1 + math.exp(-x._data))])
    assert {node._operation for node in softs} == {softs[0]._operation}
    assert 32 < compared.times < 64
    assert looked.times < 70


@pytest.mark.parametrize("wrong", ["0.5", f"{SIGMOID} + (0.5 if v.data > 0.3 else 0)"])
def test_wrong_ones_are_never_believed_again(wrong: str) -> None:
    loop = "for i in range(640):\n    soft(V(i / 640))"
    heard, _ = hear(ENGINE.replace("SLOPE", wrong) + loop)
    for node in heard.nodes[-300:]:
        if node._operation.name == "soft":
            (x,) = node._operands
            assert node._locals == pytest.approx([1 / (1 + math.exp(-x._data))])


def test_what_is_in_the_op_table_needs_no_look_at_its_calls(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked = Counted(monkeypatch, Looking, "made_by")
    heard, _ = hear(ENGINE + TANH + "for i in range(100):\n    tanh(V(i / 100))")
    assert [node._operation.name for node in heard.nodes[1::2]] == ["tanh"] * 100
    assert looked.times < 5


def test_a_number_that_the_table_does_not_give_is_looked_at() -> None:
    heard, _ = hear(ENGINE + TANH + "for i in range(20):\n    tanh(V(i / 10))")
    computed = [node for node in heard.nodes if node._operands]
    assert [getattr(node._operation, "stored", False) for node in computed] == [
        node._operands[0]._data > 1.0 for node in computed
    ]
    assert [*computed[-1]._locals] == [0.0]


def test_what_is_never_known_is_not_looked_at_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = Counted(monkeypatch, Forward, "derivatives")
    both = "def both(v):\n    V(-1.0)\n    return V(v.data ** 3, (v,), (3 * v.data ** 2,))\n"
    heard, _ = hear(ENGINE + both + "for i in range(100):\n    both(V(i / 10))")
    assert all(math.isnan(*node._locals) for node in heard.nodes if node._operands)
    assert compared.times == 32


def test_an_object_of_a_known_operation_costs_few_calls() -> None:
    ours, calls = stepgrad.__path__[0], 0

    def profile(frame: FrameType, event: str, _: object) -> None:
        nonlocal calls
        calls += event == "call" and frame.f_code.co_filename.startswith(ours)

    names: dict[str, object] = {}
    with record(lines=True), watching(active_recorder()):
        exec(ENGINE.replace("SLOPE", "1.0") + "a, b = V(2.0), V(3.0)", names)
        loop = compile("for _ in range(100): a * b", "<loop>", "exec")
        exec(loop, names)  # the first few are looked at more closely
        sys.setprofile(profile)
        try:
            exec(loop, names)
        finally:
            sys.setprofile(None)
    assert 0 < calls < 1600  # four of them see an attribute written
