"""How a row of the table is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Row = Callable[..., Any]
Table = Mapping[str, Row]


class Rows(dict[str, Row]):
    """The rows of one module, by the name of the operation without `aten::`."""

    def __call__(self, *names: str) -> Callable[[Row], Row]:
        """Add a row for these operations: `@rows("mm", "bmm")`."""

        def add(row: Row) -> Row:
            self.update(dict.fromkeys(names, row))
            return row

        return add
