"""A course's folder of scenarios, run by pytest."""

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from plugin_runs import run_pytest
from processes import run_pytest as run_pytest_in_a_process
from stepgrad.scenario import build

GOOD = """\
title: A product
inputs: {a: 2.0, b: 3.0}
graph:
  - L = a*b
backward: L
expect: {values: {L: 6}, grads: {a: 3, b: 2}}
"""
NETWORK = """\
title: A network
network: {sizes: [1, 1], activation: linear, weights: [[[2]]], biases: [[0]]}
data: {inputs: [1], targets: [1]}
loss: sum_squared_error
train: {steps: 1, learning_rate: 0.1}
"""


@pytest.fixture
def course(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A folder in which pytest runs with the plugin, installed or not."""
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p stepgrad.pytest_plugin")
    return pytester


def scenarios(course: pytest.Pytester, **texts: str) -> None:
    for name, text in texts.items():
        (course.path / f"{name}.scenario.yaml").write_text(text, encoding="utf-8")


def test_each_promise_is_a_test_and_so_are_the_gradients(course: pytest.Pytester) -> None:
    scenarios(course, product=GOOD)
    result = run_pytest(course, "-v")
    result.assert_outcomes(passed=4)
    result.stdout.fnmatch_lines([f"product.*::{name} PASSED*" for name in ("a*grad", "gradients")])


def test_a_failure_shows_the_chain_line(course: pytest.Pytester) -> None:
    scenarios(course, product=GOOD.replace("a: 3", "a: 4"))
    result = run_pytest(course)
    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines(
        [
            "*product.scenario.yaml:6: a.grad is 3, expected 4",
            "*dL/da += dL/dL · ∂L/∂a = 1 · b = 1 · 3 = 3*",
        ]
    )


def test_a_gradient_that_is_not_finite_fails_as_it_does_in_check(course: pytest.Pytester) -> None:
    text = "title: t\ninputs: {x: 0.0}\ngraph:\n  - L = sqrt(x)*x\nbackward: L\n"
    scenarios(course, wild=text, meant=f"{text}expect: {{grads: {{x: .nan}}}}\n")
    result = run_pytest(course, "wild.scenario.yaml", "meant.scenario.yaml")
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["1 gradient is not finite; it began at event *"])


def test_a_broken_scenario_is_one_test_that_says_where(course: pytest.Pytester) -> None:
    scenarios(course, product=GOOD, wrong=GOOD.replace("a*b", "a*c"))
    result = run_pytest(course)
    result.assert_outcomes(passed=4, failed=1)
    result.stdout.fnmatch_lines(
        [
            "wrong.scenario.yaml:4:11: unknown name `c`*",
            "FAILED wrong.scenario.yaml::scenario - *wrong.scenario.yaml:4:11: *",
        ]
    )


def test_one_that_shows_to_be_wrong_when_it_runs(course: pytest.Pytester) -> None:
    scenarios(course, net=f"{NETWORK}expect: {{values: {{row1/z: 1}}}}\n")
    result = run_pytest(course, "-k", "row1")
    result.assert_outcomes(failed=1, deselected=1)
    result.stdout.fnmatch_lines(["net.scenario.yaml:6:*: unknown name `row1/z`*"])


FOREIGN = {
    "chart": "title: Chart\nnetwork: host\ndata: {a: 1}\nloss: 3\n",
    "nearly": GOOD.replace("graph", "grpah"),
    "lesson": GOOD,
    "no_yaml": "title: [\n",
    "empty": "",
}


def test_other_yaml_is_left_alone(course: pytest.Pytester) -> None:
    scenarios(course, product=GOOD)
    for name, text in FOREIGN.items():
        (course.path / f"{name}.yaml").write_text(text, encoding="utf-8")
    (course.path / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    result = run_pytest_in_a_process(course, "-p", "no:asyncio")
    result.assert_outcomes(passed=4)
    assert "warning" not in result.stdout.str()


def test_either_ending_is_collected(course: pytest.Pytester) -> None:
    (course.path / "product.scenario.yml").write_text(GOOD)
    run_pytest(course).assert_outcomes(passed=4)


def test_the_setting_names_others(course: pytest.Pytester) -> None:
    scenarios(course, product=GOOD)
    for name in ("lesson_good", "notes"):
        (course.path / f"{name}.yaml").write_text(GOOD)
    (course.path / "lesson_wrong.yaml").write_text(GOOD.replace("graph", "grpah"))
    (course.path / "pytest.ini").write_text("[pytest]\nstepgrad_scenarios = lesson_*.yaml\n")
    result = run_pytest(course)
    result.assert_outcomes(passed=8, failed=1)
    result.stdout.fnmatch_lines(["lesson_wrong.yaml:3:*did you mean `graph`?"])


def test_a_scenario_runs_once_and_only_for_tests_of_it(
    course: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = []
    ours = build.record_file

    def record_file(file: Any, *rest: Any) -> Any:
        runs.append(Path(file.path).stem)
        return ours(file, *rest)

    monkeypatch.setattr(build, "record_file", record_file)
    scenarios(course, one=GOOD, two=GOOD)
    run_pytest(course, "--collect-only")
    run_pytest(course, "-k", "nothing")
    assert not runs
    run_pytest(course).assert_outcomes(passed=8)
    assert runs == ["one.scenario", "two.scenario"]


def test_the_fixture_drives_a_cursor(course: pytest.Pytester) -> None:
    scenarios(course, product=GOOD)
    course.makepyfile(
        """
        import pytest

        def test_a_scenario_that_ships(stepgrad_replay):
            replay = stepgrad_replay("two_layer").press("f n n n")
            assert replay.grad("y") == -4
            assert replay.grad("h") is None
            assert "dloss/d" in replay.text

        def test_a_file(stepgrad_replay):
            replay = stepgrad_replay("product.scenario.yaml")
            assert replay.position == 0
            assert replay.goto("L").value("L") == 6
            with pytest.raises(KeyError, match="no node M by event"):
                replay.value("M")
            replay.press("e'a = 5' G")
            assert replay.grad("b") == 5

        def test_a_program_and_a_recording(stepgrad_replay, tmp_path):
            (tmp_path / "square.py").write_text(
                "from stepgrad import Value\\nx = Value(3.0, label='x')\\n(x * x).backward()"
            )
            replay = stepgrad_replay(tmp_path / "square.py").press("G")
            assert replay.grad("x") == 6
            replay.session.recording.save(tmp_path / "square.stepgrad")
            assert stepgrad_replay(tmp_path / "square.stepgrad").press("G").grad("x") == 6
            from stepgrad import Recording
            loaded = Recording.load(tmp_path / "square.stepgrad")
            assert stepgrad_replay(loaded).press("G").grad("x") == 6
        """
    )
    run_pytest(course, "-k", "test_").assert_outcomes(passed=3, deselected=4)


def test_the_fixture_looks_beside_the_test_first(course: pytest.Pytester) -> None:
    folder = course.mkpydir("lessons")
    scenarios(course, product=GOOD.replace("2.0", "7.0"), other=GOOD)
    (folder / "product.scenario.yaml").write_text(GOOD)
    (folder / "test_lessons.py").write_text(
        "def test_beside(stepgrad_replay):\n"
        "    assert stepgrad_replay('product.scenario.yaml').goto('L').value('L') == 6\n"
        "def test_from_here(stepgrad_replay):\n"
        "    assert stepgrad_replay('lessons/product.scenario.yaml').goto(3).value('L') == 6\n"
        "    assert stepgrad_replay('other.scenario.yaml').goto(3).position == 3\n"
    )
    run_pytest(course, "-k", "test_").assert_outcomes(passed=2, deselected=12)


BAD = {
    "stepgrad_replay('two_layr')": "*two_layr: no such file; did you mean `two_layer`?",
    "stepgrad_replay('prodct.scenario.yaml')": "*no such file; *`product.scenario.yaml`?",
    "stepgrad_replay('two_layer').goto('z9')": "*`z9` is not a position, a percentage, a step*",
    "stepgrad_replay('two_layer').goto(99999)": "*no event 99999: there are 26; 0 is the start",
    "stepgrad_replay('two_layer').goto(-1)": "*no event -1: there are 26; 0 is the start",
    "stepgrad_replay('two_layer').press('r')": "*no command for the key `r`*",
    "stepgrad_replay('two_layer').value('z9')": "*no node z9 by event 0*",
    "stepgrad_replay('two_layer', '--steps')": "*two_layer: only a program takes arguments*",
    "stepgrad_replay('train.py', '3')": "*train.py: the program ended with exit status 3",
}


@pytest.mark.parametrize("call", BAD)
def test_what_goes_wrong_is_told_in_the_line_of_the_test(
    call: str, course: pytest.Pytester
) -> None:
    scenarios(course, product=GOOD)
    (course.path / "train.py").write_text("import sys\nsys.exit(int(sys.argv[1]))\n")
    course.makepyfile(f"def test_it(stepgrad_replay):\n    {call}\n")
    result = run_pytest(course, "-k", "test_it")
    result.assert_outcomes(failed=1, deselected=4)
    result.stdout.fnmatch_lines([f"E {BAD[call]}"])
    result.stdout.no_fnmatch_line("*stepgrad/*.py:*")
    result.stdout.no_fnmatch_line("*_replay(name*")


def test_a_program_has_its_arguments(course: pytest.Pytester) -> None:
    (course.path / "train.py").write_text(
        "import sys\nfrom stepgrad import Value\nx = Value(float(sys.argv[2]), label='x')\n"
    )
    course.makepyfile(
        "def test_it(stepgrad_replay):\n"
        "    assert stepgrad_replay('train.py', '--at', '3').press('G').value('x') == 3\n"
    )
    run_pytest(course).assert_outcomes(passed=1)


def test_what_a_program_forks_runs_no_tests(course: pytest.Pytester) -> None:
    (course.path / "forks.py").write_text(
        "import os, sys\nif child := os.fork():\n    os.waitpid(child, 0)\n"
    )
    course.makepyfile(
        """
        def test_it(stepgrad_replay):
            stepgrad_replay("forks.py")

        def test_next():
            with open("log.txt", "a") as log:
                log.write("once ")
        """
    )
    run_pytest_in_a_process(course).assert_outcomes(passed=2)
    assert (course.path / "log.txt").read_text() == "once "


def test_too_little_memory_is_a_test_that_says_so(
    course: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    def huge(*_: Any) -> Any:
        raise MemoryError

    monkeypatch.setattr(build, "record_file", huge)
    scenarios(course, product=GOOD)
    result = run_pytest(course, "-k", "gradients")
    result.assert_outcomes(failed=1, deselected=3)
    result.stdout.fnmatch_lines(["not enough memory: *"])


ASKING = """\
import pytest
from diagnosing import ask_for_names

patch = pytest.MonkeyPatch()

def pytest_configure():
    ask_for_names(patch)

def pytest_unconfigure():
    patch.undo()
"""
DEAD = """\
title: A dead one
inputs: {dead: 2.0}
graph:
  - L = dead**2
backward: L
"""
PROMISED = f"{DEAD}expect: {{verdicts: [%s]}}\n"
STRICT = "[pytest]\nstepgrad_strict = true\n"


def test_verdicts_fail_where_the_setting_is_strict(course: pytest.Pytester) -> None:
    course.makeconftest(ASKING)
    scenarios(course, dead=DEAD, promised=PROMISED % "dead", product=GOOD)
    run_pytest(course).assert_outcomes(passed=7)
    (course.path / "pytest.ini").write_text(STRICT)
    result = run_pytest(course)
    result.assert_outcomes(passed=8, failed=1)
    result.stdout.fnmatch_lines(["dead: a node is called dead (events *dead.scenario.yaml:*"])
    result.stdout.fnmatch_lines(["FAILED dead.scenario.yaml::verdicts*"])


def test_a_promised_verdict_is_a_test(course: pytest.Pytester) -> None:
    course.makeconftest(ASKING)
    scenarios(course, kept=PROMISED % "dead", not_kept=PROMISED % "dead, uphill")
    result = run_pytest(course)
    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines(["the verdict `uphill` is promised, but not given"])


def test_verdicts_that_fail_nothing_are_properties_of_the_gradients(
    course: pytest.Pytester,
) -> None:
    course.makeconftest(ASKING)
    scenarios(course, dead=DEAD)
    run_pytest(course, "--junit-xml=report.xml").assert_outcomes(passed=1)
    (found,) = ElementTree.parse(course.path / "report.xml").iter("property")
    assert found.get("name") == "verdict: dead"
    assert found.get("value") == "a node is called dead"
