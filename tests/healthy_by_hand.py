"""Trainings that are in order although their gradients and updates take unusual ways.

Each takes the numbers that it draws from `random`, so another seed is another training.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import hypot
from random import Random

from healthy import SINE, XOR, Training, loss_of, mean
from stepgrad import MLP, SGD, Value


def model_of(random: Random, *sizes: int) -> MLP:
    return MLP.drawn([*sizes], ["tanh", "linear"], random)


def critic_with_bounded_weights(random: Random) -> None:
    maker, critic = model_of(random, 1, 3, 1), model_of(random, 1, 3, 1)
    making, judging = SGD(maker.parameters(), 0.02), SGD(critic.parameters(), 0.02)
    for _ in range(12):
        for _ in range(2):
            judging.zero_grad()
            fake = maker([random.gauss(0, 1)])[0]  # not detached: the maker receives, too
            (critic([fake])[0] - critic([random.gauss(2, 0.5)])[0]).backward()
            judging.step()
            for p in critic.parameters():
                p.data = max(-0.5, min(0.5, p.data))
        making.zero_grad()
        (-critic([maker([random.gauss(0, 1)])[0]])[0]).backward()
        making.step()


def sharpness_aware(random: Random) -> None:
    model = model_of(random, 2, 4, 1)
    parameters = model.parameters()
    optimizer = SGD(parameters, 0.1)
    for _ in range(15):
        optimizer.zero_grad()
        loss_of(model, XOR).backward()
        norm = hypot(*(p.grad for p in parameters))
        nudges = [0.05 * p.grad / norm for p in parameters]
        for p, nudge in zip(parameters, nudges, strict=True):
            p.data += nudge
        optimizer.zero_grad()
        loss_of(model, XOR).backward()
        for p, nudge in zip(parameters, nudges, strict=True):
            p.data -= nudge
        optimizer.step()


def line_search(random: Random) -> None:
    model = model_of(random, 2, 4, 1)
    parameters = model.parameters()
    for _ in range(10):
        for p in parameters:
            p.grad = 0.0
        loss = loss_of(model, XOR)
        loss.backward()
        before, rate = [p.data for p in parameters], 1.0
        for _ in range(8):
            for p, data in zip(parameters, before, strict=True):
                p.data = data - rate * p.grad
            if loss_of(model, XOR).data < loss.data:
                break
            rate /= 2


def momentum_by_hand(random: Random) -> None:
    model = model_of(random, 2, 4, 1)
    parameters = model.parameters()
    velocities = [0.0] * len(parameters)
    for _ in range(25):
        loss_of(model, XOR).backward()
        for i, p in enumerate(parameters):
            velocities[i] = 0.9 * velocities[i] + p.grad
            p.data -= 0.03 * velocities[i]
            p.grad = None


def gradients_that_fade(random: Random) -> None:
    model = model_of(random, 2, 4, 1)
    optimizer = SGD(model.parameters(), 0.02)
    for _ in range(20):
        loss_of(model, XOR).backward()
        optimizer.step()
        for p in model.parameters():
            p.grad *= 0.5


def copy_in_the_loss(random: Random) -> None:
    model, slow = model_of(random, 1, 3, 1), model_of(random, 1, 3, 1)
    optimizer = SGD(model.parameters(), 0.05)
    for _ in range(20):
        x, y = random.choice(SINE)
        output = model(x)[0]
        optimizer.zero_grad()
        ((output - y) ** 2 + 0.1 * (output - slow(x)[0]) ** 2).backward()
        optimizer.step()
        for copy, p in zip(slow.parameters(), model.parameters(), strict=True):
            copy.data = 0.9 * copy.data + 0.1 * p.data


def several_starts(random: Random) -> None:
    model = model_of(random, 2, 4, 1)
    optimizer = SGD(model.parameters(), 0.1)
    for _ in range(3):
        for p in model.parameters():
            p.data = random.uniform(-1, 1)
        for _ in range(8):
            optimizer.zero_grad()
            loss_of(model, XOR).backward()
            optimizer.step()


def thawed(random: Random) -> None:
    model = model_of(random, 2, 4, 1)
    for parameters in (model.layers[1].parameters(), model.parameters()):
        optimizer = SGD(parameters, 0.05)
        for _ in range(10):
            optimizer.zero_grad()
            loss_of(model, XOR).backward()
            optimizer.step()


def decay_in_the_gradient(random: Random) -> None:
    model = model_of(random, 2, 4, 1)
    optimizer = SGD(model.parameters(), 0.1)
    for _ in range(15):
        optimizer.zero_grad()
        loss_of(model, XOR).backward()
        for p in model.parameters():
            p.grad += 0.01 * p.data
        optimizer.step()


def finite_differences(random: Random) -> None:
    model = model_of(random, 1, 2, 1)
    for _ in range(6):
        for p in model.parameters():
            p.data += 1e-5
            above = loss_of(model, SINE).data
            p.data -= 2e-5
            below = loss_of(model, SINE).data
            p.data += 1e-5
            p.grad = (above - below) / 2e-5
        for p in model.parameters():
            p.data -= 0.1 * p.grad


def chain_rule_of_a_hidden_unit(random: Random) -> None:
    w, b, v = parameters = [Value(random.uniform(-1, 1), label=name) for name in "wbv"]
    for _ in range(12):
        for p in parameters:
            p.grad = 0.0
        for x, t in ((0.5, 1.0), (-1.0, 0.3)):
            z = w * x + b
            h = z.tanh()
            y = v * h
            y.grad = 2 * (y.data - t)
            v.grad += h.data * y.grad
            h.grad = v.data * y.grad
            z.grad = (1 - h.data**2) * h.grad
            w.grad += x * z.grad
            b.grad += z.grad
        for p in parameters:
            p.data -= 0.1 * p.grad


def norm_by_hand(random: Random) -> None:
    model = model_of(random, 2, 4, 1)
    for _ in range(20):
        for p in model.parameters():
            p.grad = 0.0
        loss_of(model, XOR).backward()
        norm = hypot(*(p.grad for p in model.parameters()))
        for p in model.parameters():
            p.grad *= min(1.0, 0.5 / norm)
            p.data -= 0.1 * p.grad


def absolute_error(random: Random) -> None:
    model = model_of(random, 1, 3, 1)
    optimizer = SGD(model.parameters(), 0.05)
    for _ in range(40):
        optimizer.zero_grad()
        mean([abs(model(x)[0] - y) for x, y in SINE]).backward()
        optimizer.step()


def skipped_steps(random: Random) -> None:
    model = model_of(random, 2, 4, 1)
    optimizer = SGD(model.parameters(), 0.1)
    for step in range(18):
        loss_of(model, XOR).backward()
        if step % 3:
            optimizer.step()
        optimizer.zero_grad()


def truncated_in_time(random: Random) -> None:
    w, u = Value(0.5, label="w"), Value(0.4, label="u")
    optimizer = SGD([w, u], 0.05)
    carried = 0.0
    for _ in range(15):
        state, losses = Value(carried), []
        for _ in range(3):
            x = random.uniform(-1, 1)
            state = (w * x + u * state).tanh()
            losses.append((state - x) ** 2)
        optimizer.zero_grad()
        mean(losses).backward()
        optimizer.step()
        carried = state.data


LOOPS: Sequence[Training] = (
    critic_with_bounded_weights,
    sharpness_aware,
    line_search,
    momentum_by_hand,
    gradients_that_fade,
    copy_in_the_loss,
    several_starts,
    thawed,
    decay_in_the_gradient,
    finite_differences,
    chain_rule_of_a_hidden_unit,
    norm_by_hand,
    absolute_error,
    skipped_steps,
    truncated_in_time,
)
