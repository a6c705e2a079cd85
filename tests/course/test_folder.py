"""A folder is a course: its lessons, their order, and what is said of one that is not valid."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result
from jsonschema import Draft7Validator

from stepgrad.cli import main
from stepgrad.course.folder import Home, course_paths, home, read_course
from stepgrad.course.lessons import ours
from stepgrad.course.progress import Mark
from stepgrad.course.state import keep, progress_path, read_progress
from stepgrad.errors import StepgradError
from stepgrad.scenario import shipped

LESSON = "title: {title}\ninputs: {{x: 2}}\ngraph: [y = x*{factor}]\nbackward: y\n"
PROGRAM = '''"""A program of the course.

It has a text.
"""

# lesson: {}
from stepgrad import Value

(Value(2.0, label="x") * 3).backward()
'''
COURSE = """\
title: Two weeks
lessons:
  Session 1: [b, gears]
  Session 2: [a, program]
after: {a: [b]}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two scenarios and a program, and a file that is none of the course's."""
    monkeypatch.chdir(tmp_path)
    folder = Path("course")
    folder.mkdir()
    (folder / "a.scenario.yaml").write_text(LESSON.format(title="First by name", factor=3))
    (folder / "b.yaml").write_text(LESSON.format(title="Second by name", factor=4))
    (folder / "program.py").write_text(PROGRAM)
    (folder / "helper.py").write_text("exit(1)\n")
    return folder


def planned(folder: Path, text: str = COURSE) -> Path:
    (folder / "course.yaml").write_text(text)
    return folder


def stepgrad(*arguments: str | Path, code: int = 0, typed: str | None = None) -> Result:
    result = CliRunner().invoke(main, [*map(str, arguments)], input=typed)
    assert result.exit_code == code, result.output
    return result


def test_without_a_course_file_the_lessons_are_in_order_of_their_names(folder: Path) -> None:
    course = read_course(folder)
    assert course.names == ["a", "b", "program"]
    assert [file.title for file in course.lessons.values()] == [
        "First by name", "Second by name", "A program of the course",
    ]  # fmt: skip
    assert [(above, [*names]) for above, names in course.grouped(course.names)] == [
        ("lessons", course.names)
    ]
    assert course.title == "course"
    assert course.typed("a") == "course/a.scenario.yaml"


def test_a_level_and_an_order_come_before_a_name(folder: Path) -> None:
    (folder / "z.yaml").write_text(
        "level: beginner\norder: 2\n" + LESSON.format(title="z", factor=2)
    )
    (folder / "y.yaml").write_text(
        "level: beginner\norder: 3\n" + LESSON.format(title="y", factor=2)
    )
    course = read_course(folder)
    assert course.names == ["z", "y", "a", "b", "program"]
    assert [above for above, _ in course.grouped(course.names)] == ["beginner", "other"]


def test_a_course_file_says_the_title_the_order_and_what_comes_after_what(folder: Path) -> None:
    course = read_course(planned(folder))
    assert course.title == course.kept == "Two weeks"
    assert [(above, [*names]) for above, names in course.grouped(course.names)] == [
        ("Session 1", ["b", "gears"]), ("Session 2", ["a", "program"]),
    ]  # fmt: skip
    assert course.before("a") == ["b"]
    assert course.typed("gears") == "gears"
    assert course.lessons["gears"].path == shipped()["gears"]


def test_a_course_file_without_lessons_takes_all_of_the_folder(folder: Path) -> None:
    course = read_course(planned(folder, "title: Mine\nafter: {a: b}\n"))
    assert course.names == ["a", "b", "program"]
    assert course.before("a") == ["b"]


def test_a_lesson_may_be_in_a_folder_below(folder: Path) -> None:
    (folder / "week1").mkdir()
    (folder / "b.yaml").rename(folder / "week1" / "c.yml")
    course = read_course(planned(folder, "title: Mine\nlessons: {One: [week1/c, a.scenario.yaml]}"))
    assert course.names == ["week1/c", "a.scenario.yaml"]
    assert course.typed("week1/c") == "course/week1/c.yml"


