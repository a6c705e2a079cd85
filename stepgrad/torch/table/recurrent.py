"""LSTM layers, which PyTorch computes in one operation where it can."""

from __future__ import annotations

from collections.abc import Sequence

from stepgrad.engine import ops
from stepgrad.torch.cells import Cells
from stepgrad.torch.table.matrices import linear
from stepgrad.torch.table.moving import ROWS as MOVING
from stepgrad.torch.table.rows import Rows

ROWS = Rows()
row = ROWS


def step(gates: Cells, c: Cells) -> tuple[Cells, Cells]:
    """Return the hidden state and the cell state after a step."""
    size = c.shape[-1]
    i, f, g, o = (gates[..., at * size : (at + 1) * size] for at in range(4))
    kept, new = f.apply(ops.SIGMOID) * c, i.apply(ops.SIGMOID) * g.apply(ops.TANH)
    c = kept + new
    return o.apply(ops.SIGMOID) * c.apply(ops.TANH), c


@row("mkldnn_rnn_layer")
def lstm_layer(
    a: Cells,
    weight: Cells,
    recurrent: Cells,
    bias: Cells,
    recurrent_bias: Cells,
    h: Cells,
    c: Cells,
    backwards: bool,
    _sizes: Sequence[int],
    mode: int,
    *_: object,
) -> tuple[Cells, Cells, Cells, None]:
    if mode != 2:
        raise NotImplementedError("a recurrent layer other than LSTM in one operation")
    # Where there are no biases, PyTorch gives zeros in the shapes of the weights.
    biases = (bias, recurrent_bias) if bias.ndim == 1 else (None, None)
    steps: list[Cells] = []
    state = h.shape
    h, c = h.reshaped(-1, state[-1]), c.reshaped(-1, state[-1])
    order = range(len(a))
    for at in reversed(order) if backwards else order:
        gates = linear(a[at], weight, biases[0]) + linear(h, recurrent, biases[1])
        h, c = step(gates, c)
        steps.append(h)
    outputs = MOVING["stack"](steps[::-1] if backwards else steps)
    return outputs, h.reshaped(*state), c.reshaped(*state), None
