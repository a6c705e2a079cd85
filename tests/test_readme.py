"""What the README says is true: its examples run, its numbers come out, its table is complete."""

import copy
import math
import re
import shlex
import weakref
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from kept import check_kept
from plugin_runs import run_pytest
from stepgrad import Value, record_scenario
from stepgrad.cli import main
from stepgrad.errors import ScenarioError
from stepgrad.replay.commands.table import COMMANDS
from stepgrad.scenario import open_scenario, shipped
from stepgrad.scenario.expect import Expectation, checks, expectations
from test_cli import expanded, link_scenarios

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
TEXT = README.read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The code blocks of a language; of none for the plain ones."""
    found: list[tuple[str, str]] = re.findall(
        r"^```(\w*)\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE
    )
    return [body for name, body in found if name == language]


@pytest.mark.parametrize(("which", "least"), [(1, 4), (2, 1)])
def test_the_python_examples(which: int, least: int, capsys: pytest.CaptureFixture[str]) -> None:
    example = blocks("python")[which]
    exec(compile(example, str(README), "exec"), {})
    promised = re.findall(r"^print\(.*\)  # (.*)$", example, re.MULTILINE)
    assert len(promised) >= least
    assert capsys.readouterr().out.splitlines() == promised


@pytest.mark.parametrize("example", blocks("yaml"))
def test_the_scenarios(example: str, tmp_path: Path) -> None:
    path = tmp_path / "example.yaml"
    path.write_text(example)
    promised = checks(open_scenario(path), record_scenario(path))
    assert promised
    assert all(check.ok for check in promised)


PROTOCOLS = [
    (expression, result, because)
    for expressions, result, because in re.findall(
        r"^\| (`.*`) \| `(.*)` \| (.*) \|$",
        TEXT.partition("| expression | result |")[2].partition("\n\n")[0],
        re.MULTILINE,
    )
    for expression in re.findall("`(.*?)`", expressions)
]


@pytest.mark.parametrize(("expression", "result", "because"), PROTOCOLS)
def test_a_value_as_python_and_numpy_see_it(expression: str, result: str, because: str) -> None:
    names: dict[str, object] = {"Value": Value, "v": Value(2.0)}
    names |= {"copy": copy, "math": math, "weakref": weakref}
    if "np." in expression:
        names["np"] = pytest.importorskip("numpy")
    if result == "TypeError":
        with pytest.raises(TypeError, match=re.escape("use its .data")):
            eval(expression, names)
    else:
        assert repr(eval(expression, names)) == result
    for instead in re.findall("write `(.*?)`", because):
        eval(instead, names)


def test_the_table_of_protocols_is_read() -> None:
    assert len(PROTOCOLS) > 20


def test_the_mistake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    message, _ = blocks("")
    Path("my.yaml").write_text(blocks("yaml")[0].replace("relu(", "rleu("))
    with pytest.raises(ScenarioError) as caught:
        open_scenario("my.yaml")
    assert str(caught.value) == message.rstrip("\n")


USE = [
    [line for line in block.splitlines() if line.startswith("stepgrad ")] for block in blocks("sh")
]


@pytest.mark.parametrize("block", USE)
def test_the_commands(block: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    link_scenarios()
    Path("train.py").write_text(blocks("python")[0])
    for line in block:
        result = CliRunner().invoke(main, expanded(line)[1:])
        assert result.exit_code == int(line.startswith("stepgrad diff ")), result.output
        assert result.output


def test_the_test(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p stepgrad.pytest_plugin")
    pytester.makepyfile(blocks("python")[3])
    run_pytest(pytester).assert_outcomes(passed=1)


def test_the_exercise() -> None:
    with pytest.raises(AssertionError) as caught:
        exec(compile(blocks("python")[4], str(README), "exec"), {})
    assert blocks("")[1] == f"AssertionError: {caught.value}\n"


def test_the_workflow_of_a_course(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p stepgrad.pytest_plugin")
    lessons = pytester.mkdir("lessons")
    for name in ("two_layer", "square"):
        (lessons / f"{name}.scenario.yaml").write_bytes(shipped()[name].read_bytes())
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (workflow,) = re.findall(r"^```yaml\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    steps = yaml.safe_load(workflow)["jobs"]["check"]["steps"]
    install, check, tests = (step for step in steps if "run" in step)
    assert shlex.split(install["run"])[:2] == ["pip", "install"]
    result = CliRunner().invoke(main, expanded(check["run"])[1:])
    assert result.exit_code == 0, result.output
    assert Path("report.xml").read_text().count("<testsuite ") == 2
    assert tests["if"] == "${{ !cancelled() }}"
    ran = run_pytest(pytester, *shlex.split(tests["run"], comments=True)[1:])
    assert ran.ret == 0
    ran.assert_outcomes(passed=len(promises("two_layer")) + len(promises("square")) + 2)


def promises(name: str) -> list[Expectation]:
    return [*expectations(open_scenario(name))]


def test_the_transcripts(pytestconfig: pytest.Config) -> None:
    """What a `$ command` prints is what stands below it."""
    now = README.read_text(encoding="utf-8")  # another test may just have renewed its part
    text, transcripts = re.subn(r"(?<=```text\n)\$ (.*)\n[^`]*(?=```)", transcript, now)
    assert transcripts == len(blocks("text")) >= 2
    check_kept(README, text, pytestconfig)


def transcript(found: re.Match[str]) -> str:
    result = CliRunner().invoke(main, expanded(found[1])[1:])
    return f"$ {found[1]}\n{result.stdout}"


def test_the_prompt(pytestconfig: pytest.Config) -> None:
    """What is typed after `> ` is answered with what stands below it."""
    now = README.read_text(encoding="utf-8")
    text, talks = re.subn(r"(?<=```console\n)\$ (.*)\n([^`]*)(?=```)", conversation, now)
    assert talks == 1
    check_kept(README, text, pytestconfig)


def conversation(found: re.Match[str]) -> str:
    """The answers to the lines that are typed, one after the other."""
    typed = re.findall(r"^> (.*)$", found[2], re.MULTILINE)
    told, so_far = [f"$ {found[1]}"], 0
    for count in range(len(typed) + 1):
        lines = "".join(f"{line}\n" for line in typed[:count]) or "escape\n"
        answers = CliRunner().invoke(main, expanded(found[1])[1:], input=lines).stdout.splitlines()
        answers = answers if count else answers[:-1]
        told += [*(f"> {line}" for line in typed[count - 1 : count]), *answers[so_far:]]
        so_far = len(answers)
    return "\n".join(told) + "\n"


def test_the_program(tmp_path: Path) -> None:
    path = tmp_path / "train.py"
    path.write_text(blocks("python")[0])
    result = CliRunner().invoke(main, ["run", str(path)])
    promised = re.findall(r"^ *print\(.*\)  # (.*)$", path.read_text(), re.MULTILINE)
    assert promised
    assert result.stdout.splitlines()[-1:] == promised


def test_the_commands_are_all_there() -> None:
    shown = {line.split()[1] for block in USE for line in block}
    apart = {"torch-zoom", "serve"}  # one needs PyTorch, the other does not end
    assert shown | apart == set(main.commands)
    assert all(f"`stepgrad {command}" in TEXT for command in apart)


def test_the_files_that_it_shows() -> None:
    for path in re.findall(r"\]\(([^)]+)\)|(scenarios/\w+\.yaml)", TEXT):
        assert (ROOT / "".join(path)).is_file()


def key_table() -> str:
    rows = (
        f"| {' '.join(f'`{key}`' for key in command.keys)} | {command.help} |"
        for command in COMMANDS
    )
    return "\n".join(["| key | what it does |", "|---|---|", *rows])


def test_the_key_table_is_the_table_of_commands(pytestconfig: pytest.Config) -> None:
    marks = r"(<!-- keys[^>]*-->\n).*?(<!-- /keys -->)"
    assert len(re.findall(marks, TEXT, re.DOTALL)) == 1
    now = README.read_text(encoding="utf-8")  # another test may just have renewed its part
    text = re.sub(
        marks, lambda mark: f"{mark[1]}\n{key_table()}\n\n{mark[2]}", now, flags=re.DOTALL
    )
    check_kept(README, text, pytestconfig)
