"""The command line, as a user and as a script meet it."""

import gc
import json
import os
import re
import shlex
import signal
from collections.abc import Callable
from contextlib import chdir, redirect_stdout
from functools import partialmethod
from io import StringIO
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from click.testing import CliRunner, Result

from kept import check_kept
from processes import PATIENCE, environment, run, started
from processes import stepgrad as in_a_process
from scenario.samples import GRAPH, changed
from stepgrad import pages
from stepgrad.cli import COMMANDS, PROGRAM, main
from stepgrad.cli.lessons import print_list
from stepgrad.course.lessons import ours
from stepgrad.course.progress import Mark
from stepgrad.course.state import keep, read_progress
from stepgrad.headless import narration
from stepgrad.replay.telling.sentences import say
from stepgrad.scenario import gallery, open_scenario, record_scenario, shipped
from stepgrad.scenario.form.json_schema import json_schema
from stepgrad.tui.app import DebuggerApp

ROOT = Path(__file__).parents[1]


def stepgrad(*arguments: str | Path, code: int = 0) -> Result:
    """Run a command in this process."""
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output
    return result


def answer(*arguments: str | Path) -> dict[str, Any]:
    """What `replay --json` prints."""
    found: dict[str, Any] = json.loads(stepgrad("replay", *arguments, "--json").stdout)
    return found


@pytest.mark.parametrize(("name", "code"), [("two_layer", 0), ("nothing.yaml", 2)])
def test_garbage_is_looked_for_again_after_loading(name: str, code: int) -> None:
    frozen = gc.get_freeze_count()
    stepgrad("run", name, code=code)
    assert gc.isenabled()
    assert gc.get_freeze_count() <= frozen, "the caller's garbage would never be collected"


def test_a_program_that_collects_no_garbage_still_does_not() -> None:
    gc.disable()
    try:
        stepgrad("replay", "two_layer")
        assert not gc.isenabled()
    finally:
        gc.enable()


class TestReplay:
    """`stepgrad replay`."""

    @pytest.mark.parametrize("command", ["replay", "run"])
    def test_alone_it_narrates(self, command: str) -> None:
        lines = stepgrad(command, "two_layer").stdout.splitlines()
        assert lines == list(narration(record_scenario("two_layer")))

    def test_json_alone_is_about_the_end(self) -> None:
        found = answer("two_layer")
        assert found["position"] == found["length"] == 26
        assert all(check["ok"] for check in found["checks"])

    @pytest.mark.parametrize(
        ("options", "position"),
        [
            (["--keys", "s s n"], 3), (["--keys", "  s\ts "], 2), (["--keys", ""], 0),
            (["--keys", "right right left"], 1), (["--keys", "G S"], 25), (["--keys", "f f F"], 13),
            (["--at", "14"], 14), (["--at", "50%"], 13), (["--at", "h"], 9), (["--at", ":h"], 9),
            (["--at", "26"], 26), (["--at", "14", "--keys", "s s"], 16),
            (["--keys", ":14 s"], 15), (["--keys", ":h s"], 10), (["--keys", "':50%' S"], 12),
        ],
    )  # fmt: skip
    def test_where_it_ends(self, options: list[str], position: int) -> None:
        assert answer("two_layer", *options)["position"] == position
        second = stepgrad("replay", "two_layer", *options).stdout.splitlines()[1]
        assert second.startswith(f"event {position} of 26")

    def test_what_the_last_key_has_to_say(self) -> None:
        told = stepgrad("replay", "two_layer", "--keys", ":20 p-8").stdout
        assert told.endswith("\n\nright: −8 · score 1/1\n")

    def test_a_training_step(self) -> None:
        arrived = answer("xor_tanh", "--at", "step 20")
        assert arrived == answer("xor_tanh", "--keys", "':step 20'")
        assert arrived["step"] == 20
        forward = answer("xor_tanh", "--at", "step 20", "--keys", "f")
        promised = {check["name"]: check for check in forward["checks"]}
        assert promised["loss at step 20"]["ok"]
        assert promised["loss at step 40"]["got"] is None

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            (["--keys", "s zz"], "no command for the key `zz`; "),
            (["--keys", "q"], "the key `q`"),
            (["--keys", ":nowhere"], "`nowhere` is not a position"),
            (["--keys", "'s"], "No closing quotation"),
            (["--at", "los"], "did you mean `loss`?"),
            (["--at", "101%"], "`101%` is not a percentage from 0% to 100%"),
            (["--at", "99999"], "no event 99999: there are 26; 0 is the start"),
            (["--at", "step 3"], "no training step `3`"),
            (["--at", ""], "write where to go"),
        ],
    )
    def test_a_place_that_is_not(self, options: list[str], words: str) -> None:
        assert words in stepgrad("replay", "two_layer", *options, code=2).stderr


