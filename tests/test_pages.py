"""The pages of `stepgrad help` as a whole: where they are shown, how, and what they must name."""

import re
from contextlib import redirect_stdout
from pathlib import Path

import pytest
import yaml
from rich.cells import cell_len

from documents import DOCUMENTS, ROOT
from kept import check_kept
from stepgrad import pages
from stepgrad.cli import main
from stepgrad.cli.help import laid_out
from stepgrad.course.form import CourseForm
from stepgrad.replay.commands.table import COMMANDS
from stepgrad.scenario.form.kinds import fields_of
from test_cli import OnATerminal, stepgrad

README = DOCUMENTS["README"]
EACH = pytest.mark.parametrize("name", DOCUMENTS)


def test_the_readme_is_short() -> None:
    assert len(README.text.splitlines()) < 250


@EACH
def test_the_links_lead_somewhere(name: str) -> None:
    document = DOCUMENTS[name]
    prose = re.sub("^```.*?^```$", "", document.text, flags=re.DOTALL | re.MULTILINE)
    for path in re.findall(r"\]\(([^):]+)\)", prose):
        assert (document.path.parent / path).is_file()


def test_the_readme_lists_the_pages(pytestconfig: pytest.Config) -> None:
    marks = r"(<!-- topics[^>]*-->\n).*?(<!-- /topics -->)"
    rows = (
        f"| `stepgrad help {topic}` | "
        f"[{pages.title(topic)}]({pages.path_of(topic).relative_to(ROOT).as_posix()}) |"
        for topic in pages.TOPICS
    )
    table = "\n".join(["| in a terminal | page |", "|---|---|", *rows])
    text, count = re.subn(
        marks, lambda mark: f"{mark[1]}\n{table}\n\n{mark[2]}", README.text, flags=re.DOTALL
    )
    assert count == 1
    check_kept(README.path, text, pytestconfig)


@pytest.mark.parametrize("topic", pages.TOPICS)
@pytest.mark.parametrize("width", [30, 80])
def test_a_page_fits_a_terminal(topic: str, width: int) -> None:
    plain = re.sub("\x1b\\[[0-9;]*m", "", laid_out(pages.page(topic), width))
    assert max(map(cell_len, plain.splitlines())) <= width
    assert "<!--" not in plain


@EACH
def test_code_is_not_folded_in_a_small_terminal(name: str) -> None:
    document = DOCUMENTS[name]
    for language in ("sh", "python", "yaml", "toml", "html", ""):
        for block in document.blocks(language):
            assert max(map(cell_len, block.splitlines())) <= 78, block


def test_every_page_can_be_asked_for() -> None:
    written = {path.stem for path in Path(pages.__file__).parent.glob("*.md")}
    assert written | {"scenario"} == set(pages.TOPICS)
    assert not set(pages.TOPICS) & set(main.commands)
    for topic in pages.TOPICS:
        assert stepgrad("help", topic).stdout == pages.page(topic)
        assert f"  {topic} " in stepgrad("--help").stdout


def test_in_a_terminal_a_page_is_laid_out_and_opens_in_a_pager(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    paged: list[str] = []
    monkeypatch.setattr("click.echo_via_pager", paged.append)
    with redirect_stdout(OnATerminal()) as seen, pytest.raises(SystemExit):
        main(["help", "tour"])
    assert not seen.getvalue()
    (text,) = paged
    assert text.startswith("\x1b[1mA tour in ten minutes\x1b[0m\n\nstepgrad runs a computation")


def test_the_page_on_courses_names_each_field_of_a_course_file() -> None:
    for field in fields_of(CourseForm):
        assert f"| `{field}` | " in DOCUMENTS["courses"].text


def test_keys_and_verdicts_come_from_their_tables() -> None:
    keys, verdicts = pages.page("keys"), pages.page("verdicts")
    assert all(command.help in keys for command in COMMANDS)
    assert "### dead: " in verdicts


def test_the_outline_has_a_session_for_each_heading_and_ten_of_them() -> None:
    outline = DOCUMENTS["teaching"]
    (course,) = outline.blocks("yaml")
    plan = yaml.safe_load(course)["lessons"]
    sessions = re.findall("^## Session (.*)$", outline.text, re.MULTILINE)
    assert len(sessions) == len(plan) == 10
    for title, heading in zip(sessions, plan, strict=True):
        assert title.partition(",")[0].casefold().startswith(heading.casefold())
