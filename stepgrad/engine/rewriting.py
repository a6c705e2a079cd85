"""Formulas rewritten: for other numbers, for columns, without signs, with constants put in."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping

from stepgrad.engine import ieee

_ARITHMETIC: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: ieee.div,
    ast.Pow: ieee.pow,
}


def constant(tree: ast.expr) -> float | None:
    """Return the number, if a formula is just a number."""
    if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.USub):
        inner = constant(tree.operand)
        return None if inner is None else -inner
    return float(tree.value) if isinstance(tree, ast.Constant) else None  # type: ignore[arg-type]


class Continued(ast.NodeTransformer):
    """Makes numbers of constants. Compares real parts, because complex numbers have no order."""

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        return ast.Call(ast.Name("number"), [node], [])

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        sides = [self.visit(side) for side in (node.left, *node.comparators)]
        left, *rest = (ast.Call(ast.Name("real"), [side], []) for side in sides)
        return ast.Compare(left, node.ops, list(rest))


class Columns(ast.NodeTransformer):
    """Makes functions of branches: all are computed, and each element takes its own."""

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        parts = (node.test, node.body, node.orelse)
        return ast.Call(ast.Name("where"), [self.visit(part) for part in parts], [])

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        name = {ast.Or: "either", ast.And: "both"}[type(node.op)]
        return ast.Call(ast.Name(name), [self.visit(part) for part in node.values], [])


class Absolute(ast.NodeTransformer):
    """Takes the absolute value of every term, so that none cancels; conditions stay as they are."""

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Call(ast.Name("abs"), [node], [])

    def visit_Call(self, node: ast.Call) -> ast.expr:
        return ast.Call(ast.Name("abs"), [node], [])

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        return self.visit(node.operand)  # type: ignore[no-any-return]

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        if isinstance(node.op, ast.Pow):
            return ast.Call(ast.Name("abs"), [node], [])
        op = ast.Add() if isinstance(node.op, ast.Sub) else node.op
        return ast.BinOp(self.visit(node.left), op, self.visit(node.right))

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        return ast.IfExp(node.test, self.visit(node.body), self.visit(node.orelse))


class Given(ast.NodeTransformer):
    """Put constants in for names."""

    def __init__(self, constants: Mapping[str, ast.Constant]) -> None:
        self._constants = constants

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self._constants.get(node.id, node)


class Fold(Given):
    """Put constants in and do the arithmetic that then needs no operand."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        left, right = constant(node.left), constant(node.right)
        if left is not None and right is not None:
            return ast.Constant(_ARITHMETIC[type(node.op)](left, right))
        if isinstance(node.op, ast.Pow) and right == 1:
            return node.left
        return node