class TestQuiz:
    """`stepgrad quiz`."""

    ANSWERS = "2 -2 -4 1 ?"

    def test_a_whole_quiz(self, pytestconfig: pytest.Config) -> None:
        result = stepgrad(
            "quiz", "two_layer", "--questions", "5", "--answers", self.ANSWERS, code=1
        )
        check_kept(ROOT / "tests" / "golden" / "quiz.txt", result.stdout, pytestconfig)
        assert not result.stderr

    def test_all_right(self) -> None:
        arguments = ["quiz", "two_layer", "--questions", "3", "--answers"]
        assert stepgrad(*arguments, "1.5 -4 -24").stdout.endswith("\n3 of 3 right\n")
        assert "2 answers for 3 questions" in stepgrad(*arguments, "1.5 -4", code=1).stderr
        assert "4 answers for 3 questions" in stepgrad(*arguments, "1.5 -4 -24 1", code=1).stderr

    def test_rules_without_a_file(self) -> None:
        result = stepgrad("quiz", "--answers", "5 8 0 7 6 0 6 15 3 9.1e-13 0 1 1")
        assert "13 of 13 right" in result.stdout

    def test_a_person_answers(self) -> None:
        typed = "5\nx\n8\n\n?\n?\nq\n"
        result = CliRunner().invoke(main, ["quiz"], input=typed)
        assert result.exit_code == 0
        for said in (
            "right: 5",
            "`x` is not a number",
            "right: 8",
            "write a number",
            "it is 0",
            "it is 7",
        ):
            assert said in result.stdout
        assert "\n2 of 13 right, 9 not answered\n" in result.stdout
        assert "relu" in result.stdout.rpartition("review")[2]

    def test_then_a_person_answers_in_words_and_rates_that(self) -> None:
        numbers = "5 8 0 7 6 0 6 15 3 9.1e-13 0 1 1".replace(" ", "\n")
        typed = f"{numbers}\nthey multiply\nmaybe\ny\n\nn\nq\n"
        said = CliRunner().invoke(main, ["quiz"], input=typed).stdout.partition("13 of 13 right")[2]
        assert "\n1/9  Why do rates multiply along a chain?\n> " in said
        assert said.count("Did you have it? y or n\n") == 3, "`maybe` is asked again"
        assert said.endswith("\n1 of 9 known, 7 not answered\nreview: stepgrad run three_nodes\n")

    def test_a_lesson_has_questions_in_words_of_its_own(self) -> None:
        arguments = ["quiz", "chain_rule", "--questions", "1"]
        said = CliRunner().invoke(main, arguments, input="7\n\ny\n").stdout
        assert "1/1  Why do rates multiply along a chain?" in said
        assert said.endswith("\n1 of 1 known\n")
        assert "In words" not in CliRunner().invoke(main, arguments, input="q\n").stdout

    @pytest.mark.parametrize("file", [(), ("two_layer",), ("relu_gate",)])
    def test_a_line_has_80_columns(self, file: tuple[str, ...]) -> None:
        typed = "0.5*\nhint\n1.23\n?\n" * 30
        output = CliRunner().invoke(main, ["quiz", *file], input=typed).stdout
        said = output.replace("\n> ", "\n").split("\n")
        lines = [line for line in said if not line.startswith("    stepgrad run")]
        assert max(map(len, lines)) <= 80
        assert "`0.5*` is not a" in output

    def test_a_pipe_that_ends_is_an_end(self) -> None:
        result = CliRunner().invoke(main, ["quiz", "two_layer"], input="1.5\n")
        assert (result.exit_code, result.stderr) == (0, "")
        assert result.stdout.endswith("1 of 15 right, 14 not answered\n")

    def test_in_a_script_what_is_no_number_is_wrong_and_not_the_end(self) -> None:
        output = stepgrad("quiz", "square", "--answers", "9 6,0 ? ?", code=1).stdout
        assert "`6,0` is not a number; write a decimal point, as in 0.25" in output
        assert "\n1 of " in output

    def test_what_to_look_at_again_is_shown_by_the_command_that_it_names(self) -> None:
        output = stepgrad("quiz", "forgotten_zero_grad", "--answers", "?", code=1).stdout
        [command] = re.findall(r"^    (stepgrad .*)$", output, re.MULTILINE)
        assert command.startswith("stepgrad run --at ")
        assert stepgrad(*shlex.split(command)[1:]).stdout

    def test_a_program_keeps_its_status(self, tmp_path: Path) -> None:
        path = tmp_path / "failing.py"
        path.write_text("from stepgrad import Value\nValue(2.0) * 3.0\nraise SystemExit(3)")
        assert stepgrad("quiz", "--answers", "6", path, code=3).stdout.endswith("1 of 1 right\n")

    def test_the_best_score_of_a_lesson_is_kept(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("STEPGRAD_STATE", str(tmp_path))

        def hold(file: str | Path, typed: str) -> str:
            arguments = ["quiz", str(file), "--questions", "3"]
            assert CliRunner().invoke(main, arguments, input=typed).exit_code == 0
            return read_progress().mark("two_layer").score

        assert hold("two_layer", "q\n") == ""
        stepgrad("quiz", "two_layer", "--questions", "1", "--answers=-4")
        assert hold("two_layer", "1.5\n-4\n7\n") == "2/3"
        assert hold("two_layer", "1.5\nq\n") == "2/3"
        (tmp_path / "two_layer.yaml").write_text(shipped()["two_layer"].read_text())
        assert hold(tmp_path / "two_layer.yaml", "1.5\n-4\n-24\n") == "2/3"
        assert hold(shipped()["two_layer"], "1.5\n-4\n-24\n") == "3/3"

    def test_a_score_that_cannot_be_kept_is_no_failure(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("STEPGRAD_STATE", str(tmp_path))
        (tmp_path / "progress.json").write_text("mine")
        result = CliRunner().invoke(main, ["quiz", "two_layer"], input="1.5\n")
        assert result.exit_code == 0
        assert result.stderr.startswith(f"{tmp_path / 'progress.json'}: is damaged; it stays")

    def test_nothing_to_predict(self, tmp_path: Path) -> None:
        (tmp_path / "nothing.py").write_text("print(1)")
        result = stepgrad("quiz", tmp_path / "nothing.py", code=2)
        assert "nothing to predict" in result.stderr


@pytest.mark.parametrize("command", ["replay", "run"])
def test_plain_tells_every_event_in_a_sentence(command: str) -> None:
    recording = record_scenario("two_layer")
    lines = stepgrad(command, "two_layer", "--plain").stdout.splitlines()
    assert lines[-recording.length :] == [
        say(recording, index) for index in range(recording.length)
    ]


def test_plain_at_a_place() -> None:
    here = stepgrad("replay", "two_layer", "--at", "21", "--plain").stdout
    assert here == say(record_scenario("two_layer"), 20) + "\n"
    assert "Nothing has" in stepgrad("replay", "two_layer", "--at", "0", "--plain").stdout


@pytest.mark.parametrize("plain", [(), ("--plain",)])
def test_without_a_terminal_a_place_is_printed_as_by_replay(plain: tuple[str, ...]) -> None:
    ran = stepgrad("run", "two_layer", "--at", "w1", *plain).stdout
    assert ran == stepgrad("replay", "two_layer", "--at", "w1", *plain).stdout


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("run", "--plain", "--theme", "high-contrast", "two_layer"), "--plain has none"),
        (("replay", "--plain", "--json", "two_layer"), "either --json or --plain"),
        (("run", "--memory", "9MB"), "name it"),
        (("run", "--layers", "a", "two_layer"), "is not a program"),
        (("check", "--layers", "a", "two_layer", "square"), "is not a program"),
        (("check", "--json", "--verbose", "two_layer"), "either --json"),
        (("quiz", "--memory", "9MB"), "are for questions about a FILE"),
        (("quiz", "--memory", "9MB", "relu_gate"), "are for questions about a FILE"),
        *(
            ((command, "--memory", "9MB", *more, "saved.stepgrad"), "--memory is for a new one")
            for command, *more in (
                ("run",),
                ("replay",),
                ("check",),
                ("diagnose",),
                ("quiz",),
                ("record", "-o", "b.stepgrad"),
                ("export", "--to", "svg"),
                ("diff", "saved.stepgrad"),
            )
        ),
    ],
)
def test_an_option_that_would_do_nothing_is_refused(
    arguments: tuple[str, ...], why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    record_scenario("two_layer").save("saved.stepgrad")
    assert why in stepgrad(*arguments, code=2).stderr


def test_an_option_that_does_something_to_one_of_the_files_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    record_scenario("two_layer").save("saved.stepgrad")
    for command in ("check", "diagnose", "diff"):
        stepgrad(command, "--memory", "9MB", "saved.stepgrad", "two_layer")


def test_the_former_name_of_a_position_still_works() -> None:
    for command in ("run", "replay"):
        now, before = (stepgrad(command, "two_layer", name, "w1") for name in ("--at", "--to"))
        assert now.stdout == before.stdout
        assert "--to" not in stepgrad(command, "--help").stdout


def test_options_that_exclude_each_other_are_refused_before_anything_runs() -> None:
    for command in ("run", "record", "check", "diagnose"):
        said = stepgrad(command, "--layers", "a", "--batch-row", "0", "x.py", code=2).stderr
        assert "Error: use either --batch-row or --layers" in said


def test_a_program_without_pytorch_has_no_modules_to_select(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("from stepgrad import Value\n(Value(2.0) * 3).backward()\n")
    ran = run(in_a_process("replay", "--layers", "net", tmp_path / "a.py"))
    assert "no PyTorch: --only-steps, --batch-row and --layers change nothing" in ran.stderr


def test_plain_says_messages_and_reports_in_sentences() -> None:
    lines = stepgrad("replay", "two_layer", "--plain", "--keys", "G ex=5 D").stdout.splitlines()
    assert lines[1:3] == [
        "x 3 to 5: loss minus 4, by the gradient minus 8.",
        "x: its value was 3 and is 5, 2 more, and its gradient was minus 4 and is 0.",
    ]


def test_run_without_a_file_and_without_a_terminal_lists() -> None:
    assert stepgrad("run").stdout == stepgrad("list").stdout


@pytest.mark.parametrize(
    ("options", "position"),
    [([], 0), (["--at", "21"], 21), (["--at", "h"], 9), (["--at", "50%"], 13)],
)
def test_run_opens_where_one_wants_to_be(
    options: list[str], position: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[int] = []
    monkeypatch.setattr("stepgrad.cli.run.has_screen", lambda: True)
    monkeypatch.setattr(
        "stepgrad.cli.run.open_debugger",
        lambda *_, position=0, **_options: opened.append(position),
    )
    stepgrad("run", *options, "two_layer")
    assert opened == [position]
    assert "did you mean `z1`" in stepgrad("run", "two_layer", "--at", "z", code=2).stderr


@pytest.mark.parametrize("arguments", [[], ["two_layer"], ["--at", "21", "two_layer"]])
def test_a_screen_that_crashes_ends_with_status_1(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr("stepgrad.cli.run.has_screen", lambda: True)
    monkeypatch.setattr(DebuggerApp, "on_mount", crash)
    monkeypatch.setattr(DebuggerApp, "run", partialmethod(DebuggerApp.run, headless=True))
    stepgrad("run", *arguments, code=1)


def test_list() -> None:
    lines = stepgrad("list").stdout.splitlines()
    assert [line for line in lines if not line.startswith(" ")] == [
        "beginner:", "intermediate:", "advanced:", "debugging:",
    ]  # fmt: skip
    assert [line.split()[0] for line in lines if line.startswith(" ")] == list(gallery())
    assert any(line.endswith("  Backpropagation through two layers") for line in lines)


class OnATerminal(StringIO):
    """What a person sees."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A person who has done gears and seen square."""
    monkeypatch.setenv("STEPGRAD_STATE", str(tmp_path))
    keep("gears", Mark(seen=True, done=True, right=3, asked=4))
    keep("square", Mark(seen=True))
    return tmp_path / "progress.json"


def listed_on_a_terminal() -> list[str]:
    with redirect_stdout(OnATerminal()) as seen:
        print_list(ours())
    return seen.getvalue().splitlines()


@pytest.mark.usefixtures("kept")
def test_in_a_terminal_the_list_shows_what_was_done() -> None:
    lines = listed_on_a_terminal()
    assert re.fullmatch("✓ gears +  Gears, or why rates multiply · 3/4", lines[1])
    assert re.fullmatch("◐ square +  A square has the slope 2x", lines[4])
    assert lines[-1] == "continue: stepgrad run square"


@pytest.mark.usefixtures("kept")
def test_a_program_that_reads_the_list_gets_names_first() -> None:
    assert re.fullmatch("  gears +  Gears, .*multiply", stepgrad("list").stdout.splitlines()[1])


def test_progress_that_cannot_be_read_is_no_failure_of_the_list(
    kept: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept.write_text("mine")
    assert listed_on_a_terminal()[1].startswith("  gears ")
    assert capsys.readouterr().err.startswith(f"{kept}: is damaged; it stays")


@pytest.mark.parametrize("options", [[], ["--network"]], ids=["graph", "network"])
class TestNew:
    """`stepgrad new`."""

    def test_what_it_writes_runs_and_keeps_its_promises(
        self, options: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("stepgrad.cli.run._print", lambda *_: None)  # 40,000 lines
        path = tmp_path / "my first_lesson.scenario.yaml"
        told = stepgrad("new", *options, path).stdout
        assert "ok" in stepgrad("check", path).stdout
        assert open_scenario(path).title == "My first lesson"
        for line in told.splitlines()[1:]:
            stepgrad(*shlex.split(line.partition("    ")[0])[1:])

    def test_it_overwrites_nothing(self, options: list[str], tmp_path: Path) -> None:
        path = tmp_path / "mine.yaml"
        path.write_text("mine")
        assert "already exists" in stepgrad("new", *options, path, code=2).stderr
        assert path.read_text() == "mine"

    @pytest.mark.parametrize(
        ("name", "words"),
        [
            ("nowhere/a.yaml", "create the folder"),
            ("file.yaml/a.yaml", "create the folder"),
            ("train.py", "name it train.scenario.yaml"),
            ("lesson", "name it lesson.scenario.yaml"),
        ],
    )
    def test_where_none_can_be(
        self, options: list[str], name: str, words: str, tmp_path: Path
    ) -> None:
        (tmp_path / "file.yaml").touch()
        assert words in stepgrad("new", *options, tmp_path / name, code=2).stderr
        assert [each.name for each in tmp_path.iterdir()] == ["file.yaml"]


def test_a_scenario_needs_a_name() -> None:
    assert stepgrad("new", "", code=2).stderr.startswith("the name is empty; write one")


class TestHelp:
    """`stepgrad help`."""

    def test_of_the_format(self) -> None:
        assert stepgrad("help", "scenario").stdout == pages.page("scenario")

    def test_of_commands(self) -> None:
        assert stepgrad("help").stdout == stepgrad("--help").stdout
        for name in COMMANDS:
            assert stepgrad("help", name).stdout == stepgrad(name, "--help").stdout

    def test_of_nothing_known(self) -> None:
        assert "did you mean `scenario`?" in stepgrad("help", "scenarios", code=2).stderr


def test_the_schema_is_printed() -> None:
    assert json.loads(stepgrad("schema").stdout) == json_schema()


# --- bad input


def sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(50_000_000)


def text(content: str | bytes) -> Callable[[Path], object]:
    as_bytes = content.encode() if isinstance(content, str) else content
    return lambda path: path.write_bytes(as_bytes)


def statement(expression: str) -> Callable[[Path], object]:
    return text(changed(GRAPH, "w1*x + b1", expression))


BAD: dict[str, Callable[[Path], object]] = {
    "missing": lambda _: None,
    "folder": Path.mkdir,
    "fifo": os.mkfifo,
    "empty": Path.touch,
    "sparse": sparse,
    "binary": text(bytes(range(256)) * 40),
    "no YAML": text("title: [a, b"),
    "a list": text("- 1\n- 2\n"),
    "alias bomb": text(
        "a: &a [x, x]\n" + "".join(f"b{n}: &b{n} [*a, *a]\n" for n in range(100_000 // 20))
    ),
    "brackets": text("title: " + "[" * 100_000),
    "unknown key": text(GRAPH + "trian: {}\n"),
    "duplicate key": text(GRAPH + "title: again\n"),
    "a number in words": text(changed(GRAPH, "3.0", "yes")),
    "backward to nothing": text(changed(GRAPH, "backward: loss", "backward: lost")),
    "expect the unknown": text(changed(GRAPH, "{z1: 1.5}", "{z9: 1.5}")),
    "no params": text("title: t\ngraph: [y = 1]\nbackward: y\ntrain: {steps: 1, learning_rate: 1}"),
    "short targets": text(
        "title: t\nnetwork: {sizes: [1, 1], activation: relu, init: {seed: 1}}\n"
        "data: {inputs: [1, 2], targets: [1]}\nloss: sum_squared_error\n"
    ),
    "layers that do not fit": text(
        "title: t\nnetwork: {sizes: [1, 1], activation: relu, weights: [[[1, 2]]], biases: [[1]]}\n"
        "data: {inputs: [1], targets: [1]}\nloss: sum_squared_error\n"
    ),
    "undefined": statement("w9*x"),
    "before defined": statement("h*x"),
    "unknown function": statement("eval(x)"),
    "attribute": statement("x.data"),
    "index": statement("x[0]"),
    "lambda": statement("lambda: x"),
    "walrus": statement("(a := x)"),
    "string": statement("'x'"),
    "import": statement('__import__("os").system("true")'),
    "parentheses": statement("(" * 10_000 + "x" + ")" * 10_000),
    "tower": statement("9**9**9"),
}


NO_TEXT = ("missing", "folder", "fifo", "empty", "sparse")
"""Files that have no line to point at."""


@pytest.mark.parametrize("command", ["run", "replay", "check"])
@pytest.mark.parametrize("bad", BAD)
def test_bad_input_is_told(bad: str, command: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    BAD[bad](path)
    result = stepgrad(command, path, code=2)
    place = "" if bad in NO_TEXT else r":\d+:\d+"
    assert re.match(rf"{re.escape(str(path))}{place}: \S", result.stderr)
    assert "not checked" in result.stdout if command == "check" else result.stdout == ""


@pytest.mark.parametrize("name", ["", "a" * 5_000, "no/such/folder", "a\0b"])
@pytest.mark.parametrize("command", ["run", "replay", "check", "record", "new"])
def test_names_that_no_file_can_have(command: str, name: str) -> None:
    stepgrad(command, name, code=2)


TWO_LINES = "a\nb"

TYPED = [
    "check {}.yaml", "check {}.py", "check {}.stepgrad", "check two.yaml {}.yaml",
    "check two.yaml --junit {}.xml", "check two.yaml --junit {}.txt",
    "check two.yaml --junit {}/r.xml", "record -o {}/x.stepgrad two.yaml",
    "export two.yaml --to svg -o {}.svg", "export two.yaml --to svg -o {}.png",
    "export two.yaml --to svg -o {}/x.svg", "export two.yaml --to svg -o {}.py",
    "export two.yaml --to {}", "export two.yaml --to svg --at {}", "export {}.py --to svg --at 1",
    "record -o {}.stepgrad two.yaml", "record -o {}.yaml two.yaml",
    "record {}.py", "record two.py {}", "record empty{}.py", "run empty{}.py", "check empty{}.py",
    "new {}.yaml", "new {}.txt", "new {}/x.yaml", "new {}", "run --theme {}", "run {}", "run {}.py",
    "run two.yaml --at {}", "run two.yaml {}", "run --{} two.yaml", "run --memory {} two.yaml",
    "replay two.yaml --at {}", "replay two.yaml --keys :{}", "{}",
    "help {}", "quiz --questions {}",
    "quiz empty{}.py", "quiz {}.yaml", "replay --keys s two.py {}", "replay saved{}",
]  # fmt: skip


@pytest.fixture(scope="module")
def typed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with files whose names have two lines, or one."""
    folder = tmp_path_factory.mktemp("typed")
    (folder / "two.yaml").write_text(GRAPH)
    (folder / "two.py").write_text("from stepgrad import Value\nValue(1.0) * 2.0\n")
    for name in ("ab", TWO_LINES):
        (folder / f"empty{name}.py").touch()
        stepgrad("record", "-o", folder / f"saved{name}", folder / "two.yaml")
    return folder


@pytest.mark.parametrize("command", TYPED)
def test_a_line_break_in_what_is_typed_breaks_no_line(
    command: str, typed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(typed)
    one, two = (
        CliRunner().invoke(main, [word.format(name) for word in command.split()])
        for name in ("ab", TWO_LINES)
    )
    assert one.exit_code == two.exit_code
    assert one.stdout.count("\n") == two.stdout.count("\n")
    assert one.stderr.count("\n") == two.stderr.count("\n"), two.stderr


def test_what_click_says_is_a_line() -> None:
    for command, said in {
        "export two_layer": "Missing option '--to'. Choose from: svg, dot, mermaid, ",
        "quiz --questions x": "'x' is not a valid whole number.",
        "run two_layer x": "Got unexpected extra argument (x)",
    }.items():
        assert f"Error: {said}" in stepgrad(*command.split(), code=2).stderr.replace(
            "Invalid value for '--questions': ", ""
        )


def test_mistyped_commands() -> None:
    assert "lst" in stepgrad("lst", code=2).stderr
    assert "--keys" in stepgrad("replay", "two_layer", "--key", "s", code=2).stderr
    for incomplete in ("replay", "check"):
        assert "FILE" in stepgrad(incomplete, code=2).stderr
    assert "ANSWERS" in stepgrad("grade", code=2).stderr
    assert "Missing argument 'B'" in stepgrad("diff", "two_layer", code=2).stderr


# --- help


@pytest.fixture(scope="module")
def files_of_the_help(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of what the examples of the help are about."""
    folder = tmp_path_factory.mktemp("help")
    with chdir(folder):
        link_scenarios()
        Path("my_course").symlink_to("scenarios")
        Path("package").mkdir()
        for program in ("train.py", "package/train.py"):
            Path(program).symlink_to(ROOT / "tests" / "programs" / "train.py")
        Path("my_network.yaml").write_text((ROOT / "scenarios" / "two_layer.yaml").read_text())
        stepgrad("record", "two_layer", "-o", "before.stepgrad")
        stepgrad("record", "two_layer", "--bug", "shut=h", "-o", "after.stepgrad")
        for student in ("ann", "bob"):
            Path(f"{student}.py").write_text("def backward(x, target, w, b): return 0, 0\n")
            stepgrad("quiz", "relu_gate", "--student", student, "--save", f"{student}.json")
    return folder


@pytest.mark.parametrize(
    "command",
    [[], *([name] for name in COMMANDS if name not in ("torch-zoom", "serve"))],  # serve goes on
    ids=str,
)
def test_the_examples_of_the_help_run(
    command: list[str], files_of_the_help: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copytree(files_of_the_help, tmp_path, symlinks=True, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    shown = stepgrad(*command, "--help").stdout
    examples = re.findall(r"^ {4}stepgrad (\S.*?)(?: {2,}.*)?$", shown, re.MULTILINE)
    assert examples
    if command == ["grade"]:
        stepgrad("new", "--exercise", "neuron.scenario.yaml")
    for example in examples:
        stepgrad(*expanded(example), code=int(example.startswith("diff ")))


def link_scenarios() -> None:
    """Make a folder of a few lessons, as in the repository."""
    Path("scenarios").mkdir()
    for name in ("square", "two_layer", "forgotten_zero_grad"):
        Path(f"scenarios/{name}.yaml").symlink_to(ROOT / "scenarios" / f"{name}.yaml")


def expanded(line: str) -> list[str]:
    """The words of a command, as a shell would hand them on."""
    words = shlex.split(line.partition(" > ")[0], comments=True)
    return [each for w in words for each in (sorted(map(str, Path().glob(w))) if "*" in w else [w])]


def test_the_help_says_which_programs_can_run() -> None:
    for command in ([], ["run"], ["check"], ["diagnose"]):
        shown = " ".join(stepgrad(*command, "--help").stdout.split())
        assert PROGRAM in shown


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_all_begins_as_that_of_each(command: str) -> None:
    whole = " ".join((main.commands[command].help or "").split())
    assert whole.startswith(COMMANDS[command][1].removesuffix("."))


@pytest.mark.parametrize("command", COMMANDS)
def test_no_two_options_of_a_command_share_a_name(command: str) -> None:
    names = [each.name for each in main.commands[command].params]
    assert len(set(names)) == len(names)


def test_help_and_version() -> None:
    assert stepgrad("-h").stdout == stepgrad("--help").stdout
    for name, command in main.commands.items():
        assert command.help
        assert name in stepgrad("--help").stdout
    assert re.fullmatch(r"stepgrad, version \d+\.\d+\.\d+\n", stepgrad("--version").stdout)


# --- real processes


def test_python_dash_m() -> None:
    listed = run(in_a_process("list"))
    assert (listed.returncode, listed.stderr) == (0, "")
    assert listed.stdout == stepgrad("list").stdout


@pytest.mark.skipif(not hasattr(signal, "SIGPIPE"), reason="no such pipes")
def test_a_reader_that_has_seen_enough() -> None:
    with started(in_a_process("replay", "xor_tanh")) as narrator:
        assert narrator.stdout
        assert narrator.stderr
        assert narrator.stdout.readline().endswith("layer1/neuron1/w1 = 0.278854\n")
        narrator.stdout.close()
        assert narrator.stderr.read() == ""


def test_ctrl_c_ends_without_a_traceback() -> None:
    with started(in_a_process("replay", "xor_tanh")) as narrator:
        assert narrator.stdout
        # It narrates by then. Where Ctrl+C comes while a module is imported that runs code from a
        # text, as dataclasses do, `python -m` ends by the signal, whatever status is asked for.
        for _ in range(500):
            narrator.stdout.readline()
        narrator.send_signal(signal.SIGINT)
        _, err = narrator.communicate(timeout=PATIENCE)
    assert err.strip() == "Aborted!"
    assert narrator.returncode == 130


def test_a_terminal_without_unicode() -> None:
    latin = environment(PYTHONIOENCODING="latin-1")
    shown = run(in_a_process("replay", "two_layer", "--at", "b2"), env=latin, encoding="latin-1")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert r"b2 = \u22121" in shown.stdout


def test_a_theme_that_is_misspelt_is_refused_before_anything_runs(tmp_path: Path) -> None:
    program = tmp_path / "own.py"
    program.write_text("print('it ran')\n")
    for file in ("two_layer", str(program)):
        result = CliRunner().invoke(main, ["run", "--theme", "nordd", file])
        assert (result.exit_code, result.stdout) == (2, "")
        assert "no theme `nordd`; did you mean `nord`?" in result.stderr


def test_a_script_of_keys_prints_the_reports_of_its_keys() -> None:
    result = CliRunner().invoke(main, ["replay", "two_layer", "--keys", "G ew1=1 x D"])
    assert result.exit_code == 0, result.output
    assert "one path leads from" in result.stdout
    assert "0.5 → 1" in result.stdout


@pytest.mark.parametrize("command", ["run", "replay"])
def test_a_plain_narration_begins_with_title_and_lesson(command: str) -> None:
    lines = CliRunner().invoke(main, [command, "square", "--plain"]).stdout.splitlines()
    file = open_scenario("square")
    assert lines[:2] == [file.title, ""]
    assert lines[2] == file.lesson.strip().splitlines()[0]
