"""Scenarios to start from: they run, meet their own expectations, and say what to change."""

from __future__ import annotations

import json

_GRAPH = """\
# A scenario: what to compute, what to expect, and what to look at.
# For everything that it can contain: stepgrad help scenario

title: {title}
lesson: |
  What to look at, in Markdown. Each paragraph is a step: press `f` for the end
  of the forward pass.

  Then keep pressing `n` for each node on the way back.

# Numbers and their names. Training changes params and leaves inputs alone.
inputs: {{x: 2.0, target: 3.0}}
params: {{w: 1.5, b: -1.0}}

# One statement per entry: + - * / ** and functions such as relu, tanh, exp and log.
graph:
  - z = w*x + b
  - a = relu(z)
  - loss = (a - target)**2

# The node that the backward pass starts from.
backward: loss

# Uncomment to train; the numbers below then have to change.
# train: {{steps: 20, learning_rate: 0.05}}

# The expected numbers, which stepgrad check compares.
expect:
  values: {{z: 2, loss: 1}}
  grads: {{w: -4, b: -2}}
"""

_EXERCISE = """
# What stepgrad quiz asks; the answers are computed.
exercises:
  - asks: gradient
    of: w
    vary: {x: [1, 5]}  # other numbers for each student: stepgrad quiz FILE --student NAME
    hints:
      - Start from what arrives at z.
      - Multiply by the local derivative of z with respect to w.
  - {asks: gate, of: a}
  # A function `backward(x, target, w, b)` that returns the gradients of w and b:
  # stepgrad grade FILE.py --against THIS_FILE
  - {asks: program, of: backward}
"""

_NETWORK = """\
# A scenario: a network, its data, and what to look at.
# For everything that it can contain: stepgrad help scenario

title: {title}
lesson: |
  What to look at, in Markdown. Each paragraph is a step: press `t` for the next
  training step.

  Press `9` for the loss and the outputs.

# Two inputs, four neurons, one output. Activations: linear tanh relu leaky_relu sigmoid.
network:
  sizes: [2, 4, 1]
  activation: tanh
  init: {{seed: 42, weights: [-1, 1], bias: 0.0}}

# One row per sample.
data:
  inputs: [[0, 0], [0, 1], [1, 0], [1, 1]]
  targets: [-1, 1, 1, -1]

# Or mean_squared_error, binary_cross_entropy, softmax_cross_entropy.
loss: sum_squared_error

# Optimizers: sgd momentum adam. Without this line: one forward and one backward pass.
train: {{steps: 100, optimizer: sgd, learning_rate: 0.05}}

# The expected numbers, which stepgrad check compares.
expect:
  loss: {{0: 4.149063, 80: 0.293563}}
  predictions: [-0.852833, 0.771338, 0.801126, -0.753266]
  tolerance: 1.0e-6
"""


def template(name: str, *, network: bool = False, exercise: bool = False) -> str:
    """Return the text of a scenario for a file of this name (`my_lesson`, without a suffix).

    An `exercise` is about a graph.
    """
    words = "".join(each if each.isprintable() else " " for each in name.replace("_", " ")).strip()
    title = f"{words[:1].upper()}{words[1:]}" or "A lesson"
    text = _NETWORK if network else _GRAPH
    begin = text.format(title=json.dumps(title, ensure_ascii=False))  # what JSON quotes, YAML reads
    return begin + _EXERCISE * exercise
