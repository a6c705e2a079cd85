"""`stepgrad check` on programs with an engine of their own."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

from diagnosing import PAIRS
from test_cli import stepgrad

WRONG, RIGHT = PAIRS / "engine.py", PAIRS / "engine_near.py"


def test_a_wrong_rule_fails_the_check_and_is_named_once() -> None:
    told = stepgrad("check", WRONG, code=1).stdout
    assert "own rules" in told
    assert "6 gradient writes in 1 backward pass: see `engine`" in told
    assert told.count("the operands are swapped") == 1
    assert "engine.py:24)" in told
    assert "first to differ" not in told


def test_what_is_wrong_beside_rules_that_are_right_is_said(tmp_path: Path) -> None:
    path = tmp_path / "order.py"
    path.write_text(RIGHT.read_text().replace("reversed(order)", "order"))
    told = stepgrad("check", path, code=1).stdout
    assert "add what they should, but something else is wrong: see `engine`" in told


def test_rules_that_are_right_are_counted() -> None:
    told = stepgrad("check", RIGHT).stdout
    assert "gradients 12 in 1/1 ways" in told
    assert "12 gradient writes in 2 backward passes agree" in told


def test_json_has_the_verdict_and_the_way() -> None:
    (found,) = json.loads(stepgrad("check", "--json", WRONG, code=1).stdout)["files"]
    (way,) = found["gradients"]
    assert (way["way"], way["ok"], way["compared"]) == ("own rules", False, 6)
    (verdict,) = found["verdicts"]
    assert (verdict["verdict"], verdict["lines"]) == ("engine", ["engine.py:24"])


def test_junit_has_a_failure_with_the_cause(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    stepgrad("check", "--junit", report, WRONG, code=1)
    failures = ElementTree.parse(report).findall(".//testcase[failure]")
    assert [each.get("name") for each in failures] == ["gradients: own rules", "verdicts"]
    text = failures[1].findtext("failure")
    assert text is not None
    assert "the operands are swapped" in text


def test_a_recording_of_it_says_the_same(tmp_path: Path) -> None:
    path = tmp_path / "engine.stepgrad"
    stepgrad("record", "-o", path, WRONG)
    told, again = (stepgrad("check", each, code=1).stdout for each in (WRONG, path))
    assert told.splitlines()[1:] == again.splitlines()[1:]


def test_diagnose_leads_to_the_event() -> None:
    told = stepgrad("diagnose", WRONG, code=1).stdout
    assert "stepgrad run --at 13" in told
    assert "12 gradient writes" in stepgrad("diagnose", RIGHT).stdout
