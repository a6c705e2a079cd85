"""A model of PyTorch, and every weight is nan.

A scale is to move three points onto three targets. The loss of the first step is 2.33333, and after
that step both elements of `scale` are nan.

Press `f` twice, to the end of the backward pass: `scale` has received nan. PyTorch says so too, and
no more.

Press `!`. The first number that went wrong was the slope of a root, 1 / (2·0), which is infinite.
One point lies on its target: all its offsets are 0, and so is its distance.

On the way back, that infinity meets a factor 2·0 in the square, and ∞ · 0 is nan. From there it
reaches every element of `scale`.

The cure is a small number under the root, or `torch.linalg.vector_norm`, which hands back 0 there.
"""

# lesson: {level: debugging, order: 625, needs: torch, verdicts: [non_finite]}

import torch

points = torch.tensor([[1.0, 2.0], [3.0, 1.0], [0.5, 0.5]])
targets = torch.tensor([[4.0, 6.0], [3.0, 1.0], [0.5, 2.5]])
scale = torch.ones(2, requires_grad=True)
optimizer = torch.optim.SGD([scale], lr=0.1)
for step in range(2):
    optimizer.zero_grad()
    offsets = points * scale - targets
    distances = (offsets**2).sum(dim=1).sqrt()
    loss = distances.mean()
    loss.backward()
    optimizer.step()
    print(f"step {step}: loss {loss.item():.4f}, scale {scale.tolist()}")
