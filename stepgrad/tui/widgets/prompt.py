"""The line at the bottom on which a command asks for what it wants to know."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from rich.cells import cell_len
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from stepgrad.replay.commands.table import Command


class Field(Input, inherit_bindings=False):
    """Where the answer is typed: at once, so that the next key finds it there.

    A widget's keys usually wait in a queue of its own, while the app looks up the next one.
    """

    BINDINGS = [
        replace(each, priority=True)
        for each in Input.BINDINGS
        if isinstance(each, Binding) and each.key != "enter"  # what asks answers
    ]

    def post_message(self, message: Message) -> bool:
        """Take a character, or the first line of what is pasted; queue everything else."""
        match message:
            case events.Key(is_printable=True, character=str(text)):
                pass
            case events.Paste(text=text):
                text = "".join(text.splitlines()[:1])
            case _:
                return super().post_message(message)
        self.replace(text, *self.selection)
        return True


_MARGIN = 2
"""Cells beside the answer."""


class Prompt(Vertical):
    """In view while a command asks: its question, the answer, and what is wrong with that."""

    BINDINGS = [
        # Enter is ctrl+j as long as the terminal is not the screen's.
        Binding("enter,ctrl+j", "answer", "answer", priority=True),
        Binding("escape", "leave", "leave", priority=True),
    ]

    def __init__(self, *, id: str) -> None:  # noqa: A002
        super().__init__(id=id)
        self._question = Static(id="question")
        self._field = Field(compact=True, id="answer")
        self._problem = Static(id="problem")
        self.display = False

    def compose(self) -> ComposeResult:
        """Lay the lines out."""
        yield self._question
        yield self._field
        yield self._problem

    @property
    def asks(self) -> bool:
        """Whether a command is waiting for an answer."""
        return bool(self.display)

    def ask(
        self,
        command: Command,
        question: str,
        form: str,
        check: Callable[[str], str | None],
        left: Callable[[], None],
    ) -> None:
        """Ask for an answer in some form.

        The form is shown where the answer goes, or above it if that is too narrow. `check` takes
        an answer, or returns what is wrong with it, and `left` ends it.
        """
        self._check = check
        self._left = left
        told, fits = question or command.brief, cell_len(form) < self.screen.size.width - _MARGIN
        self._question.update(Content(told if fits else f"{told} {form}"))
        self._field.value = ""
        self._field.placeholder = form if fits else ""
        self._explain("")
        self.display = True
        self.screen.set_focus(self._field)
        self._again = command.hides

    def action_answer(self) -> None:
        """Answer; a wrong answer stays, with the problem. A prediction is typed again."""
        problem = self._check(self._field.value)
        if problem is None:
            self.action_leave()
        else:
            self._explain(problem)
            if self._again:
                self._field.action_select_all()

    def action_leave(self) -> None:
        """Ask no more."""
        if self.asks:
            self.display = False
            self.screen.set_focus(None)
            self._left()

    def _explain(self, problem: str) -> None:
        self._problem.update(Content(problem))
        self._problem.display = bool(problem)
