"""A debugger that tests drive: it presses keys and answers questions about the position."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from os import PathLike
from typing import ParamSpec, TypeVar

from stepgrad.errors import StepgradError
from stepgrad.headless import words
from stepgrad.recording.recording import Recording
from stepgrad.replay.commands.places import goto
from stepgrad.replay.commands.script import replay
from stepgrad.replay.cursor import Cursor
from stepgrad.replay.naming import find_node, near
from stepgrad.replay.session import Session
from stepgrad.replay.telling.narration import narrate
from stepgrad.scenario import open_scenario
from stepgrad.scenario.build import record_file
from stepgrad.scenario.rerun import rerun

_Arguments = ParamSpec("_Arguments")
_Answer = TypeVar("_Answer")


def _raised_in_caller(method: Callable[_Arguments, _Answer]) -> Callable[_Arguments, _Answer]:
    """Raise errors as if the caller did, so that pytest shows the line of the test."""

    @wraps(method)
    def called(*arguments: _Arguments.args, **keywords: _Arguments.kwargs) -> _Answer:
        __tracebackhide__ = True  # pytest reads it from each frame
        try:
            return method(*arguments, **keywords)
        except (StepgradError, KeyError) as error:
            raise error.with_traceback(None) from None

    return called


class Replay:
    """A debugger for tests: it presses keys and answers questions about the position.

    `stepgrad_replay("two_layer")` makes one in a test; every method that moves returns it::

        replay = stepgrad_replay("two_layer").press("f n n n")
        assert replay.grad("y") == -4
    """

    def __init__(self, session: Session) -> None:
        self.session = session

    @classmethod
    def of(cls, name: str | PathLike[str]) -> Replay:
        """Replay a scenario, given as a path or as the name of one that ships."""
        scenario = open_scenario(name)
        return cls(Session.open(Cursor(record_file(scenario)), rerun(scenario)))

    @_raised_in_caller
    def press(self, keys: str) -> Replay:
        """Press keys, separated by spaces, as `stepgrad replay --keys` does.

        Raises:
            CommandError: a key does nothing here, or does not find what it looks for.
        """
        self.session = replay(self.session, words(keys))
        return self

    @_raised_in_caller
    def goto(self, where: str | int) -> Replay:
        """Go to a position (`14`), `50%`, `step 20` or a name.

        Raises:
            CommandError: there is no such position.
        """
        self.session = self.session.go(goto(self.session.cursor, str(where)))
        return self

    @property
    def position(self) -> int:
        """The number of events that have happened."""
        return self.session.cursor.position

    @property
    def text(self) -> str:
        """The last event in notation; empty at the start."""
        return str(narrate(self._recording, self.position - 1)) if self.position else ""

    @_raised_in_caller
    def value(self, name: str) -> float | None:
        """Return a node's value; None before it is computed.

        Raises:
            KeyError: no node has this name yet.
        """
        return self.session.state.value(self._node(name))

    @_raised_in_caller
    def grad(self, name: str) -> float | None:
        """Return a node's gradient; None before one arrives.

        Raises:
            KeyError: no node has this name yet.
        """
        return self.session.state.grad(self._node(name))

    @_raised_in_caller
    def tangent(self, name: str) -> float | None:
        """Return a node's tangent; None before it is computed, and outside forward mode.

        Raises:
            KeyError: no node has this name yet.
        """
        return self.session.state.tangent(self._node(name))

    @property
    def _recording(self) -> Recording:
        return self.session.recording

    def _node(self, name: str) -> int:
        state = self.session.state
        node = find_node(state, name)
        later = node is not None and self._recording.history.made_at(node) > self.position
        if node is None or later:
            hint = ": it is created later" if later else near(state, name)
            raise KeyError(f"no node {name} by event {self.position}{hint}")
        return node
