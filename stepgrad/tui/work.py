"""Long work in a thread of its own, so that the keys never wait for it.

The work reports its progress (`stepgrad.progress`), and learns there that it has been cancelled.
Python cannot end a thread from outside: work that reports nothing runs on in the background, but as
a daemon thread, which does not keep the process from ending.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from threading import Event, Thread
from typing import Generic, TypeVar, cast

from stepgrad.errors import NotEnoughMemoryError
from stepgrad.progress import Cancelled, watching
from stepgrad.recording.recording import Recording
from stepgrad.replay.session import Progress
from stepgrad.replay.state import State
from stepgrad.scenario.build import empty_recording, record_file
from stepgrad.scenario.load import ScenarioFile

PATIENCE = 0.2
"""Seconds that a person waits before a bar says what for."""

Result = TypeVar("Result")


class Work(Generic[Result]):
    """A function at work in a thread: `share` is its progress, from 0 to 1."""

    def __init__(self, function: Callable[[], Result]) -> None:
        self.share = 0.0
        self.error: BaseException | None = None
        self._function = function
        self._result: Result | None = None
        self._stopped = False
        self._ready = Event()
        self._thread = Thread(target=self._run, name="stepgrad work", daemon=True)
        self._thread.start()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for the end, but no longer than this; return whether there is a result."""
        self._thread.join(seconds)
        return self._ready.is_set()

    def result(self) -> Result:
        """Wait for the result and return it, or raise what the function has raised."""
        self._ready.wait()
        if self.error is not None:
            raise self.error
        return cast("Result", self._result)

    def stop(self) -> None:
        """End the work as soon as it says how far it is."""
        self._stopped = True

    def _run(self) -> None:
        try:
            with watching(self._watch):
                self._result = self._function()
        except MemoryError:
            self.error = NotEnoughMemoryError()
        except BaseException as error:  # raised where the result is asked for
            self.error = error
        self._ready.set()

    def _watch(self, share: float) -> None:
        if self._stopped:
            raise Cancelled
        self.share = share


class Growing(Work[Recording]):
    """A scenario that is recorded in a thread, to be read from its first pass on.

    `recording` is for the thread that reads: it stands still until `take` brings it up to the last
    whole pass. `progress` says how much of it is there, and is None when that is all.
    """

    def __init__(self, file: ScenarioFile, memory: int | None = None) -> None:
        self.recording = empty_recording(file)
        self.recording.memory = memory
        self.progress: Progress | None = Progress(0.0)
        self._file = file
        self._made = empty_recording(file)
        self._passed = 0.0, 0
        super().__init__(partial(record_file, file, recording=self._made, memory=memory))

    def result(self) -> Recording:
        """Wait for the first pass, and return the recording or raise why there is none.

        What goes wrong later is in `error`: what came before it can be looked at.
        """
        self._ready.wait()
        if not self._passed[1]:
            super().result()
        self.take()
        return self.recording

    @property
    def place(self) -> str:
        """How far the recording has come: `step 340 of 1000`."""
        end, train = self.recording.length, self._file.model.train
        step = State(self.recording, end).step
        return f"event {end}" if train is None or step is None else f"step {step} of {train.steps}"

    def take(self) -> None:
        """Bring the recording up to the last whole pass; after a stop it stays as it is."""
        if self._stopped:
            return
        done = not self._thread.is_alive()
        share, blocks = (self.share, len(self._made.blocks)) if done else self._passed
        self.recording.catch_up(self._made, blocks)
        complete = done and self.error is None
        self.progress = None if complete else Progress(share, stopped=done)

    def stop(self) -> None:
        """Leave the recording at the last whole pass, and end the thread after the next."""
        self.take()
        super().stop()
        if self.progress is not None:
            self.progress = Progress(self.progress.share, stopped=True)

    def _watch(self, share: float) -> None:
        super()._watch(share)
        self._made.settle()
        self._passed = share, len(self._made.blocks)
        self._ready.set()
