"""What is installed: a light import, documented names, and a wheel with the scenarios in it."""

import inspect
import tomllib
from collections.abc import Iterable
from email import message_from_bytes
from pathlib import Path
from zipfile import ZipFile

import pytest

import stepgrad
from processes import python, run

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def imported(code: str) -> set[str]:
    """The packages that are in memory after some code, in a fresh interpreter."""
    ask = f"{code}\nimport sys; print(*{{name.partition('.')[0] for name in sys.modules}})"
    answer = run(python("-c", ask), cwd=ROOT)
    return set(answer.stdout.split())


HEAVY = {"textual", "rich", "click", "yaml"}


@pytest.mark.parametrize(
    ("code", "allowed"),
    [
        ("import stepgrad", set()),
        ("import stepgrad; stepgrad.State, stepgrad.Cursor", set()),
        ("import stepgrad.cli", {"click"}),
        ("import stepgrad; stepgrad.record_scenario('two_layer')", {"yaml"}),
    ],
)
def test_an_import_costs_only_what_it_needs(code: str, allowed: Iterable[str]) -> None:
    assert imported(code) & HEAVY == set(allowed)


@pytest.mark.parametrize("name", stepgrad.__all__)
def test_a_public_name_exists_and_says_what_it_is(name: str) -> None:
    assert inspect.getdoc(getattr(stepgrad, name))


def test_no_public_name_is_given_twice_or_made_up() -> None:
    assert len(set(stepgrad.__all__)) == len(stepgrad.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = stepgrad.nothing  # type: ignore[attr-defined]
    with pytest.raises(ImportError, match="cannot import name 'Vlaue'"):
        from stepgrad import Vlaue  # type: ignore[attr-defined]  # noqa: F401, PLC0415


def test_the_public_names_are_listed_before_they_are_loaded() -> None:
    ask = "import stepgrad; print(*dir(stepgrad))"
    answer = run(python("-c", ask), cwd=ROOT)
    assert {*stepgrad.__all__, "__version__"} <= set(answer.stdout.split())


def test_the_version_is_that_of_the_project() -> None:
    assert stepgrad.__version__ == PROJECT["version"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> ZipFile:
    pytest.importorskip("hatchling", reason="hatchling, which builds the wheel, is not installed")
    folder = tmp_path_factory.mktemp("wheel")
    code = f"from hatchling.build import build_wheel; print(build_wheel({str(folder)!r}))"
    built = run(python("-c", code), cwd=ROOT)
    return ZipFile(folder / built.stdout.split()[-1])


def test_the_wheel_has_the_scenarios_and_no_tests(wheel: ZipFile) -> None:
    names = set(wheel.namelist())
    scenarios = {f"stepgrad/scenarios/{path.name}" for path in (ROOT / "scenarios").glob("*.yaml")}
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "stepgrad").rglob("*.py")}
    assert names >= scenarios | modules | {"stepgrad/py.typed", "stepgrad/tui/debugger.tcss"}
    assert {name.split("/")[0].partition("-")[0] for name in names} == {"stepgrad"}
    assert not [name for name in names if "/test" in name or name.endswith(".pyc")]


def test_the_metadata_of_the_wheel(wheel: ZipFile) -> None:
    (path,) = (name for name in wheel.namelist() if name.endswith("/METADATA"))
    metadata = message_from_bytes(wheel.read(path))
    assert (metadata["Name"], metadata["Version"]) == ("stepgrad", stepgrad.__version__)
    assert metadata["Requires-Python"] == PROJECT["requires-python"]
    (entry,) = (name for name in wheel.namelist() if name.endswith("/entry_points.txt"))
    assert b"stepgrad = stepgrad.cli:main" in wheel.read(entry)


def test_scenarios_are_found_where_the_wheel_is_unpacked(wheel: ZipFile, tmp_path: Path) -> None:
    wheel.extractall(tmp_path / "site")
    code = "from stepgrad.scenario import shipped; print(*shipped().values(), sep='\\n')"
    site = {"PYTHONPATH": str(tmp_path / "site")}
    answer = run(python("-c", code), cwd=tmp_path, env=site)
    found = [Path(line) for line in answer.stdout.splitlines()]
    assert [path.name for path in found] == sorted(
        p.name for p in (ROOT / "scenarios").glob("*.yaml")
    )
    assert all(path.is_relative_to(tmp_path / "site") for path in found)
