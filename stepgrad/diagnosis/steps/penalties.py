"""Losses by their form: what a root adds up that is 0 at best, and with which sign (`sense`).

Such a penalty is a square or the size of a difference from data, or −log p of a probability. As it
has a best value, a root that is minus a sum of penalties has none when it is minimised.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stepgrad.diagnosis.survey import Survey
from stepgrad.engine.ops import (
    ABS,
    ADD,
    DIV,
    EXP,
    LEAF,
    LOG,
    MAX,
    MUL,
    NEG,
    POW,
    SIGMOID,
    SOFTPLUS,
    SQRT,
    SUB,
    Op,
)

_Signed = tuple[int, int]
"""A term: a node, and 1 or −1."""


class _Unknown(Exception):  # noqa: N818 - not an error
    """A term is something else than a penalty."""


def sense(survey: Survey, root: int) -> int:
    """Return 1 if a root is a sum of penalties, −1 if it is minus one, 0 if it is something else.

    Their factors are numbers above 0, or −1; numbers that do not depend on parameters may be added.
    It is looked at until penalties of both signs are found.
    """
    terms, todo, seen, found = _Terms(survey), [(root, 1)], set[_Signed](), set[int]()
    try:
        while todo and len(found) < 2:
            term = todo.pop()
            if term not in seen:
                seen.add(term)
                sign = terms.penalty(*term)
                found |= {sign} - {0}
                todo += () if sign else terms.inside(*term)
    except _Unknown:
        return 0
    return found.pop() if len(found) == 1 else 0


class _Terms:
    """The terms of a sum, as a survey's recording first had them."""

    def __init__(self, survey: Survey) -> None:
        self._parameters = survey.parameters
        self._history = survey.recording.history
        self._data = dict[int, bool]()

    def penalty(self, node: int, sign: int) -> int:
        """Return the sign with which a penalty enters if a node is one; else 0."""
        op, operands = self._of(node)
        if (op is MUL and operands[0] == operands[1]) or op is ABS:
            return sign * self._is_offset(operands[0])
        if op is POW:
            even = self._is_data(operands[1]) and self._number(operands[1]) % 2 == 0
            return sign * (even and self._is_offset(operands[0]))
        if op is SOFTPLUS or (op is ADD and self._is_of_logits(*operands)):
            return sign
        if (op is LOG and self._is_probability(operands[0])) or self._is_log_softmax(node):
            return -sign
        return 0

    def inside(self, node: int, sign: int) -> Iterator[_Signed]:
        """Yield the terms that a node is a sum of.

        Raises:
            _Unknown: it is no sum.
        """
        op, operands = self._of(node)
        if self._is_data(node):
            return
        if op is ADD or op is SUB:
            yield operands[0], sign
            yield operands[1], sign if op is ADD else -sign
        elif op is NEG:
            yield operands[0], -sign
        elif op is SQRT:  # grows with what it is of
            yield operands[0], sign
        else:
            yield from self._scaled(op, operands, sign)

    def _scaled(self, op: Op, operands: Sequence[int], sign: int) -> Iterator[_Signed]:
        data = [each for each in operands if self._is_data(each)]
        if op not in (MUL, DIV) or len(data) != 1 or (op is DIV and data[0] != operands[1]):
            raise _Unknown
        factor = self._number(data[0])
        if factor < 0 and factor != -1:  # a price, perhaps
            raise _Unknown
        if factor:
            [other] = {*operands} - {*data}
            yield other, sign if factor > 0 else -sign

    def _is_offset(self, node: int) -> bool:
        """Whether a node is how far something is from data."""
        op, operands = self._of(node)
        return op is SUB and sum(map(self._is_data, operands)) == 1

    def _is_probability(self, node: int) -> bool:
        op, operands = self._of(node)
        if op is MAX:  # of a number that keeps it from 0
            return any(map(self._is_data, operands)) and any(map(self._is_probability, operands))
        if op is SUB:
            first, other = operands
            one = self._is_data(first) and self._number(first) == 1
            return one and self._is_probability(other)
        return op is SIGMOID or (op is DIV and self._adds_up(operands[1], operands[0]))

    def _is_log_softmax(self, node: int) -> bool:
        """Whether a node is z − log Σ exp z, of one of these z."""
        op, operands = self._of(node)
        if op is not SUB or self._of(operands[1])[0] is not LOG:
            return False
        [total] = self._of(operands[1])[1]
        return self._adds_up(total, operands[0], of=EXP)

    def _adds_up(self, total: int, node: int, of: Op | None = None) -> bool:
        """Whether a sum has a node, or a function of it, among its terms, and exps besides."""
        todo, found = [total], False
        while todo:
            each = todo.pop()
            op, operands = self._of(each)
            if op is ADD:
                todo += operands
            elif op is not EXP:
                return False
            else:
                found = found or node in ((each,) if of is None else operands)
        return found

    def _is_of_logits(self, first: int, other: int) -> bool:
        """Whether two terms are (1 − t)·z and softplus(−z), for a target t."""
        op, operands = self._of(first)
        soft, [negative, *_] = self._of(other) if self._of(other)[1] else (LEAF, [other])
        if op is not MUL or soft is not SOFTPLUS or self._of(negative)[0] is not NEG:
            return False
        factor, logit = operands
        return self._is_data(factor) and logit == self._of(negative)[1][0]

    def _is_data(self, node: int) -> bool:
        """Whether a node depends on no parameter."""
        if node not in self._data:
            todo, seen = [node], {node}
            while todo and todo[-1] not in self._parameters:
                inner = {*self._of(todo.pop())[1]} - seen
                seen |= inner
                todo += inner
            self._data[node] = not todo
        return self._data[node]

    def _number(self, node: int) -> float:
        return self._history.first_value(node)

    def _of(self, node: int) -> tuple[Op, Sequence[int]]:
        return self._history.operation(node)
