"""The operations that are compared with PyTorch: name, function, and the inputs it gets."""

from __future__ import annotations

from torch_operations.arrays import ARRAYS
from torch_operations.elementwise import elementwise
from torch_operations.inputs import Operation
from torch_operations.layers import LAYERS, LOSSES
from torch_operations.whole import WHOLE

OPERATIONS = [
    *elementwise(),
    *(
        Operation(name, run, inputs)
        for group in (ARRAYS, LAYERS, LOSSES, WHOLE)
        for name, (run, inputs) in group.items()
    ),
]
