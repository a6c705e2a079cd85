"""Operations that move elements and compute nothing: the same nodes in other places.

Views need no row: the numbers stand beside storages.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from stepgrad.torch.cells import Cells
from stepgrad.torch.table.rows import Rows

ROWS = Rows()
row = ROWS


@row("clone", "_to_copy", "contiguous", "lift_fresh")
def same(a: Cells, **_: Any) -> Cells:
    return a


@row("_unsafe_view", "_reshape_copy", "view_copy")
def view(a: Cells, shape: Sequence[int]) -> Cells:
    return a.moved(lambda each: each.reshape(*shape))


@row("cat")
def cat(parts: Sequence[Cells], dim: int = 0) -> Cells:
    raise NotImplementedError


del torch
