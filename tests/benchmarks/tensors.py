"""What it costs to record a PyTorch program: `python tests/benchmarks/tensors.py`.

Both sides run the same training steps, as the program stands, and recorded. Times are of the
processor, the best of a few steps; the first recorded one, which describes what the others share,
is told apart.
"""

from __future__ import annotations

import resource
from collections.abc import Callable, Mapping
from functools import partial
from time import process_time

import torch
from torch import Tensor, nn

from stepgrad.recording.record import record
from stepgrad.torch import watch

STEPS = 4


class Attention(nn.Module):
    """A block of a transformer with one head, before a norm."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList([nn.LayerNorm(size), nn.LayerNorm(size)])
        self.qkv, self.out = nn.Linear(size, 3 * size), nn.Linear(size, size)
        self.up, self.down = nn.Linear(size, 4 * size), nn.Linear(4 * size, size)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.qkv(self.norms[0](x)).chunk(3, -1)
        mask = torch.ones(len(x), len(x)).triu(1).bool()
        weights = (q @ k.T / x.shape[-1] ** 0.5).masked_fill(mask, -torch.inf).softmax(-1)
        x = x + self.out(weights @ v)
        return x + self.down(nn.functional.gelu(self.up(self.norms[1](x))))


def mlp(rows: int, size: int) -> Callable[[], Tensor]:
    model = nn.Sequential(nn.Linear(size, size), nn.Tanh(), nn.Linear(size, 1))
    x, y = torch.randn(rows, size), torch.randn(rows, 1)
    return training(model, lambda: nn.functional.mse_loss(model(x), y))


def transformer(layers: int, size: int, length: int) -> Callable[[], Tensor]:
    blocks = nn.Sequential(*(Attention(size) for _ in range(layers)))
    x, y = torch.randn(length, size), torch.randint(0, size, (length,))
    return training(blocks, lambda: nn.functional.cross_entropy(blocks(x), y))


def training(model: nn.Module, loss_of: Callable[[], Tensor]) -> Callable[[], Tensor]:
    """Return a step of training."""
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001)

    def step() -> Tensor:
        optimizer.zero_grad()
        loss = loss_of()
        loss.backward()
        optimizer.step()
        return loss

    return step


MODELS: Mapping[str, Callable[[], Callable[[], Tensor]]] = {
    "XOR, 4 rows": partial(mlp, 4, 2),
    "MLP 32, 8 rows": partial(mlp, 8, 32),
    "transformer, 1 layer, d=4, S=3": partial(transformer, 1, 4, 3),
    "2 layers, d=16, S=8": partial(transformer, 2, 16, 8),
    "2 layers, d=32, S=16": partial(transformer, 2, 32, 16),
}


def timed(step: Callable[[], Tensor]) -> float:
    begin = process_time()
    step()
    return process_time() - begin


def main() -> None:
    for name, model in MODELS.items():
        torch.manual_seed(0)
        torch.set_num_threads(1)
        step = model()
        step()
        plain = min(timed(step) for _ in range(STEPS))
        with record(lines=True, memory="6GB") as recording, watch():
            first = timed(step)
            before = recording.size
            step()
            nodes = recording.size - before
            later = min(timed(step) for _ in range(STEPS - 1))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"{name:31} {nodes:9,} nodes  plain {1e3 * plain:6.2f} ms  first {first:6.2f} s"
            f"  later {1e3 * later:7.1f} ms  {later / plain:6.0f} ×"
            f"  {1e6 * later / nodes:5.2f} µs a node  peak {peak:5.0f} MB"
        )


if __name__ == "__main__":
    main()
