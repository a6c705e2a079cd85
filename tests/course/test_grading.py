"""Exercises from the prompt to the mark: a student's numbers, mistakes, hints, saved answers."""

from __future__ import annotations

import json
from csv import DictReader
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from stepgrad.cli import main
from stepgrad.replay.quiz.answers import AnswerError
from stepgrad.replay.quiz.tasks import Sitting, Task
from stepgrad.scenario import open_scenario, shipped
from stepgrad.scenario.exercises.drawing import drawn
from stepgrad.scenario.exercises.posing import pose
from stepgrad.scenario.form.exercise import Exercise

SCENARIO = """\
title: Two paths
inputs: {x: 3.0, u: 2.0}
params: {w: 2.0, v: -1.0}
graph:
  - z = w*x
  - h = relu(z)
  - y = v*h
  - L = y + u*x
backward: L
exercises:
  - {asks: gradient, of: w, hints: [Multiply., Open.]}
  - {asks: gradient, of: x, vary: {x: [1, 5], u: [2, 9]}}
  - {asks: local derivative, of: [z, x]}
  - {asks: gate, of: h}
  - {asks: edit, of: w, goal: {h: [0, 0]}}
  - {asks: value, of: z}
"""


@pytest.fixture
def scenario(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "paths.yaml"
    path.write_text(SCENARIO)
    return path


def said(task: Task, answer: str) -> str:
    return task.judge(answer).text


def run(*arguments: str, typed: str = "", code: int = 0) -> Result:
    result = CliRunner().invoke(main, [*arguments], input=typed)
    assert result.exit_code == code, result.output
    return result


def test_answers_are_computed_and_mistakes_are_recognised(scenario: Path) -> None:
    of_w, of_x, local, gate, edit, value = pose(open_scenario(scenario))
    assert of_w.judge("-3").right  # -1·1·3
    assert said(of_w, "3") == "not 3: the sign is wrong"
    assert said(of_w, "0") == "not 0"  # many mistakes make a 0
    assert said(of_w, "-1") == "not −1: that is the derivative without the factor ∂z/∂w"
    assert of_x.judge("0").right  # -2 through z, 2 from the product with u
    assert "that is only what comes back through z: add the other paths" in said(of_x, "-2")
    assert said(of_x, "17") == "not 17"
    assert local.judge("2").right
    assert said(local, "3") == "not 3: that is ∂z/∂w"
    assert gate.judge("Open").right
    assert not gate.judge("shut").right
    assert edit.judge("w = -1").right
    assert said(edit, "1") == "not w = 1: h becomes 3"
    assert value.judge("6").right
    for wrong in ("", "opem"):
        with pytest.raises(AnswerError):
            gate.judge(wrong)


def test_a_rounded_half_is_no_answer(tmp_path: Path) -> None:
    (tmp_path / "half.yaml").write_text(
        "title: h\ninputs: {a: 1.5}\ngraph: [b = 1*a]\nexercises: [{asks: value, of: b}]\n"
    )
    [task] = pose(open_scenario(tmp_path / "half.yaml"))
    assert said(task, "1") == "not 1"
    assert task.judge("1.5").right


@given(
    st.integers(-9, 9), st.integers(0, 9), st.text(min_size=1).filter(str.strip), st.integers(0, 2)
)
def test_drawn_numbers_are_as_fine_as_the_interval_and_the_same_again(
    low: int, more: int, student: str, digits: int
) -> None:
    ends = (low / 10**digits, (low + more) / 10**digits)
    exercise = Exercise(asks="value", of=("z",), vary={"x": ends})
    found = drawn(exercise, "t", 0, student)
    assert found == drawn(exercise, "t", 0, f" {student} ")
    assert ends[0] <= found["x"] <= ends[1]
    assert float(f"{found['x']:.{digits}f}") == found["x"]


def test_neighbours_get_different_numbers() -> None:
    exercise = Exercise(asks="value", of=("z",), vary={"x": (1, 5), "y": (-3, 3)})
    students = [drawn(exercise, "t", 0, f"student {number}") for number in range(40)]
    assert len({tuple(each.items()) for each in students}) > 15
    assert all(each["y"] != 0 for each in students)
    assert drawn(exercise, "t", 0, "") == {}


def test_hints_and_wrong_answers_cost_and_the_third_shows_the_answer(scenario: Path) -> None:
    sitting = Sitting(pose(open_scenario(scenario)))
    for line in ("hint", "3"):
        sitting, _ = sitting.after(line)
    sitting, told = sitting.after("-3")
    assert (told, sitting.works[0].mark, sitting.place) == ("right: −3", 0.5, 1)
    for line in ("7", "7"):
        sitting, _ = sitting.after(line)
    sitting, told = sitting.after("7")
    assert told.endswith("; dL/dx is 0")
    assert (sitting.works[1].mark, sitting.place) == (0.0, 2)


def test_saved_answers_are_marked_again(scenario: Path) -> None:
    typed = "hint\n-3\n0\n2\nopen\n1\n-1\n6\n"
    asked = run("quiz", str(scenario), "--save", "ann.json", "--student", "=Ann", typed=typed)
    assert "(hint gives a hint, for a quarter of the mark)" in asked.stdout
    assert "hint: Multiply." in asked.stdout
    data = json.loads(Path("ann.json").read_text())
    assert data["lines"][0] == ["hint", "-3"]
    data["lines"][3] = ["shut", "shut"]  # what was typed counts, not what it was worth
    Path("bob.json").write_text(json.dumps(data | {"student": "Bob"}))

    table = run("grade", "ann.json", "bob.json", "--csv").stdout
    ann, bob = DictReader(table.splitlines())
    assert (ann["student"], ann["1"], ann["4"], ann["5"]) == ("'=Ann", "0.75", "1", "0.75")
    assert (bob["4"], bob["of"]) == ("0", "6")

    run("grade", "bob.json", "--junit", "marks.xml")
    suite = ElementTree.parse("marks.xml").getroot()[0]
    assert (suite.get("tests"), suite.get("failures")) == (
        "6",
        str(len(suite.findall("*/failure"))),
    )

    report = json.loads(run("grade", "bob.json", "--json").stdout)
    assert report["students"][0]["exercises"][3]["right"] is False


def test_of_a_student_who_is_graded_twice_the_last_answers_count(scenario: Path) -> None:
    for name, typed in (("first", "9\n"), ("last", "-3\n")):
        run("quiz", str(scenario), "--save", f"{name}.json", "--student", "Ann", typed=typed)
    run("quiz", str(scenario), "--save", "bob.json", "--student", "Bob", typed="-3\n")
    graded = run("grade", "first.json", "bob.json", "last.json", "--csv")
    bob, ann = DictReader(graded.stdout.splitlines())
    assert (bob["student"], ann["student"], ann["1"]) == ("Bob", "Ann", "1")
    assert graded.stderr == "Ann: last.json counts, not first.json\n"


@pytest.mark.usefixtures("scenario")
def test_answers_that_are_not_ours() -> None:
    for content in ("[", "{}", "[]", '{"kind": "stepgrad answers", "lines": 3}'):
        Path("x.json").write_text(content)
        assert (
            "not answers that `stepgrad quiz --save` wrote" in run("grade", "x.json", code=2).stderr
        )
    assert "No such file" in run("grade", "missing.json", code=2).stderr


def test_answers_without_their_scenario_say_whose_they_are(scenario: Path) -> None:
    run("quiz", "paths.yaml", "--save", "ann.json", "--student", "Ann", typed="-3\n")
    scenario.rename("elsewhere.yaml")
    result = run("grade", "ann.json", "--json", code=2)
    assert result.stderr.startswith("ann.json: paths.yaml: no such file")
    assert "--against FILE" in result.stderr
    (ann,) = json.loads(result.stdout)["students"]
    assert (ann["student"], ann["file"]) == ("Ann", "paths.yaml")
    run("grade", "ann.json", "--against", "elsewhere.yaml")


def test_answers_in_a_script_and_as_json(scenario: Path) -> None:
    answers = "-3 0 2 open -1 6"
    result = run("quiz", str(scenario), "--json", "--answers", answers)
    assert json.loads(result.stdout)["mark"] == 6
    run("quiz", str(scenario), "--answers", "-3 0 2 shut -1 6", code=1)
    assert "are for a FILE with exercises" in run("quiz", "square", "--json", code=2).stderr


@pytest.mark.parametrize(
    ("exercise", "message"),
    [
        ("{asks: local derivative, of: [L, w]}", "`w` is not an operand of `L`"),
        ("{asks: gate, of: z}", "`z` is not a gate"),
    ],
)
def test_an_exercise_about_what_is_not_there(scenario: Path, exercise: str, message: str) -> None:
    scenario.write_text(SCENARIO.partition("exercises:")[0] + f"exercises: [{exercise}]\n")
    assert message in run("quiz", str(scenario), code=2).stderr


def test_the_exercises_that_ship_can_be_posed_to_anyone() -> None:
    with_exercises = [file for name in shipped() if (file := open_scenario(name)).model.exercises]
    assert len(with_exercises) >= 12
    for file in with_exercises:
        for student in ("", "Ann", "Bob"):
            assert len(pose(file, student)) == len(file.model.exercises)
