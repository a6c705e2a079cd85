"""Which variables of a program may hold a gradient, or a value: what flows where in its text.

A variable is a name in its function, or an attribute by its name alone; an item counts as what it
is in. The value and the gradient of an object are no variables. Where something may flow, it is
taken to do so, for those who blame a line because it does not read something.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from functools import cached_property

from stepgrad.recording.foreign.names import names_gradient
from stepgrad.recording.kept import kept
from stepgrad.recording.source import Source
from stepgrad.syntax import read_program

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_PUTTING = {"append", "extend", "insert", "add", "update", "setdefault"}
"""Methods that put something into their object."""

_Binding = tuple[Set[str], Sequence[ast.AST]]
"""Variables, and what they may hold."""

Direct = Callable[[ast.Attribute], bool]
"""Whether an attribute is itself what is asked about."""


def is_gradient(attribute: str) -> bool:
    """Whether an attribute is a gradient, by its name."""
    return "grad" in attribute.lower() or names_gradient(attribute)


def gradients(node: ast.AST) -> Iterator[ast.Attribute]:
    """Yield the gradients that an expression or a statement mentions."""
    yield from (each for each in attributes(node) if is_gradient(each.attr))


def attributes(node: ast.AST) -> Iterator[ast.Attribute]:
    """Yield the attributes that an expression or a statement mentions."""
    yield from (each for each in ast.walk(node) if isinstance(each, ast.Attribute))


@kept(2)
def flow_of(source: Source) -> Flow:
    """Return what flows where in a program."""
    return Flow(read_program(source.text))


class Flow:
    """The variables of a program, and what is put into each."""

    def __init__(self, tree: ast.Module) -> None:
        self.tree = tree
        self._keys: dict[int, str] = {}  # of a name, by the identity of its node
        self._modules = {
            (each.asname or each.name).partition(".")[0]
            for node in ast.walk(tree)
            if isinstance(node, ast.Import)
            for each in node.names
        }
        self._fields = {"data", *_fields(tree)}
        self._enter(tree, [])
        self._bindings = [*self._bound(tree)]

    # Names.

    def _enter(self, scope: ast.AST, outer: Sequence[dict[str, str]]) -> None:
        """Give each name in a scope, and in those inside, the variable that it stands for."""
        inside = [*own(scope)]
        stored = {e.id for e in inside if isinstance(e, ast.Name) and isinstance(e.ctx, ast.Store)}
        for each in inside:
            if isinstance(each, ast.Global | ast.Nonlocal):
                stored -= {*each.names}
        prefix = f"{getattr(scope, 'lineno', 0)}:"
        names = stored.union(names_of_arguments(scope))
        scopes = [*outer, {name: prefix + name for name in names}]
        for each in inside:
            if isinstance(each, ast.Name):
                found = (known[each.id] for known in reversed(scopes) if each.id in known)
                self._keys[id(each)] = next(found, each.id)
            elif isinstance(each, _FUNCTIONS):
                self._enter(each, scopes)

    def variable(self, node: ast.AST) -> str | None:
        """Return the variable that an expression is, or an item of which it is."""
        while isinstance(node, ast.Subscript | ast.Starred):
            node = node.value
        match node:
            case ast.Name():
                return self._keys.get(id(node))
            case ast.Attribute(value=ast.Name(id=name)) if name in self._modules:
                return None
            case ast.Attribute(attr=name) if name not in self._fields and not names_gradient(name):
                return f".{name}"
        return None

    def variables(self, node: ast.AST) -> Set[str]:
        """Return the variables that an expression reads; of `p.data`, that is the attribute."""
        objects = {id(part.value) for part in attributes(node)}
        parts = (part for part in ast.walk(node) if id(part) not in objects)
        named = (self.variable(p) for p in parts if isinstance(p, ast.Name | ast.Attribute))
        return {name for name in named if name is not None}

    @cached_property
    def read(self) -> Set[str]:
        """The names that are read anywhere."""
        return {
            each.id for each in ast.walk(self.tree) if isinstance(each, ast.Name) and is_read(each)
        }

    @cached_property
    def unknown(self) -> Set[str]:
        """The terms of sums that are bound elsewhere, as in another cell of a notebook."""
        defined = {
            each.name
            for each in ast.walk(self.tree)
            if isinstance(each, ast.FunctionDef | ast.ClassDef)
        }
        terms = (
            part
            for each in ast.walk(self.tree)
            if isinstance(each, ast.BinOp) and isinstance(each.op, ast.Add | ast.Sub)
            for part in self.variables(each)
        )
        known = defined | self._modules | vars(builtins).keys()
        return {name for name in terms if name.isidentifier() and name not in known}

    # What flows.

    def holding(
        self,
        direct: Direct,
        first: Iterable[str] = (),
        but: Callable[[ast.AST], bool] = lambda _: False,
    ) -> Set[str]:
        """Return the variables, and the functions, that may hold or give what is asked about.

        Args:
            direct: whether an attribute is that.
            first: variables that are known to hold it.
            but: whether an expression does not count.
        """
        bindings = [(names, [v for v in values if not but(v)]) for names, values in self._bindings]
        holding, found = {*first}, True
        while found:
            found = False
            for names, values in bindings:
                if not names <= holding and any(self.reads(v, direct, holding) for v in values):
                    holding |= names
                    found = True
        return holding

    def reads(self, node: ast.AST, direct: Direct, holding: Set[str]) -> bool:
        """Whether an expression reads what is asked about, itself or by a variable."""
        return any(map(direct, attributes(node))) or not holding.isdisjoint(self.variables(node))

    def _bound(self, tree: ast.Module) -> Iterator[_Binding]:
        calls: dict[str, list[ast.expr]] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                name = (self.variable(node.func) or "").rpartition(":")[2].removeprefix(".")
                values = [*node.args, *(each.value for each in node.keywords)]
                calls.setdefault(name, []).extend(values)
                if name in _PUTTING and isinstance(node.func, ast.Attribute):
                    yield self._targets([node.func.value]), values
        for node in ast.walk(tree):
            match node:
                case ast.Assign():
                    for target in node.targets:
                        yield from self._pairs(target, node.value)
                case ast.AugAssign() | ast.NamedExpr() | ast.AnnAssign() if node.value:
                    yield self._targets([node.target]), [node.value]
                case ast.For() | ast.comprehension():
                    yield from self._pairs(node.target, node.iter)
                case ast.FunctionDef():
                    yield {node.name, f".{node.name}"}, node.body
                    names = {f"{node.lineno}:{each}" for each in names_of_arguments(node)}
                    yield names, calls.get(node.name, ())

    def _pairs(self, target: ast.expr, value: ast.expr) -> Iterator[_Binding]:
        """Yield what a target is given, one by one for `a, b = …, …` and for `zip`."""
        match target, value:
            case (
                ast.Tuple(elts=targets),
                ast.Tuple(elts=values) | ast.Call(func=ast.Name(id="zip"), args=values),
            ) if len(targets) == len(values):
                for each in zip(targets, values, strict=True):
                    yield from self._pairs(*each)
            case _:
                yield self._targets([target]), [value]

    def _targets(self, targets: Iterable[ast.expr]) -> Set[str]:
        """The variables that are bound, or into which something is put."""
        found = set[str]()
        for target in targets:
            if isinstance(target, ast.Tuple | ast.List):
                found |= self._targets(target.elts)
            elif (name := self.variable(target)) is not None:
                found.add(name)
        return found


def _fields(tree: ast.AST) -> Iterator[str]:
    """Yield what the classes of an engine set in their objects when they make them."""
    for each in ast.walk(tree):
        if isinstance(each, ast.FunctionDef) and each.name == "__init__":
            names = {part.attr for part in attributes(each) if isinstance(part.ctx, ast.Store)}
            if any(map(names_gradient, names)):
                yield from names


def live(flow: Flow) -> Set[str]:
    """Return the variables that are read for more than to give others that nothing reads."""
    into = list[tuple[Set[str], Set[str]]]()  # variables that are given, and what they are given
    alive = set[str]()
    for statement in ast.walk(flow.tree):
        if not isinstance(statement, ast.stmt):
            continue
        parts = [*own(statement, nested=False)]
        stored = {
            id(e.value)
            for e in parts
            if isinstance(e, ast.Attribute | ast.Subscript) and isinstance(e.ctx, ast.Store)
        }
        read = {flow.variable(e) or "" for e in parts if is_read(e) and id(e) not in stored}
        match statement:
            case ast.Assign(targets=targets) if all(map(_is_variable, targets)):
                into.append(({flow.variable(each) or "" for each in targets}, read))
            case ast.AugAssign(target=target) | ast.For(target=target) if _is_variable(target):
                into.append(({flow.variable(target) or ""}, read))
            case _:
                alive |= read
    found = True
    while found:
        before = len(alive)
        alive = alive.union(*(read for given, read in into if not given.isdisjoint(alive)))
        found = len(alive) > before
    return alive


def _is_variable(target: ast.expr) -> bool:
    return isinstance(target, ast.Name) or (
        isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name)
    )


def is_read(node: ast.AST) -> bool:
    """Whether an expression is a name that is read."""
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)


def own(scope: ast.AST, *, nested: bool = True) -> Iterator[ast.AST]:
    """Yield what is in a node and in no function inside it, but that function itself.

    If not `nested`, what is in no statement inside it.
    """
    todo = [*ast.iter_child_nodes(scope)]
    while todo:
        node = todo.pop()
        if nested or not isinstance(node, ast.stmt):
            yield node
            if not nested or not isinstance(node, _FUNCTIONS):
                todo += ast.iter_child_nodes(node)


def names_of_arguments(scope: ast.AST) -> Iterator[str]:
    """Yield what the arguments of a function are called."""
    if isinstance(scope, _FUNCTIONS):
        arguments = scope.args
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        yield from (each.arg for each in every)
