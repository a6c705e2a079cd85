"""Which variables of a loop come off a worklist together: a node, and what arrives (`popping`).

A backward pass may keep what it has to hand on in a stack or a queue, and take it from there:
`node, grad = stack.pop()`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

_TAKING = ("pop", "popleft", "popitem", "get", "get_nowait", "heappop")
_NONE = "", frozenset[str]()


def popping(
    loops: Sequence[ast.While | ast.For], found: ast.stmt | ast.Lambda
) -> tuple[str, frozenset[str]]:
    """Return which variable has a number that came off a worklist and is added to a gradient.

    It is empty where there is none. If the gradient is that of an operand of the node that came
    with the number, all variables that came come, too; if it is that of the node itself, none.
    """
    if not isinstance(found, ast.Assign | ast.AugAssign):
        return _NONE
    target = found.target if isinstance(found, ast.AugAssign) else found.targets[0]
    if not (isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name)):
        return _NONE
    around = [each for each in loops if any(inner is found for inner in ast.walk(each))]
    for names in (names for loop in around for names in _taken(loop)):
        if target.value.id in names:
            handed = sorted(terms(found.value) & names - {target.value.id})
            if handed:
                return handed[0], frozenset()
        elif handed := sorted(_used(found.value, around) & names):
            return handed[0], names
    return _NONE


def terms(value: ast.expr) -> set[str]:
    """Return the terms of a sum; of one or the other, those of both."""
    if isinstance(value, ast.IfExp):
        return terms(value.body) | terms(value.orelse)
    if isinstance(value, ast.BoolOp):
        return {term for each in value.values for term in terms(each)}
    if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add | ast.Sub):
        return terms(value.left) | terms(value.right)
    return {ast.unparse(value)}


def _taken(loop: ast.While | ast.For) -> Iterator[frozenset[str]]:
    """Yield the variables that a loop takes off a worklist, those of each taking together."""
    if isinstance(loop, ast.For):
        if isinstance(loop.iter, ast.Name) and _grows(loop, loop.iter.id):
            yield _names(loop.target)
        return
    assigned = [each for each in ast.walk(loop) if isinstance(each, ast.Assign)]
    for each in assigned:
        if isinstance(each.value, ast.Call) and _called(each.value) in _TAKING:
            names = frozenset[str]().union(*map(_names, each.targets))
            for other in assigned:  # `item = stack.pop()`, then `node, grad = item`
                whole = other.value.value if isinstance(other.value, ast.Subscript) else other.value
                if isinstance(whole, ast.Name) and whole.id in names:
                    names = names.union(*map(_names, other.targets))
            yield names


def _grows(loop: ast.For, name: str) -> bool:
    calls = (each.func for each in ast.walk(loop) if isinstance(each, ast.Call))
    return any(ast.unparse(each) == f"{name}.append" for each in calls)


def _called(call: ast.Call) -> str:
    return ast.unparse(call.func).rpartition(".")[2]


def _names(node: ast.expr) -> frozenset[str]:
    return frozenset(each.id for each in ast.walk(node) if isinstance(each, ast.Name))


def _used(value: ast.expr, around: Sequence[ast.While | ast.For]) -> frozenset[str]:
    """Return the variables that a number is made of; of one that a loop sets, what it runs over.

    Those whose attributes alone are read are left out.
    """
    owners = {id(each.value) for each in ast.walk(value) if isinstance(each, ast.Attribute)}
    plain = (each for each in ast.walk(value) if id(each) not in owners)
    names = frozenset(each.id for each in plain if isinstance(each, ast.Name))
    for loop in around:
        if isinstance(loop, ast.For) and _names(loop.target) & names:
            names |= {
                arg.id
                for call in ast.walk(loop.iter)
                if isinstance(call, ast.Call)
                for arg in call.args
                if isinstance(arg, ast.Name)
            }
    return names
