"""A diagnosis beside what a scenario or a program promises of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from diagnosing import ask_for_names, recorded
from scenario.runs import read, run
from scenario.samples import GRAPH, changed, problems
from stepgrad import Value, record
from stepgrad.diagnosis import Question
from stepgrad.diagnosis.survey import Survey
from stepgrad.progress import Cancelled, watching
from stepgrad.recording.recording import Recording, Source
from stepgrad.scenario.build import record_file
from stepgrad.scenario.diagnosed import diagnosed
from stepgrad.scenario.form.json_schema import json_schema

DEAD = changed(changed(GRAPH, "h = relu", "dead = relu"), "(h -", "(dead -")


@pytest.fixture(autouse=True)
def _names(monkeypatch: pytest.MonkeyPatch) -> None:
    ask_for_names(monkeypatch)


def promising(verdicts: str, text: str = DEAD) -> str:
    return f"{text}  verdicts: {verdicts}\n"


def test_without_a_promise_none_is_broken() -> None:
    found = diagnosed(run(DEAD))
    assert [each.name for each in found.verdicts] == ["dead"]
    assert found.unexpected == found.verdicts
    assert found.promised is None
    assert not found.broken


def test_a_note_is_no_verdict() -> None:
    found = diagnosed(run(changed(changed(GRAPH, "h = relu", "odd = relu"), "(h -", "(odd -")))
    assert not found.verdicts
    assert [each.name for each in found.notes] == ["odd"]


@pytest.mark.parametrize(
    ("verdicts", "broken"),
    [
        ("[dead]", []),
        ("dead", []),
        ("[]", ["the verdict `dead` is given, but not promised"]),
        ("[dead, uphill]", ["the verdict `uphill` is promised, but not given"]),
    ],
)
def test_what_is_promised_must_come_and_no_other(verdicts: str, broken: list[str]) -> None:
    assert list(diagnosed(run(promising(verdicts))).broken) == broken


def test_a_promise_is_kept_on_a_run_without_verdicts() -> None:
    assert not diagnosed(run(promising("[]", GRAPH))).broken


def test_a_promise_is_for_the_numbers_of_the_file() -> None:
    file = read(promising("[uphill]"))
    assert diagnosed(record_file(file)).broken
    assert diagnosed(record_file(file, {"x": 0.5})).promised is None


def test_a_saved_recording_carries_its_promise(tmp_path: Path) -> None:
    path = tmp_path / "dead.stepgrad"
    run(promising("[dead]")).save(path)
    assert diagnosed(Recording.load(path)).promised == ("dead",)


PROGRAM = '''\
"""A program."""
# lesson: {level: advanced, fails: true, verdicts: [dead]}
from stepgrad import Value
(Value(1.0, label="%s") * 2).backward()
'''


@pytest.mark.parametrize(
    ("name", "broken"),
    [
        ("dead", []),
        ("x", ["the verdict `dead` is promised, but not given"]),
    ],
)
def test_a_program_promises_in_a_comment(name: str, broken: list[str], tmp_path: Path) -> None:
    path = tmp_path / "train.py"
    path.write_text(PROGRAM % name)
    assert list(diagnosed(recorded(path)).broken) == broken


def test_a_program_that_promises_an_unknown_verdict_is_told_what_it_meant(tmp_path: Path) -> None:
    path = tmp_path / "train.py"
    path.write_text(PROGRAM.replace("[dead]", "[deed]") % "x")
    (problem,) = diagnosed(recorded(path)).broken
    assert problem.endswith("not given: unknown verdict; did you mean `dead`?")


def test_a_scenario_that_promises_an_unknown_verdict_is_not_read() -> None:
    assert problems(promising("[uphil]")) == [
        "12:14 unknown verdict `uphil`; did you mean `uphill`?"
    ]


def test_the_json_schema_lists_the_verdicts() -> None:
    schema = json_schema()["definitions"]["GraphExpect"]["properties"]["verdicts"]
    one, several = schema["anyOf"]
    assert several["items"] == one == {"type": "string", "enum": ["dead", "odd", "uphill"]}


def test_the_parameters_of_a_graph_are_declared(monkeypatch: pytest.MonkeyPatch) -> None:
    declared: list[str | None] = []

    def find(brief: Survey) -> list[object]:
        declared.extend(brief.recording.node(node).name for node in brief.parameters)
        return []

    asked = [Question("a", "", "", find)]  # type: ignore[arg-type]
    monkeypatch.setattr("stepgrad.diagnosis.QUESTIONS", asked)
    diagnosed(run(GRAPH))
    assert declared == ["w1", "b1"]


def test_a_scenario_of_another_version_promises_nothing() -> None:
    recording = Recording("old", Source("old.yaml", "title: old\nwires: {}\n"))
    with record(recording):
        (Value(1.0, label="dead") * 2).backward()
    found = diagnosed(recording)
    assert [each.name for each in found.verdicts] == ["dead"]
    assert found.promised is None


def test_it_reports_progress_and_can_be_cancelled() -> None:
    shares: list[float] = []
    recording = run(DEAD)
    with watching(shares.append):
        diagnosed(recording)
    assert shares[-3:] == [1 / 3, 2 / 3, 1]

    def refuse(_: float) -> None:
        raise Cancelled

    recording = run(promising("[dead]"))
    with watching(refuse), pytest.raises(Cancelled):
        diagnosed(recording)
