"""A recording of about 50,000 nodes in nested scopes: a step of a small transformer, in scalars."""

from __future__ import annotations

import random

from stepgrad import SGD, Recording, Value, mark, record, scope

WIDTH, HEADS, HIDDEN = 16, 4, 64

Vector = list[Value]
Matrix = list[Vector]


def transformer(positions: int = 8, steps: int = 1) -> Recording:
    """Record training steps on a sequence of this many positions, about 6,300 nodes each."""
    with record() as recording:
        recording.title = "a transformer"
        draw = random.Random(1)
        weights: dict[str, Matrix] = {}
        shapes = {"wte": (8, WIDTH), "query": (WIDTH, WIDTH), "key": (WIDTH, WIDTH)}
        shapes |= {"value": (WIDTH, WIDTH), "mix": (WIDTH, WIDTH)}
        shapes |= {"up": (HIDDEN, WIDTH), "down": (WIDTH, HIDDEN), "head": (8, WIDTH)}
        for name, (rows, columns) in shapes.items():
            with scope(f"weights/{name}"):
                weights[name] = [
                    [Value(draw.gauss(0, 0.2), f"w{row}_{column}") for column in range(columns)]
                    for row in range(rows)
                ]
        sgd = SGD([w for rows in weights.values() for row in rows for w in row], 0.1)
        for step in range(steps):
            mark("step", step)
            loss = _loss(weights, positions)
            loss.backward()
            if steps > 1:
                sgd.step()
                sgd.zero_grad()
    return recording


def _loss(weights: dict[str, Matrix], positions: int) -> Value:
    keys: list[Matrix] = [[] for _ in range(HEADS)]
    values: list[Matrix] = [[] for _ in range(HEADS)]
    losses = []
    for position in range(positions):
        with scope(f"pos{position}"):
            x = weights["wte"][position % 8]
            with scope("attention"):
                x = _add(x, _linear(weights["mix"], _attention(weights, x, keys, values)))
            with scope("mlp"):
                hidden = [value.relu() for value in _linear(weights["up"], x)]
                x = _add(x, _linear(weights["down"], hidden))
            with scope("loss"):
                shares = _softmax(_linear(weights["head"], x))
                losses.append(-shares[(position + 1) % 8].log())
                losses[-1].label = "loss"
    total = _sum(losses) / positions
    total.label = "L"
    return total


def _attention(
    weights: dict[str, Matrix], x: Vector, keys: list[Matrix], values: list[Matrix]
) -> Vector:
    size = WIDTH // HEADS
    heads: Vector = []
    for head in range(HEADS):
        part = slice(head * size, (head + 1) * size)
        with scope(f"head{head}"):
            query = _linear(weights["query"][part], x)
            keys[head].append(_linear(weights["key"][part], x))
            values[head].append(_linear(weights["value"][part], x))
            scores = _softmax([_dot(query, key) * size**-0.5 for key in keys[head]])
            heads += [_dot(scores, [value[i] for value in values[head]]) for i in range(size)]
    return heads


def _linear(rows: Matrix, x: Vector) -> Vector:
    return [_dot(row, x) for row in rows]


def _dot(left: Vector, right: Vector) -> Value:
    return _sum([a * b for a, b in zip(left, right, strict=True)])


def _add(left: Vector, right: Vector) -> Vector:
    return [a + b for a, b in zip(left, right, strict=True)]


def _softmax(scores: Vector) -> Vector:
    powers = [score.exp() for score in scores]
    total = _sum(powers)
    return [power / total for power in powers]


def _sum(terms: Vector) -> Value:
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total
