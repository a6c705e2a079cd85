"""What is an update in the text of a program: a value taken along its gradient (`Along`)."""

from __future__ import annotations

import ast

from stepgrad.diagnosis.bookkeeping.flow import Flow, attributes, gradients, is_gradient


class Along:
    """Finds updates in a program.

    `_fields` are attributes of objects that have a gradient; `_gradients` are variables that may
    hold a gradient, and `_values` those that may hold a value from elsewhere than an update.
    """

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        owners = {ast.unparse(each.value) for each in gradients(flow.tree)}
        self._fields = {
            each.attr
            for each in attributes(flow.tree)
            if not is_gradient(each.attr) and ast.unparse(each.value) in owners
        }
        self._gradients = flow.holding(_is_gradient)
        self._values = flow.holding(self._is_field, but=self.reads_gradient)

    def has_step(self, node: ast.AST) -> bool:
        """Whether an update is in an expression or a statement."""
        return any(map(self.is_step, ast.walk(node)))

    def is_step(self, node: ast.AST) -> bool:
        """Whether something is an update itself: a sum or a difference."""
        match node:
            case ast.BinOp(left=left, op=ast.Add() | ast.Sub(), right=right):
                return self._along(left, right) or self._along(right, left)
            case ast.AugAssign(target=target, op=ast.Add() | ast.Sub(), value=value):
                return self._along(target, value)
            case ast.Call(func=ast.Attribute(value=of, attr="add" | "sub"), args=[step, *_]):
                return self._along(of, step)  # of tensors; those in place are `add_` and `sub_`
        return False

    def reads_gradient(self, node: ast.AST) -> bool:
        """Whether an expression reads a gradient, or a variable that may hold one."""
        return self._flow.reads(node, _is_gradient, self._gradients)

    def _along(self, value: ast.AST, step: ast.AST) -> bool:
        """Whether one expression has a value, and the other the gradient that belongs to it."""
        owners = {ast.unparse(each.value) for each in gradients(step)}
        parts = {ast.unparse(each) for each in ast.walk(value) if isinstance(each, ast.expr)}
        if not owners.isdisjoint(parts):
            return not any(gradients(value))
        return self._flow.reads(value, self._is_field, self._values) and self.reads_gradient(step)

    def _is_field(self, attribute: ast.Attribute) -> bool:
        return attribute.attr in self._fields


def _is_gradient(attribute: ast.Attribute) -> bool:
    return is_gradient(attribute.attr)
