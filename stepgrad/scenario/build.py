"""Running a scenario, be it a graph or a network, and recording it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import islice, takewhile
from types import MappingProxyType
from typing import cast

from stepgrad.engine.world import World
from stepgrad.errors import suggest
from stepgrad.printable import counted
from stepgrad.progress import advance
from stepgrad.recording.budget import NODE
from stepgrad.recording.changed import WorldError, check_gates
from stepgrad.recording.memory import in_words
from stepgrad.recording.numbered import node_called
from stepgrad.recording.record import recorded_by, recorder_of
from stepgrad.recording.recording import Recording, Source
from stepgrad.scenario.form.sections import GraphScenario, NetworkScenario
from stepgrad.scenario.load import ScenarioFile
from stepgrad.scenario.program import Edits, Program
from stepgrad.scenario.program.graph import both_modes, graph_program
from stepgrad.scenario.program.training import epoch, run


def empty_recording(file: ScenarioFile, world: World | None = None) -> Recording:
    """Return a recording of a scenario with no events yet."""
    recording = Recording(file.title, Source(str(file.path), file.source.text))
    recording.world = world
    return recording


def record_file(
    file: ScenarioFile,
    edits: Edits = MappingProxyType({}),
    world: World | None = None,
    recording: Recording | None = None,
    memory: int | None = None,
) -> Recording:
    """Run a scenario, perhaps with edited numbers or in another world, and return its recording.

    That is a new one, or the empty `recording` that is given. In forward mode, each pass begins
    with a mark, and so does the pass in reverse mode that may follow. In training, each step begins
    with a mark; after the last update comes one more, which runs all rows and has no backward pass.
    Progress is reported after each pass, but not before every row has been used and the names that
    the file expects are known to exist.

    `memory` is the most bytes that the recording may take; None for the default share.
    When it is spent, the scenario ends with that pass.

    Raises:
        ScenarioError: the file expects names that no node has; a pass would not fit in the memory.
        WorldError: the world is about a gate or an update that there is not.
        Cancelled: the watcher does not want the rest; the passes so far are in the recording.
    """
    recording = empty_recording(file, world) if recording is None else recording
    _check_update(file, recording.world)
    with recorded_by(recorder_of(recording, memory=memory)) as recorder:
        _check_size(file, recorder.room)
        passes, shown, total = _passes(file, edits)
        recorded = takewhile(lambda _: not recorder.closed, passes)
        deque(islice(recorded, shown), maxlen=0)
        if not recorder.closed:
            recording.settle()
            check_gates(recording)
            _check_names(file, recording)  # before the rest: it may take long, with the same names
            advance(shown, total)
        for done, _ in enumerate(recorded, shown + 1):
            advance(done, total)
    return recording


def _check_update(file: ScenarioFile, world: World | None) -> None:
    """Raise `WorldError` if a world leaves out an update that there is not."""
    train = file.model.train
    updates = 0 if train is None else train.steps
    if world is not None and world.update > updates:
        has = counted(updates, "update") if updates else "no updates"
        raise WorldError(f"there is no update {world.update}: {file.name} has {has}")


def _check_size(file: ScenarioFile, room: int) -> None:
    """Raise `ScenarioError` if a pass has more nodes than there is room for."""
    if file.statements:  # as many as a file can write
        return
    from stepgrad.scenario.program.network import nodes_of_row  # noqa: PLC0415 - of networks only

    model = cast("NetworkScenario", file.model)
    rows, nodes = len(model.data.inputs), nodes_of_row(model)
    if rows * nodes <= room:
        return
    alone = nodes > room
    path = ("network", "sizes") if alone else ("data", "inputs")
    what, count = ("a single row", nodes) if alone else (f"{rows:,} rows", rows * nodes)
    raise file.error(
        path,
        f"{what} in this network make{'s' * alone} about {count:,} nodes, which take "
        f"{in_words(count * NODE)} of memory; the recording has room for "
        f"{counted(room, 'node')}: allow more with --memory",
    )


def _check_names(file: ScenarioFile, recording: Recording) -> None:
    """Raise `ScenarioError` for expectations of names that no node of a network has."""
    names = recording.names(recording.length)
    expect = file.model.expect
    unknown = [
        (file.document.key_index(("expect", section, name)), name)
        for section, promised in (("values", expect.values), ("grads", expect.grads))
        for name in promised
        if node_called(names, name) is None
    ]
    if unknown:
        raise file.source.error(
            (index, f"unknown name `{name}`{suggest(name, names)}") for index, name in unknown
        )


def _passes(file: ScenarioFile, edits: Edits) -> tuple[Iterator[None], int, int]:
    """Return the passes to run, how many of them use every row, and how many there are."""
    if file.statements and cast("GraphScenario", file.model).wrt:
        return both_modes(file, edits)
    train = file.model.train
    program = _program(file, edits)
    total = 1 if train is None else train.steps + 1
    return run(program, train), epoch(program, train), total


def _program(file: ScenarioFile, edits: Edits) -> Program:
    if file.statements:
        return graph_program(file, edits)
    from stepgrad.scenario.program.network import network_program  # noqa: PLC0415 - one kind of two

    return network_program(file, edits)
