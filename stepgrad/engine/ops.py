"""The operations: one row each.

A row says what an operation is called, how it is written, what it computes, and its partial
derivatives with respect to each operand, in terms of the operands and `out`. Everything else that
knows operations (`Value`'s methods, the backward pass, the notation on the screen, the functions
of a scenario) reads this table. A new operation is a new row.

At a kink, where no derivative exists, the row states PyTorch's convention: relu′(0) = 0,
leaky_relu′(0) = 0.01, abs′(0) = 0, and `max` and `min` of equal operands give each one half; if one
is nan, they give each all of it.

A partial derivative that is `shut` is a shut gate: exactly 0 goes back, whatever arrives, inf and
nan included, as in PyTorch. Other zeros multiply: 0·∞ is nan.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import ClassVar

from stepgrad.engine import codegen
from stepgrad.engine.formula import Formula

OPERANDS = ("a", "b")
"""What rows call their operands, in order."""


@dataclass(frozen=True, eq=False)
class Op:
    """A row of the table.

    `forward` gives the value; `partials[k]` gives ∂out/∂(operand k), written in the operand names
    and `out`. A row without operands (`LEAF`, `CONSTANT`) has neither. Operands in `constants` (by
    slot) are plain numbers, and take no gradient. A row with a wrong partial derivative (`GATES`)
    `stands_for` the right one.
    """

    name: str
    symbol: str
    forward: Formula
    partials: tuple[Formula, ...]
    code: int
    constants: tuple[int, ...] = ()
    stands_for: "Op | None" = None

    stored: ClassVar[bool] = False
    """Whether its derivatives are numbers kept with each node, not formulas (`own.OwnOp`)."""

    known: ClassVar[bool] = True
    """Whether it can be computed from its operands."""

    found: ClassVar[str] = ""
    """Of stored derivatives: where they are from."""

    def __repr__(self) -> str:
        return f"<op {self.name}>"

    @property
    def operands(self) -> tuple[str, ...]:
        """The operand names that the formulas use."""
        return OPERANDS[: len(self.partials)]

    @property
    def usual(self) -> "Op":
        """The row without a bug: nearly always this one."""
        return self.stands_for or self

    def written(self, names: Mapping[str, str]) -> str:
        """The operation in notation: `w·x`, `relu(z)`, with `names` put in for the operands."""
        if self.symbol.isidentifier():
            arguments = ", ".join(names.get(operand, operand) for operand in self.operands)
            return f"{self.symbol}({arguments})"
        return self.forward.written(names)

    @property
    def described(self) -> str:
        """The operation and its derivatives in notation: `a·b. ∂/∂a = b, ∂/∂b = a.`"""
        partials = zip(self.operands, self.partials, strict=True)
        derivatives = (f"∂/∂{name} = {partial.written()}" for name, partial in partials)
        return f"{self.written({})}. {', '.join(derivatives)}."

    def at_kink(self, inputs: Sequence[float]) -> bool:
        """Whether it has two one-sided derivatives there instead of a derivative."""
        given = dict(zip(self.operands, inputs, strict=True))
        return self.forward.piecewise and any(partial.tied(given) for partial in self.partials)

    @cached_property
    def value(self) -> Callable[..., float]:
        """The forward function of the operands."""
        return self.forward.function(*self.operands)

    @cached_property
    def local(self) -> tuple[Callable[..., float], ...]:
        """The local derivatives, each a function of the operands and `out`."""
        return tuple(partial.function(*self.operands, "out") for partial in self.partials)

    @cached_property
    def carry(self) -> tuple[Callable[..., float], ...]:
        """What each operand receives: a function of the operands, `out` and `upstream`.

        That is upstream × local, or 0 where a gate is shut.
        """
        parameters = (*self.operands, "out", "upstream")
        return tuple(partial.carried().function(*parameters) for partial in self.partials)

    @cached_property
    def reads(self) -> tuple[tuple[int, ...], ...]:
        """For each local derivative, which of its parameters it depends on: operands, and `out`."""
        parameters = [*enumerate((*self.operands, "out"))]
        return tuple(
            tuple(number for number, name in parameters if name in each.names)
            for each in self.partials
        )

    @cached_property
    def magnitude(self) -> tuple[Callable[..., float], ...]:
        """The scale of the rounding error of each local derivative.

        Where tanh is saturated, 1 − out² has no digits left, and an error on the scale of 1 + out².
        """
        parameters = (*self.operands, "out")
        return tuple(partial.magnitude().function(*parameters) for partial in self.partials)

    @cached_property
    def vjp(self) -> Callable[..., None]:
        """Hand a node's gradient on to its operands."""
        partials = dict(zip(self.operands, self.partials, strict=True))
        return codegen.vjp(self.name, partials, self.constants)

    def varies(self, slot: int) -> bool:
        """Whether a local derivative is not the same number wherever the operation is used."""
        return self.stored or self.partials[slot].constant is None

    def holding(self, _stored: Sequence[float]) -> "Op":
        """Return this row for a node with these local derivatives, where it stores them."""
        return self

    def at(self, _inputs: Sequence[float]) -> "Op":
        """Return this row for a node that is computed from these numbers."""
        return self

    @cache  # noqa: B019 - the rows live as long as the process
    def beside(self, *constants: int) -> "Op":
        """This row for an operation whose operands in these slots are plain numbers."""
        return replace(self, constants=constants)


