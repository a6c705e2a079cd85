"""The shipped scenarios, and what a user may call them."""

from pathlib import Path

import pytest

from scenario.runs import SCENARIOS
from stepgrad.errors import ScenarioError
from stepgrad.scenario import open_scenario, record_scenario, shipped
from stepgrad.scenario.library import locate


def test_every_file_is_shipped_by_its_name_in_order() -> None:
    assert list(shipped().values()) == SCENARIOS
    assert list(shipped()) == sorted(path.stem for path in SCENARIOS)


@pytest.mark.parametrize("name", shipped())
def test_a_name_works_from_any_folder(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert locate(name) == shipped()[name]


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
