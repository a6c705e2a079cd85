"""The table of operations: what each of PyTorch's does to tensors of nodes.

A row is a function of the operation's arguments: tensors come as `Cells`, all else as it is. It
returns cells in the shape of the result, or a tuple of them. A row that needs what PyTorch itself
has computed (a mask, which element was the largest) takes `out`, the results.

What is not here is taken apart by PyTorch's own decompositions, into operations that are.
"""

from __future__ import annotations

from stepgrad.torch.table import moving, pointwise, reducing
from stepgrad.torch.table.plain import PLAIN
from stepgrad.torch.table.rows import Row, Table

TABLE: Table = {**pointwise.ROWS, **moving.ROWS, **reducing.ROWS}

__all__ = ["PLAIN", "TABLE"]
