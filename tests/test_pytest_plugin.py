"""A course's folder of scenarios, run by pytest."""

import pytest

GOOD = """\
title: A product
inputs: {a: 2.0, b: 3.0}
graph:
  - L = a*b
backward: L
expect: {values: {L: 6}, grads: {a: 3, b: 2}}
"""


@pytest.fixture
def course(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A folder in which pytest runs with the plugin, installed or not."""
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p stepgrad.pytest_plugin")
    return pytester


def files(course: pytest.Pytester, **texts: str) -> None:
    for name, text in texts.items():
        (course.path / f"{name}.yaml").write_text(text, encoding="utf-8")


def test_each_promise_is_a_test_and_so_are_the_gradients(course: pytest.Pytester) -> None:
    files(course, product=GOOD)
    result = course.runpytest_subprocess("-v")
    result.assert_outcomes(passed=4)
    result.stdout.fnmatch_lines(["product.yaml::a*grad PASSED*", "product.yaml::gradients PASSED*"])


def test_a_failure_shows_the_chain_line(course: pytest.Pytester) -> None:
    files(course, product=GOOD.replace("a: 3", "a: 4"))
    result = course.runpytest_subprocess()
    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines(
        [
            "*product.yaml:6: a.grad is 3, expected 4",
            "*∂L/∂a += ∂L/∂L · ∂L/∂a = 1 · b = 1 · 3 = 3*",
        ]
    )


def test_a_broken_scenario_is_an_error_that_says_where(course: pytest.Pytester) -> None:
    files(course, product=GOOD.replace("a*b", "a*c"))
    result = course.runpytest_subprocess()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*product.yaml:4:*unknown name `c`*"])


def test_other_yaml_is_left_alone(course: pytest.Pytester) -> None:
    files(course, workflow="on: push\njobs: {}\n", notes="title: Notes\n")
    course.runpytest_subprocess().assert_outcomes()


def test_patterns_can_be_chosen(course: pytest.Pytester) -> None:
    files(course, lesson_product=GOOD, draft=GOOD.replace("a: 3", "a: 4"))
    (course.path / "pytest.ini").write_text("[pytest]\nstepgrad_scenarios = lesson_*.yaml\n")
    course.runpytest_subprocess().assert_outcomes(passed=4)


def test_the_fixture_drives_a_cursor(course: pytest.Pytester) -> None:
    files(course, product=GOOD)
    course.makepyfile(
        """
        import pytest

        def test_a_scenario_that_ships(stepgrad_replay):
            replay = stepgrad_replay("two_layer").press("f n n n")
            assert replay.grad("y") == -4
            assert replay.grad("h") is None
            assert "∂" in replay.text

        def test_a_file(stepgrad_replay):
            replay = stepgrad_replay("product.yaml")
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
        """
    )
    course.runpytest_subprocess("-k", "test_").assert_outcomes(passed=3, deselected=4)
