"""The shipped scenarios, and what a user may call them."""

from pathlib import Path

import pytest

from scenario.runs import SCENARIOS
from stepgrad.errors import ScenarioError
from stepgrad.scenario import (
    lesson_name,
    matches,
    open_scenario,
    record_scenario,
    shipped,
    shipped_programs,
)
from stepgrad.scenario.library import locate
from stepgrad.scenario.programs import read_lesson


def test_every_file_is_shipped_by_its_name_in_order() -> None:
    assert list(shipped().values()) == SCENARIOS
    assert list(shipped()) == sorted(path.stem for path in SCENARIOS)


def test_a_name_works_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert {name: locate(name) for name in shipped()} == shipped()


def test_a_file_of_that_name_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("two_layer").write_text("title: mine\ngraph: [a = 1]\n")
    assert open_scenario("two_layer").title == "mine"
    assert len(record_scenario(Path("two_layer")).events) == 1


@pytest.mark.parametrize("name", ["nowhere", "two_layer.yaml", "a" * 5_000, "a\0b"])
def test_any_other_name_is_a_path(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert locate(name) == Path(name)


def test_an_empty_name_is_no_file() -> None:
    with pytest.raises(ScenarioError, match=r"^'': the name is empty$"):
        open_scenario("")


def test_a_name_that_is_near_is_suggested(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for near in ("two_laier", "two_layer.yaml"):
        with pytest.raises(ScenarioError, match="did you mean `two_layer`"):
            open_scenario(near)


@pytest.mark.parametrize(
    ("header", "place", "message"),
    [
        ("{level: advanced, after: [gaers]}", "2:37", "neither ships .*did you mean `gears`"),
        ("{level: advanced, after: [mine]}", "2:37", "cannot build on itself"),
        ("{level: hard}", "2:19", "hard"),
        ("{levels: advanced}", "2:12", "unknown key `levels`; did you mean `level`"),
        ("{level: advanced, fails: maybe}", "2:36", "`true` or `false`"),
        ("{level: advanced, verdicts: [daed]}", "2:40", "did you mean `dead`"),
        ("{level: [}", "2:20", "not valid YAML"),
    ],
)
def test_what_a_program_says_of_itself_is_checked(
    header: str, place: str, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "mine.py"
    path.write_text(f'"""A title."""\n# lesson: {header}\nfrom stepgrad import Value\n')
    with pytest.raises(ScenarioError, match=message) as caught:
        read_lesson(path, ["gears"])
    assert str(caught.value).startswith(f"{path}:{place}")


def test_a_program_says_of_itself_what_it_builds_on(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text('"""A title.\n\nA text.\n"""\n# lesson: {level: advanced, after: [gears]}\n')
    read = read_lesson(path, ["gears"])
    assert (read.title, read.lesson, read.model.after) == ("A title", "A text.", ("gears",))


def test_a_lesson_is_named_by_its_file_only(tmp_path: Path) -> None:
    own = tmp_path / "gears.yaml"
    own.write_text(shipped()["gears"].read_text())
    assert lesson_name(own) is None
    assert lesson_name(shipped()["gears"]) == "gears"
    assert lesson_name(shipped_programs()["loss_grows"]) == "loss_grows"
    assert lesson_name("nowhere") is None


def test_a_lesson_matches_if_it_has_every_word() -> None:
    lesson = open_scenario("relu_gate")
    assert matches("RELU  gate", "relu_gate", lesson)
    assert matches("lets positive", "relu_gate", lesson)
    assert matches("", "relu_gate", lesson)
    assert not matches("relu zebra", "relu_gate", lesson)