def test_a_program_that_needs_what_is_not_installed_is_not_listed(folder: Path) -> None:
    text = PROGRAM.replace("lesson: {}", "lesson: {needs: no_such_package}")
    (folder / "program.py").write_text(text)
    assert read_course(folder).names == ["a", "b"]
    assert read_course(planned(folder)).names == ["b", "gears", "a"]


@pytest.mark.parametrize(("text", "message"), [
    ("lessons: {One: a}", "course.yaml:1:1: `title` is missing"),
    ("title: x\nlesson: {One: a}", "2:1: unknown key `lesson`; did you mean `lessons`?"),
    ("title: x\nlessons: [a, b]", "2:1: expected headings with their lessons, such as `Session 1: "
     "[gears, square]`, not a list"),
    ("title: x\nlessons: {One: []}", "2:11: must not be empty"),
    ("title: x\nlessons: {1: [a]}", "2:11: expected a heading, not the number `1`"),
    ("title: x\nlessons: {One: [a, gaers]}", "2:20: lesson `gaers` is not in this folder, and does "
     "not ship with stepgrad; did you mean `gears`?"),
    ("title: x\nlessons: {One: [a], Two: [b, a]}", "2:30: `a` is listed twice"),
    ("title: x\nlessons: {One: [../course/a]}", "2:17: `../course/a` is outside this folder"),
    ("title: x\nlessons: {One: course}", "2:16: lesson `course` is not in this folder"),
    ("title: x\nlessons: {One: helper}", "2:16: `helper` is a program without a line `# lesson: "),
    ("title: x\nlessons: {One: [a, b]}\nafter: {a: b}", "3:12: `a` builds on `b`, but is listed "
     "before it"),
    ("title: x\nlessons: {One: [a, b]}\nafter: {c: b}", "3:9: `c` is not a lesson of this course"),
    ("title: x\nafter: {a: [gears]}", "2:13: `gears` is not a lesson of this course"),
    ("title: [", ": not valid YAML"),
    ("- a", "course.yaml:1:1: expected a mapping"),
])  # fmt: skip
def test_what_is_wrong_with_a_course_file_is_said_where_it_is(
    folder: Path, text: str, message: str
) -> None:
    with pytest.raises(StepgradError) as caught:
        read_course(planned(folder, text))
    assert message in str(caught.value)
    assert "not checked" in stepgrad("check", folder, code=2).stdout


@pytest.mark.parametrize(("text", "valid"), [
    (COURSE, True),
    ("title: x", True),
    ("title: x\nlessons: {One: gears}\nafter: {a: b}", True),
    ("lessons: {One: gears}", False),
    ("title: x\nlessons: [a]", False),
    ("title: x\nlessons: {One: []}", False),
    ("title: x\norder: [a]", False),
])  # fmt: skip
def test_its_schema_says_the_same(text: str, valid: bool) -> None:
    schema = json.loads(stepgrad("schema", "--course").stdout)
    assert Draft7Validator(schema).is_valid(yaml.safe_load(text)) is valid


def test_lessons_that_are_not_valid_are_all_named(folder: Path) -> None:
    (folder / "a.scenario.yaml").write_text("graph: [a = rleu(1)]")
    (folder / "b.yaml").write_text("")
    with pytest.raises(StepgradError) as caught:
        read_course(folder)
    for part in ("course/a.scenario.yaml:1:1: `title`", "`relu`?", "course/b.yaml: the file is"):
        assert part in str(caught.value)
    lines = stepgrad("check", folder, code=2).stdout.splitlines()
    assert [line.split()[0] for line in lines if not line.startswith(" ")] == [
        "course/a.scenario.yaml", "course/b.yaml", "course/program.py",
    ]  # fmt: skip


def test_a_folder_without_lessons_is_refused(tmp_path: Path) -> None:
    for command in ("run", "list", "check"):
        assert "is a folder without lessons" in stepgrad(command, tmp_path, code=2).stderr
    assert "no such folder" in stepgrad("list", tmp_path / "nowhere", code=2).stderr


def test_a_folder_with_a_main_is_a_program(folder: Path) -> None:
    (folder / "__main__.py").write_text("print('the program ran')\n")
    assert "the program ran" in stepgrad("run", folder, code=0).output


