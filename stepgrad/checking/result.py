"""The result of checking a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from math import isfinite
from typing import Literal

from stepgrad.checking.by_hand import unclear
from stepgrad.checking.by_rules import unseen
from stepgrad.checking.comparison import Comparison
from stepgrad.checking.ways import verify
from stepgrad.diagnosis.findings import Finding, findings
from stepgrad.diagnosis.rules.pytorch import agreement, given
from stepgrad.diagnosis.rules.wrote import whole_passes
from stepgrad.errors import ScenarioError
from stepgrad.numbers import number
from stepgrad.recording.blocks import Backward
from stepgrad.recording.events import Accumulate
from stepgrad.recording.recording import Recording
from stepgrad.replay.stops.language import Condition
from stepgrad.replay.stops.stop import find
from stepgrad.replay.telling.narration import narrate
from stepgrad.replay.telling.titles import made_by, title
from stepgrad.scenario.diagnosed import Diagnosis, diagnosed
from stepgrad.scenario.expect import Check, checks
from stepgrad.scenario.load import ScenarioFile
from stepgrad.scenario.programs import meant_to_fail
from stepgrad.scenario.recorded import recorded_scenario


@dataclass(frozen=True, slots=True)
class Promise:
    """An expected number; `details` says what is wrong with it, and is empty if nothing is."""

    check: Check
    details: Sequence[str]

    @property
    def ok(self) -> bool:
        """Whether the expectation is met."""
        return self.check.ok


@dataclass(frozen=True, slots=True)
class Result:
    """The result of checking a file; `error` says why it could not be checked at all.

    `broken` says what is not finite without being expected, and which bug the recording was made
    with. `passes` is the number of backward passes, of which a few are compared. `status` is the
    exit status of a program, `failure` what ended it, `seconds` the time that everything took, and
    `note` a remark. `findings` are the verdicts of the `diagnosis` that nothing promises: they fail
    the check if it is `strict`, or if a derivative is wrong.
    """

    file: str
    promises: Sequence[Promise] = ()
    ways: Sequence[Comparison] = ()
    broken: str = ""
    passes: int = 0
    note: str = ""
    error: str = ""
    status: int = 0
    failure: str = ""
    seconds: float = 0.0
    diagnosis: Diagnosis = field(default_factory=Diagnosis)
    findings: Sequence[Finding] = ()
    strict: bool = False

    @property
    def failed(self) -> bool:
        """Whether an expectation is not met, a gradient is not finite, or a way differs.

        Or whether the program itself failed, or its diagnosis.
        """
        kept, agree = (promise.ok for promise in self.promises), (way.ok for way in self.ways)
        return bool(self.broken or self.status or self.sick) or not (all(kept) and all(agree))

    @property
    def sick(self) -> bool:
        """Whether its diagnosis fails the check."""
        wrong = any(each.wrong for each in self.diagnosis.unexpected)
        return bool(wrong or self.diagnosis.broken or (self.strict and self.findings))

    @property
    def word(self) -> Literal["ok", "FAILED", "nothing to check", "not checked"]:
        """The result in a word or two."""
        if self.error:
            return "not checked"
        if self.failed:
            return "FAILED"
        compared = any(way.compared for way in self.ways)
        expects = self.promises or self.diagnosis.promised is not None
        return "ok" if expects or compared else "nothing to check"


def judge(
    file: str,
    recording: Recording,
    scenario: ScenarioFile | None = None,
    status: int = 0,
    *,
    strict: bool = False,
) -> Result:
    """Check a recording, which was opened as `file`; if `strict`, no verdict is accepted.

    Without a scenario, the one that the recording carries is used, if there is one.
    """
    scenario, note = (scenario, "") if scenario else _carried(recording)
    promised = checks(scenario, recording) if scenario else []
    promises = [
        Promise(check, () if check.ok else tuple(shortfall(recording, check))) for check in promised
    ]
    ways = verify(recording)
    skipped = ways[0].skipped if ways else 0  # by the same rules, in the same order
    wanted = any(not isfinite(check.expected) for check in promised)
    diagnosis = diagnosed(recording, scenario)
    broken = "" if wanted or not skipped else _broken(recording, skipped, diagnosis)
    broken = "; ".join(filter(None, (_bug(recording), broken)))
    if wanted and skipped:
        note = f"{_gradients(skipped)} not finite, as the scenario expects"
    if recording.source and meant_to_fail(recording.source.text):
        note = "this lesson shows a mistake: it is meant to fail"
    hidden = unseen(recording)
    unsure = "" if ways or hidden else unclear(recording)
    torch = agreement(recording), *given(recording)
    notes = recording.incomplete, note, unsure, hidden, *torch
    result = Result(
        file,
        promises,
        ways,
        broken,
        _passes(recording),
        "; ".join(filter(None, notes)),
        status=status,
        diagnosis=diagnosis,
        findings=findings(recording, diagnosis.unexpected),
        strict=strict,
    )
    if recording.spent and result.word == "nothing to check":
        early = f"{recording.incomplete}, before there is anything to check"
        return replace(result, note="", error=f"{file}: {early}; allow more with --memory")
    return result


def _carried(recording: Recording) -> tuple[ScenarioFile | None, str]:
    """Return the scenario that a recording carries, or why it cannot be read."""
    try:
        return recorded_scenario(recording), ""
    except ScenarioError as error:
        return None, f"expectations not checked: {str(error).splitlines()[0]}"


def _passes(recording: Recording) -> int:
    """How many backward passes there are; one that is divided counts once."""
    ours = sum(type(block) is Backward for block in recording.blocks)
    return ours + len(whole_passes(recording.blocks))


def _bug(recording: Recording) -> str:
    """Say which bug the world has that a recording was made in, if it has one."""
    world = recording.world
    return f"recorded in a world with a bug: {world} ({world.meaning})" if world else ""


def _gradients(count: int) -> str:
    return f"{count} gradient{'s are' if count > 1 else ' is'}"


def _broken(recording: Recording, count: int, diagnosis: Diagnosis) -> str:
    """Say that gradients are not finite, and where that began, by the diagnosis if it knows."""
    told = f"{_gradients(count)} not finite"
    began = next((each for each in diagnosis.every if each.name == "non_finite"), None)
    if began is not None:
        index = began.events[0] - 1
    elif found := find(recording, [Condition("bad")], 0, forward=True):
        index, _ = found
    else:
        return told
    told = f"{told}; it began at event {index + 1:,}: {narrate(recording, index)}"
    event = recording.events[index]
    if not isinstance(event, Accumulate):  # other events name their line
        return told
    out = recording.node(event.out)
    line = made_by(recording, out)
    return f"{told}, in the backward step of {title(recording, event.out)}{line and f' ({line})'}"


def shortfall(recording: Recording, check: Check) -> Iterator[str]:
    """Yield what is wrong with an expected number, and how the recording came to its own."""
    path = recording.source.path if recording.source else recording.name
    got = "has no value" if check.got is None else f"is {number(check.got)}"
    if check.got is None and recording.incomplete:
        got += f" ({recording.incomplete})"
    yield f"{path}:{check.line}: {check.name} {got}, expected {number(check.expected)}"
    for line in check.why(recording):
        yield f"    {line}"
