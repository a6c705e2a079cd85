"""What came of checking a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Literal

from stepgrad.checking.comparison import Comparison
from stepgrad.checking.ways import verify
from stepgrad.errors import ScenarioError
from stepgrad.numbers import number
from stepgrad.recording.blocks import Backward
from stepgrad.recording.recording import Recording
from stepgrad.replay.conditions.language import Condition
from stepgrad.replay.narrate import narrate
from stepgrad.replay.stops import find
from stepgrad.scenario.expect import Check, checks
from stepgrad.scenario.load import ScenarioFile
from stepgrad.scenario.recorded import recorded_scenario


@dataclass(frozen=True, slots=True)
class Promise:
    """A number that was promised; `told` says what is wrong with it, and is empty if nothing is."""

    check: Check
    told: Sequence[str]

    @property
    def ok(self) -> bool:
        """Whether it is kept."""
        return self.check.ok


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a file; `error` says why it could not be checked at all.

    `broken` says what is not finite, where nobody promised that. `passes` are how many backward
    passes there are, of which a few are compared. `status` is the exit status of a program,
    `seconds` how long everything took, and `note` is what is to be known besides.
    """

    file: str
    promises: Sequence[Promise] = ()
    ways: Sequence[Comparison] = ()
    broken: str = ""
    passes: int = 0
    note: str = ""
    error: str = ""
    status: int = 0
    seconds: float = 0.0

    @property
    def failed(self) -> bool:
        """Whether a promise is not kept, a gradient not finite, or another by another way.

        Or a program, that failed by itself.
        """
        kept, agree = (promise.ok for promise in self.promises), (way.ok for way in self.ways)
        return bool(self.broken or self.status) or not (all(kept) and all(agree))

    @property
    def word(self) -> Literal["ok", "FAILED", "nothing to check", "not checked"]:
        """The verdict in a word or two."""
        if self.error:
            return "not checked"
        if self.failed:
            return "FAILED"
        compared = any(way.compared for way in self.ways)
        return "ok" if self.promises or compared else "nothing to check"


def judge(
    file: str, recording: Recording, scenario: ScenarioFile | None = None, status: int = 0
) -> Verdict:
    """Check a recording, which was opened as `file`.

    One that is given without a scenario is held to that of its own text, if it has one.
    """
    note = ""
    if scenario is None:
        try:
            scenario = recorded_scenario(recording)
        except ScenarioError as error:
            note = f"expectations not checked: {str(error).splitlines()[0]}"
    promised = checks(scenario, recording) if scenario else []
    promises = [
        Promise(check, () if check.ok else tuple(shortfall(recording, check))) for check in promised
    ]
    ways = verify(recording)
    skipped = ways[0].skipped if ways else 0  # by the same rules, in the same order
    wanted = any(not isfinite(check.expected) for check in promised)
    broken = "" if wanted or not skipped else _broken(recording, skipped)
    if wanted and skipped:
        note = f"{_gradients(skipped)} not finite; the scenario promises such numbers"
    passes = sum(isinstance(block, Backward) for block in recording.blocks)
    return Verdict(file, promises, ways, broken, passes, note, status=status)


def _gradients(count: int) -> str:
    return f"{count} gradient{'s are' if count > 1 else ' is'}"


def _broken(recording: Recording, count: int) -> str:
    """Say that there are gradients which are not finite, and where that began."""
    told = f"{_gradients(count)} not finite"
    found = find(recording, [Condition("bad")], 0, forward=True)
    if found is None:
        return told
    event = found[0]
    return f"{told}; the first number that is not, event {event + 1}: {narrate(recording, event)}"


def shortfall(recording: Recording, check: Check) -> Iterator[str]:
    """Yield what is wrong with a promised number, and how the recording came to its own."""
    path = recording.source.path if recording.source else recording.name
    got = "never came" if check.got is None else f"is {number(check.got)}"
    yield f"{path}:{check.line}: {check.name} {got}, expected {number(check.expected)}"
    for line in check.why(recording):
        yield f"    {line}"
