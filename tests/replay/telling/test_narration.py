"""Whole narrations: what a reader sees of every kind of event."""

import math
from collections.abc import Callable

import pytest

from replay_runs import training, two_layer
from stepgrad import SGD, Adam, Recording, Value, clip_norm, mark, op, record
from stepgrad.replay.telling.derivatives import local_derivative
from stepgrad.replay.telling.narration import narrate
from stepgrad.replay.telling.sentences import say


def told(recording: Recording) -> list[str]:
    return [str(narrate(recording, i)) for i in range(recording.length)]


def test_two_layers_from_the_first_event_to_the_last() -> None:
    assert "\n".join(told(two_layer())) == TWO_LAYERS


def test_a_gradient_that_is_nan_is_written_alike_before_and_after() -> None:
    with record() as recording:
        x = Value(float("nan"), label="x")
        (x * x).backward()
        x.grad = 0.0
    assert told(recording)[-2].endswith("[x.grad nan → nan, contribution 2 of 2]")
    assert told(recording)[-1] == "x.grad ← 0   [was nan]"


TWO_LAYERS = """\
x = 3
t = 4
w1 = 0.5
b1 = 0
w2 = 2
b2 = −1
w1·x = 0.5·3 = 1.5
z1 = w1·x + b1 = 1.5 + 0 = 1.5
h = relu(z1) = relu(1.5) = 1.5
w2·h = 2·1.5 = 3
y = w2·h + b2 = 3 + (−1) = 2
y − t = 2 − 4 = −2
L = (y − t)² = (−2)² = 4
dL/dL = 1   [L.grad – → 1]
dL/d(y − t) += dL/dL · ∂L/∂(y − t) = 1 · 2·(y − t) = 1 · (−4) = −4   [(y − t).grad – → −4, contribution 1 of 1]
dL/dy += dL/d(y − t) · ∂(y − t)/∂y = −4 · 1 = −4   [y.grad – → −4, contribution 1 of 1]
dL/dt += dL/d(y − t) · ∂(y − t)/∂t = −4 · (−1) = 4   [t.grad – → 4, contribution 1 of 1]
dL/d(w2·h) += dL/dy · ∂y/∂(w2·h) = −4 · 1 = −4   [(w2·h).grad – → −4, contribution 1 of 1]
dL/db2 += dL/dy · ∂y/∂b2 = −4 · 1 = −4   [b2.grad – → −4, contribution 1 of 1]
dL/dw2 += dL/d(w2·h) · ∂(w2·h)/∂w2 = −4 · h = −4 · 1.5 = −6   [w2.grad – → −6, contribution 1 of 1]
dL/dh += dL/d(w2·h) · ∂(w2·h)/∂h = −4 · w2 = −4 · 2 = −8   [h.grad – → −8, contribution 1 of 1]
dL/dz1 += dL/dh · ∂h/∂z1 = −8 · 1 (z1 > 0) = −8   [z1.grad – → −8, contribution 1 of 1]
dL/d(w1·x) += dL/dz1 · ∂z1/∂(w1·x) = −8 · 1 = −8   [(w1·x).grad – → −8, contribution 1 of 1]
dL/db1 += dL/dz1 · ∂z1/∂b1 = −8 · 1 = −8   [b1.grad – → −8, contribution 1 of 1]
dL/dw1 += dL/d(w1·x) · ∂(w1·x)/∂w1 = −8 · x = −8 · 3 = −24   [w1.grad – → −24, contribution 1 of 1]
dL/dx += dL/d(w1·x) · ∂(w1·x)/∂x = −8 · w1 = −8 · 0.5 = −4   [x.grad – → −4, contribution 1 of 1]"""  # noqa: E501 - a line each


def test_marks_updates_and_clearing() -> None:
    recording = training(1)
    assert told(recording)[2] == "step 1 begins"
    assert "\n".join(told(recording)[-4:]) == UPDATES


UPDATES = """\
neuron/w ← neuron/w − lr·neuron/w.grad = 0.5 − 0.1·(−0.400497) = 0.54005
neuron/b ← neuron/b − lr·neuron/b.grad = 0 − 0.1·(−0.200249) = 0.0200249
neuron/w.grad ← 0   [was −0.400497]
neuron/b.grad ← 0   [was −0.200249]"""


