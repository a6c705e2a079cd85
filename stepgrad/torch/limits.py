"""What ends the recording of a program (`Limits`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from os import getpid
from threading import get_ident

from torch import Tensor

from stepgrad.printable import counted
from stepgrad.torch.counted import Count
from stepgrad.torch.passes import NoRoomError, Pass
from stepgrad.torch.refused import (
    RefusedError,
    check_function,
    check_layers,
    check_order,
    check_row,
    check_stray,
    check_tensors,
    check_transform,
    check_world,
    too_large,
    unknown,
)


class Limits:
    """Looks whether what a program does can be recorded.

    Args:
        over: whether the recording has ended.
        steps: the training steps to record; None for all.
        where: returns the operation, the line and the module that the program is at.
    """

    def __init__(
        self, over: Callable[[], bool], where: Callable[[], str], steps: range | None = None
    ) -> None:
        self._over = over
        self._where = where
        self.again = ""  # what follows options on a command line
        self.count: Count | None = None  # of a pass that cannot be made
        self._process, self._thread = getpid(), get_ident()
        self._refused = False
        self._steps = steps
        self._step = -1
        self._passed = True  # a backward pass, since the last operation

    @property
    def idle(self) -> bool:
        """Whether nothing is recorded at the moment."""
        counting = self.count is not None
        return counting or self.over or (self._steps is not None and self._step not in self._steps)

    @property
    def over(self) -> bool:
        """Whether nothing more is recorded: it has ended, or this is another thread or process."""
        elsewhere = getpid() != self._process or get_ident() != self._thread
        return self._refused or self._over() or elsewhere

    def begins(self) -> bool:
        """An operation of the forward pass comes; return whether a training step begins with it.

        One begins with the first operation after a backward pass.
        """
        begins, self._passed = self._passed, False
        self._step += begins
        return begins

    @property
    def missed(self) -> str:
        """Why nothing was recorded, if that is because the program has fewer training steps."""
        if not self._steps or self._step >= self._steps.start:
            return ""
        has = counted(self._step + 1, "step")
        return f"there is no training step {self._steps.start}: it has {has}, from 0"

    def passed(self) -> None:
        """A backward pass is over."""
        self._passed = True

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

    def check_world(self, world: object) -> None:
        """Look whether the program is to run in a world with a bug.

        Raises:
            RefusedError: it is.
        """
        with self._refusing():
            check_world(world, self._where)

    def check_row(self, row: int | None, size: int | None) -> None:
        """Make sure that a batch of this size has the sample that is to be recorded.

        Raises:
            RefusedError: it does not.
        """
        with self._refusing():
            check_row(row, size, self._where)

    def check_layers(self, missing: Sequence[str], known: Sequence[str]) -> None:
        """Look whether modules are missing that are to be recorded.

        Raises:
            RefusedError: some are.
        """
        with self._refusing():
            check_layers(missing, known, self._where)

    def check_stray(self, stray: bool) -> None:
        """Look whether the program uses what it should not, as it is not recorded.

        Raises:
            RefusedError: it does.
        """
        with self._refusing():
            check_stray(stray, self._where)

    def check_count(self, batch: int | None) -> None:
        """A pass is whole: look whether it could be made.

        Args:
            batch: how many samples it is of, if that is known.

        Raises:
            RefusedError: it could not; says what could.
        """
        count, self.count = self.count, None
        if count is not None:
            fitting = count.fitting(batch, self._step)
            with self._refusing():
                raise too_large(count.total, count.room, self._where(), fitting, self.again)

    def check_transform(self) -> None:
        """Look whether the program is inside a transform that differentiates a function.

        Raises:
            RefusedError: it is.
        """
        with self._refusing():
            check_transform(self._where)

    def check_order(self, create_graph: bool) -> None:
        """Look at a backward pass.

        Raises:
            RefusedError: gradients are to go through it, too.
        """
        with self._refusing():
            check_order(create_graph, self._where)

    @contextmanager
    def making(self, name: str, made: Pass, nodes: int = 0) -> Iterator[None]:
        """Make the nodes of an operation inside.

        Args:
            name: that of the operation.
            made: the pass that they are made in.
            nodes: how many there are at least.

        Raises:
            NoRoomError: there is no memory for them.
            RefusedError: they cannot be made.
        """
        with self._refusing():
            try:
                made.make_room(nodes)
                yield
            except (NoRoomError, RefusedError):
                raise
            except Exception as error:
                raise unknown(name, self._where(), error) from None

    @contextmanager
    def storing(self, made: Pass, nodes: int) -> Iterator[None]:
        """Make room for the leaves that are made inside.

        Raises:
            RefusedError: there is no memory for them.
        """
        with self._refusing():
            try:
                made.make_room(nodes)
                yield
            except NoRoomError as error:
                raise too_large(error.nodes, error.room, self._where(), (), self.again) from None

    @contextmanager
    def _refusing(self) -> Iterator[None]:
        try:
            yield
        except RefusedError:
            self._refused = True  # what comes next would be recorded without it
            raise
