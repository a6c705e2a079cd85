"""Engines that differ only in what they call things, and in who makes their objects."""

from __future__ import annotations

import re
from importlib.resources import files
from itertools import product
from pathlib import Path

import pytest

from spelled import ENGINES, OTHERS, UNSEEN, WITH_ONE, program
from stepgrad.checking.result import judge
from stepgrad.diagnosis import diagnose
from stepgrad.diagnosis.rules.judgement import Judgement, judgement
from stepgrad.program import run_program
from stepgrad.recording.foreign.names import GRADIENTS, NUMBERS

NAMES = [each for each in product(NUMBERS, GRADIENTS) if len({*each}) == 2]


def judged(text: str, folder: Path) -> Judgement:
    path = folder / "engine.py"
    path.write_text(text, "utf-8")
    found = judgement(run_program(str(path)).recording)
    assert found is not None
    return found


def line_of(text: str, part: str) -> int:
    return next(n for n, line in enumerate(text.splitlines(), 1) if part in line)


def is_right(text: str, folder: Path) -> None:
    found = judged(text, folder)
    assert (*found.faults, *found.hidden) == ()
    assert found.writes == 11


def shows_its_mistake(text: str, folder: Path) -> None:
    assert text.count("1 - t * t") == 1
    text = text.replace("1 - t * t", "1 - t")
    found = judged(text, folder)
    assert found.faults[0].kind == "local derivative"
    place = found.faults[0].place
    assert place is not None
    assert place.line == line_of(text, "1 - t")


def test_the_names_of_the_page_are_among_them() -> None:
    page = " ".join((files("stepgrad.pages") / "engine.md").read_text("utf-8").split())
    found = re.search(r"its number \((.*?)\), and one for its gradient \((.*?)\)", page)
    assert found is not None
    for listed, names in zip(found.groups(), (NUMBERS, GRADIENTS), strict=True):
        assert {*re.findall(r"`(\w+)`", listed)} <= {*names}
        assert len(listed) > 20


@pytest.mark.parametrize(("data", "grad"), NAMES)
@pytest.mark.parametrize("engine", ENGINES)
def test_every_name_is_as_good_as_any(
    engine: str, data: str, grad: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = program(ENGINES[engine], data, grad)
    is_right(text, tmp_path)
    shows_its_mistake(text, tmp_path)
    assert capsys.readouterr().out


@pytest.mark.parametrize(("data", "grad"), [("data", "grad"), ("val", "adj")])
@pytest.mark.parametrize("engine", OTHERS)
def test_who_makes_the_objects_does_not_matter(
    engine: str, data: str, grad: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = program(OTHERS[engine], data, grad)
    is_right(text, tmp_path)
    shows_its_mistake(text, tmp_path)
    assert capsys.readouterr().out


@pytest.mark.parametrize("method", [True, False], ids=["method", "function"])
@pytest.mark.parametrize("engine", UNSEEN)
def test_operands_that_are_not_seen_are_no_mistake_and_not_right(
    engine: str, method: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = program(UNSEEN[engine], "val", "adj")
    if "scaled" in text:
        text = text[: text.index("\nx, y")] + "\n" + WITH_ONE
    if method:
        text = text.replace("backward(loss)", "loss.backward()")
        head = "    def __mul__"
        text = text.replace(head, f"    def backward(self): backward(self)\n{head}", 1)
    path = tmp_path / "engine.py"
    path.write_text(text, "utf-8")
    recording = run_program(str(path)).recording
    result = judge(str(path), recording)
    assert result.word == "nothing to check"
    assert "computed from is not seen" in result.note
    assert not [each.text for each in diagnose(recording) if each.wrong]
    capsys.readouterr()


def test_a_mistake_shows_where_some_operands_are_not_seen(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = program(UNSEEN["those of tanh"], "val", "adj")
    text = text.replace("(other, self.val)", "(other, other.val)")
    found = judged(text, tmp_path)
    assert [each.kind for each in found.faults] == ["swapped"]
    assert found.hidden
    assert capsys.readouterr().out


UPDATES = """
w, b = V(0.5), V(0.1)
for step in range(5):
    e = w * V(1.0 + step / 10) + b
    loss = e * e
    backward(loss)
    TAPE.clear()
    for p in (w, b):
        p = V(p.data - 0.05 * p.grad)
    w.grad = b.grad = 0.0
"""


@pytest.mark.parametrize("grad", [name for name in GRADIENTS if len(name) > 2])
def test_a_lost_update_is_found_whatever_the_gradient_is_called(
    grad: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = ENGINES["closures on a tape"] + UPDATES
    path = tmp_path / "engine.py"
    path.write_text(re.sub(r"\.grad\b", f".{grad}", text), "utf-8")
    found = diagnose(run_program(str(path)).recording)
    assert [each.name for each in found if not each.note] == ["lost_update"]
    assert not capsys.readouterr().out
