"""What the README and the pages of `stepgrad help` say is true: examples run, numbers come out."""

import copy
import json
import math
import re
import shlex
import weakref
from collections.abc import Iterator
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from documents import DOCUMENTS
from kept import check_kept
from plugin_runs import run_pytest
from stepgrad import Value, headless, record_scenario
from stepgrad.cli import main
from stepgrad.errors import ScenarioError
from stepgrad.headless import narration
from stepgrad.scenario import open_scenario, shipped
from stepgrad.scenario.expect import Expectation, checks, expectations
from test_cli import expanded, link_scenarios

README = DOCUMENTS["README"]
EACH = pytest.mark.parametrize("name", DOCUMENTS)
HAS_TORCH = find_spec("torch") is not None

EXAMINE = ("check", "diagnose", "diff", "grade")
"""Commands whose exit status says what they found."""


def stepgrad(line: str, **options: Any) -> str:
    """Run a command line; return what it prints to stdout."""
    result = CliRunner().invoke(main, expanded(line)[1:], **options)
    if not isinstance(result.exception, SystemExit | None):
        raise result.exception
    judges = line.split()[1] in EXAMINE or "--answers" in line
    statuses = (0, 1) if judges else (0,)
    assert result.exit_code in statuses, f"{line}: {result.output}"
    return result.stdout or result.stderr


def write_files(name: str) -> None:
    """Write the files that a document shows into the current folder, and others that it names."""
    link_scenarios()
    Path("package").mkdir()
    files = {"train.py": README.files()["train.py"], **DOCUMENTS[name].files()}
    files |= {"package/train.py": files["train.py"], "my_course/my_rates.yaml": RATES}
    cell = {"cell_type": "code", "source": files["train.py"], "metadata": {}, "outputs": []}
    files["lesson.ipynb"] = json.dumps({"cells": [cell], "nbformat": 4})
    for path, content in files.items():
        Path(path).parent.mkdir(exist_ok=True)
        Path(path).write_text(content)


RATES = README.files()["my_lesson.scenario.yaml"]


# --- examples


def programs() -> list[tuple[str, str]]:
    """The Python examples that run by themselves, with the names of their documents."""
    found = [(name, each) for name, text in DOCUMENTS.items() for each in text.blocks("python")]
    return [(name, each) for name, each in found if not re.search("def test_|check_back", each)]


@pytest.mark.parametrize(("name", "example"), programs())
def test_the_python_examples(name: str, example: str, capsys: pytest.CaptureFixture[str]) -> None:
    if "import torch" in example:
        pytest.importorskip("torch")
    exec(compile(example, name, "exec"), {"__name__": "__main__"})
    promised = re.findall(r"^ *print\(.*\)  # (.*)$", example, re.MULTILINE)
    assert capsys.readouterr().out.splitlines() == promised


def scenarios() -> list[str]:
    """The scenarios in all documents but the description of the format, which has its own test."""
    found = [each for name, text in DOCUMENTS.items() if name != "scenario"
             for each in text.blocks("yaml")]  # fmt: skip
    return [each for each in found if re.search("^(graph|network):", each, re.MULTILINE)]


@pytest.mark.parametrize("example", scenarios())
def test_the_scenarios(example: str, tmp_path: Path) -> None:
    path = tmp_path / "example.yaml"
    path.write_text(example)
    promised = checks(open_scenario(path), record_scenario(path))
    assert promised
    assert all(check.ok for check in promised)


def beginning(*part: Any) -> Iterator[str]:
    """Narrate the first events of a part: all of a training takes seconds."""
    return islice(narration(*part), 500)


