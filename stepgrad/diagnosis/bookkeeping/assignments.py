"""Which lines of a program write a gradient without regard to what it was: `w.grad = x * up`.

The numbers in a recording do not say whether a line adds or replaces; its text does. A line counts
only where it can be seen that it reads nothing of the old gradient: neither by its name, nor
through a variable that may hold a gradient.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence, Set

from stepgrad.recording.kept import kept
from stepgrad.recording.source import Source
from stepgrad.syntax import read_program

_Binding = tuple[Set[str], Sequence[ast.AST]]
"""Names, and what they may stand for."""


@kept(1)
def replacing(source: Source) -> Set[int]:
    """Return the lines on which each gradient that is written is replaced."""
    tree = read_program(source.text)
    holding = _holding(tree)
    replaced, other = set[int](), set[int]()
    for node in ast.walk(tree):
        for target in _targets(node):
            fresh = isinstance(node, ast.Assign) and not (
                ast.unparse(target) in map(ast.unparse, _gradients(node.value))
                or _names(node.value) & holding
            )
            (replaced if fresh else other).add(target.lineno)
    return replaced - other


def _targets(node: ast.AST) -> Iterator[ast.Attribute]:
    """Yield the gradients that a statement writes."""
    written = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    for each in filter(None, written):
        for part in _gradients(each):
            if isinstance(part.ctx, ast.Store):
                yield part


def _gradients(node: ast.AST) -> Iterator[ast.Attribute]:
    """Yield the gradients that an expression or a statement mentions."""
    for part in ast.walk(node):
        if isinstance(part, ast.Attribute) and part.attr == "grad":
            yield part


def _names(node: ast.AST) -> Set[str]:
    """The variables that an expression uses other than for an attribute, as `w` in `w.data`."""
    objects = {part.value for part in ast.walk(node) if isinstance(part, ast.Attribute)}
    return {
        part.id for part in ast.walk(node) if isinstance(part, ast.Name) and part not in objects
    }


def _holding(tree: ast.Module) -> Set[str]:
    """The names of variables and functions that may hold a gradient, or give one."""
    bindings = [*_bindings(tree)]
    holding, found = set[str](), True
    while found:
        found = False
        for names, sources in bindings:
            if not names <= holding and any(
                any(_gradients(source)) or _names(source) & holding for source in sources
            ):
                holding |= names
                found = True
    return holding


def _bindings(tree: ast.Module) -> Iterator[_Binding]:
    calls: dict[str, list[ast.expr]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func
            name = called.id if isinstance(called, ast.Name) else getattr(called, "attr", "")
            calls.setdefault(name, []).extend([*node.args, *(k.value for k in node.keywords)])
    for node in ast.walk(tree):
        match node:
            case ast.Assign():
                yield _bound(node.targets), [node.value]
            case ast.AugAssign() | ast.NamedExpr() | ast.AnnAssign() if node.value:
                yield _bound([node.target]), [node.value]
            case ast.For() | ast.comprehension():
                yield _bound([node.target]), [node.iter]
            case ast.FunctionDef():
                yield {node.name}, node.body
                arguments = node.args
                every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
                yield {each.arg for each in every}, calls.get(node.name, ())


def _bound(targets: Iterable[ast.expr]) -> Set[str]:
    """The variables that are bound, or into which something is put."""
    return {name for target in targets for name in _names(target)}