@pytest.mark.parametrize(
    ("optimizer", "line", "sentence"),
    [
        (
            lambda p: SGD(p, 0.1, momentum=0.9),
            "w ← w − lr·v = 0.7 − 0.1·(−0.76) = 0.776   [v = 0.9·(−2) + 1.04]",
            "w changes from 0.7 to 0.776: minus the learning rate 0.1 times the velocity "
            "minus 0.76, to which the gradient 1.04 was added.",
        ),
        (
            lambda p: Adam(p, 0.1),
            "w ← w − lr·m_hat / (sqrt(v_hat) + ε) = 0.6 − 0.1·(−0.4) / (sqrt(2.54007) + 1e−8)"
            " = 0.625098   [m = 0.9·(−0.2) + 0.1·1.04, v = 0.999·0.004 + 0.001·1.04²]",
            "w changes from 0.6 to 0.625098: minus the learning rate 0.1 times the mean gradient "
            "minus 0.4, divided by the root of the mean square 2.54007; the gradient is 1.04.",
        ),
    ],
)
def test_an_update_shows_its_arithmetic(
    optimizer: Callable[[list[Value]], SGD | Adam], line: str, sentence: str
) -> None:
    with record() as recording:
        w = Value(0.5, label="w")
        ours = optimizer([w])
        for grad in (-2.0, 1.04):
            w.grad = grad
            ours.step()
    assert told(recording)[-1] == line
    assert say(recording, recording.length - 1).endswith(sentence)


def test_clipping_shows_its_factor() -> None:
    with record() as recording:
        w, b = Value(0.5, label="w"), Value(0.5, label="b")
        w.grad, b.grad = 3.0, -4.0
        clip_norm([w, b], 1.0)
    line = "b.grad ← b.grad·(max_norm / (norm + ε)) = −4·(1 / (5 + 0.000001)) = −0.8"
    assert told(recording)[-1] == line
    assert say(recording, recording.length - 1) == (
        "Event 6 of 6, set: the gradient of b changes from minus 4 to minus 0.8: "
        "all gradients together have the norm 5, and 1 is the limit."
    )


def test_writes_by_hand() -> None:
    with record() as recording:
        p = Value(1.0, label="p")
        p.grad = -2
        p.data -= 0.5 * p.grad
        p.grad = 0
        mark("evaluation")
    assert told(recording)[1:] == [
        "p.grad ← −2   [was –]",
        "p ← 2   [was 1]",
        "p.grad ← 0   [was −2]",
        "evaluation begins",
    ]


def test_an_expression_stands_in_brackets_where_its_gradient_does() -> None:
    with record() as recording:
        product = Value(2.0, label="a") * 3
        product.backward()
        product.grad = 0
    assert told(recording)[2] == "d(a·3)/d(a·3) = 1   [(a·3).grad – → 1]"
    assert told(recording)[-1] == "(a·3).grad ← 0   [was 1]"


def last_line(write) -> str:  # type: ignore[no-untyped-def]
    with record() as recording:
        out = write(Value(-0.5, label="x"))
        out.label = "y"
        out.backward()
    return narrate(recording, recording.length - 1).numbers


@pytest.mark.parametrize(
    ("write", "numbers"),
    [
        (lambda x: x.relu(), "= 1 · 0 (x ≤ 0) = 0"),
        (lambda x: (-x).relu().relu(), "= 1 · (−1) = −1"),
        (lambda x: x.leaky_relu(), "= 1 · 0.01 (x ≤ 0) = 0.01"),
        (lambda x: x**2, "= 1 · 2·x = 1 · (−1) = −1"),
        (lambda x: x**3, "= 1 · 3·x² = 1 · 0.75 = 0.75"),
        (lambda x: x**-1, "= 1 · (−1·x⁻²) = 1 · (−4) = −4"),
        (abs, "= 1 · (−1) (x < 0) = −1"),
        (lambda x: x.max(0.0), "= 1 · 0 (x < 0) = 0"),
        (lambda x: x.exp(), "= 1 · y = 1 · 0.606531 = 0.606531"),
        (lambda x: x / 2, "= 1 · 0.5 = 0.5"),
        (lambda x: 2 / x, "= 1 · (−y / x) = 1 · (−8) = −8"),
        (lambda x: x.sin(), "= 1 · cos(x) = 1 · 0.877583 = 0.877583"),
        (lambda x: x.sigmoid(), "= 1 · y·(1 − y) = 1 · 0.235004 = 0.235004"),
        (lambda x: x.log(), "= 1 · (1 / x) = 1 · (−2) = −2"),
        (lambda x: x * 1e300, "= 1 · 1e300 = 1e300"),
        (lambda x: x * 123456789.0, "= 1 · 123456789 = 123456789"),
    ],
)
def test_local_derivatives(write, numbers: str) -> None:  # type: ignore[no-untyped-def]
    assert last_line(write) == numbers


