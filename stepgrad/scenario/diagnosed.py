"""The diagnosis of a recording, beside what its scenario or program promises of it.

The questions are loaded when they are asked: whatever opens a recording can ask them, but no one
should wait for them before there is something to see.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from stepgrad.errors import ScenarioError, suggest
from stepgrad.recording.kept import kept
from stepgrad.recording.recording import Recording
from stepgrad.scenario.form.sections import GraphScenario
from stepgrad.scenario.load import ScenarioFile
from stepgrad.scenario.programs import promised_verdicts

if TYPE_CHECKING:
    from stepgrad.diagnosis import Verdict


class Diagnosis(NamedTuple):
    """What is wrong in a recording.

    Args:
        verdicts: the gravest first.
        notes: what is only worth knowing.
        promised: the names of the verdicts that it must get, and no others; None if nothing is
            promised.
        asked: what was looked at, such as `in 3 backward passes and 3 steps: 25 questions asked`.
    """

    verdicts: Sequence[Verdict] = ()
    notes: Sequence[Verdict] = ()
    promised: Sequence[str] | None = None
    asked: str = ""

    @property
    def every(self) -> Sequence[Verdict]:
        """The verdicts, and then the notes."""
        return [*self.verdicts, *self.notes]

    @property
    def unexpected(self) -> Sequence[Verdict]:
        """The verdicts that are not promised."""
        return [each for each in self.verdicts if each.name not in (self.promised or ())]

    @property
    def open(self) -> Sequence[Verdict]:
        """The verdicts to say at once: none where a lesson has the learner look for one."""
        return [] if self.promised else self.verdicts

    @property
    def broken(self) -> Sequence[str]:
        """What is wrong with the promise: a line for each verdict that it is about."""
        return [] if self.promised is None else [*self._broken(self.promised)]

    def _broken(self, promised: Sequence[str]) -> Iterator[str]:
        from stepgrad.diagnosis import names  # noqa: PLC0415

        found = {each.name for each in self.verdicts}
        for name in dict.fromkeys(promised):
            if name not in found:
                unknown = name not in names()
                hint = f": unknown verdict{suggest(name, names())}" if unknown else ""
                yield f"the verdict `{name}` is promised, but not given{hint}"
        for each in self.unexpected:
            yield f"the verdict `{each.name}` is given, but not promised"


@kept(1)
def diagnosed(recording: Recording, scenario: ScenarioFile | None = None) -> Diagnosis:
    """Diagnose a recording; its scenario says which leaves are parameters.

    That is the one that it is a run of, if the caller knows, or the one that it carries. No
    scenario promises anything of an edited recording.
    """
    from stepgrad.diagnosis import asked, diagnose  # noqa: PLC0415

    scenario = scenario or scenario_of(recording)
    declared = _declared(recording, scenario)
    found = diagnose(recording, declared)
    return Diagnosis(
        verdicts=[each for each in found if not each.note],
        notes=[each for each in found if each.note],
        promised=_promised(recording, scenario),
        asked=asked(recording, declared),
    )


def scenario_of(recording: Recording) -> ScenarioFile | None:
    """Return the scenario that a recording carries; None if it is a program's, or unreadable."""
    from stepgrad.scenario.recorded import recorded_scenario  # noqa: PLC0415

    try:
        return recorded_scenario(recording)
    except ScenarioError:  # that of another version
        return None


def _declared(recording: Recording, scenario: ScenarioFile | None) -> frozenset[int]:
    """Return the parameters of a graph; those of a network are reached by every pass."""
    if scenario is None or not isinstance(scenario.model, GraphScenario):
        return frozenset()
    nodes = recording.names(recording.length)
    return frozenset(nodes[name] for name in scenario.model.params if name in nodes)


def _promised(recording: Recording, scenario: ScenarioFile | None) -> Sequence[str] | None:
    if scenario is not None:
        return scenario.model.expect.verdicts
    return promised_verdicts(recording.source.text) if recording.source else None
