"""`stepgrad diagnose`, and verdicts in `stepgrad check`, as a user and as a CI system meet them."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal
from xml.etree import ElementTree

import pytest

from diagnosing import ask_for_names
from scenario.samples import GRAPH, changed
from stepgrad.checking.reports import as_junit
from stepgrad.checking.result import judge
from stepgrad.diagnosis import Question
from stepgrad.scenario import open_scenario, record_scenario
from stepgrad.scenario.build import record_file
from test_cli import stepgrad
from test_cli_check import squeezed

DEAD = changed(changed(GRAPH, "h = relu", "dead = relu"), "(h -", "(dead -")
ODD = changed(changed(GRAPH, "h = relu", "odd = relu"), "(h -", "(odd -")
PROGRAM = """\
import sys
from stepgrad import Value
x = Value(0.5, label="uphill")
(x * x).backward()
print("said by the program")
sys.exit(len(sys.argv) - 1)
"""


@pytest.fixture(autouse=True)
def _names(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    ask_for_names(monkeypatch)
    monkeypatch.chdir(tmp_path)
    for name, text in {"dead.yaml": DEAD, "odd.yaml": ODD, "ok.yaml": GRAPH}.items():
        Path(name).write_text(text)
    Path("train.py").write_text(PROGRAM)


def test_a_verdict_is_a_paragraph_with_its_evidence_and_the_way_there() -> None:
    assert stepgrad("diagnose", "dead.yaml", code=1).stdout == (
        "dead.yaml: 1 verdict\n"
        "\n"
        "dead: events 7, 18, node dead, dead.yaml:6\n"
        "  a node is called dead\n"
        "  Call dead something else.\n"
        "  stepgrad run --at 7 dead.yaml\n"
    )


def test_nothing_found() -> None:
    assert (
        stepgrad("diagnose", "ok.yaml").stdout
        == "ok.yaml: nothing found in 1 backward pass and 0 steps: 3 questions asked\n"
    )


def test_nothing_found_says_what_was_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    about: Sequence[Literal["all", "passes", "steps"]] = ("all", "passes", "steps", "steps")
    questions = [Question(each, "", "", lambda _: iter(()), each) for each in about]
    monkeypatch.setattr("stepgrad.diagnosis.QUESTIONS", questions)
    step = "(w * w).backward()\nw.data -= 0.1 * w.grad\n"
    for body, words in {
        "": "in 0 backward passes and 0 steps: 1 of 4 questions apply",
        "(w * w).backward()\n": "in 1 backward pass and 0 steps: 2 of 4 questions apply",
        step: "in 1 backward pass and 1 step: 4 questions asked",
        f"{step}1 / 0\n": "until then, in 1 backward pass and 1 step: 4 questions asked",
    }.items():
        Path("run.py").write_text(f"from stepgrad import Value\nw = Value(1.0)\n{body}")
        told = stepgrad("diagnose", "run.py", code=int("1 / 0" in body)).stdout.splitlines()
        assert told[-1] == f"run.py: nothing found {words}"
        assert ("failed" in told[0]) == ("1 / 0" in body)


def test_a_note_is_shown_below_and_fails_nothing() -> None:
    lines = stepgrad("diagnose", "odd.yaml").stdout.splitlines()
    assert lines[0] == "odd.yaml: nothing found in 1 backward pass and 0 steps: 3 questions asked"
    assert lines[2] == "odd (a note): events 7, 18, node odd, odd.yaml:6"


def test_a_program_has_its_own_status_and_its_arguments() -> None:
    result = stepgrad("diagnose", "train.py", code=1)
    assert "said by the program" not in result.stdout
    assert result.stdout.splitlines()[-1] == "  stepgrad run --at 1 train.py"
    result = stepgrad("diagnose", "ok.yaml", "train.py", "--steps", "2", "x", code=3)
    assert result.stdout.splitlines()[-1] == "  stepgrad run --at 1 train.py --steps 2 x"


def test_what_ended_a_program_comes_before_what_was_found_until_then() -> None:
    failing = "the program failed: ZeroDivisionError: division by zero"
    Path("failing.py").write_text(PROGRAM.replace("sys.exit(len(sys.argv) - 1)", "1 / 0"))
    result = stepgrad("diagnose", "failing.py", code=1)
    assert result.stdout.splitlines()[:2] == [
        f"failing.py: {failing}",
        "failing.py: 1 verdict until then",
    ]
    Path("failing.py").write_text("1 / 0")
    result = stepgrad("diagnose", "failing.py", code=1)
    assert result.stdout.splitlines()[1:] == [
        "failing.py: nothing found until then: nothing was recorded"
    ]
    [found] = json.loads(stepgrad("diagnose", "--json", "failing.py", code=1).stdout)["files"]
    assert found["failure"] == failing


def test_a_status_that_says_something_failed_comes_first_too() -> None:
    lines = stepgrad("diagnose", "train.py", "x", "y", code=2).stdout.splitlines()
    assert lines[:2] == [
        "train.py: the program ended with exit status 2",
        "train.py: 1 verdict until then",
    ]


def test_a_recording_is_diagnosed_like_the_run() -> None:
    record_scenario("dead.yaml").save("saved.stepgrad")
    lines = stepgrad("diagnose", "saved.stepgrad", code=1).stdout.splitlines()
    assert lines[-1] == "  stepgrad run --at 7 saved.stepgrad"


def test_one_that_cannot_be_opened_does_not_stop_the_others() -> None:
    result = stepgrad("diagnose", "nowhere", "dead.yaml", code=2)
    assert result.stderr.strip() == "nowhere: no such file"
    assert result.stdout.startswith("dead.yaml: 1 verdict")


def test_a_promise_changes_nothing_about_what_is_wrong() -> None:
    Path("dead.yaml").write_text(f"{DEAD}  verdicts: [dead]\n")
    stepgrad("diagnose", "dead.yaml", code=1)


def test_json() -> None:
    found = json.loads(stepgrad("diagnose", "--json", "odd.yaml", "dead.yaml", code=1).stdout)
    odd, dead = found["files"]
    assert [odd["file"], odd["verdicts"], odd["notes"][0]["verdict"]] == ["odd.yaml", [], "odd"]
    assert dead["verdicts"] == [
        {
            "verdict": "dead",
            "text": "a node is called dead",
            "advice": "Call dead something else.",
            "events": [7, 18],
            "nodes": ["dead"],
            "lines": ["dead.yaml:6"],
        }
    ]
    assert dead["notes"] == []


def test_the_help_lists_the_questions_and_when_each_verdict_is_given() -> None:
    brief = stepgrad("diagnose", "--help").stdout
    assert squeezed(brief)[-3:] == [
        f"{name} is a node called {name}?" for name in ("dead", "odd", "uphill")
    ]
    assert stepgrad("help", "diagnose").stdout == brief
    assert "### uphill: is a node called uphill?\n\na node" in stepgrad("help", "verdicts").stdout


def test_check_shows_verdicts_and_fails_if_it_is_strict() -> None:
    lines = stepgrad("check", "dead.yaml", "ok.yaml").stdout.splitlines()
    assert lines[0].endswith("  ok, 1 verdict")
    assert lines[1:3] == [
        "  dead: a node is called dead (events 7, 18, node dead, dead.yaml:6)",
        "      Call dead something else.",
    ]
    assert lines[3].startswith("ok.yaml ")
    result = stepgrad("check", "--strict", "dead.yaml", "ok.yaml", code=1)
    assert result.stdout.splitlines()[0].endswith("  FAILED, 1 verdict")


def test_check_is_quiet_about_a_verdict_that_is_promised() -> None:
    Path("dead.yaml").write_text(f"{DEAD}  verdicts: [dead]\n")
    (line,) = stepgrad("check", "--strict", "dead.yaml", "ok.yaml").stdout.splitlines()[:-1]
    assert line.endswith("  ok")


def test_check_fails_where_the_promise_is_not_kept() -> None:
    Path("ok.yaml").write_text(f"{GRAPH}  verdicts: [uphill]\n")
    lines = stepgrad("check", "ok.yaml", code=1).stdout.splitlines()
    assert lines[0].endswith("  FAILED")
    assert lines[-1] == "  the verdict `uphill` is promised, but not given"


def test_check_has_them_in_its_json() -> None:
    (found,) = json.loads(stepgrad("check", "--json", "dead.yaml").stdout)["files"]
    assert found["verdict"] == "ok"
    assert [each["verdict"] for each in found["verdicts"]] == ["dead"]
    assert found["promised_verdicts"] is None


@pytest.mark.parametrize(
    ("text", "strict", "case"),
    [
        (DEAD, False, None),
        (DEAD, True, "dead: a node"),
        (GRAPH, True, ""),
        (f"{DEAD}  verdicts: [dead]\n", False, ""),
        (f"{GRAPH}  verdicts: [dead]\n", False, "the verdict `dead` is promised"),
    ],
)
def test_junit_carries_them(text: str, strict: bool, case: str | None) -> None:
    Path("s.yaml").write_text(text)
    file = open_scenario("s.yaml")
    result = judge("s.yaml", record_file(file), file, strict=strict)
    (suite,) = ElementTree.fromstring(as_junit([result]))
    assert suite.get("tests") == str(len(suite.findall("testcase")))
    properties = [each.get("name") for each in suite.iter("property")]
    assert properties == ["verdict: dead"] * (text == DEAD)
    cases = [each for each in suite.iter("testcase") if each.get("name") == "verdicts"]
    failures = [str(failure.text) for each in cases for failure in each.iter("failure")]
    assert len(cases) == (case is not None)
    assert [failure.startswith(case or "") for failure in failures] == [True] * bool(case)


def test_sentences_begin_with_what_is_wrong_unless_it_is_promised() -> None:
    told = "\n\nSomething is wrong: a node is called dead\n\n"
    assert told in stepgrad("replay", "--plain", "dead.yaml").stdout
    assert told in stepgrad("run", "--plain", "dead.yaml").stdout
    Path("dead.yaml").write_text(f"{DEAD}  verdicts: [dead]\n")
    assert "Something is wrong" not in stepgrad("replay", "--plain", "dead.yaml").stdout


def test_the_reports_of_the_screen_are_printed() -> None:
    text = stepgrad("replay", "dead.yaml", "--keys", ":dead ! y").stdout
    assert "dead: a node is called dead\n  event 7  dead = relu(z1)" in text
    assert "\ndead = 1.5\n  event 7  " in text


def test_precision_is_noted_and_fails_nothing() -> None:
    pytest.importorskip("mpmath")
    lines = stepgrad("diagnose", "--precision", "ok.yaml").stdout.splitlines()
    assert lines[0] == "ok.yaml: nothing found in 1 backward pass and 0 steps: 3 questions asked"
    assert lines[2].startswith("precision (a note): event")
    found = json.loads(stepgrad("diagnose", "--precision", "--json", "ok.yaml").stdout)
    assert [note["verdict"] for note in found["files"][0]["notes"]] == ["precision"]


def test_precision_without_mpmath_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mpmath", None)
    said = stepgrad("diagnose", "--precision", "ok.yaml", code=2).stderr
    assert "pip install 'stepgrad[precision]'" in said
