"""What it costs to watch an engine of a program's own: `python tests/benchmarks/foreign.py`.

The engines are two of those that the tests run, and both sides train the same, taking turns: as the
program stands, and recorded. Plain numbers are of this process, best of a few rounds.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from pathlib import Path
from time import process_time
from typing import Any

from stepgrad.foreign import watching
from stepgrad.recording.record import active_recorder, record

HEALTHY = Path(__file__).parents[1] / "foreign" / "healthy"
ROUNDS = 5

XOR = """
import random
random.seed(1)
hidden = [([V(random.uniform(-1, 1)) for _ in range(2)], V(0.0)) for _ in range(8)]
final = [V(random.uniform(-1, 1)) for _ in range(8)], V(0.0)
parameters = [p for w, b in [*hidden, final] for p in [*w, b]]
def neuron(w, b, x):
    return sum((wi * xi for wi, xi in zip(w, x)), b)
for step in range(40):
    loss = V(0.0)
    for x, y in (((0, 0), 0), ((0, 1), 1), ((1, 0), 1), ((1, 1), 0)):
        out = neuron(*final, [neuron(w, b, x).tanh() for w, b in hidden])
        loss = loss + (out - y) ** 2
    for p in parameters:
        p.grad = 0.0
    loss.backward()
    for p in parameters:
        p.data -= 0.1 * p.grad
"""

GPT = """
import random
random.seed(1)
def matrix(rows, columns):
    return [[V(random.gauss(0, 0.2)) for _ in range(columns)] for _ in range(rows)]
size, letters = 8, 10
state = {name: matrix(size, size) for name in ("q", "k", "v", "o", "up", "down")}
state |= {"embedding": matrix(letters, size), "head": matrix(letters, size)}
parameters = [p for m in state.values() for row in m for p in row]
def linear(x, w):
    return [sum(wi * xi for wi, xi in zip(row, x)) for row in w]
def softmax(logits):
    top = max(each.data for each in logits)
    exps = [(each - top).exp() for each in logits]
    total = sum(exps)
    return [each / total for each in exps]
def norm(x):
    scale = (sum(each * each for each in x) / len(x) + 1e-5) ** -0.5
    return [each * scale for each in x]
def model(token, keys, values):
    x = norm(state["embedding"][token])
    q = linear(x, state["q"])
    keys.append(linear(x, state["k"]))
    values.append(linear(x, state["v"]))
    weights = softmax([sum(a * b for a, b in zip(q, k)) / size**0.5 for k in keys])
    mixed = [sum(w * v[i] for w, v in zip(weights, values)) for i in range(size)]
    x = [a + b for a, b in zip(linear(mixed, state["o"]), x)]
    hidden = [each.relu() for each in linear(norm(x), state["up"])]
    x = [a + b for a, b in zip(linear(hidden, state["down"]), x)]
    return softmax(linear(x, state["head"]))
for step in range(3):
    keys, values, losses = [], [], []
    tokens = [(step + 3 * i) % letters for i in range(6)]
    for now, after in zip(tokens, tokens[1:]):
        losses.append(-model(now, keys, values)[after].log())
    loss = (1 / len(losses)) * sum(losses)
    loss.backward()
    for p in parameters:
        p.data -= 0.1 * p.grad
        p.grad = 0
"""


def engine(name: str, cls: str) -> Any:
    """Return the class of one of the programs."""
    names: dict[str, Any] = {"__name__": "__main__"}
    path = HEALTHY / name
    with contextlib.redirect_stdout(io.StringIO()):
        exec(compile(path.read_text("utf-8"), str(path), "exec"), names)
    return names[cls]


def timed(run: Callable[[], None]) -> float:
    begin = process_time()
    run()
    return process_time() - begin


def compare(title: str, text: str, name: str, cls: str) -> None:
    code = compile(text, f"<{title}>", "exec")
    plain = engine(name, cls)
    ratios, costs = [], []
    for _ in range(ROUNDS):
        before = timed(lambda: exec(code, {"V": plain}))
        with record(lines=True):
            recorder: Any = active_recorder()
            with watching(recorder):
                watched = engine(name, cls)
                begin = process_time()
                first = recorder.log.size
                exec(code, {"V": watched})
                recorder.settle()
                after = process_time() - begin
                nodes = recorder.log.size - first
        ratios.append(after / before)
        costs.append((after - before) / nodes * 1e6)
    print(
        f"{title}: {nodes} nodes; plain {before / nodes * 1e6:.2f} µs a node, watched "
        f"{min(ratios):.1f} times, {min(costs):.1f} µs more a node"
    )


def main() -> None:
    """Print both."""
    compare("xor", XOR, "closures.py", "Scalar")
    compare("gpt", GPT, "local_grads.py", "Num")


if __name__ == "__main__":
    main()
