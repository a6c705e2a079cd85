"""XOR in PyTorch, one number at a time.

This is an ordinary training script: `nn.Sequential`, a loss, an optimizer. Nothing in it knows of
stepgrad, and yet each element of each tensor is a node.

A tensor opens folded. Press `f` for the end of the forward pass: the loss is 0.67002, and above it
are the operations of the model, each with its shape.

Find one weight (`/0.weight[0,1]`, Enter). Its tensor opens, and the weight is −0.4.

Press `f` for the backward pass. The panel says what that weight received: one contribution for each
row of the batch, and 0 from each row in which its input is 0.

Press `f` until the header says `UPDATE`. PyTorch's optimizer has written, and the formula is there
with its numbers.

Then press `t` for the next step, and `!` for what PyTorch itself made of it: its gradients and ours
agree.
"""

# lesson: {level: advanced, order: 610, needs: torch}

import torch
from torch import nn

model = nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 1))
with torch.no_grad():
    model[0].weight.copy_(torch.tensor([[0.5, -0.4], [0.6, 0.3]]))
    model[0].bias.copy_(torch.tensor([0.1, -0.2]))
    model[2].weight.copy_(torch.tensor([[0.7, -0.8]]))
    model[2].bias.zero_()
inputs = torch.tensor([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0], [0.0, 0.0]])
wanted = torch.tensor([[1.0], [1.0], [0.0], [0.0]])
optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
for _ in range(20):
    loss = nn.functional.mse_loss(model(inputs), wanted)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print(f"loss {loss.item():.4f}")
