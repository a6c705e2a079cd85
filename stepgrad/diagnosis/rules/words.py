"""What is said of an engine: each fault in a clause, with its numbers (`Words`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from stepgrad.diagnosis.rules.wrote import Wrote
from stepgrad.engine.formula import Formula
from stepgrad.engine.ops import POW, Op
from stepgrad.numbers import factor, number
from stepgrad.recording.recording import Recording
from stepgrad.replay.telling.derivatives import local_derivative, partial_at
from stepgrad.replay.telling.titles import gradient_title, operand_titles, title


@dataclass(frozen=True)
class Words:
    """Clauses about the nodes of a recording."""

    recording: Recording

    def _grad(self, node: int) -> str:
        return gradient_title(self.recording, node)

    def _rule(self, out: int) -> str:
        name = title(self.recording, out)
        op, _ = self.recording.operation(out)
        return f"the rule of {f'{op.symbol} ({name})' if name.startswith('#') else name}"

    def _adds(self, wrote: Wrote) -> str:
        return f"{self._rule(wrote.out)} adds {number(wrote.received)} to {self._grad(wrote.node)}"

    def _partial(self, out: int, slot: int) -> str:
        return partial_at(self.recording, out, slot)

    def forward(
        self, method: str, op: Op, numbers: Sequence[float], value: float, *, turned: bool
    ) -> str:
        """The class computes something else than its operator says."""
        called = op.written(dict.fromkeys(op.operands, "")).startswith(f"{op.name}(")
        shown = map(number if called else factor, numbers)
        written = op.written(dict(zip(op.operands, shown, strict=True)))
        right = number(op.value(*numbers))
        told = f"`{method}` makes {number(value)} of {written}; right is {right}"
        return f"{told}: it has its operands the wrong way round" if turned else told

    def misnamed(self, op: Op, numbers: Sequence[float], value: float) -> str:
        """A method computes something else than its name says, and its rule is that of the name."""
        told = self.forward(op.name, op, numbers, value, turned=False)
        return f"{told}, and the rule is that of {op.name}"

    # The pass as a whole.

    def seed(self, root: int, after: float, *, of_value: bool) -> str:
        """The gradient of the root begins with 0, with its own value, or with another number."""
        grad = self._grad(root)
        if not after:
            return f"the first rule runs while {grad} is 0: it is never set to 1"
        if of_value:
            value = f"{number(after)}, the value of {title(self.recording, root)}"
            return f"{grad} begins with {value}; right is 1"
        return (
            f"{grad} begins with {number(after)}; right is 1: every gradient is {number(after)} "
            "times what it should be"
        )

    def seeded_again(self, node: int, before: float) -> str:
        """The gradient of a node is replaced by 1 before its rule runs."""
        return (
            f"the loop sets {self._grad(node)} to 1, over the {number(before)} that it has "
            "received: only the gradient of the result is 1"
        )

    def not_cleared(self, node: int, before: float) -> str:
        """A computed node still has the gradient of an earlier pass."""
        return (
            f"backward() runs again and adds to {self._grad(node)} = {number(before)}, which an "
            "earlier pass left there: gradients inside the graph count twice"
        )

    def left_over(self, out: int) -> str:
        """A rule runs in a pass whose result is not computed from its node."""
        return (
            f"{self._rule(out)} runs again in a later backward pass, whose result is not computed "
            "from it"
        )

    def order(self, wrote: Wrote) -> str:
        """A node's rule has run before those of all that use it."""
        name = title(self.recording, wrote.node)
        return (
            f"{self._adds(wrote)} after the rule of {name} has run: {name} is visited before its "
            "last user"
        )

    def twice(self, out: int) -> str:
        """A rule runs again in the same pass."""
        return f"{self._rule(out)} runs twice in one backward pass"

    def absent(self, out: int, slot: int, due: float, *, ran: bool, asking: bool) -> str:
        """An operand receives nothing; perhaps it does not ask for anything."""
        op, operands = self.recording.operation(out)
        grad = self._grad(operands[slot])
        nothing = (
            f"{grad} receives nothing from {title(self.recording, out)}; right is {number(due)}"
        )
        if op is POW.usual and slot == 1:
            return f"pow does not differentiate its exponent: {nothing}"
        if not ran:
            return f"{self._rule(out)} never runs: {nothing}"
        if asking:
            return f"{nothing}; the rule takes it for one that needs no gradient"
        if operands.count(operands[slot]) > 1:
            node, user = title(self.recording, operands[slot]), title(self.recording, out)
            return f"{user} uses {node} more than once, and {grad} lacks {number(due)} of it"
        return nothing

    def unvisited(self, out: int, node: int, due: float) -> str:
        """The loop over the nodes does not come to one that something has arrived at."""
        return (
            f"the loop does not run {self._rule(out)}: {self._grad(node)} receives nothing; right "
            f"is {number(due)}"
        )

    def ruleless(self, out: int, node: int) -> str:
        """A result has operands, and neither local derivatives nor a rule."""
        return (
            f"{title(self.recording, out)} has children but no rule, neither `local_grads` nor "
            f"`_backward`: {self._grad(node)} receives nothing from it"
        )

    def final(self, node: int, found: float, due: float) -> str:
        """A gradient that was written once, as a final number, is wrong."""
        return f"{self._grad(node)} is set to {number(found)}; right is {number(due)}"

    # A single contribution.

    def overwrites(self, wrote: Wrote) -> str:
        """`=` where `+=` belongs."""
        due = wrote.before + wrote.expected
        return (
            f"{self._rule(wrote.out)} writes {number(wrote.after)} over the "
            f"{number(wrote.before)} in {self._grad(wrote.node)}; the sum is {number(due)}: `=` "
            "stands where `+=` belongs"
        )

    def lucky(self, wrote: Wrote) -> str:
        """`=` where `+=` belongs, which does no harm this time."""
        return (
            f"{self._rule(wrote.out)} sets {self._grad(wrote.node)} to {number(wrote.after)}, "
            "which is right only because the other contributions come later: `=` stands where "
            "`+=` belongs"
        )

    def again(self, wrote: Wrote) -> str:
        """An operand receives what is right twice, from two lines."""
        return f"{self._adds(wrote)} a second time; each operand receives its own, once"

    def swapped(self, wrote: Wrote, other: int) -> str:
        """An operand receives what another one should."""
        times = "" if wrote.upstream == 1 else f"{number(wrote.upstream)} · "
        return (
            f"{self._adds(wrote)}, which is {times}{self._partial(wrote.out, other)}; right is "
            f"{times}{self._partial(wrote.out, wrote.slot)} = {number(wrote.expected)}: the "
            "operands are swapped"
        )

    def sign(self, wrote: Wrote) -> str:
        """The sign is wrong."""
        return f"{self._adds(wrote)}; right is {number(wrote.expected)}: the sign is wrong"

    def upstream_missing(self, wrote: Wrote) -> str:
        """The local derivative alone is added."""
        times = f"{number(wrote.upstream)} · {factor(wrote.local)} = {number(wrote.expected)}"
        return (
            f"{self._adds(wrote)}, the local derivative alone; right is {times}: it is not "
            f"multiplied by {self._grad(wrote.out)}"
        )

    def from_nothing(self, wrote: Wrote) -> str:
        """Something is added where nothing arrives."""
        return f"{self._adds(wrote)}; right is 0, as {self._grad(wrote.out)} is 0"

    def upstream(self, wrote: Wrote, instead: float, what: str) -> str:
        """Something else than what arrives is handed on."""
        return (
            f"{self._adds(wrote)} = {number(instead)} · {factor(wrote.local)}; right is "
            f"{number(wrote.upstream)} · {factor(wrote.local)} = {number(wrote.expected)}: {what}"
        )

    def local(
        self, wrote: Wrote, taken: float, formula: Formula | None, misread: int | None
    ) -> str:
        """The local derivative is wrong.

        `formula` is what it was taken for, if that is clear, and `misread` the operand whose
        gradient was taken for its value.
        """
        recording, position = self.recording, wrote.position
        name = self._partial(wrote.out, wrote.slot)
        titles = operand_titles(recording, recording.node(wrote.out))
        found = number(taken)
        if formula is not None and formula.constant is None:
            found = f"{formula.written(titles)} = {found}"
        right = number(wrote.local)
        if not wrote.op.stored:
            right = str(local_derivative(recording, wrote.out, wrote.slot, position))
        text = f"{self._rule(wrote.out)} takes {name} to be {found}; right is {right}"
        if misread is None:
            return text
        misread_title = title(recording, misread)
        return f"{text}: {self._grad(misread)} is taken for the value of {misread_title}"
