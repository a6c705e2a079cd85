"""A lesson that is read aloud, step by step, as far as its listener has come."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from stepgrad.plain.help import hint
from stepgrad.plain.lesson import parts
from stepgrad.replay.lesson.following import Lesson
from stepgrad.replay.session import Session


@dataclass(frozen=True, slots=True)
class Reader:
    """A lesson, and how many of its steps have been `heard`.

    It is followed if it `guides`, and at its end it may lead `onward` to another.
    """

    lesson: Lesson = field(default_factory=Lesson)
    guides: bool = True
    onward: bool = False
    heard: int = 0

    def read(self, session: Session) -> Reading:
        """Read the next step; after the last, the first. Reading on does one that is only read."""
        steps = self.lesson.steps
        if not steps:
            return self, ["There is no lesson here."]
        lesson = self.lesson
        if self.guides and self.heard == lesson.ticked + 1 and _is_only_read(lesson):
            lesson = lesson.after("jump", session)
        at = self.heard % len(steps)
        if lesson.done and not self.lesson.done:
            return replace(self, lesson=lesson), [self.ending]
        return replace(self, lesson=lesson, heard=at + 1), [*self._told(at), self._again(at)]

    def after(self, command: str, session: Session, times: int = 1) -> Reading:
        """Tick what a command has done; say so, and read the step that is the current one then."""
        lesson, before = self.lesson, self.lesson.ticked
        if not self.guides or lesson.done:
            return self, ()
        for _ in range(times):
            lesson = lesson.after(command, session)
        now = lesson.ticked
        if now == before:
            return replace(self, lesson=lesson), ()
        done = [f"Step {at + 1} is done." for at in range(before, now) if lesson.steps[at].demands]
        after = replace(self, lesson=lesson, heard=now + 1)
        if lesson.done:
            return replace(after, heard=now), [*done, self.ending]
        unheard = range(min(max(self.heard, before + 1), now), now + 1)
        told = (text for at in unheard for text in self._told(at))
        return after, [*done, *told, self._again(now)]

    def is_for(self, session: Session) -> bool:
        """Whether Enter is for the lesson; what a step explains is heard with it."""
        heard = replace(self.lesson, explaining=False)
        return self.guides and heard.reads_on(session, onward=self.onward)

    @property
    def ending(self) -> str:
        """What there is to do after the last step."""
        onward = f"{hint('jump')} opens the next lesson, " * self.onward
        return f"The lesson is done: {onward}{hint('predict')} predicts it, {hint('quit')} leaves."

    def _told(self, at: int) -> Iterator[str]:
        part = "step" if self.guides else "part"
        yield f"Lesson, {part} {at + 1} of {len(self.lesson.steps)}."
        yield " ".join(parts(self.lesson.steps[at].markdown))

    def _again(self, at: int) -> str:
        last = at + 1 == len(self.lesson.steps)
        return f"{hint('show_lesson')} {'begins again' if last else 'reads the next step'}."


Reading = tuple[Reader, Sequence[str]]
"""A lesson, and what is said of it."""


def _is_only_read(lesson: Lesson) -> bool:
    return lesson.current is not None and not lesson.current.demands
