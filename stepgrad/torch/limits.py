"""What ends the recording of a program (`Limits`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from os import getpid

from torch import Tensor

from stepgrad.recording.recorder import Recorder
from stepgrad.torch.passes import NoRoomError, Pass
from stepgrad.torch.refused import RefusedError, check_function, check_tensors, too_large, unknown


class Limits:
    """Looks whether what a program does can be recorded.

    Args:
        recorder: where it is recorded.
        where: returns the operation, the line and the module that the program is at.
    """

    def __init__(self, recorder: Recorder, where: Callable[[], str]) -> None:
        self._recorder = recorder
        self._where = where
        self._process = getpid()
        self._refused = False

    @property
    def idle(self) -> bool:
        """Whether nothing is recorded: the recording has ended, or this is a forked process."""
        return self._refused or self._recorder.closed or getpid() != self._process

    def check(self, tensors: Iterable[Tensor]) -> None:
        """Look whether tensors of an operation can be recorded.

        Raises:
            RefusedError: some cannot.
        """
        with self._refusing():
            check_tensors(tensors, self._where)

    def check_function(self, function: type) -> None:
        """Look at a function with a backward pass of its own.

        Raises:
            RefusedError: what it computes cannot be recorded.
        """
        with self._refusing():
            check_function(function, self._where)

    @contextmanager
    def making(self, name: str, made: Pass, nodes: int) -> Iterator[None]:
        """Make the nodes of an operation inside.

        Args:
            name: that of the operation.
            made: the pass that they are made in.
            nodes: how many there are at least.

        Raises:
            RefusedError: they cannot be made.
        """
        with self._refusing():
            try:
                made.make_room(nodes)
                yield
            except NoRoomError as error:
                raise too_large(error.nodes, error.room, self._where()) from None
            except Exception as error:
                raise unknown(name, self._where()) from error

    @contextmanager
    def _refusing(self) -> Iterator[None]:
        try:
            yield
        except RefusedError:
            self._refused = True  # what comes next would be recorded without it
            raise
