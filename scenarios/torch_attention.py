"""One head of attention, three tokens, every number.

Queries, keys and values are three linear maps of the same tokens. A token looks back at itself and
at the tokens before it, and takes a mean of their values.

Press `f` for the end of the forward pass, and find a weight of that mean (`/weights[2,0]`, Enter):
how much the last token takes from the first.

Press `f` for the backward pass. What reaches a weight here is how far the value it stands for lies
from what the output should be.

A softmax shares: its weights add up to 1, so what one gains the others lose. Find a score
(`/scores[2,0]`, Enter). Its gradient is small, for only differences between the values move it.

The scores that are hidden by the mask receive exactly 0 (`/scores[0,2]`, Enter): a token learns
nothing from its future.
"""

# lesson: {level: advanced, order: 620, needs: torch}

import torch
from torch import nn


class Head(nn.Module):
    def __init__(self):
        super().__init__()
        self.query = nn.Linear(2, 2, bias=False)
        self.key = nn.Linear(2, 2, bias=False)
        self.value = nn.Linear(2, 1, bias=False)

    def forward(self, x):
        q, k, v = self.query(x), self.key(x), self.value(x)
        scores = q @ k.T
        hidden = torch.ones(3, 3).triu(1).bool()
        weights = scores.masked_fill(hidden, -torch.inf).softmax(dim=1)
        return weights @ v


head = Head()
with torch.no_grad():
    head.query.weight.copy_(torch.tensor([[1.0, 0.0], [0.0, 1.0]]))
    head.key.weight.copy_(torch.tensor([[0.0, 1.0], [1.0, 0.0]]))
    head.value.weight.copy_(torch.tensor([[2.0, -1.0]]))
tokens = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
out = head(tokens)
loss = ((out - torch.tensor([[2.0], [1.0], [0.0]])) ** 2).sum()
loss.backward()
