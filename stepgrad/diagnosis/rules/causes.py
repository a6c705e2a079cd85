"""Why the contributions of a rule are wrong (`Causes`)."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from functools import partial
from math import nan

from stepgrad.diagnosis.rules.faults import Fault, Kind
from stepgrad.diagnosis.rules.formulas import Sample, recognised
from stepgrad.diagnosis.rules.forward import misnamed
from stepgrad.diagnosis.rules.lines import Lines
from stepgrad.diagnosis.rules.words import Words
from stepgrad.diagnosis.rules.wrote import Wrote
from stepgrad.engine.ops import Op
from stepgrad.engine.tape import Place
from stepgrad.recording.recording import Recording


def lucky(recording: Recording, wrote: Wrote) -> Fault:
    """Say that `=` stands where `+=` belongs, though it did no harm."""
    nodes = (wrote.node, wrote.out)
    return Fault("overwrites", wrote.position, Words(recording).lucky(wrote), nodes, wrote.place)


class Causes:
    """What may be wrong with contributions of one rule to one operand: it explains all of them.

    Args:
        recording: where they are.
        wrong: the contributions.
        others: which operands of which operations receive something wrong.
    """

    def __init__(
        self, recording: Recording, wrong: Sequence[Wrote], others: Set[tuple[Op, int]]
    ) -> None:
        self._recording = recording
        self._words, self._lines = Words(recording), Lines(recording)
        self._others = others
        self._first = first = wrong[0]
        adds = isinstance(self._lines.statement(first.place), ast.AugAssign)
        self._overwritten = not adds and all(
            each.before and each.close(each.after, each.expected) for each in wrong
        )
        if self._lines.replaces(first.place):  # what was there does not count
            wrong = [each._replace(before=0.0) for each in wrong]
        self._wrong = wrong
        self._found: dict[Kind, Callable[[], str]] = {}
        for kind, text in self._causes(wrong[0]):
            self._found.setdefault(kind, text)

    @property
    def kinds(self) -> Set[Kind]:
        """What may be wrong, but for a derivative, which always may."""
        return {"overwrites"} if self._overwritten else self._found.keys() - {"local derivative"}

    def fault(self, *, shared: bool, common: Set[Kind]) -> Fault:
        """Say what is wrong, at the first contribution.

        Args:
            shared: whether the line writes for several operations, and for all of them what is
                wrong: then that line is to blame.
            common: what may be wrong with everything that is wrong at that line.
        """
        first, lines = self._wrong[0], self._lines
        if self._overwritten:
            return self._fault("overwrites", self._words.overwrites(self._first), first.place)
        if (wrong := misnamed(self._recording, first, self._samples())) is not None:
            return wrong
        kind = next((each for each in self._found if each in common), next(iter(self._found)))
        text = self._found[kind]()
        passing = shared and kind in ("swapped", "upstream missing")
        passing |= kind == "upstream missing" and not lines.own(first)
        if passing or kind == "upstream":
            return self._fault(kind, text, lines.handing_on(first, shared=shared))
        return self._fault(kind, text, first.place if shared else lines.rule(first))

    def _fault(self, kind: Kind, text: str, place: Place | None) -> Fault:
        first = self._wrong[0]
        return Fault(kind, first.position, text, (first.node, first.out), place)

    def _causes(self, first: Wrote) -> Iterator[tuple[Kind, Callable[[], str]]]:
        words = self._words
        alone = first.upstream != 1 and self._all(lambda each: each.local)
        # Where -1 arrives, the local derivative alone has the wrong sign: the line tells.
        if alone and not self._lines.multiplies(first.place):
            yield "upstream missing", partial(words.upstream_missing, first)
        if self._all(lambda each: each.expected):
            others = len(first.op.partials) > len(first.slots)
            yield "swapped" if others else "local derivative", partial(words.again, first)
        if self._all(lambda each: -each.expected):
            yield "sign", partial(words.sign, first)
        for other in range(len(first.op.partials)):
            if self._all(partial(self._due, slot=other)) and self._tells(other):
                yield "swapped", partial(words.swapped, first, other)
        if alone:
            yield "upstream missing", partial(words.upstream_missing, first)
        if any(each.received for each in self._wrong) or self._lines.reads(first.place):
            for what, instead in self._instead().items():
                if self._all(partial(_handed, instead)):
                    yield "upstream", partial(words.upstream, first, instead(first), what)
        yield "local derivative", self._taken

    def _tells(self, other: int) -> bool:
        """Whether that an operand receives what another one should is more than chance.

        With local derivatives of 0 and 1, as those of a maximum, it is not, if that one does.
        """
        taken = (
            self._recording.history.local(each.out, other, each.position) for each in self._wrong
        )
        return (self._wrong[0].op, other) in self._others or any(
            abs(each) not in (0, 1) for each in taken
        )

    def _all(self, due: Callable[[Wrote], float]) -> bool:
        """Whether what was added each time is something."""
        return all(each.is_(due(each)) for each in self._wrong)

    def _due(self, each: Wrote, slot: int) -> float:
        """What another operand should receive."""
        return each.upstream * self._recording.history.local(each.out, slot, each.position)

    def _instead(self) -> Mapping[str, Callable[[Wrote], float]]:
        """What may have been multiplied by in place of what has arrived."""
        history = self._recording.history
        instead: dict[str, Callable[[Wrote], float]] = {
            "the sum so far is handed on, not what has just arrived": lambda each: (
                history.grad(each.out, each.position - 1) or 0.0
            ),
        }
        if not self._lines.reads_another(self._first.place):
            instead |= {
                "the value of the result is taken for its gradient": lambda each: (
                    history.value(each.out, each.position) or 0.0
                ),
                "the gradient of the operand is taken for that of the result": lambda each: (
                    each.before
                ),
            }
        return instead

    def _taken(self) -> str:
        """Say what the local derivative was taken for."""
        samples = self._samples()
        if not samples:
            return self._words.from_nothing(self._wrong[0])
        first = next(each for each in self._wrong if each.upstream)
        taken = samples[0].taken
        formula = None if first.op.stored else recognised(first.op, first.slot, samples)
        return self._words.local(first, taken, formula, self._for_its_value())

    def _for_its_value(self) -> int | None:
        """The operand whose gradient the rule reads where its value belongs; None if none is."""
        first = self._first
        read, _ = self._lines.gradients(first.place)
        if first.op.stored or len(read) < 2:  # one of them is what arrives
            return None
        operands = self._recording.operation(first.out)[1]
        fitting = (
            node
            for number, node in enumerate(operands)
            if self._all(partial(self._with_gradient, number=number))
        )
        return next(fitting, None)

    def _with_gradient(self, each: Wrote, number: int) -> float:
        """What is added if the gradient of an operand is taken for its value."""
        history = self._recording.history
        node = self._recording.operation(each.out)[1][number]
        numbers = [*each.part.inputs(each.entry)]
        numbers[number] = history.grad(node, each.position - 1) or 0.0
        out = history.value(each.out, each.position) or 0.0
        try:
            return each.upstream * each.op.local[each.slot](*numbers, out)
        except ArithmeticError:
            return nan

    def _samples(self) -> Sequence[Sample]:
        """The numbers of those contributions to which something arrived."""
        return [self._sample(each) for each in self._wrong if each.upstream]

    def _sample(self, each: Wrote) -> Sample:
        history = self._recording.history
        operands = self._recording.operation(each.out)[1]
        numbers = [history.value(operand, each.position) or 0.0 for operand in operands]
        out = history.value(each.out, each.position) or 0.0
        return Sample(numbers, out, each.received / each.upstream)


def _handed(instead: Callable[[Wrote], float], each: Wrote) -> float:
    """What is added if something else than the gradient of the result is multiplied by."""
    return instead(each) * each.local
