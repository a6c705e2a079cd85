"""What is installed: a light import, documented names, and a wheel with the scenarios in it."""

import inspect
import re
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


def loaded(code: str) -> set[str]:
    """The modules that are in memory after some code, in a fresh interpreter."""
    answer = run(python("-c", f"{code}\nimport sys; print('loaded', *sys.modules)"), cwd=ROOT)
    assert answer.returncode == 0, answer.stderr
    return set(answer.stdout.splitlines()[-1].split()[1:])


def within(names: Iterable[str], rooms: Iterable[str]) -> set[str]:
    """Those modules that are one of the rooms, or in one."""
    return {name for name in names if any(f"{name}.".startswith(f"{room}.") for room in rooms)}


@pytest.mark.parametrize(
    ("code", "needed"),
    [
        ("import stepgrad", {"engine", "numbers", "version"}),
        (
            "import stepgrad; stepgrad.record",
            {"engine", "numbers", "version", "recording", "printable", "syntax"},
        ),
    ],
)
def test_a_program_that_computes_loads_only_what_it_needs(code: str, needed: set[str]) -> None:
    names = loaded(code)
    ours = within(names, ["stepgrad"]) - {"stepgrad"}
    assert ours == within(ours, [f"stepgrad.{room}" for room in needed])
    assert not within(names, {"textual", "rich", "click", "yaml"})


def command(*words: str) -> str:
    """Code that calls a command."""
    return f"from stepgrad.cli import main\ntry:\n    main({list(words)})\nexcept SystemExit: pass"


SCREEN = {"asyncio", "textual", "stepgrad.debugger", "stepgrad.drawing", "stepgrad.tui"}
RARE = {
    "markdown_it", "tomllib", "stepgrad.checking", "stepgrad.compat", "stepgrad.diagnosis",
    "stepgrad.engine.gradcheck", "stepgrad.export", "stepgrad.foreign", "stepgrad.harness",
    "stepgrad.recording.store", "stepgrad.pages", "stepgrad.replay.difference",
    "stepgrad.scenario.form.json_schema", "stepgrad.scenario.recorded",
    "stepgrad.scenario.template", "textual.widgets._progress_bar",
}  # fmt: skip
"""What hardly any command needs."""

LATER = {
    "stepgrad.course.state", "stepgrad.locking", "stepgrad.replay.graph.network.picture",
    "stepgrad.replay.lesson", "stepgrad.replay.outcome", "stepgrad.replay.stops.language",
    "stepgrad.tui.render.boundary", "stepgrad.tui.dialogs.dialog",
    "stepgrad.tui.dialogs.help", "stepgrad.tui.dialogs.palette", "stepgrad.tui.render.lesson",
    "stepgrad.tui.render.listing", "stepgrad.tui.render.network", "stepgrad.tui.render.steps",
}  # fmt: skip
"""What the screen needs after its first paint, or for a network."""

RUNS = {
    "stepgrad.engine.nn", "stepgrad.headless", "stepgrad.program.imported",
    "stepgrad.program.kinds", "stepgrad.program.running", "stepgrad.recording.callers",
    "stepgrad.replay.telling.sentences", "stepgrad.scenario.program.network",
}  # fmt: skip
"""What a program needs, a network, or a command without a screen."""

OURS = {f"stepgrad.{room}" for room in ("engine", "recording", "replay", "scenario")}


@pytest.mark.parametrize(
    ("code", "unneeded"),
    [
        ("import stepgrad.cli", SCREEN | RARE | OURS | {"yaml"}),
        (command("--help"), (SCREEN | RARE | OURS | {"yaml"}) - {"stepgrad.pages"}),
        ("import stepgrad; stepgrad.State, stepgrad.Cursor", SCREEN | RARE | {"click", "yaml"}),
        ("import stepgrad; stepgrad.record_scenario('two_layer')", SCREEN | RARE | {"click"}),
        (command("replay", "two_layer"), SCREEN | RARE),
        (
            "import stepgrad.cli.run, stepgrad.tui.app, stepgrad.tui.work",
            RARE
            | LATER
            | RUNS
            | {"yaml", "stepgrad.tui.gallery.screen", "stepgrad.tui.render.reports"},
        ),
    ],
)
def test_a_command_does_not_load_what_it_does_not_need(code: str, unneeded: set[str]) -> None:
    assert not within(loaded(code), unneeded)


PAINTED = """
import asyncio, sys
from stepgrad.scenario import open_scenario
from stepgrad.scenario.build import record_file
from stepgrad.tui.app import DebuggerApp
from stepgrad.tui.widgets.lists import Tape

seen = []

class Painted(Tape):
    def render_line(self, y):
        seen.append("tape")
        return super().render_line(y)

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "markdown_it":
            seen.append("markdown")

sys.meta_path.insert(0, Finder())
import stepgrad.tui.screen.debugger
stepgrad.tui.screen.debugger.Tape = Painted

async def main():
    scenario = open_scenario("two_layer")
    app = DebuggerApp(record_file(scenario), scenario)
    async with app.run_test() as pilot:
        await pilot.pause()

asyncio.run(main())
print(*dict.fromkeys(seen))
"""


def test_the_panels_are_painted_before_markdown_is_loaded() -> None:
    answer = run(python("-c", PAINTED), cwd=ROOT)
    assert answer.stdout == "tape markdown\n", answer.stderr


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
    page = {f"stepgrad/export/replay_page/page.{ending}" for ending in ("html", "css", "js")}
    assert names >= scenarios | modules | page
    assert names >= {"stepgrad/py.typed", "stepgrad/tui/debugger.tcss"}
    assert {name.split("/")[0].partition("-")[0] for name in names} == {"stepgrad"}
    assert not [name for name in names if re.search(r"/tests?[/_]|\.pyc$", name)]


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