@EACH
def test_the_commands(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In blocks and in sentences: where one is only named, or has a placeholder, it exists."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(headless, "narration", beginning)
    write_files(name)
    if any("import torch" in each for each in DOCUMENTS[name].files().values()) and not HAS_TORCH:
        pytest.skip("its program needs PyTorch")
    for line in DOCUMENTS[name].commands():
        words = expanded(line)
        assert words[1] in main.commands
        if len(words) > 2 and not any(word.isupper() for word in words) and words[-1] != "--plain":
            said = stepgrad(line, input="q\n")  # what would ask, or read on, is left
            assert said or words[1] in ("run", "torch-zoom")


def test_every_command_is_in_some_document() -> None:
    used = {line.split()[1] for text in DOCUMENTS.values() for line in text.commands()}
    assert used == set(main.commands)


@EACH
def test_the_transcripts(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config
) -> None:
    """What a `$ command` prints is what stands below it."""
    monkeypatch.chdir(tmp_path)
    write_files(name)
    document = DOCUMENTS[name]
    pattern = re.compile(r"(?<=^```text\n)\$ (.*)\n(?:.*\n)*?(?=^```$)", re.MULTILINE)
    text, count = pattern.subn(lambda found: f"$ {found[1]}\n{stepgrad(found[1])}", document.text)
    assert count == len(document.blocks("text"))
    check_kept(document.path, text, pytestconfig)


@EACH
def test_the_prompt(name: str, pytestconfig: pytest.Config) -> None:
    """What is typed after `> ` is answered with what stands below it."""
    document = DOCUMENTS[name]
    pattern = r"(?<=```console\n)\$ (.*)\n([^`]*)(?=```)"
    text, count = re.subn(pattern, conversation, document.text)
    assert count == len(document.blocks("console"))
    check_kept(document.path, text, pytestconfig)


def conversation(found: re.Match[str]) -> str:
    """The answers to the lines that are typed, one after the other."""
    typed = re.findall(r"^> (.*)$", found[2], re.MULTILINE)
    told, so_far = [f"$ {found[1]}"], 0
    for count in range(len(typed) + 1):
        lines = "".join(f"{line}\n" for line in typed[:count]) or "escape\n"
        answers = stepgrad(found[1], input=lines).splitlines()
        answers = answers if count else answers[:-1]
        told += [*(f"> {line}" for line in typed[count - 1 : count]), *answers[so_far:]]
        so_far = len(answers)
    return "\n".join(told) + "\n"


# --- single pages


PROTOCOLS = [
    (expression, result, because)
    for expressions, result, because in re.findall(
        r"^\| (`.*`) \| `(.*)` \| (.*) \|$",
        DOCUMENTS["api"].text.partition("| expression | result |")[2].partition("\n\n")[0],
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
        with pytest.raises(TypeError, match=re.escape("a Value is not a plain number")):
            eval(expression, names)
    else:
        assert repr(eval(expression, names)) == result
    for instead in re.findall("write `(.*?)`", because):
        eval(instead, names)


def test_the_table_of_protocols_is_read() -> None:
    assert len(PROTOCOLS) > 20


def test_the_mistake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (message,) = DOCUMENTS["tour"].blocks("")
    Path("my.yaml").write_text(RATES.replace("relu(", "rleu("))
    with pytest.raises(ScenarioError) as caught:
        open_scenario("my.yaml")
    assert str(caught.value) == message.rstrip("\n")


def test_the_test(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p stepgrad.pytest_plugin")
    pytester.makepyfile(DOCUMENTS["pytest"].blocks("python")[0])
    run_pytest(pytester).assert_outcomes(passed=1)


def test_the_exercise() -> None:
    page = DOCUMENTS["pytest"]
    with pytest.raises(AssertionError) as caught:
        exec(compile(page.blocks("python")[1], "pytest", "exec"), {})
    assert page.blocks("") == [f"AssertionError: {caught.value}\n"]


def test_the_workflow_of_a_course(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p stepgrad.pytest_plugin")
    lessons = pytester.mkdir("lessons")
    for name in ("two_layer", "square"):
        (lessons / f"{name}.scenario.yaml").write_bytes(shipped()[name].read_bytes())
    (workflow,) = (each for each in DOCUMENTS["courses"].blocks("yaml") if "jobs:" in each)
    steps = yaml.safe_load(workflow)["jobs"]["check"]["steps"]
    install, check, tests = (step for step in steps if "run" in step)
    assert shlex.split(install["run"])[:2] == ["pip", "install"]
    stepgrad(check["run"].strip())
    assert Path("report.xml").read_text().count("<testsuite ") == 2
    assert tests["if"] == "${{ !cancelled() }}"
    ran = run_pytest(pytester, *shlex.split(tests["run"], comments=True)[1:])
    assert ran.ret == 0
    ran.assert_outcomes(passed=len(promises("two_layer")) + len(promises("square")) + 2)


def promises(name: str) -> list[Expectation]:
    return [*expectations(open_scenario(name))]
