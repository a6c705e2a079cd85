"""A debugger that tests drive: it presses keys, and says what is there."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from os import PathLike
from typing import ParamSpec, TypeVar

from stepgrad.errors import StepgradError, suggest
from stepgrad.headless import words
from stepgrad.recording.recording import Recording
from stepgrad.replay.commands import replay
from stepgrad.replay.cursor import Cursor
from stepgrad.replay.narrate import narrate
from stepgrad.replay.places import goto
from stepgrad.replay.session import Session
from stepgrad.scenario import open_scenario
from stepgrad.scenario.build import record_file

_Arguments = ParamSpec("_Arguments")
_Answer = TypeVar("_Answer")


def _told_where_called(method: Callable[_Arguments, _Answer]) -> Callable[_Arguments, _Answer]:
    """Raise what is wrong as if the caller had: the report of a test shows the test's own line."""

    @wraps(method)
    def called(*arguments: _Arguments.args, **keywords: _Arguments.kwargs) -> _Answer:
        __tracebackhide__ = True  # pytest asks each frame for it
        try:
            return method(*arguments, **keywords)
        except (StepgradError, KeyError) as error:
            raise error.with_traceback(None) from None

    return called


class Replay:
    """A debugger for tests: it presses keys, and says what is there.

    `stepgrad_replay("two_layer")` makes one in a test; every method that moves returns it::

        replay = stepgrad_replay("two_layer").press("f n n n")
        assert replay.grad("y") == -4
    """

    def __init__(self, session: Session) -> None:
        self.session = session

    @classmethod
    def of(cls, name: str | PathLike[str]) -> Replay:
        """Replay a scenario, given by path or by the name of a shipped one."""
        scenario = open_scenario(name)
        return cls(Session.open(Cursor(record_file(scenario)), partial(record_file, scenario)))

    @_told_where_called
    def press(self, keys: str) -> Replay:
        """Press keys, with spaces between, as `stepgrad replay --keys` does.

        Raises:
            CommandError: a key does nothing here, or what it asks for is not there.
        """
        self.session = replay(self.session, words(keys))
        return self

    @_told_where_called
    def goto(self, where: str | int) -> Replay:
        """Go to a position (`14`), `50%`, `step 20` or a name.

        Raises:
            CommandError: there is no such place.
        """
        self.session = self.session.go(goto(self.session.cursor, str(where)))
        return self

    @property
    def position(self) -> int:
        """How many events have happened."""
        return self.session.cursor.position

    @property
    def text(self) -> str:
        """What the last event did, in notation; empty at the start."""
        return str(narrate(self._recording, self.position - 1)) if self.position else ""

    @_told_where_called
    def value(self, name: str) -> float | None:
        """Return a node's value; None where it is not made yet.

        Raises:
            KeyError: no node is so named by now.
        """
        return self.session.state.value(self._node(name))

    @_told_where_called
    def grad(self, name: str) -> float | None:
        """Return a node's gradient; None where nothing has reached it.

        Raises:
            KeyError: no node is so named by now.
        """
        return self.session.state.grad(self._node(name))

    @_told_where_called
    def tangent(self, name: str) -> float | None:
        """Return a node's tangent; None where it is not made yet, or not in forward mode.

        Raises:
            KeyError: no node is so named by now.
        """
        return self.session.state.tangent(self._node(name))

    @property
    def _recording(self) -> Recording:
        return self.session.recording

    def _node(self, name: str) -> int:
        node = self.session.state.find(name)
        if node is None:
            known = self._recording.names(self._recording.length)
            hint = ": it comes later" if name in known else suggest(name, known)
            raise KeyError(f"no node {name} by event {self.position}{hint}")
        return node