@pytest.mark.parametrize(
    ("write", "numbers"),
    [
        (lambda x: x.tanh(), "= 1 · (1 − y²) = 1 · 0.786448 = 0.786448"),
    ],
)
def test_a_local_derivative_that_is_a_sum_stands_in_brackets(write, numbers: str) -> None:  # type: ignore[no-untyped-def]
    assert last_line(write) == numbers


def test_a_factor_that_reads_as_another_gets_the_digits_that_tell() -> None:
    with record() as recording:
        x = Value(0.25, label="x")
        y = x * Value(1.000003, label="w")
        (y * 4.0).backward()
    numbers = [narrate(recording, index).numbers for index in range(recording.length)]
    assert "= 4 · w = 4 · 1.000003 = 4.00001" in numbers


def test_the_contributions_to_a_gradient_are_counted() -> None:
    with record() as recording:
        x = Value(3.0, label="x")
        y = x * x
        y.label = "y"
        y.backward()
    assert [narrate(recording, i).effect for i in (3, 4)] == [
        "x.grad – → 3, contribution 1 of 2",
        "x.grad 3 → 6, contribution 2 of 2",
    ]


def test_the_local_derivative_on_its_own() -> None:
    recording = two_layer()
    node = recording.names(recording.length)["h"]
    local = local_derivative(recording, node, 0, recording.length)
    assert (local.symbols, local.value, local.because) == ("1", 1.0, "z1 > 0")


def test_a_label_that_cannot_be_printed_breaks_no_line() -> None:
    with record() as recording:
        x = Value(2.0, label="a\nb\x1b[31m\t")
        (x * x).backward()
    for line in (*told(recording), *(say(recording, i) for i in range(recording.length))):
        assert line.isprintable()
    assert told(recording)[0].startswith("a b�[31m  = 2")


@op(partials=lambda *xs: [2 * x for x in xs])
def squares(*xs: float) -> float:
    return sum(x * x for x in xs)


@op
def root(x: float) -> float:
    return math.sqrt(x)


def test_an_operation_of_the_programs_own_is_told_by_name_with_what_it_stores() -> None:
    with record() as recording:
        x, y = Value(3.0, label="x"), Value(4.0, label="y")
        root(squares(x, y)).backward()
    assert told(recording)[2:] == [
        "squares(x, y) = squares(3, 4) = 25",
        "root(squares(x, y)) = root(25) = 5",
        "droot(squares(x, y))/droot(squares(x, y)) = 1   [root(squares(x, y)).grad – → 1]",
        "droot(squares(x, y))/dsquares(x, y) += droot(squares(x, y))/droot(squares(x, y)) · "
        "∂root(squares(x, y))/∂squares(x, y) = 1 · 0.1 (by differences) = 0.1   "
        "[squares(x, y).grad – → 0.1, contribution 1 of 1]",
        "droot(squares(x, y))/dx += droot(squares(x, y))/dsquares(x, y) · ∂squares(x, y)/∂x "
        "= 0.1 · 6 (stored) = 0.6   [x.grad – → 0.6, contribution 1 of 1]",
        "droot(squares(x, y))/dy += droot(squares(x, y))/dsquares(x, y) · ∂squares(x, y)/∂y "
        "= 0.1 · 8 (stored) = 0.8   [y.grad – → 0.8, contribution 1 of 1]",
    ]
    assert say(recording, 6).endswith("the local derivative of squares of open bracket x, y close "
                                      "bracket with respect to x, stored.")  # fmt: skip


def test_the_third_of_equal_operands_is_numbered() -> None:
    with record() as recording:
        x = Value(3.0, label="x")
        y = squares(x, x, x)
        y.label = "y"
        y.backward()
    assert "∂₃y/∂x" in told(recording)[-1]
    assert "with respect to operand 3, x" in say(recording, recording.length - 1)
