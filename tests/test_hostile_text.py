"""No text from outside controls a terminal, breaks a line or becomes markup, whatever leaves."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner
from markdown_it import MarkdownIt

from stepgrad import Recording, Value, record, scope
from stepgrad.cli import COMMANDS, main
from stepgrad.engine.tape import mark
from stepgrad.export import FORMATS

EVIL = "\x1b[2Ja\x9b31m\u202eb\nc\0\udcffd\u2028<script>e</script>`*[f](g:h)|#\r\x07"
LONG = "x" * 3000
SCENARIO = json.dumps(EVIL.replace("\udcff", ""))  # YAML has no lone surrogates
STEERING = re.compile(
    "[\0-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
TYPED = EVIL.replace("\0", "")  # which no shell can pass on
COMMANDS_ON_A_FILE = [
    ["run"], ["run", "--plain"], ["run", "--at", "1"], ["replay"], ["replay", "--plain"],
    ["replay", "--json"], ["replay", "--at", "9"], ["replay", "--to", EVIL],
    ["replay", "--keys", "G W x D"], ["replay", "--keys", f":{LONG}"],
    ["replay", "--keys", f"'/{EVIL}'"], ["replay", "--at", "50%", "--plain"], ["check"],
    ["check", "-v"], ["check", "--json"], ["diagnose"], ["diagnose", "--json"],
    ["diff", "two_layer"], ["diff", "--json", "square"],
    ["quiz"], ["quiz", "--answers", f"1 ? {EVIL} 2"],
    ["export", "--to", "html", "--replay"], ["export", "--to", "html", "--replay", "--at", "4"],
    *(["export", "--to", form] for form in FORMATS),
    *(["export", "--to", form, "--at", "4"] for form in FORMATS),
]  # fmt: skip
NO_FILE = [
    ["list"], ["list", TYPED], ["help", TYPED], ["schema", TYPED], [TYPED], ["run", TYPED],
    ["new", f"{TYPED}.yaml"],
    ["run", "--theme", TYPED], ["check", f"{TYPED}.py", TYPED], ["record", f"no{TYPED}/a.py"],
    ["replay", f"{TYPED}.stepgrad"], ["export", TYPED], ["export", "--to", TYPED, "square"],
    ["check", "square", "--junit", f"{TYPED}.xml"], ["record", "-o", f"{TYPED}/x", "square"],
    ["quiz", TYPED], ["check", "--help", TYPED], ["replay", f"--{TYPED}"],
    ["diff", "square", TYPED], ["diff", "square", "--bug", TYPED],
    ["torch-zoom", "--element", TYPED, f"{TYPED}.py"], ["torch-zoom", "--element", TYPED, "square"],
    ["serve", TYPED], ["export", "--to", "html", "--replay", "--steps", TYPED, "square"],
    ["why", TYPED, "w"], ["why", "square", TYPED], ["why", "square", "x", "--at", TYPED],
    ["glossary", TYPED], ["grade", TYPED], ["grade", f"{TYPED}.py", "--against", TYPED],
    ["quiz", "relu_gate", "--student", TYPED, "--answers", TYPED],
]  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scenario, a program and a recording with hostile names everywhere."""
    folder = tmp_path_factory.mktemp("hostile")
    lesson = json.dumps(
        f"# A lesson\n\n{EVIL}\n\n<script>\nalert(1)\n</script>\n".replace("\udcff", "")
    )
    (folder / "evil\x1b[2J.yaml").write_text(
        f"title: {SCENARIO}\nlesson: {lesson}\ninputs: {{x: 2}}\n"
        "graph: [y = x*x + x]\nbackward: y\nexpect: {grads: {x: 5}}\n"
    )
    (folder / "evil\x9b\n.py").write_text(f"{PROGRAM.format(EVIL, LONG)}")
    with record() as recording:
        hostile()
    recording.title = EVIL
    recording.save(folder / "evil\u202e.stepgrad")
    return folder


def hostile() -> None:
    mark(EVIL)
    with scope(EVIL):
        x, long = Value(2.0, label=EVIL), Value(3.0, label=LONG)
        y = x * long + x
    y.label = EVIL
    y.backward()
    mark("step", 1)
    x.data = 5.0


