"""Sentences for a screen reader: one of every kind of event, and no sign that is read badly."""

import pytest

from replay_runs import training, two_layer
from stepgrad import Recording, Value, mark, record
from stepgrad.replay.commands.table import BY_KEY
from stepgrad.replay.telling.sentences import say
from stepgrad.replay.telling.spoken import read_out, spoken, spoken_key


def by_hand() -> Recording:
    with record() as recording:
        p = Value(1.0, label="p")
        p.grad = -2
        p.data -= 0.5 * p.grad
        p.grad = 0
        mark("evaluation")
    return recording


RUNS = {"two layers": two_layer, "training": lambda: training(1), "by hand": by_hand}

SENTENCES = [
    ("two layers", 0, "Event 1 of 26, forward: x is 3."),
    ("two layers", 7, "Event 8 of 26, forward: z1 is w1 times x plus b1: 1.5 plus 0 is 1.5."),
    (
        "two layers",
        13,
        "Event 14 of 26, backward: the pass begins: "
        "the derivative of L with respect to itself is 1.",
    ),
    (
        "two layers",
        20,
        "Event 21 of 26, backward: the gradient of h receives minus 8 and is now minus 8: "
        "minus 4, the derivative of L with respect to open bracket w2 times h close bracket, "
        "times 2, the local derivative of open bracket w2 times h close bracket with respect to "
        "h, which is w2.",
    ),
    (
        "two layers",
        21,
        "Event 22 of 26, backward: the gradient of z1 receives minus 8 and is now minus 8: "
        "minus 8, the derivative of L with respect to h, "
        "times 1, the local derivative of h with respect to z1, because z1 is greater than 0.",
    ),
    ("training", 2, "Event 3 of 19: step 1 begins."),
    (
        "training",
        -4,
        "Event 16 of 19, update: neuron w changes from 0.5 to 0.54005: "
        "minus the learning rate 0.1 times the gradient minus 0.400497.",
    ),
    (
        "training",
        -2,
        "Event 18 of 19, zero: the gradient of neuron w is cleared; it was minus 0.400497 before.",
    ),
    (
        "by hand",
        1,
        "Event 2 of 5, set: the gradient of p is set to minus 2; there was none before.",
    ),
    ("by hand", 2, "Event 3 of 5, update: p is set to 2; it was 1 before."),
    ("by hand", 4, "Event 5 of 5: evaluation begins."),
]


@pytest.mark.parametrize(("run", "index", "sentence"), SENTENCES)
def test_a_sentence_for_every_kind_of_event(run: str, index: int, sentence: str) -> None:
    recording = RUNS[run]()
    assert say(recording, index % recording.length) == sentence


@pytest.mark.parametrize("run", RUNS)
def test_no_sign_that_a_voice_does_not_say(run: str) -> None:
    recording = RUNS[run]()
    for index in range(recording.length):
        assert not set("∂·−–²³^()=<>≤≥→←∅/_…+*") & set(say(recording, index))


@pytest.mark.parametrize(
    ("notation", "words"),
    [
        ("−8", "minus 8"),
        ("−9.5e−7", "minus 9.5 times 10 to the power of minus 7"),
        ("nan", "not a number"),
        ("−inf", "minus infinity"),
        ("2·x ≤ 0", "2 times x is at most 0"),
        ("(−2)²", "open bracket minus 2 close bracket squared"),
        ("3 + (−1)", "3 plus minus 1"),
        ("−1·x⁻²", "minus 1 times x to the power of minus 2"),
        ("−y / x", "minus y divided by x"),
        ("leaky_relu(z)", "leaky relu of z"),
        ("max(a, b)", "max of a, b"),
        ("(y − t)³", "open bracket y minus t close bracket cubed"),
        ("row1/layer1/z", "row1 layer1 z"),
        ("#12", "node number 12"),
        ("mean(w[0], w[1], …, w[9])", "mean of w[0], w[1] and so on to w[9]"),
        ("mean(a·b, c, …, d)", "mean of open bracket a times b, c and so on to d close bracket"),
    ],
)
def test_notation_in_words(notation: str, words: str) -> None:
    assert spoken(notation) == words


@pytest.mark.parametrize(("text", "told"), [
    ("dL/dz += dL/da · ∂a/∂z = −6 · 0 (z ≤ 0) = 0: the gate is shut",
     "the derivative of L with respect to z receives the derivative of L with respect to a times "
     "the local derivative of a with respect to z equals minus 6 times 0 (z is at most 0) equals "
     "0: the gate is shut"),
    ("right: −8 · score 1/2", "right: minus 8, score 1 of 2"),
    ("no earlier write to (w·x).grad", "no earlier write to the gradient of (w times x)"),
    ("no earlier write to log(1 − p).grad", "no earlier write to the gradient of log(1 minus p)"),
    ("row1/x1 is 1e−7, layer_2 inf", "row1 x1 is 1 times 10 to the power of minus 7, layer 2 "
                                     "infinity"),
    ("w.grad – → −8", "the gradient of w not reached yet to minus 8"),
    ("∂₂b/∂a", "the local derivative of b with respect to the second operand, a"),
    ("d((a + b)²)/d(w·x)", "the derivative of ((a plus b) squared) with respect to (w times x)"),
    ("below 2/k, at ηk", "below 2 divided by k, at eta times k"),
    ("a well-known 1/3 and 3,000 − 1", "a well-known 1/3 and 3,000 minus 1"),
    ("… + b is cut…", "earlier terms plus b is cut and so on"),
    ("in train_it.py:12", "in line 12 of train it.py"),
])  # fmt: skip
def test_a_text_with_notation_in_it(text: str, told: str) -> None:
    assert read_out(text) == told


@pytest.mark.parametrize(
    ("key", "told"),
    [("s", "s"), ("S", "capital S"), ("!", "exclamation mark"), ("shift+tab", "shift tab")],
)
def test_a_key_by_its_name(key: str, told: str) -> None:
    assert spoken_key(key) == told


def test_every_key_of_the_table_has_a_name() -> None:
    for key in BY_KEY:
        assert spoken_key(key).replace(" ", "").isalnum(), key


def test_what_was_said_before_is_not_worked_out_again() -> None:
    recording = training(2)
    for index in range(recording.length):
        say(recording, index)
    worked_out = spoken.cache_info().misses
    for index in range(recording.length):
        say(recording, index)
    assert spoken.cache_info().misses == worked_out