OPS: list[Op] = []
"""All rows of the table. `OPS[op.code] is op`; codes fit a byte, and are below `OWN`."""

OWN = 254
"""The code that all operations of a program's own share (`own.OwnOp`)."""

BY_NAME: dict[str, Op] = {}


def _row(name: str, symbol: str, forward: str, *partials: str) -> Op:
    return _add(Op(name, symbol, Formula(forward), tuple(map(Formula, partials)), code=len(OPS)))


def _add(op: Op) -> Op:
    OPS.append(op)
    BY_NAME[op.name] = op
    return op


LEAF = _row("leaf", "", "0")
CONSTANT = _row("constant", "", "0")

ADD = _row("add", "+", "a + b", "1", "1")
SUB = _row("sub", "−", "a - b", "1", "-1")
MUL = _row("mul", "·", "a * b", "b", "a")
DIV = _row("div", "/", "a / b", "1 / b", "-out / b")
POW = _row(
    "pow",
    "^",
    "a ** b",
    "shut if b == 0 else b * a**(b - 1)",
    "0 if a == 0 and b >= 0 else out * log(a)",
)
NEG = _row("neg", "−", "-a", "-1")
ABS = _row("abs", "abs", "abs(a)", "1 if a > 0 else -1 if a < 0 else 0")
MAX = _row(
    "max", "max", "a if a >= b or a != a else b",
    "shut if a < b else 0.5 if a == b else 1", "shut if b < a else 0.5 if a == b else 1",
)  # fmt: skip
MIN = _row(
    "min", "min", "a if a <= b or a != a else b",
    "shut if a > b else 0.5 if a == b else 1", "shut if b > a else 0.5 if a == b else 1",
)  # fmt: skip
RELU = _row("relu", "relu", "0 if a < 0 else a", "shut if a <= 0 else 1")
LEAKY_RELU = _row("leaky_relu", "leaky_relu", "a if a > 0 else 0.01 * a", "1 if a > 0 else 0.01")
TANH = _row("tanh", "tanh", "tanh(a)", "1 - out*out")
SIGMOID = _row("sigmoid", "sigmoid", "1 / (1 + exp(-a))", "out * (1 - out)")
EXP = _row("exp", "exp", "exp(a)", "out")
LOG = _row("log", "log", "log(a)", "1 / a")
SQRT = _row("sqrt", "sqrt", "sqrt(a)", "1 / (2*out)")
SIN = _row("sin", "sin", "sin(a)", "cos(a)")
COS = _row("cos", "cos", "cos(a)", "-sin(a)")
ATAN = _row("atan", "atan", "atan(a)", "1 / (1 + a*a)")
SINH = _row("sinh", "sinh", "sinh(a)", "cosh(a)")
COSH = _row("cosh", "cosh", "cosh(a)", "sinh(a)")
EXPM1 = _row("expm1", "expm1", "expm1(a)", "out + 1")
LOG1P = _row("log1p", "log1p", "log1p(a)", "1 / (1 + a)")
SOFTPLUS = _row("softplus", "softplus", "softplus(a)", "1 / (1 + exp(-a))")
ERF = _row("erf", "erf", "erf(a)", "2 / sqrt(π) * exp(-a*a)")
GELU = _row(
    "gelu", "gelu", "a / 2 * (1 + erf(a / sqrt(2)))",
    "(1 + erf(a / sqrt(2))) / 2 + a * exp(-a*a / 2) / sqrt(2*π)",
)  # fmt: skip

FUNCTIONS = {op.name: len(op.partials) for op in OPS[OPS.index(NEG) :]}
"""What an expression may call, and with how many arguments: every row below the operators."""


def _faulty(bug: str, gate: Op, partial: str) -> Op:
    partials = (Formula(partial),) * len(gate.partials)
    name = f"{bug}_{gate.name}"
    return _add(replace(gate, name=name, partials=partials, code=len(OPS), stands_for=gate))


GATES = {
    (bug, gate.name): _faulty(bug, gate, partial)
    for gate in (RELU, LEAKY_RELU, MAX, MIN)
    for bug, partial in (("shut", "shut"), ("open", "1"))
}
"""Gates that do not work, by bug and name: nothing passes back, or everything (`world.World`)."""