PROGRAM = '''
"""What it is: \\x1b[2J\\u202e

<script>alert(1)</script>
"""
from stepgrad import Value, scope

evil = {!a}
with scope(evil):
    x, long = Value(2.0, label=evil), Value(3.0, label={!a})
    y = x * long + x
y.label = evil
y.backward()
'''


def test_all_commands_are_here() -> None:
    tried = {command for command, *_ in [*COMMANDS_ON_A_FILE, *NO_FILE]}
    assert tried >= {*COMMANDS}


def ran(*arguments: str) -> tuple[str, str]:
    result = CliRunner().invoke(main, arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    for stream in (result.stdout, result.stderr):
        found = STEERING.search(stream)
        assert found is None, ascii(stream[max(0, found.start() - 40) :][:80])
        assert "Traceback" not in stream
    return result.stdout, result.stderr


@pytest.mark.parametrize("command", NO_FILE, ids=lambda command: ascii(" ".join(command)))
def test_what_is_typed(command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ran(*command)


@pytest.mark.parametrize("ending", ["yaml", "py", "stepgrad"])
@pytest.mark.parametrize("command", COMMANDS_ON_A_FILE, ids=lambda c: ascii(" ".join(c))[:60])
def test_what_is_in_files(command: list[str], ending: str, folder: Path) -> None:
    [file] = folder.glob(f"*{ending}")
    out, _ = ran(*command, str(file))
    if "--json" in command or "json" in command:
        json.loads(out)
        out.encode()
    elif "svg" in command:
        ElementTree.fromstring(out)
        assert "<script" not in out
    elif "html" in command:
        page = Page()
        page.feed(out)
        assert not page.found & {"img", "iframe"}
        assert out.count("<script") == ("--replay" in command) * 2  # its own
    elif "markdown" in command:
        assert not html_in(out)


@pytest.mark.parametrize("ending", ["yaml", "py", "stepgrad"])
def test_a_recording_of_it_opens_and_says_the_same(
    ending: str, folder: Path, tmp_path: Path
) -> None:
    [file] = folder.glob(f"*{ending}")
    saved = tmp_path / "saved.stepgrad"
    ran("record", "-o", str(saved), str(file))
    out, _ = ran("replay", str(saved))
    again, _ = ran("replay", str(file))
    assert out == again


def test_events_are_lines(folder: Path) -> None:
    for file in folder.iterdir():
        lines = ran("replay", str(file))[0].splitlines()
        assert [line.split()[0] for line in lines] == [str(i + 1) for i in range(len(lines))]


def test_reasons_are_lines(folder: Path) -> None:
    for file in folder.iterdir():
        _, *lines = ran("why", str(file), "#0.grad")[0].splitlines()
        assert all(line.startswith("    ") or line.split()[0].isdigit() for line in lines)
        reasons = json.loads(ran("why", "--json", str(file), "#2")[0])["numbers"]
        assert all(each["reasons"] for each in reasons)


def test_a_name_that_is_shown_can_be_typed(folder: Path) -> None:
    [file] = folder.glob("*.stepgrad")
    out = json.loads(ran("replay", str(file), "--json")[0])
    for name in out["values"]:
        if not name.startswith("#"):
            assert json.loads(ran("replay", str(file), "--json", "--to", name)[0])["position"]


def test_the_report_for_ci_is_xml(folder: Path, tmp_path: Path) -> None:
    for file in folder.iterdir():
        ran("check", "--junit", str(tmp_path / "report.xml"), str(file))
        ElementTree.parse(tmp_path / "report.xml")


def html_in(text: str) -> list[str]:
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    inner = [child for token in tokens for child in token.children or ()]
    return [token.content for token in [*tokens, *inner] if token.type.startswith("html")]


class Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add(tag)
        assert not any(name.startswith("on") for name, _ in attrs)


def test_the_recorder_and_the_file_agree_on_names() -> None:
    with record() as recording:
        hostile()
    assert isinstance(recording, Recording)
    names = recording.names(recording.length)
    assert names
    assert all(name.isprintable() for name in names)
