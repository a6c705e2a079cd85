"""Results of checks, and how they are reported."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from scenario.samples import GRAPH, changed
from stepgrad import Value, record, record_scenario
from stepgrad.checking.comparison import Comparison
from stepgrad.checking.reports import as_junit, as_object
from stepgrad.checking.result import Result, judge
from stepgrad.checking.text import comparison_lines, result_details, result_line
from stepgrad.engine.formula import Formula
from stepgrad.engine.ops import TANH, Op
from stepgrad.program import run_program
from stepgrad.recording.blocks import Backward
from stepgrad.recording.recording import Recording, Source
from stepgrad.scenario import open_scenario, shipped
from stepgrad.scenario.build import record_file
from stepgrad.scenario.expect import checks

SEEN = 500
"""Events of a saved scenario that are compared; all of most."""


def checked(name: str | Path) -> Result:
    file = open_scenario(name)
    return judge(str(name), record_file(file), file)


@pytest.fixture
def wrong(tmp_path: Path) -> Result:
    """A scenario that promises a wrong number."""
    path = tmp_path / "wrong.yaml"
    path.write_text(changed(GRAPH, "z1: 1.5", "z1: 2"))
    return checked(path)


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> Result:
    """A scenario with the derivative 1 − out of tanh, for 1 − out²."""
    rule = Op("tanh", "tanh", TANH.forward, (Formula("1 - out"),), TANH.code)
    for cached in ("local", "carry", "vjp"):
        monkeypatch.setitem(TANH.__dict__, cached, getattr(rule, cached))
    return checked("tanh")


def test_a_planted_derivative_is_told_with_its_way_its_edge_and_its_line(planted: Result) -> None:
    told = list(result_details(planted, verbose=False))
    assert planted.failed
    assert any(line.split()[:2] == ["complex", "steps"] and "FAILED" in line for line in told)
    assert told[-1].startswith("first to differ: ∂")
    assert "by the rule of `tanh`" in told[-1]
    assert "tanh.yaml:" in told[-1]
    suite = ElementTree.fromstring(as_junit([planted]))[0]
    (case,) = [each for each in suite if each.get("name") == "gradients: complex steps"]
    failure = case.find("failure")
    assert failure is not None
    assert str(failure.get("message")).startswith("complex steps differs by ")
    assert "first to differ: ∂" in str(failure.text)


def test_all_is_well_in_a_line() -> None:
    words = result_line(checked("two_layer"), 12).split()
    assert words[:6] == ["two_layer", "matches", "11", "of", "11", "expected"]
    assert words[6:8] == ["gradients", "6"]
    assert words[-1] == "ok"
    assert list(result_details(checked("two_layer"), verbose=False)) == []
    assert len(list(result_details(checked("two_layer"), verbose=True))) >= 4


@pytest.mark.parametrize("name", shipped())
def test_a_saved_scenario_is_held_to_its_own_text_and_every_way_agrees(
    name: str, tmp_path: Path
) -> None:
    path, recording = tmp_path / "saved.stepgrad", record_scenario(name)
    recording.save(path)
    loaded = Recording.load(path)
    some = slice(None, None, 1 + recording.length // SEEN)
    assert [*map(repr, loaded.events[some])] == [*map(repr, recording.events[some])]
    found = judge("saved", loaded)
    promised = checks(open_scenario(name), recording)
    assert repr([each.check for each in found.promises]) == repr(promised)  # nan is not nan
    assert all(each.ok and not each.details for each in found.promises)
    assert found.ways or not any(isinstance(block, Backward) for block in recording.blocks)
    for comparison in found.ways:
        assert comparison.ok, comparison
        assert comparison.compared or comparison.skipped  # none, where all are nan
    assert result_line(found, 0).split()[-1] == "ok"
    promise = "not finite, as the scenario expects"
    assert all(promise in line for line in result_details(found, verbose=False))


@pytest.mark.parametrize(
    ("name", "edited"),
    [("two_layer", "x"), ("xor_tanh", "row1/t"), ("xor_tanh", "layer1/neuron1/w1")],
)
def test_an_edited_one_is_not(name: str, edited: str) -> None:
    found = judge("edited", record_file(open_scenario(name), {edited: 0.123}))
    assert not found.promises
    assert found.word == "ok"


def test_a_scenario_that_nobody_can_read_any_more_is_told() -> None:
    recording = Recording("old", Source("old.yaml", "title: old\nwires: {}\n"))
    with record(recording):
        (Value(1.0) * 2).backward()
    found = judge("old.stepgrad", recording)
    assert found.note.startswith("expectations not checked: old.yaml:")
    assert found.note in result_details(found, verbose=False)
    (skipped,) = ElementTree.fromstring(as_junit([found])).iter("skipped")
    assert skipped.text == found.note


def test_what_is_not_finite_is_not_called_ok() -> None:
    with record() as recording:
        (Value(0.0, label="x").log() * 0).backward()  # 0·∞
    found = judge("nan", recording)
    assert found.word == "FAILED"
    assert found.broken == ("1 gradient is not finite; it began at event 2: log(x) = log(0) = −inf")
    assert found.broken in result_details(found, verbose=False)
    assert "checks" not in result_line(found, 3)
    (failure,) = ElementTree.fromstring(as_junit([found])).iter("failure")
    assert failure.text == found.broken


def test_what_is_not_finite_as_it_was_promised_is_well() -> None:
    assert checked("nan_origin").word == "ok"
    assert any(way.skipped for way in checked("nan_origin").ways)


def test_of_many_passes_it_is_told_how_many_are_compared() -> None:
    assert "2/" not in result_line(checked("two_layer"), 9)
    assert ", 3 of 100 passes" in result_line(checked("xor_tanh"), 9)


def test_a_program_that_fails_is_not_called_ok() -> None:
    found = judge("train.py", Recording("train.py"), status=1)
    assert found.word == "FAILED"
    assert not as_object([found])["ok"]
    (failure,) = ElementTree.fromstring(as_junit([found])).iter("failure")
    assert failure.text == "exit status 1"


def test_json_says_everything(wrong: Result) -> None:
    broken = Result("nowhere", error="nowhere: no such file")
    found = json.loads(json.dumps(as_object([wrong, broken]), allow_nan=False))
    assert not found["ok"]
    assert [each["verdict"] for each in found["files"]] == ["FAILED", "not checked"]
    first, second = found["files"]
    assert [(check["name"], check["ok"]) for check in first["checks"]] == [
        ("z1", False),
        ("w1.grad", True),
    ]
    assert "z1 is 1.5, expected 2" in first["checks"][0]["details"][0]
    assert [way["way"] for way in first["gradients"]][:2] == ["saved values", "forward mode"]
    assert second["error"] == "nowhere: no such file"
    assert as_object([checked("two_layer")])["ok"]


def test_junit_counts(wrong: Result) -> None:
    broken = Result("bad\x1b[2J\0\udcff.yaml", error="\x07 is no <text> & never was\nat all")
    suites = ElementTree.fromstring(as_junit([checked("two_layer"), wrong, broken]))
    counts = [[int(each.get(key, "")) for key in ("failures", "errors")] for each in suites]
    assert counts == [[0, 0], [1, 0], [0, 1]]
    assert int(suites.get("tests", "")) == len(list(suites.iter("testcase")))
    (error,) = suites.iter("error")
    assert error.get("message") == "\ufffd is no <text> & never was"
    (failure,) = suites.iter("failure")
    assert "z1 = w1·x + b1 = 1.5 + 0 = 1.5" in str(failure.text)


def test_an_error_that_is_as_good_as_none_is_written_as_0() -> None:
    way = Comparison("central differences", 1, 2, 0, 0.2, None, "a", own_error=3e-318)
    assert "±0" in list(comparison_lines([way]))[1].split()


def test_a_large_difference_of_a_way_without_a_limit_is_explained() -> None:
    large = Comparison("central differences", 1, 2, 0, 0.67, None, "b", own_error=2e-6)
    _, line, note = comparison_lines([large])
    assert line.split()[:6] == ["central", "differences", "2", "6.7e-01", "none", "ok"]
    assert line.endswith("at b, by a slope known to ±2e-06")
    assert note.strip().startswith("no failure: near a kink")
    assert len([*comparison_lines([replace(large, worst=1e-9)])]) == 2
    odd = replace(large, odds="b has the slope 1, not 2")
    _, line, note = comparison_lines([odd])
    assert line.split()[4:6] == ["none", "FAILED"]
    assert note.strip() == "b has the slope 1, not 2"


def test_what_compares_nothing_does_not_pass() -> None:
    with record() as recording:
        Value(0.0).log().backward()
    (suite,) = ElementTree.fromstring(as_junit([judge("infinite", recording)]))
    skipped = {each.get("name") for each in suite if each.find("skipped") is not None}
    assert "gradients: complex steps" in skipped


def test_check_and_its_verdict_begin_at_the_same_event(tmp_path: Path) -> None:
    path = tmp_path / "two.py"
    path.write_text(
        "from stepgrad import Value\n"
        "x, mask = Value(0.0, 'x'), Value(float('-inf'), 'mask')\n"
        "kept = mask.exp()\n"
        "(kept + 1 / x + x.log() * 0).backward()\n"
    )
    opened = run_program(str(path))
    result = judge("two.py", opened.recording)
    (found,) = result.findings
    assert f"it began at event {found.events[0]}: 1 / x" in result.broken
