"""`stepgrad check`, as a user and as a CI system meet it."""

import io
import json
import re
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest

from scenario.samples import GRAPH, changed
from stepgrad.checking.ways import has_torch
from stepgrad.cli import progress as module
from stepgrad.cli.progress import progress_bar
from stepgrad.engine.formula import Formula
from stepgrad.engine.ops import TANH, Op
from stepgrad.progress import advance
from stepgrad.scenario import shipped
from test_cli import stepgrad

WAYS = "4/4" if has_torch() else "3/3"

PROGRAM = """\
import sys
from stepgrad import Value
x = Value(0.5, label="x")
y = (x * x).tanh()
if "--change" in sys.argv:
    x.data = 1.0
y.backward()
print("said by the program", sys.argv[1:])
sys.exit(3)
"""


@pytest.fixture
def wrong(tmp_path: Path) -> Path:
    path = tmp_path / "wrong.yaml"
    path.write_text(changed(GRAPH, "z1: 1.5", "z1: 2"))
    return path


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    return path


def squeezed(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines()]


def test_shipped_scenarios_by_name_and_by_path() -> None:
    """Each of them is judged in `checking/test_result.py`."""
    names, paths = [*shipped()][::8], [*shipped().values()][4::8]
    lines = stepgrad("check", *names, *paths).stdout.splitlines()
    files = [line for line in lines if not line.startswith(" ")]
    assert [line.split()[0] for line in files] == [*names, *map(str, paths)]
    assert all(line.split()[-1] == "ok" for line in files)


def test_what_falls_short(tmp_path: Path, wrong: Path) -> None:
    never = tmp_path / "never.yaml"
    never.write_text(changed(changed(GRAPH, "b1: 0.0", "b1: 0.0, b: 0"), "w1: -15", "b: 0"))
    result = stepgrad("check", "two_layer", wrong, never, code=1)
    assert squeezed(result.stdout) == [
        f"two_layer matches 11 of 11 expected gradients 6 in {WAYS} ways ok",
        f"{wrong} matches 1 of 2 expected gradients 4 in {WAYS} ways FAILED",
        f"{wrong}:10: z1 is 1.5, expected 2",
        "z1 = w1·x + b1 = 1.5 + 0 = 1.5",
        f"{never} matches 1 of 2 expected gradients 4 in {WAYS} ways FAILED",
        f"{never}:11: b.grad has no value, expected 0",
    ]


def test_a_single_file_is_shown_with_its_table_and_so_are_all_with_v() -> None:
    single = squeezed(stepgrad("check", "two_layer").stdout)
    assert single[1] == "way gradients difference limit"
    assert single[2].startswith("saved values 6 0 1e-10 ok")
    assert "central differences 6 " in single[5]
    assert "±" in single[5]
    both = stepgrad("check", "-v", "two_layer", "xor_tanh").stdout
    assert both.count("forward mode") == 2
    assert both.count("PyTorch is not installed") == (not has_torch())
    assert both.count("PyTorch  ") == 2 * has_torch()


def test_without_torch_nothing_about_it_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stepgrad.checking.ways.find_spec", lambda _: None)
    assert "PyTorch" not in stepgrad("check", "two_layer").stdout
    last = stepgrad("check", "-v", "two_layer").stdout.splitlines()[-1]
    assert last.startswith("PyTorch is not installed; install stepgrad[torch]")


def test_nothing_expected_and_nothing_to_check(tmp_path: Path) -> None:
    quiet = tmp_path / "quiet.yaml"
    quiet.write_text(GRAPH[: GRAPH.index("expect")])
    assert squeezed(stepgrad("check", quiet).stdout)[0].endswith(f"4 in {WAYS} ways ok")
    quiet.write_text("title: t\ninputs: {x: 1.0}\ngraph: [y = x + 1]\n")
    assert squeezed(stepgrad("check", quiet).stdout) == [f"{quiet} nothing to check"]


def test_one_that_cannot_be_read_does_not_stop_the_others(wrong: Path) -> None:
    result = stepgrad("check", "nowhere", wrong, "two_layer", code=2)
    assert [line.split()[-1] for line in result.stdout.splitlines()] == [
        "checked", "FAILED", "2", "1.5", "ok",
    ]  # fmt: skip
    assert result.stderr.strip() == "nowhere: no such file"


def test_a_planted_wrong_derivative_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = Op("tanh", "tanh", TANH.forward, (Formula("1 - out"),), TANH.code)
    for cached in ("local", "carry", "vjp"):
        monkeypatch.setitem(TANH.__dict__, cached, getattr(rule, cached))
    result = stepgrad("check", "tanh", "two_layer", code=1)
    assert "rule of `tanh`" in result.stdout
    assert "(event " in result.stdout
    assert "tanh.yaml:" in result.stdout
    assert result.stdout.splitlines()[-1].endswith("ok")  # it has no tanh


