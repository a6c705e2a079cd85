"""Tasks from the exercises of a scenario: what each asks, and which answers are right."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from stepgrad.engine.world import World
from stepgrad.errors import ScenarioError, suggest
from stepgrad.numbers import number, typed
from stepgrad.printable import printable
from stepgrad.recording.changed import WorldError
from stepgrad.recording.numbered import node_called
from stepgrad.recording.recording import Recording
from stepgrad.replay.quiz.answers import UNKNOWN, AnswerError, Kind, Question, Reply, reply
from stepgrad.replay.quiz.tasks import Task
from stepgrad.replay.state import State
from stepgrad.replay.telling.derivatives import derivative, partial
from stepgrad.scenario.build import record_file
from stepgrad.scenario.diagnosed import diagnosed
from stepgrad.scenario.exercises.drawing import drawn
from stepgrad.scenario.exercises.mistakes import Mistake, of_gradient, of_others, sign
from stepgrad.scenario.exercises.numbers import end_of_pass, is_open, statement_derivative
from stepgrad.scenario.form.exercise import Exercise
from stepgrad.scenario.form.sections import GraphScenario
from stepgrad.scenario.load import ScenarioFile

_LONGEST = 12  # the most statements to repeat before a question


def pose(file: ScenarioFile, student: str = "", recording: Recording | None = None) -> list[Task]:
    """Return the tasks of a scenario, with the numbers of a student; programs are no tasks.

    `recording` is a run of the scenario as it is, if there is one already.

    Raises:
        ScenarioError: an exercise is about something that there is not in the run.
    """
    tasks = []
    for place, exercise in enumerate(file.model.exercises):
        if exercise.asks == "program":  # a file is handed in, not typed
            continue
        numbers = drawn(exercise, file.title, place, student)
        if numbers or recording is None:
            run = record_file(file, numbers)
            recording = recording if numbers else run
        else:
            run = recording
        tasks.append(_POSED[exercise.asks](_Run(file, exercise, place, numbers, run)))
    return tasks


@dataclass
class _Run:
    """An exercise and the run that it is about."""

    file: ScenarioFile
    exercise: Exercise
    place: int
    numbers: Mapping[str, float]
    recording: Recording
    names: Mapping[str, int] = field(init=False)

    def __post_init__(self) -> None:
        self.names = self.recording.names(self.recording.length)

    def node(self, name: str, section: str = "of") -> int:
        """Return the node of this name."""
        node = node_called(self.names, name)
        if node is None:
            raise self.error(section, f"unknown name `{name}`{suggest(name, self.names)}")
        return node

    def error(self, section: str, message: str) -> ScenarioError:
        return self.file.error(("exercises", self.place, section), message)

    def value(self, name: str, section: str = "of") -> float:
        return self.recording.history.value(
            self.node(name, section), self.recording.length
        ) or 0.0  # fmt: skip

    def gradient(self, name: str) -> float:
        """Return the gradient after the last backward pass; 0 where nothing arrives."""
        end = end_of_pass(self.recording)
        node = node_called(self.recording.names(end), name)
        return 0.0 if node is None else State(self.recording, end).grad(node) or 0.0

    def changed(self, edits: Mapping[str, float] | None = None, world: World | None = None) -> _Run:
        """Return the same exercise about another run."""
        numbers = {**self.numbers, **(edits or {})}
        run = record_file(self.file, numbers, world)
        return _Run(self.file, self.exercise, self.place, numbers, run)

    def task(self, prompt: str, judge: Callable[[str], Reply], answer: str, form: str = "") -> Task:
        prompt = self.exercise.prompt.strip() or prompt
        hints = [printable(" ".join(each.split())) for each in self.exercise.hints]
        return Task(printable(" ".join(prompt.split())), self.given, hints, judge, answer, form)

    @property
    def given(self) -> str:
        """The numbers and statements to work with; nothing for a network."""
        model = self.file.model
        if not isinstance(model, GraphScenario):
            return ""
        leaves = {**model.inputs, **model.params, **self.numbers}
        told = ", ".join(f"{name} = {number(x)}" for name, x in leaves.items())
        graph = "; ".join(each.text for each in self.file.statements)
        shown = len(self.file.statements) <= _LONGEST
        return printable("; ".join(filter(None, (told, graph if shown else ""))))

    @cached_property
    def loss(self) -> str:
        """What gradients are of."""
        return getattr(self.file.model, "backward", None) or "loss"


def _of_number(
    run: _Run, kind: Kind, name: str, answer: float, mistakes: Callable[[], Iterator[Mistake]]
) -> Task:
    """Ask for a number."""
    prompt = f"What is {name}?"
    question = Question(kind, run.exercise.asks, prompt, answer, "")

    def judge(text: str) -> Reply:
        right, said = reply(question, text)
        if right:
            return Reply(True, said)
        said = said.partition(": it is ")[0]  # the next attempt should not know it
        if question.too_rough(text):
            return Reply(False, said)
        for mistake in (sign(answer), *mistakes()):
            if question.holds(repr(mistake.number)):
                continue
            if Question(kind, "", "", mistake.number, "").holds(text):
                return Reply(False, f"{said}: {mistake.text}")
        return Reply(False, said)

    return run.task(prompt, judge, f"{name} is {number(answer)}")


def _value(run: _Run) -> Task:
    [name] = run.exercise.of
    return _of_number(run, "value", name, run.value(name), lambda: iter(()))


def _gradient(run: _Run) -> Task:
    [name] = run.exercise.of
    node = run.node(name)

    def in_world(world: World) -> float | None:
        try:
            return run.changed(world=world).gradient(name)
        except WorldError:  # there is no such gate
            return None

    def mistakes() -> Iterator[Mistake]:
        return of_gradient(run.recording, node, in_world)

    return _of_number(run, "total", derivative(run.loss, name), run.gradient(name), mistakes)


def _local(run: _Run) -> Task:
    of, by = run.exercise.of
    out, operand = run.node(of), run.node(by)
    try:
        answer = statement_derivative(run.recording, out, operand)
    except LookupError:
        raise run.error("of", f"`{by}` is not an operand of `{of}`") from None

    def mistakes() -> Iterator[Mistake]:
        for other, node in run.names.items():
            if node not in (out, operand):
                try:
                    got = statement_derivative(run.recording, out, node)
                except LookupError:
                    continue
                yield from of_others({partial(of, other): got})

    return _of_number(run, "local derivative", partial(of, by), answer, mistakes)


def _gate(run: _Run) -> Task:
    gates, names = {}, run.exercise.of
    for name in names:
        try:
            gates[name] = is_open(run.recording, run.node(name))
        except LookupError:
            raise run.error("of", f"`{name}` is not a gate, such as `h = relu(z)`") from None
    shut = {name for name, open_ in gates.items() if not open_}
    if len(names) == 1:
        word = "shut" if shut else "open"
        prompt = f"Is the gate of {names[0]} open or shut?"
        return _of_words(run, prompt, {word}, ("open", "shut"), f"the gate is {word}")
    told = ", ".join(sorted(shut)) or "none"
    prompt = f"Which of the gates {', '.join(names)} are shut? (names, or none)"
    several = "names, with blanks between them, or none"
    return _of_words(run, prompt, shut, names, f"shut: {told}", form=several)


def _verdict(run: _Run) -> Task:
    from stepgrad.diagnosis import names  # noqa: PLC0415 - as it is for promised verdicts

    file = None if run.numbers else run.file
    found = {each.name for each in diagnosed(run.recording, file).verdicts}
    prompt = "Which verdict does this run get? (a name that `stepgrad diagnose` uses, or none)"
    told = f"the verdict is {', '.join(sorted(found))}" if found else "there is no verdict"
    return _of_words(run, prompt, found, names(), told)


def _of_words(  # noqa: PLR0913 - all that there is to a question
    run: _Run, prompt: str, right: set[str], words: Sequence[str], answer: str, *, form: str = ""
) -> Task:
    """Ask for some of the words, in any order; `none` is none of them."""

    def judge(text: str) -> Reply:
        typed = text.replace(",", " ").split() if text.strip().casefold() != "none" else []
        if not typed and text.strip().casefold() != "none":
            raise AnswerError(f"write {_choice(words)}")
        known = {word.casefold(): word for word in words}
        for word in typed:
            if word.casefold() not in known:
                near = suggest(word, words)
                raise AnswerError(f"`{printable(word)}` is not an answer{near or _choices(words)}")
        given = {known[word.casefold()] for word in typed}
        if given == right:
            return Reply(True, f"right: {answer}")
        missing = given < right and given
        told = " ".join(typed) or "none"
        return Reply(False, f"not {told}" + (": that is not all" if missing else ""))

    form = f"{form or _choice(words)}; {UNKNOWN} shows the answer"
    return run.task(prompt, judge, answer, form)


def _choice(words: Sequence[str]) -> str:
    most = 6
    return " or ".join(words) if len(words) <= most else f"a name such as {words[0]}, or none"


def _choices(words: Sequence[str]) -> str:
    return f"; write {_choice(words)}"


def _edit(run: _Run) -> Task:
    [name] = run.exercise.of
    run.node(name)
    goal = run.exercise.goal
    for each in goal:
        run.node(each, "goal")
    told = " and ".join(_within(each, *ends) for each, ends in goal.items())
    prompt = f"Change {name} so that {told}. Which number does it get?"

    def judge(text: str) -> Reply:
        given = text.removeprefix(name).strip().removeprefix("=")
        edited = run.changed({name: _typed(given)})
        missed = {
            each: edited.value(each)
            for each, (low, high) in goal.items()
            if not low <= edited.value(each) <= high
        }
        shown = ", ".join(f"{each} becomes {number(x)}" for each, x in missed.items())
        if missed:
            return Reply(False, f"not {name} = {given.strip()}: {shown}")
        reached = ", ".join(f"{each} becomes {number(edited.value(each))}" for each in goal)
        return Reply(True, f"right: {reached}")

    return run.task(prompt, judge, f"the goal is that {told}")


def _within(name: str, low: float, high: float) -> str:
    if low == high:
        return f"{name} is {number(low)}"
    return f"{name} is between {number(low)} and {number(high)}"


def _typed(text: str) -> float:
    try:
        return float(typed(text)[0])
    except ValueError as error:
        raise AnswerError(str(error)) from None


_POSED: Mapping[str, Callable[[_Run], Task]] = {
    "value": _value,
    "gradient": _gradient,
    "local derivative": _local,
    "gate": _gate,
    "verdict": _verdict,
    "edit": _edit,
}
"""How each kind of exercise becomes a task."""