def test_what_takes_one_file_asks_for_a_lesson(folder: Path) -> None:
    for command in ("replay", "record"):
        said = stepgrad(*command.split(), folder, code=2).stderr
        assert "course: is a course; name one of its lessons, such as course/a.scenario.y" in said
    assert "for one lesson" in stepgrad("run", "--at", "3", folder, code=2).stderr


@pytest.mark.parametrize("typed", ["course", "course/course.yaml"])
def test_list(folder: Path, typed: str) -> None:
    planned(folder)
    assert stepgrad("list", typed).stdout.splitlines() == [
        "Session 1:",
        "  b        Second by name",
        "  gears    Gears, or why rates multiply",
        "Session 2:",
        "  a        First by name",
        "  program  A program of the course",
    ]


def test_check_and_diagnose_take_all_lessons_in_order(folder: Path) -> None:
    planned(folder)
    names = ["course/b.yaml", "gears", "course/a.scenario.yaml", "course/program.py"]
    for typed in ([folder], [folder, folder / "course.yaml", "gears"]):
        lines = stepgrad("check", *typed).stdout.splitlines()
        assert [line.split()[0] for line in lines if line[0] != " "] == names
    told = stepgrad("diagnose", folder).stdout
    assert re.findall("^(.*): nothing found", told, re.MULTILINE) == names


EXERCISES = "exercises: [{asks: value, of: y}]\n"


