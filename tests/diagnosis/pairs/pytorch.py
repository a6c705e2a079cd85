"""A function of the program's own: its `backward` forgets the 2 of 2x."""

import torch

import stepgrad.torch


class Square(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, upstream):
        (x,) = ctx.saved_tensors
        return x * upstream


w = torch.tensor([0.5, -2.0], requires_grad=True)
with stepgrad.torch.watch():
    for _ in range(3):
        w.grad = None
        Square.apply(w * 3).sum().backward()
        with torch.no_grad():
            w -= 0.01 * w.grad
