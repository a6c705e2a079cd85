"""Running a scenario: its statements or its network, through Value, into a recording."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import islice
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

from stepgrad.errors import suggest
from stepgrad.progress import advance
from stepgrad.recording.recorder import record
from stepgrad.recording.recording import Recording, Source
from stepgrad.scenario.graph import both_modes, graph_program
from stepgrad.scenario.load import ScenarioFile
from stepgrad.scenario.network import network_program
from stepgrad.scenario.program import Edits
from stepgrad.scenario.training import epoch, run

if TYPE_CHECKING:
    from stepgrad.scenario.schema import GraphScenario


def empty_recording(file: ScenarioFile) -> Recording:
    """Return a recording of a scenario in which nothing has happened yet."""
    return Recording(file.title, Source(str(file.path), file.source.text))


def record_file(
    file: ScenarioFile,
    edits: Edits = MappingProxyType({}),
    recording: Recording | None = None,
) -> Recording:
    """Run a scenario, perhaps with other numbers, and return its recording: a new or an empty one.

    In forward mode, each pass begins with a mark; so does the ordinary pass that may come last. A
    scenario that trains begins each step with a mark, and ends with one more forward pass after
    the last update: the step of that number, which shows all rows and has no backward pass. It
    says how far it is after each pass, for the first time when every row has been shown and the
    names that the file expects are known to be there.

    Raises:
        ScenarioError: the file expects names that no node has.
        Cancelled: whoever watches does not want the rest; the passes so far are in the recording.
    """
    recording = empty_recording(file) if recording is None else recording
    with record(recording):
        passes, shown, total = _passes(file, edits)
        deque(islice(passes, shown), maxlen=0)
        recording.settle()
        _check_names(file, recording)  # training may take long, and makes no new names
        advance(shown, total)
        for done, _ in enumerate(passes, shown + 1):
            advance(done, total)
    return recording


def _check_names(file: ScenarioFile, recording: Recording) -> None:
    """Raise `ScenarioError` for expectations of names that no node of a network has."""
    names = recording.names(recording.length)
    expect = file.model.expect
    unknown = [
        (file.document.key_index(("expect", section, name)), name)
        for section, promised in (("values", expect.values), ("grads", expect.grads))
        for name in promised
        if name not in names
    ]
    if unknown:
        raise file.source.error(
            (index, f"unknown name `{name}`{suggest(name, names)}") for index, name in unknown
        )


def _passes(file: ScenarioFile, edits: Edits) -> tuple[Iterator[None], int, int]:
    """Return the passes to run, after how many every row has been shown, and how many there are."""
    if file.statements and cast("GraphScenario", file.model).wrt:
        return both_modes(file, edits)
    train = file.model.train
    program = graph_program(file, edits) if file.statements else network_program(file, edits)
    total = 1 if train is None else train.steps + 1
    return run(program, train), epoch(program, train), total