class TestPrograms:
    """Programs and recordings."""

    def test_its_arguments_its_output_and_its_status_are_its_own(self, program: Path) -> None:
        result = stepgrad("check", "-v", "two_layer", program, "--json", "-v", code=3)
        note, said = result.stderr.splitlines()
        assert note.startswith(f"note: --json, -v come after {program} and are passed to it; ")
        assert said == "said by the program ['--json', '-v']"
        told = f"{program} gradients 1 in {WAYS} ways FAILED, exit status 3"
        assert told in squeezed(result.stdout)

    def test_gradients_that_disagree_are_more_than_its_status(self, program: Path) -> None:
        result = stepgrad("check", program, "--change", code=3)
        assert "\n  first to differ: ∂" in result.stdout
        assert (
            "(event 2, program.py:4) was made of: x was changed (event 4, program.py:6)"
            in result.stdout
        )

    def test_one_that_fails_before_it_makes_any(self, program: Path) -> None:
        program.write_text("import nowhere_to_be_found")
        result = stepgrad("check", program, code=1)
        assert "nothing was recorded" not in result.stderr
        assert squeezed(result.stdout) == [
            f"{program} FAILED, exit status 1",
            "the program failed: ModuleNotFoundError: No module named 'nowhere_to_be_found'",
        ]

    def test_one_without_values(self, program: Path) -> None:
        program.write_text("print(1)")
        result = stepgrad("check", program, code=2)
        assert "nothing was recorded" in result.stderr
        assert squeezed(result.stdout) == [f"{program} not checked"]

    def test_one_whose_class_cannot_be_observed(self) -> None:
        frozen = Path(__file__).parent / "foreign" / "healthy" / "frozen.py"
        result = stepgrad("check", frozen, code=2)
        assert "object.__setattr__ are not observable" in result.stderr
        assert "without frozen=True" in result.stderr
        assert "no Values were made" not in result.stderr

    def test_a_recording_of_a_scenario(self, wrong: Path, tmp_path: Path) -> None:
        saved = tmp_path / "saved.stepgrad"
        stepgrad("record", wrong, "-o", saved)
        result = stepgrad("check", saved, code=1)
        assert f"{wrong}:10: z1 is 1.5, expected 2" in result.stdout


class TestReports:
    """`--json` and `--junit`."""

    def test_json_is_all_there_is_on_stdout(self, wrong: Path, program: Path) -> None:
        result = stepgrad("check", wrong, "nowhere", "--json", program, code=2)
        found = json.loads(result.stdout)
        assert [each["verdict"] for each in found["files"]] == ["FAILED", "not checked", "FAILED"]
        assert found["files"][2]["status"] == 3
        assert not found["ok"]
        assert json.loads(stepgrad("check", "two_layer", "--json").stdout)["ok"]

    def test_junit(self, wrong: Path, tmp_path: Path) -> None:
        report = tmp_path / "report.xml"
        stepgrad("check", "two_layer", wrong, "nowhere", "--junit", report, code=2)
        suites = ElementTree.parse(report).getroot()
        assert [suite.get("name") for suite in suites] == ["two_layer", str(wrong), "nowhere"]
        assert (suites.get("failures"), suites.get("errors")) == ("1", "1")
        names = [case.get("name") for case in suites[1]]
        assert names[:3] == ["z1", "w1.grad", "gradients: saved values"]

    def test_a_report_takes_the_place_of_no_lesson(self, wrong: Path) -> None:
        before = wrong.read_text()
        result = stepgrad("check", "--junit", wrong, "two_layer", code=2)
        assert "choose a name that ends in .xml" in result.stderr
        assert wrong.read_text() == before

    @pytest.mark.parametrize("name", ["folder.xml", "nowhere/report.xml"])
    def test_a_report_that_cannot_be_written_is_told_first(self, name: str, tmp_path: Path) -> None:
        (tmp_path / "folder.xml").mkdir()
        result = stepgrad("check", "two_layer", "--junit", tmp_path / name, code=2)
        assert str(tmp_path / name) in result.stderr
        assert result.stdout == ""


class Terminal(io.StringIO):
    """A terminal, as far as a bar can tell."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("patience", "shown"), [(0.0, True), (1e9, False)])
def test_a_bar_for_work_that_takes_long(
    patience: float, shown: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE", patience)
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(time, "time", iter(range(100)).__next__)  # a bar is drawn now and then
    with progress_bar("checking"):
        for done in range(4):
            advance(done, 4)
    assert ("checking" in terminal.getvalue()) == shown
    assert ("100%" in terminal.getvalue()) == shown


def test_a_bar_stays_where_it_is_while_another_part_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.0)
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with progress_bar("checking"):
        for done in (3, 0, 1, 2, 0, 2):
            advance(done, 4)
    shown = [int(each) for each in re.findall(r"(\d+)%", terminal.getvalue())]
    assert shown == sorted(shown)
    assert shown[-1] == 100


def test_no_bar_where_there_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.0)
    assert stepgrad("check", "two_layer").stderr == ""
