"""Trainings that are in order, each in a way of its own: loops that people write.

Each takes the numbers that it draws from `random`, so another seed is another training.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import pi, sin
from random import Random

from stepgrad import (
    MLP,
    SGD,
    Adam,
    Value,
    binary_cross_entropy,
    clip_norm,
    mark,
    softmax,
    softmax_cross_entropy,
    squared_error,
)

Rows = Sequence[tuple[Sequence[float], float]]
Training = Callable[[Random], None]

XOR: Rows = [([0, 0], -1), ([0, 1], 1), ([1, 0], 1), ([1, 1], -1)]
SINE: Rows = [([x / 4], sin(pi * x / 4)) for x in range(-4, 5)]


def mean(losses: Sequence[Value]) -> Value:
    loss = sum(losses[1:], losses[0]) * (1 / len(losses))
    loss.label = "loss"
    return loss


def loss_of(model: MLP, rows: Rows) -> Value:
    return mean([squared_error(model(x)[0], y) for x, y in rows])


def full_batch(random: Random) -> None:
    model = MLP.drawn([2, 4, 1], ["tanh", "linear"], random)
    optimizer = SGD(model.parameters(), 0.1)
    for step in range(40):
        mark("step", step)
        loss = loss_of(model, XOR)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def by_hand(random: Random) -> None:
    w, b = Value(random.uniform(-1, 1), label="w"), Value(0.0, label="b")
    for _ in range(30):
        loss = mean([(w * x[0] + b - y) ** 2 for x, y in SINE])
        loss.backward()
        for p in (w, b):
            p.data -= 0.1 * p.grad
            p.grad = 0.0


def one_row_at_a_time(random: Random) -> None:
    model = MLP.drawn([1, 5, 1], ["tanh", "linear"], random)
    optimizer = SGD(model.parameters(), 0.05)
    for _ in range(8):
        for x, y in random.sample(SINE, len(SINE)):
            optimizer.zero_grad()
            squared_error(model(x)[0], y).backward()
            optimizer.step()


def momentum_and_minibatches(random: Random) -> None:
    model = MLP.drawn([1, 5, 1], ["tanh", "linear"], random)
    optimizer = SGD(model.parameters(), 0.02, momentum=0.9)
    for _ in range(40):
        loss = loss_of(model, random.sample(SINE, 3))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()


def adam_with_decay(random: Random) -> None:
    model = MLP.drawn([2, 4, 1], ["tanh", "tanh"], random)
    optimizer = Adam(model.parameters(), 0.05)
    for step in range(40):
        optimizer.learning_rate = 0.05 * (1 - step / 50)
        optimizer.zero_grad()
        loss_of(model, XOR).backward()
        optimizer.step()


def accumulation(random: Random) -> None:
    model = MLP.drawn([2, 4, 1], ["tanh", "linear"], random)
    optimizer = SGD(model.parameters(), 0.1)
    for _ in range(30):
        optimizer.zero_grad()
        for rows in (XOR[:2], XOR[2:]):
            (loss_of(model, rows) * 0.5).backward()
        optimizer.step()


def two_losses(random: Random) -> None:
    model = MLP.drawn([1, 4, 2], ["tanh", "linear"], random)
    optimizer = SGD(model.parameters(), 0.05)
    for _ in range(30):
        optimizer.zero_grad()
        outputs = [(model(x), x[0], y) for x, y in SINE]
        mean([(first - y) ** 2 for (first, _), _, y in outputs]).backward()
        mean([(second - x) ** 2 for (_, second), x, _ in outputs]).backward()
        optimizer.step()


def frozen_layer(random: Random) -> None:
    model = MLP.drawn([2, 5, 1], ["tanh", "linear"], random)
    optimizer = SGD(model.layers[1].parameters(), 0.1)
    for _ in range(30):
        loss = loss_of(model, XOR)
        for parameter in model.parameters():
            parameter.grad = 0.0
        loss.backward()
        optimizer.step()


def shared_weights(random: Random) -> None:
    w = [Value(random.uniform(-1, 1), label=f"w{i}") for i in range(3)]
    optimizer = SGD(w, 0.05)
    signal = [random.uniform(-1, 1) for _ in range(8)]
    for _ in range(30):
        heard = [w[0] * signal[i] + w[1] * signal[i + 1] + w[2] * signal[i + 2] for i in range(6)]
        loss = mean([(h.tanh() - signal[i + 1]) ** 2 for i, h in enumerate(heard)])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def dropout(random: Random) -> None:
    hidden = MLP.drawn([2, 6], ["tanh"], random)
    last = MLP.drawn([6, 1], ["linear"], random)
    optimizer = SGD([*hidden.parameters(), *last.parameters()], 0.05)
    for _ in range(40):
        losses = []
        for x, y in XOR:
            kept = [h * (2.0 if random.random() < 0.5 else 0.0) for h in hidden(x)]
            losses.append(squared_error(last(kept)[0], y))
        optimizer.zero_grad()
        mean(losses).backward()
        optimizer.step()


def recurrent(random: Random) -> None:
    w, u, v = (Value(random.uniform(0.3, 0.9), label=name) for name in "wuv")
    optimizer = Adam([w, u, v], 0.02)
    for step in range(30):
        state: Value | float = 0.0
        values = [random.uniform(-1, 1) for _ in range(3 + step % 3)]
        for value in values:
            state = (w * value + u * state).tanh()
        assert isinstance(state, Value)
        loss = (v * state - sum(values) / 3) ** 2
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def inputs_in_place(random: Random) -> None:
    w, b = Value(random.uniform(-1, 1), label="w"), Value(0.0, label="b")
    x, y = Value(0.0, label="x"), Value(0.0, label="y")
    optimizer = SGD([w, b], 0.1)
    for _ in range(4):
        for row, target in SINE:
            x.data, y.data = row[0], target
            loss = (w * x + b - y) ** 2
            x.grad = y.grad = 0.0
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


def gan(random: Random) -> None:
    maker = MLP.drawn([1, 3, 1], ["tanh", "linear"], random)
    judge = MLP.drawn([1, 3, 1], ["tanh", "linear"], random)
    making, judging = SGD(maker.parameters(), 0.02), SGD(judge.parameters(), 0.02)
    for _ in range(20):
        noise, real = random.gauss(0, 1), random.gauss(2, 0.5)
        fake = maker([noise])[0]
        judging.zero_grad()
        (
            binary_cross_entropy(judge([real])[0].sigmoid(), 1.0)
            + binary_cross_entropy(judge([fake.data])[0].sigmoid(), 0.0)
        ).backward()
        judging.step()
        making.zero_grad()
        binary_cross_entropy(judge([fake])[0].sigmoid(), 1.0).backward()
        making.step()


def classifier(random: Random) -> None:
    model = MLP.drawn([2, 4, 3], ["tanh", "linear"], random)
    optimizer = SGD(model.parameters(), 0.1)
    rows = [([random.gauss(c, 0.3), random.gauss(-c, 0.3)], c) for c in (0, 1, 2) for _ in "ab"]
    for _ in range(25):
        loss = mean(
            [softmax_cross_entropy(model(x), [float(c == k) for k in range(3)]) for x, c in rows]
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def logistic(random: Random) -> None:
    w, b = Value(random.uniform(-1, 1), label="w"), Value(0.0, label="b")
    for _ in range(30):
        rows = [(x / 4, float(x > 0)) for x in range(-4, 5)]
        loss = mean([binary_cross_entropy((w * x + b).sigmoid(), y) for x, y in rows])
        w.grad = b.grad = 0.0
        loss.backward()
        w.data -= 0.5 * w.grad
        b.data -= 0.5 * b.grad


def weight_decay_and_average(random: Random) -> None:
    model = MLP.drawn([2, 4, 1], ["tanh", "linear"], random)
    parameters = model.parameters()
    average = [Value(p.data, label=f"average{i}") for i, p in enumerate(parameters)]
    optimizer = SGD(parameters, 0.1)
    for _ in range(30):
        optimizer.zero_grad()
        loss_of(model, XOR).backward()
        for p in parameters:
            p.data *= 1 - 0.1 * 0.01
        optimizer.step()
        for a, p in zip(average, parameters, strict=True):
            a.data = 0.9 * a.data + 0.1 * p.data


def target_network(random: Random) -> None:
    model = MLP.drawn([1, 4, 1], ["tanh", "linear"], random)
    target = MLP.drawn([1, 4, 1], ["tanh", "linear"], random)
    pairs = [*zip(target.parameters(), model.parameters(), strict=True)]
    optimizer = SGD(model.parameters(), 0.05)
    for step in range(40):
        x, reward = random.choice(SINE)
        hoped = reward + 0.5 * target([x[0] / 2])[0].data
        optimizer.zero_grad()
        squared_error(model(x)[0], hoped).backward()
        optimizer.step()
        if step % 10 == 9:
            for copy, p in pairs:
                copy.data = p.data


def clipping(random: Random) -> None:
    model = MLP.drawn([1, 5, 1], ["tanh", "linear"], random)
    optimizer = SGD(model.parameters(), 0.1)
    for _ in range(30):
        optimizer.zero_grad()
        loss_of(model, SINE).backward()
        clip_norm(model.parameters(), 1.0)
        optimizer.step()


def autoencoder(random: Random) -> None:
    encoder = MLP.drawn([3, 2], ["tanh"], random)
    decoder = MLP.drawn([2, 3], ["linear"], random)
    optimizer = Adam([*encoder.parameters(), *decoder.parameters()], 0.02)
    rows = [[random.uniform(-1, 1) for _ in range(3)] for _ in range(4)]
    for _ in range(25):
        losses = [
            squared_error(back, x)
            for row in rows
            for back, x in zip(decoder(encoder(row)), row, strict=True)
        ]
        optimizer.zero_grad()
        mean(losses).backward()
        optimizer.step()


def tied_autoencoder(random: Random) -> None:
    w = [[Value(random.uniform(-1, 1), label=f"w{i}{j}") for j in range(3)] for i in range(2)]
    optimizer = SGD([each for row in w for each in row], 0.05)
    rows = [[random.uniform(-1, 1) for _ in range(3)] for _ in range(4)]
    for _ in range(25):
        losses = []
        for row in rows:
            code = [sum(w[i][j] * row[j] for j in range(3)).tanh() for i in range(2)]  # type: ignore[union-attr]
            for j in range(3):
                losses.append(squared_error(code[0] * w[0][j] + code[1] * w[1][j], row[j]))
        optimizer.zero_grad()
        mean(losses).backward()
        optimizer.step()


def residual(random: Random) -> None:
    layers = [MLP.drawn([2, 2], ["tanh"], random) for _ in range(6)]
    last = MLP.drawn([2, 1], ["linear"], random)
    optimizer = Adam([p for each in (*layers, last) for p in each.parameters()], 0.01)
    for _ in range(20):
        losses = []
        for x, y in XOR:
            h = [Value(each) for each in x]
            for layer in layers:
                h = [a + b for a, b in zip(h, layer(h), strict=True)]
            losses.append(squared_error(last(h)[0], y))
        optimizer.zero_grad()
        mean(losses).backward()
        optimizer.step()


def policy(random: Random) -> None:
    logits = [Value(random.uniform(-0.1, 0.1), label=f"logit{i}") for i in range(3)]
    optimizer = SGD(logits, 0.2)
    for _ in range(40):
        chances = softmax(logits)
        action = random.choices(range(3), [each.data for each in chances])[0]
        reward = [0.1, 0.5, 1.0][action] + random.gauss(0, 0.1)
        loss = -chances[action].log() * (reward - 0.5)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def looked_at_now_and_then(random: Random) -> None:
    model = MLP.drawn([1, 4, 1], ["tanh", "linear"], random)
    optimizer = SGD(model.parameters(), 0.1)
    for step in range(30):
        if step % 10 == 0:
            loss_of(model, SINE)
        loss = loss_of(model, SINE[::2])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    loss_of(model, SINE)


def own_chain_rule(random: Random) -> None:
    w, b = Value(random.uniform(0.2, 1), label="w"), Value(0.1, label="b")
    for _ in range(15):
        w.grad, b.grad = 0.0, 0.0
        for x, y in ((0.5, 1.0), (-1.0, 0.3)):
            z = w * x + b
            up = 2 * (z.data - y)
            w.grad += up * x
            b.grad += up
        w.data -= 0.1 * w.grad
        b.data -= 0.1 * b.grad


def learned_to_the_end(random: Random) -> None:
    w = Value(random.uniform(1, 2), label="w")
    for _ in range(80):
        loss = (w - 3) ** 2
        w.grad = 0.0
        loss.backward()
        w.data -= 0.4 * w.grad


def rectified(random: Random) -> None:
    model = MLP.drawn([1, 8, 1], ["leaky_relu", "linear"], random)
    optimizer = Adam(model.parameters(), 0.02)
    for _ in range(25):
        optimizer.zero_grad()
        loss_of(model, SINE).backward()
        optimizer.step()


TRAININGS: Sequence[Training] = (
    full_batch,
    by_hand,
    one_row_at_a_time,
    momentum_and_minibatches,
    adam_with_decay,
    accumulation,
    two_losses,
    frozen_layer,
    shared_weights,
    dropout,
    recurrent,
    inputs_in_place,
    gan,
    classifier,
    logistic,
    weight_decay_and_average,
    target_network,
    clipping,
    autoencoder,
    tied_autoencoder,
    residual,
    policy,
    looked_at_now_and_then,
    own_chain_rule,
    learned_to_the_end,
    rectified,
)


def networks() -> Iterator[tuple[str, str]]:
    """Scenarios that train a network: a name, and the text."""
    tasks = {
        "xor": ("[[0, 0], [0, 1], [1, 0], [1, 1]]", "[-1, 1, 1, -1]", 2),
        "line": ("[[-1], [-0.5], [0.1], [0.6], [1]]", "[-0.9, -0.4, 0.1, 0.5, 0.8]", 1),
    }
    for task, (inputs, targets, width) in tasks.items():
        for activation in ("tanh", "leaky_relu", "sigmoid"):
            for optimizer, rate in (("sgd", 0.05), ("momentum", 0.02), ("adam", 0.02)):
                for seed in (1, 2):
                    yield (
                        f"{task}-{activation}-{optimizer}-{seed}",
                        f"title: {task}\n"
                        f"network: {{sizes: [{width}, 5, 1], activation: [{activation}, linear],"
                        f" init: {{seed: {seed}, weights: [-1, 1], bias: 0.0}}}}\n"
                        f"data: {{inputs: {inputs}, targets: {targets}}}\n"
                        "loss: mean_squared_error\n"
                        f"train: {{steps: 60, optimizer: {optimizer}, learning_rate: {rate}}}\n",
                    )
