"""Which lines of a program write a gradient without regard to what it was: `w.grad = x * up`.

The numbers in a recording do not say whether a line adds or replaces; its text does. A line counts
only where it can be seen that it reads nothing of the old gradient: neither by its name, nor
through a variable that may hold a gradient.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Set

from stepgrad.diagnosis.bookkeeping.flow import attributes, flow_of
from stepgrad.recording.foreign.names import names_gradient
from stepgrad.recording.kept import kept
from stepgrad.recording.source import Source


@kept(1)
def replacing(source: Source) -> Set[int]:
    """Return the lines on which each gradient that is written is replaced."""
    flow = flow_of(source)
    holding = flow.holding(_is_gradient)
    replaced, other = set[int](), set[int]()
    for node in ast.walk(flow.tree):
        for target in _targets(node):
            fresh = isinstance(node, ast.Assign) and not (
                ast.unparse(target) in map(ast.unparse, attributes(node.value))
                or flow.variables(node.value) & holding
            )
            (replaced if fresh else other).add(target.lineno)
    return replaced - other


def _is_gradient(attribute: ast.Attribute) -> bool:
    return names_gradient(attribute.attr)


def _targets(node: ast.AST) -> Iterator[ast.Attribute]:
    """Yield the gradients that a statement writes."""
    written = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    for each in filter(None, written):
        for part in filter(_is_gradient, attributes(each)):
            if isinstance(part.ctx, ast.Store):
                yield part