def test_quiz_asks_the_first_lesson_with_exercises_and_no_full_score(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEPGRAD_STATE", str(tmp_path / "state"))
    for name, factor in (("b", 4), ("c", 5)):
        text = LESSON.format(title=name, factor=factor)
        (folder / f"{name}.yaml").write_text(text + EXERCISES)
    for typed, lesson, score in (("7\nq\n", "b", 0), ("8\n", "b", 1), ("10\n", "c", 1)):
        asked = stepgrad("quiz", folder, typed=typed).stdout
        assert asked.startswith(f"course/{lesson}.yaml:\n")
        assert f"{score} of 1 right" in asked
    assert stepgrad("quiz", folder, typed="q\n").stdout.startswith("course/b.yaml:\n")


def test_quiz_asks_the_first_lesson_if_none_has_exercises(folder: Path) -> None:
    asked = stepgrad("quiz", folder, typed="q\n").stdout
    assert asked.startswith("course/a.scenario.yaml:\n")


def test_export_writes_a_file_for_each_lesson(folder: Path) -> None:
    (folder / "program.py").unlink()
    stepgrad("export", folder, "--to", "markdown", "-o", "sheets")
    written = {path.name: path.read_text() for path in Path("sheets").iterdir()}
    assert {*written} == {"a.md", "b.md"}
    assert "Second by name" in written["b.md"]
    said = stepgrad("export", folder, "--to", "markdown", code=2).stderr
    assert "name a folder to write to with -o, or one of its lessons" in said
    said = stepgrad("export", folder, "--to", "svg", "-o", "sheets/a.md", code=2).stderr
    assert said == "sheets/a.md: is a file; name a folder, as course is a course\n"


def test_lessons_of_the_same_name_are_exported_apart_or_not_at_all(folder: Path) -> None:
    for week, factor in (("week1", 3), ("week2", 4)):
        (folder / week).mkdir()
        (folder / week / "paths.yaml").write_text(LESSON.format(title=week, factor=factor))
    planned(folder, "title: x\nlessons: {One: [week1/paths, week2/paths, b]}")
    stepgrad("export", folder, "--to", "markdown", "-o", "sheets")
    assert {str(path) for path in Path().glob("sheets/**/*.md")} == {
        "sheets/b.md", "sheets/week1/paths.md", "sheets/week2/paths.md",
    }  # fmt: skip
    assert "# week2" in Path("sheets/week2/paths.md").read_text()

    (folder / "b.scenario.yaml").write_text(LESSON.format(title="Another b", factor=5))
    (folder / "course.yaml").unlink()
    said = stepgrad("export", folder, "--to", "html", "-o", "others", code=2).stderr
    assert said == ("b.html: both `b` and `b.yaml` would be written to it; rename one of them\n")
    assert not Path("others").exists()


def test_a_program_that_is_meant_to_fail_does_not_fail_the_course(folder: Path) -> None:
    planned(folder, "title: Mine\nlessons: {One: [a, overwritten_gradient]}")
    told = stepgrad("check", folder).stdout.splitlines()
    assert told[-1].startswith("overwritten_gradient   ")
    assert told[-1].endswith("shows a mistake, and is meant to fail: not checked")
    (only,) = json.loads(stepgrad("check", "--json", folder).stdout)["files"]
    assert only["file"] == "course/a.scenario.yaml"
    stepgrad("check", folder, "overwritten_gradient", code=1)


def test_a_program_of_a_course_gets_no_arguments(folder: Path) -> None:
    text = f"import sys\nassert sys.argv[1:] in ([], ['7'])\nprint(len(sys.argv))\n{PROGRAM}"
    for name in ("course/program.py", "train.py"):
        Path(name).write_text(text)
    assert stepgrad("check", folder, "train.py", "7").stderr.split() == ["1", "2"]


def test_progress_is_kept_under_the_name_of_the_course(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEPGRAD_STATE", str(tmp_path / "state"))
    planned(folder)
    told = stepgrad("run", folder, "--plain", typed="2\nq\n1\n8s\n7\nq\nq\n").stdout
    assert "2, gears: Gears, or why rates multiply." in told
    assert read_progress("Two weeks").mark("b").seen
    assert read_progress("Two weeks").last == "b"
    assert read_progress().mark("gears") == Mark()
    path = progress_path("Two weeks")
    assert path is not None
    assert re.fullmatch("progress-two_weeks-[0-9a-f]{8}.json", path.name)
    assert '"course": "Two weeks"' in path.read_text()


def test_a_file_beside_a_course_file_is_at_home_there(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert home(folder / "a.scenario.yaml") is None
    planned(folder)
    assert home(folder / "a.scenario.yaml") == Home("a", "Two weeks", folder)
    assert home(folder / "helper.py") is None
    assert home(shipped()["gears"]) == Home("gears")
    monkeypatch.setenv("STEPGRAD_STATE", str(tmp_path / "state"))
    stepgrad("quiz", folder / "b.yaml", "--questions", "1", typed="?\n")
    assert read_progress("Two weeks").mark("b").score == "0/1"
    (folder / "course.yaml").write_text("title: [")
    assert home(folder / "a.scenario.yaml") is None


def test_a_hostile_course_is_printed_without_what_steers_a_terminal(folder: Path) -> None:
    evil = r'"\e[2J\u202e\nx"'
    planned(folder, f"title: {evil}\nlessons: {{{evil}: [a]}}")
    for told in (stepgrad("list", folder).stdout, stepgrad("run", folder, "--plain").stdout):
        assert told.replace("\n", "").isprintable()
        assert "\u202e" not in told
    assert read_course(folder).title.isprintable()


def test_courses_of_the_same_words_keep_their_progress_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEPGRAD_STATE", str(tmp_path))
    keep("a", Mark(seen=True), "Week 1")
    assert not read_progress("week 1!").last
    assert not read_progress().last
    assert read_progress("Week 1").last == "a"


def test_ours_are_the_lessons_that_ship() -> None:
    course = ours()
    assert [above for above, _ in course.grouped(course.names)] == [
        "beginner", "intermediate", "advanced", "debugging",
    ]  # fmt: skip
    assert course.typed("gears") == "gears"


def test_the_paths_of_a_course_are_known_even_if_a_lesson_is_not_valid(folder: Path) -> None:
    (folder / "b.yaml").write_text("?")
    assert [path.name for path in course_paths(folder).values()] == [
        "a.scenario.yaml", "b.yaml", "program.py",
    ]  # fmt: skip


def test_a_lesson_that_is_not_valid_leaves_the_others_in_the_list(folder: Path) -> None:
    (folder / "b.yaml").write_text("?")
    told = stepgrad("list", folder, code=2)
    assert "First by name" in told.stdout
    assert "course/b.yaml" in told.stderr
