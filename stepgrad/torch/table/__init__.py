"""The table of operations: what each of PyTorch's does to tensors of nodes.

A row is a function of the operation's arguments: tensors of floating-point numbers come as `Cells`,
all else as it is. It returns cells in the shape of the result, or a tuple of them, with None for
results that no gradient goes through. A row that needs what PyTorch itself has computed (a mask,
which element was the largest) has a parameter `out`, which takes the results.

What is not here is taken apart by PyTorch's own decompositions, into operations that are.

At kinks the rows hand back what PyTorch hands back. So where an operation lets elements through
(`clamp`, `max`, `dropout` of nothing), its results are the elements themselves, and where it lets
nothing through, plain numbers.
"""

from __future__ import annotations

from stepgrad.torch.table import (
    activations,
    attention,
    convolution,
    losses,
    matrices,
    moving,
    normalising,
    pointwise,
    pooling,
    recurrent,
    reducing,
    scattering,
    selecting,
)
from stepgrad.torch.table.plain import PLAIN
from stepgrad.torch.table.rows import Row, Table

TABLE: Table = {
    **pointwise.ROWS,
    **activations.ROWS,
    **moving.ROWS,
    **selecting.ROWS,
    **scattering.ROWS,
    **reducing.ROWS,
    **matrices.ROWS,
    **normalising.ROWS,
    **convolution.ROWS,
    **pooling.ROWS,
    **attention.ROWS,
    **recurrent.ROWS,
    **losses.ROWS,
}

__all__ = ["PLAIN", "TABLE", "Row"]
