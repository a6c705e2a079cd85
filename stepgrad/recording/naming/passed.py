"""Which variables of a function hold what it returns (`passed`)."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator

_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_APART = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
"""What has variables of its own, and returns for itself."""


def passed(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[ast.stmt]:
    """Yield the assignments whose results a function returns: `out = a * b`, then `return out`.

    The variable is assigned once and in no loop, and whatever the function returns after that is
    the variable: so each result has one name where the function is called.
    """
    inside = [*_inside(function)]
    stored = Counter(
        node.id for node, _ in inside if isinstance(node, ast.Name) and not _is_read(node)
    )
    returns = [node for node, _ in inside if isinstance(node, ast.Return)]
    for node, looped in inside:
        if looped or not isinstance(node, ast.Assign | ast.AnnAssign):
            continue
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        if isinstance(target, ast.Name) and stored[target.id] == 1:
            after = [_variable(each) for each in returns if each.lineno >= node.lineno]
            if after and all(variable == target.id for variable in after):
                yield node


def _inside(node: ast.AST, *, looped: bool = False) -> Iterator[tuple[ast.AST, bool]]:
    """Yield what is in a function, but not in functions inside it, and whether it is in a loop."""
    for each in ast.iter_child_nodes(node):
        yield each, looped
        if not isinstance(each, _APART):
            yield from _inside(each, looped=looped or isinstance(each, _LOOPS))


def _is_read(name: ast.Name) -> bool:
    return isinstance(name.ctx, ast.Load)


def _variable(returned: ast.Return) -> str:
    """Return the variable that is returned; empty for other expressions."""
    return returned.value.id if isinstance(returned.value, ast.Name) else ""
