"""The GPT of the scenarios: its numbers against PyTorch, its slopes against differences."""

import importlib.util
from random import Random
from typing import Any

import pytest

from processes import python, run
from scenario.runs import ROOT
from stepgrad import Adam, State, Value, record

SCRIPT = ROOT / "scenarios" / "tiny_gpt.py"


@pytest.fixture(scope="module")
def tiny_gpt() -> Any:
    spec = importlib.util.spec_from_file_location("tiny_gpt", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def small(tiny_gpt: Any) -> Any:
    gpt = tiny_gpt.GPT(Random(3), width=4, heads=2, context=4)
    for parameter in gpt.parameters():
        parameter.data *= 5  # far enough from 0 that every part matters
    return gpt


def test_slopes_are_those_of_differences(tiny_gpt: Any) -> None:
    gpt, word, h = small(tiny_gpt), "ad", 1e-6
    gpt.loss(word).backward()
    read = {tiny_gpt.TOKENS.index(letter) for letter in f".{word}"}
    unread = [weight for i, row in enumerate(gpt.token) if i not in read for weight in row]

    def measured(parameters: list[Value]) -> float:
        ends = []
        for nudge in (h, -2 * h):
            for parameter in parameters:
                parameter.data += nudge
            ends.append(gpt.loss(word).data)
        for parameter in parameters:
            parameter.data += h
        return float(ends[0] - ends[1]) / (2 * h)

    assert [weight.grad for weight in unread] == [0.0] * len(unread)
    assert measured(unread) == 0  # all at once: the loss depends on none of them
    others = [each for each in gpt.parameters() if not any(each is one for one in unread)]
    slopes = [parameter.grad for parameter in others]
    assert max(map(abs, slopes)) > 0.1
    assert slopes == pytest.approx([measured([each]) for each in others], abs=1e-7)


def test_pytorch_computes_the_same(tiny_gpt: Any) -> None:
    torch = pytest.importorskip("torch")
    gpt = small(tiny_gpt)
    loss = gpt.loss("abba")
    loss.backward()
    names = ["token", "position", "unembed", "widen", "narrow", "query", "key", "value", "mix"]
    weights = {
        name: torch.tensor(
            [[weight.data for weight in row] for row in getattr(gpt, name)],
            dtype=torch.float64,
            requires_grad=True,
        )
        for name in names
    }

    def normal(x: Any) -> Any:
        return torch.nn.functional.rms_norm(x, (4,), eps=1e-5)

    tokens = torch.tensor([tiny_gpt.TOKENS.index(letter) for letter in ".abba"])
    x = weights["token"][tokens[:-1]] + weights["position"]
    q, k, v = (
        (normal(x) @ weights[name].T).view(4, 2, 2).transpose(0, 1)
        for name in ("query", "key", "value")
    )
    found = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
    x = x + found.transpose(0, 1).reshape(4, 4) @ weights["mix"].T
    x = x + (normal(x) @ weights["widen"].T).relu() @ weights["narrow"].T
    theirs = torch.nn.functional.cross_entropy(normal(x) @ weights["unembed"].T, tokens[1:])
    theirs.backward()
    assert loss.data == pytest.approx(theirs.item(), rel=1e-12)
    slopes = [slope for name in names for slope in weights[name].grad.flatten().tolist()]
    assert [parameter.grad for parameter in gpt.parameters()] == pytest.approx(slopes, abs=1e-12)


def test_it_learns(tiny_gpt: Any) -> None:
    gpt = small(tiny_gpt)
    adam = Adam(gpt.parameters(), 0.05)
    losses = []
    for _ in range(40):
        loss = gpt.loss("ada")
        adam.zero_grad()
        loss.backward()
        adam.step()
        losses.append(loss.data)
    assert losses[0] > 3
    assert losses[-1] < 0.2
    assert gpt.sample(Random(1)) == "ada"


def test_a_replay_knows_where_every_number_is_made(tiny_gpt: Any) -> None:
    with record() as recording:
        tiny_gpt.train(small(tiny_gpt), ["al", "bo"], 0.01)
    assert len(recording.steps) == 2
    names = recording.names(recording.length)
    wanted = ["token/w1_1", "pos1/attention/k4", "pos2/logit_a", "pos0/attention/head1/softmax/p1"]
    assert names.keys() >= {"surprise1", "loss", *wanted}
    scopes = {recording.node(node).place.scope for node in range(recording.size)}
    assert scopes >= {"pos0/attention/head1", "pos2/mlp", "pos1/softmax"}
    last = State(recording, recording.length).value(names["loss"])
    assert last is not None
    assert 0 < last < 10


def test_the_script_trains_the_same_each_time() -> None:
    command = python(SCRIPT, "--steps", "2", "--samples", "1")
    first, second = (run(command).stdout for _ in range(2))
    assert first == second
    lines = first.splitlines()
    assert [line.split()[:2] for line in lines[:2]] == [["step", "0"], ["step", "1"]]
    assert [line.split()[3] for line in lines[:2]] == ["loss", "loss"]
    assert float(lines[0].split()[4]) == pytest.approx(3.296, abs=0.15)  # log 27
    assert len(lines) == 3
