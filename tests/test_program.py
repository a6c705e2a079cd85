"""A person's own program: it runs as it does under python, and is recorded besides."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import stepgrad
from forks import run_forked
from processes import python, run, started
from processes import stepgrad as in_a_process
from stepgrad import debugger
from stepgrad.cli import main
from stepgrad.debugger import NothingRecordedError
from stepgrad.engine.tape import active_tape
from stepgrad.program import ProgramError, run_program
from stepgrad.recording.recording import Recording

ROOT = Path(__file__).parents[1]
TRAIN = ROOT / "tests" / "programs" / "train.py"
VALUE = "from stepgrad import Value\nx = Value(2.0, label='x')\n(x * x).backward()\n"


def process(folder: Path, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run Python in a folder, as a user does."""
    return run(python(*arguments), stdin, cwd=folder)


def program(folder: Path, text: str, name: str = "program.py") -> str:
    (folder / name).write_text(text, "utf-8")
    return name


PROGRAMS = {
    "what a module knows": """
        import sys
        print(__name__, __file__, __package__, __spec__, __doc__, sys.argv, sys.path[0])
        print(sys.modules["__main__"].__dict__ is globals())
        print(sorted(globals().keys() - {"__annotations__"}))
        from __main__ import sys as again
        print(again is sys)
        """,
    "prints": "print('one'); import sys; print('two', file=sys.stderr); print('three', end='')",
    "stdin": "print(input('name? ')); import sys; print(sys.stdin.read())",
    "a neighbour": "import neighbour; print(neighbour.__name__)",
    "an error": "def f():\n    return 1 / 0\n\nf()",
    "an error with a cause": "raise ValueError('one') from KeyError('two')",
    "an error of ours": "from stepgrad import Value\nValue('three')",
    "an error in a neighbour": "import neighbour\nneighbour.fail()",
    "an error from an error": "try:\n    1 / 0\nexcept ZeroDivisionError:\n    {}['x']",
    "a group of errors": "raise ExceptionGroup('all', [ValueError(1), KeyError(2)])",
    "no Python": "x = 1\ndef f(:\n",
    "a neighbour that is no Python": "import wrong",
    "another encoding": "# coding: latin-1\nprint('ok')",
    "a future": "from __future__ import annotations\ndef f(x: nowhere): ...\nprint('ok')",
    "no future": "def f(x: int): ...\nprint(f.__annotations__)",
    "leaving": "import sys; sys.exit()",
    "leaving with 0": "raise SystemExit(0)",
    "leaving with 3": "import sys; sys.exit(3)",
    "leaving with words": "import sys; sys.exit('that was all')",
    "leaving with False": "import sys; sys.exit(False)",
    "at exit": "import atexit; atexit.register(print, 'bye'); print('hello')",
    "an excepthook": """
        import sys
        sys.excepthook = lambda kind, error, trace: print(kind, trace.tb_lineno, trace.tb_next)
        raise ValueError
        """,
    "processes": """
        import multiprocessing
        class Square:
            def __call__(self, x):
                return x * x
        if __name__ == "__main__":
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                print(pool.map(Square(), [1, 2, 3]))
        """,
    "a pickle": "import pickle\nclass A: ...\nprint(type(pickle.loads(pickle.dumps(A()))) is A)",
    "no Value at all": "print('hello')",
    "another folder": "import os; os.chdir('/'); print(os.getcwd())",
    "closing everything": "import sys; sys.stdout.close(); sys.stdin.close()",
    "a fork": """
        import os, sys
        print("before", flush=True)
        if child := os.fork():
            print("parent", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        else:
            print("child")
            sys.exit(7)
        """,
    "a fork that fails": """
        import os
        child = os.fork()
        if not child:
            {}["x"]
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        """,
    "a fork that comes to the end": """
        import os
        if child := os.fork():
            os.waitpid(child, 0)
        print("both")
        """,
    "an engine of its own": """
        class V:
            def __init__(self, data, children=()):
                self.data, self.grad, self.children = data, 0.0, children
            def __add__(self, other):
                return V(self.data + other.data, (self, other))
            def __mul__(self, other):
                raise NotImplementedError("later")
        x = V(2) + V(3)
        print(x.data, sorted(vars(x)), V.__bases__)
        x * x
        """,
    "an error in an engine of its own": """
        class V:
            __slots__ = ("data", "grad")
            def __init__(self, data):
                self.data = data
                self.gradient = 0.0
            def __add__(self, other):
                return V(self.data + other.data)
        try:
            V(1.0)
        except AttributeError as error:
            raise ValueError("no") from error
        """,
    "an error in the body of a class": "class A:\n    def __add__(a, b): ...\n    data = grad",
    "an empty file": "",
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_it_runs_as_under_python(name: str, tmp_path: Path) -> None:
    text = re.sub(r"^ {8}", "", PROGRAMS[name], flags=re.MULTILINE)
    program(tmp_path, text)
    program(tmp_path, "def fail():\n    raise OSError('gone')\n", "neighbour.py")
    program(tmp_path, "x = (", "wrong.py")
    arguments = ["program.py", "a", "--plain", "--", "-x", "--help"]
    alone = process(tmp_path, *arguments, stdin="Ada\nLovelace")
    ours = run_forked("run", *arguments, stdin="Ada\nLovelace", cwd=tmp_path)
    assert (ours.returncode, ours.stdout) == (alone.returncode, alone.stdout)
    ended = "program.py: nothing was recorded"
    failed = alone.returncode or name == "an error of ours"
    note, _, told = ours.stderr.partition("\n")
    assert note.startswith("note: --plain comes after program.py and is passed to it; ")
    assert told.startswith(alone.stderr)
    assert told.removeprefix(alone.stderr).startswith("" if failed else ended)


DEBUGGER = """
import bdb, linecache
from stepgrad import Value
TEXT = "def inner(x):\\n    return x * 2\\n"
linecache.cache["<other>"] = len(TEXT), None, TEXT.splitlines(True), "<other>"
exec(compile(TEXT, "<other>", "exec"))
def outer(x):
    y = inner(x + 1)
    return y
class Debugger(bdb.Bdb):
    def user_line(self, frame):
        if frame.f_code.co_name in ("inner", "outer"):
            print(frame.f_code.co_name, frame.f_lineno)
        self.set_step() if self.stopped else self.set_continue()
        self.stopped = True
    def user_return(self, frame, value):
        self.set_step()
debugger = Debugger()
debugger.stopped = False
debugger.set_break("<other>", 2)
debugger.runcall(lambda: outer(Value(1.0)))
"""


def test_a_debugger_steps_out_of_a_breakpoint_as_under_python(tmp_path: Path) -> None:
    program(tmp_path, DEBUGGER)
    alone = process(tmp_path, "program.py")
    assert alone.stdout == "inner 2\nouter 9\n"
    ours = run_forked("run", "program.py", cwd=tmp_path)
    assert (ours.returncode, ours.stdout) == (0, alone.stdout)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"print(1)\nx = '\0'", ":2: contains a null byte"),
        (b"\x7fELF\x02\x01\x01\0\0", ":1: contains a null byte"),
        ("x = 1".encode("utf-16"), ": is UTF-16 text; save it as UTF-8"),
        ("x = 1".encode("utf-32-be"), ":1: contains a null byte"),
        (b"x = 'caf\xe9'", ":1: byte 0xE9 is not UTF-8; save the file as UTF-8, or write its"),
        (b"x = 1\n\n\n'caf\xe9'", ":4: byte 0xE9 is not UTF-8; save the file as UTF-8"),
        (b"# coding: ascii\n'caf\xe9'", ":2: byte 0xE9 is not ASCII; save the file as UTF-8"),
        (b"# coding: klingon\n", ": unknown encoding: klingon; save the file as UTF-8"),
    ],
)
def test_a_file_that_is_no_text_is_named(content: bytes, why: str, tmp_path: Path) -> None:
    path = tmp_path / "it.py"
    path.write_bytes(content)
    for command in ("run", "record", "check", "diagnose"):
        ended = stepgrad_(command, path, code=2)
        assert ended.stderr.startswith(f"{path}{why}")


@pytest.mark.parametrize(
    ("typed", "file"),
    [
        (("-m", "it"), "it.py"),
        (("-m", "package"), "package/__main__.py"),
        (("package",), "package/__main__.py"),
        (("folder",), "folder/__main__.py"),
    ],
)
def test_nor_in_a_module_or_a_folder(typed: tuple[str, ...], file: str, tmp_path: Path) -> None:
    for folder in ("folder", "package"):
        (tmp_path / folder).mkdir()
    (tmp_path / "package" / "__init__.py").touch()
    (tmp_path / file).write_bytes(b"x = 'caf\xe9'")
    ended = run_forked("run", *typed, cwd=tmp_path)
    assert ended.returncode == 2
    assert f"{file}:1: byte 0xE9 is not UTF-8" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("ending", "code"),
    [
        ("", 0), ("sys.exit(3)", 3), ("sys.exit('no')", 1), ("1 / 0", 1),
        ("raise KeyboardInterrupt", 130),
    ],
)  # fmt: skip
def test_what_was_recorded_until_the_end_is_told(ending: str, code: int, tmp_path: Path) -> None:
    name = program(tmp_path, f"import sys\n{VALUE}print('mine'){chr(10)}{ending}\nValue(1.0)")
    ended = stepgrad_("run", tmp_path / name, code=code)
    assert ended.stdout == "mine\n"
    events = 5 if code else 6
    assert ended.stderr.splitlines()[-1].startswith(f"program.py: {events} events, ")


FIRST = "Event 1 of 5, forward: x is 2, in line 2 of program.py."


@pytest.mark.parametrize(
    ("ending", "failure"),
    [
        ("1 / 0", "the program failed: ZeroDivisionError: division by zero"),
        ("raise ValueError('one\\ntwo')", "the program failed: ValueError: one"),
        ("x =", "the program failed: SyntaxError: invalid syntax"),
        ("raise KeyboardInterrupt", "the program was stopped with Ctrl+C"),
        ("raise SystemExit(3)", ""),
        ("", ""),
    ],
)
def test_the_screen_opens_with_what_ended_the_program(
    ending: str, failure: str, tmp_path: Path
) -> None:
    name = program(tmp_path, f"{VALUE}{ending}")
    assert run_program(str(tmp_path / name)).failure == failure


def test_it_narrates_only_when_asked(tmp_path: Path) -> None:
    told = stepgrad_("run", "--plain", tmp_path / program(tmp_path, VALUE))
    assert told.stdout.startswith(f"program.py\n\n{FIRST}\n")
    assert told.stderr == ""


PRESSED = """
import signal, time
from stepgrad import Value
def press(*_):
    global pause
    pause = 0.001  # the log may be being written: this is when it is not
    signal.raise_signal(signal.SIGINT)
w, steps, pause = Value(0.5), 0, 0
while True:
    (w * w).backward()
    w.data -= 0.1 * w.grad
    w.grad = 0
    time.sleep(pause)
    steps += 1
    if steps == 1:  # what a pass imports is imported
        signal.signal(signal.SIGPROF, press)
        signal.setitimer(signal.ITIMER_PROF, 0.005)
"""


def test_ctrl_c_ends_it_and_tears_nothing(tmp_path: Path) -> None:
    program(tmp_path, PRESSED)
    ended = run_forked("run", "--plain", "program.py", cwd=tmp_path)
    out, err = ended.stdout, ended.stderr
    assert ended.returncode == 130
    assert err.startswith("Traceback")
    assert err.endswith("KeyboardInterrupt\n")
    title, _, first, _, *rest = out.splitlines()
    assert title == "program.py"
    assert "w is 0.5" in first
    told = [
        *("pass begins", "receives", "receives"),
        *("is set to .* in line 11", "is cleared.* in line 12", "times .* in line 10"),
    ]
    for index, line in enumerate(rest):
        assert re.search(told[index % 6], line)


def test_ctrl_c_shows_no_frame_of_ours(tmp_path: Path) -> None:
    program(tmp_path, f"{VALUE}import signal\nsignal.raise_signal(signal.SIGINT)\n")
    alone = process(tmp_path, "program.py")
    ours = run_forked("run", "program.py", cwd=tmp_path)
    assert ours.returncode == 130
    assert ours.stderr.startswith(alone.stderr)


ENDLESS = """
import os, signal, sys, time
from stepgrad import Value
w, steps = Value(0.5), 0
try:
    while True:
        steps += 1
        if steps == 10:
            print("go", file=sys.stderr, flush=True)
        (w * w).backward()
        w.data -= 0.1 * w.grad
        w.grad = 0
        time.sleep(0.0001)
finally:
    {}
"""


@contextmanager
def endless(folder: Path, name: str, at_the_end: str = "pass") -> Iterator[subprocess.Popen[str]]:
    """Start a program that records for ever, and wait until it does."""
    program(folder, ENDLESS.format(at_the_end))
    with started(in_a_process(name, "program.py"), cwd=folder) as running:
        assert running.stderr
        assert running.stderr.readline() == "go\n"
        yield running


TWICE = "os.kill(os.getpid(), signal.SIGHUP)"
FORKED = """
    child = os.fork()
    if not child:
        signal.raise_signal(signal.SIGTERM)
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("at_the_end", ["pass", TWICE, FORKED])
def test_what_was_recorded_is_saved_when_a_signal_comes(
    number: signal.Signals, at_the_end: str, tmp_path: Path
) -> None:
    with endless(tmp_path, "record", at_the_end) as running:
        running.send_signal(number)
        out, err = running.communicate(timeout=60)
    hung_up = at_the_end == TWICE
    assert running.returncode == 128 + (signal.SIGHUP if hung_up else number)
    assert re.search(r"^program.py: [\d,]+ events", err, re.MULTILINE)
    assert ("Traceback" in err) is (number == signal.SIGINT and not hung_up)
    assert out == ("-15\n" if at_the_end == FORKED else "")
    assert Recording.load(tmp_path / "program.stepgrad").length > 0


SLOW_TO_WRITE = """
import signal
import stepgrad.recording.store as store
zipped = store._zipped
def zipped_later(*given):
    for number in {}:
        signal.raise_signal(number)
    return zipped(*given)
store._zipped = zipped_later
"""


@pytest.mark.parametrize("numbers", [[2], [15, 1], [15, 2]])
def test_a_recording_is_written_to_its_end_whatever_signal_comes(
    numbers: Sequence[int], tmp_path: Path
) -> None:
    name = program(tmp_path, f"{VALUE}{SLOW_TO_WRITE.format(numbers)}")
    ended = run_forked("record", name, cwd=tmp_path)
    assert ended.returncode == 0
    assert ("Ctrl+C again gives it up" in ended.stderr) == (2 in numbers)
    assert Recording.load(tmp_path / "program.stepgrad").length > 0


def test_ctrl_c_twice_gives_a_recording_up(tmp_path: Path) -> None:
    (tmp_path / "program.stepgrad").write_text("before")
    name = program(tmp_path, f"{VALUE}{SLOW_TO_WRITE.format([2, 2])}")
    ended = run_forked("record", name, cwd=tmp_path)
    assert ended.returncode == 130
    assert (tmp_path / "program.stepgrad").read_text() == "before"
    assert [*tmp_path.glob(".*.tmp")] == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_forked_process_ends_even_if_the_signal_comes_as_it_begins(tmp_path: Path) -> None:
    name = program(
        tmp_path,
        f"import os, signal, time\n{VALUE}"
        "for _ in range(50):\n"
        "    if not (child := os.fork()):\n"
        "        time.sleep(1)\n"
        "        os._exit(0)\n"
        "    os.kill(child, signal.SIGTERM)\n"
        "    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
        "print(signal.pthread_sigmask(signal.SIG_BLOCK, ()))\n",
    )
    ended = run_forked("record", name, cwd=tmp_path)
    assert ended.stdout == "-15\n" * 50 + "set()\n"


@pytest.mark.parametrize("command", ["run", "check", "replay"])
def test_where_nothing_is_saved_a_signal_ends_it_as_under_python(
    command: str, tmp_path: Path
) -> None:
    with endless(tmp_path, command, "print('never')") as running:
        running.terminate()
        out, _ = running.communicate(timeout=60)
    assert (running.returncode, out) == (-signal.SIGTERM, "")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_program_keeps_its_own_answer_to_a_signal(number: signal.Signals, tmp_path: Path) -> None:
    name = program(
        tmp_path,
        f"import signal\n{VALUE}signal.signal({number:d}, lambda *_: print('mine'))\n"
        f"signal.raise_signal({number:d})\n",
    )
    ended = run_forked("record", name, cwd=tmp_path)
    assert (ended.returncode, ended.stdout) == (0, "mine\n")


# --- in this process


def stepgrad_(*arguments: str | Path, code: int = 0) -> Result:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output
    return result


def test_the_surroundings_are_as_before(tmp_path: Path) -> None:
    before = sys.argv, sys.path.copy(), sys.modules["__main__"], signal.getsignal(signal.SIGINT)
    path = tmp_path / program(tmp_path, "import sys; sys.path.append('x'); sys.argv.clear()")
    assert run_program(str(path)).status == 0
    assert before == (sys.argv, sys.path, sys.modules["__main__"], signal.getsignal(signal.SIGINT))


def test_the_recording_has_the_text_of_the_program(tmp_path: Path) -> None:
    path = tmp_path / program(tmp_path, "# coding: latin-1\r\n" + VALUE)
    path.write_bytes(path.read_bytes() + "# ä".encode("latin-1"))
    recording = run_program(str(path)).recording
    assert recording.name == "program.py"
    assert recording.source is not None
    assert recording.source.lines == ["# coding: latin-1", *VALUE.splitlines(), "# ä"]
    assert [recording.node(i).place.line for i in range(recording.size)] == [3, 4]


@pytest.mark.parametrize("command", ["run", "replay", "record"])
def test_a_program_that_is_not_there(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    program(tmp_path, VALUE, "train.py")
    Path("folder.py").mkdir()
    for name, words in (
        ("trian.py", "trian.py: no such file; did you mean `train.py`?"),
        ("far/away.py", "far/away.py: no such file"),
        ("folder.py", "folder.py: is a folder"),
        ("a\0b.py", "no such file"),
        ("run.stepgrad", "run.stepgrad: no such file"),
        ("tran", "did you mean `train.py`?"),
    ):
        result = stepgrad_(command, name, code=2)
        assert words in result.stderr
        assert result.stdout == ""


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_program_that_may_not_be_read(tmp_path: Path) -> None:
    path = tmp_path / program(tmp_path, VALUE)
    path.chmod(0)
    with pytest.raises(ProgramError, match="cannot be read: Permission denied"):
        run_program(str(path))


def test_what_stands_behind_a_program_is_for_it(tmp_path: Path) -> None:
    path = tmp_path / program(tmp_path, "import sys; print(*sys.argv[1:])")
    for options in ([], ["--plain"], ["--theme", "nord"]):
        out = stepgrad_("run", *options, path, "--plain", "-h", "x.py").stdout
        assert out == "--plain -h x.py\n"
    assert "note: " not in stepgrad_("run", path, "--rate=1", "x.py", "plain").stderr
    extra = stepgrad_("run", "two_layer", "x.py", code=2).stderr
    assert "unexpected extra argument (x.py)" in extra
    assert "--nope" in stepgrad_("run", "--nope", path, code=2).stderr


BEHIND = {
    ("run", "--plain"): "--plain comes after {} and is passed to it; ",
    ("replay", "--at", "2", "--speed=3"): "--at comes after {} and is passed to it; ",
    ("check", "--junit", "r.xml"): "--junit comes after {} and is passed to it; ",
}


@pytest.mark.parametrize("command", BEHIND)
def test_options_behind_a_program_are_noted(command: tuple[str, ...], tmp_path: Path) -> None:
    path = tmp_path / program(tmp_path, VALUE)
    name, *behind = command
    told = stepgrad_(name, path, *behind).stderr.splitlines()[0]
    rule = "options for stepgrad go before the program"
    assert told == f"note: {BEHIND[command].format(path)}{rule}"


@pytest.mark.parametrize(
    ("typed", "right"),
    [
        ("train.py --to svg", "--to svg train.py"),
        ("train.py --to=svg", "--to=svg train.py"),
        ("train.py 3 --to svg -x", "--to svg train.py 3 -x"),
        ("-o a.svg train.py --to svg --at step", "-o a.svg --to svg --at step train.py"),
        ("train.py --to", "--to train.py"),
    ],
)
def test_a_missing_option_behind_a_program_is_the_one_thing_to_say(typed: str, right: str) -> None:
    told = stepgrad_("export", *typed.split(), code=2).stderr
    rule = "options for stepgrad go before the program"
    assert told == f"{rule}: stepgrad export {right}\n"
    assert "Missing option '--to'" in stepgrad_("export", "train.py", "-x", code=2).stderr


def test_files_behind_a_program_are_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names = [program(tmp_path, VALUE, name) for name in ("a.py", "b.py", "c.yaml")]
    told = stepgrad_("check", "a.py", "-x", "b.py", "c.yaml", "gone.py").stderr
    rule = "files come before arguments"
    assert told == f"note: b.py, c.yaml come after a.py and are passed to it; {rule}\n"
    many = [program(tmp_path, VALUE, f"p{number}.py") for number in range(9)]
    told = stepgrad_("check", names[0], "x", *many).stderr
    assert told.startswith("note: p0.py, p1.py, p2.py, p3.py, ... come after a.py")


@pytest.mark.parametrize("command", ["check", "diagnose"])
def test_several_programs_are_all_examined(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        program(tmp_path / name, f"from stepgrad import Value\n{name} = Value(2.0)\n", "model.py")
        program(tmp_path / name, f"from model import {name}\n({name} * 3).backward()\n", "run.py")
    words = "import sys\nassert sys.argv[1:] == ['c.yaml', '--'], sys.argv\n"
    program(tmp_path, words + VALUE, "words.py")
    files = ("one/run.py", "two/run.py")
    ended = stepgrad_(command, *files, "words.py", "--", "c.yaml", "--")
    assert re.findall(r"^[\w/]+\.py", ended.stdout, re.MULTILINE) == [*files, "words.py"]
    assert ended.stderr == ""
    told = stepgrad_(command, *files, "gone.yaml", "gone.py", code=2).stderr
    assert re.findall(r"^gone\.\w+", told, re.MULTILINE) == ["gone.yaml", "gone.py"]


@pytest.mark.parametrize("word", ["square", "lessons"])
def test_a_word_that_may_be_lessons_or_an_argument_is_refused(
    word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lessons").mkdir()
    program(tmp_path / "lessons", "title: x", "x.yaml")
    name = program(tmp_path, VALUE)
    said = " ".join(stepgrad_("check", "-v", name, word, "3", code=2).stderr.split())
    assert f"{word} may be lessons, or an argument of {name}" in said
    assert said.endswith(f"pass it with --: stepgrad check -v {name} -- {word} 3")
    assert name in stepgrad_("check", "-v", name, "--", word, "3").stdout


def test_lessons_behind_one_that_is_a_program_are_lessons() -> None:
    lessons = ("square", "control_flow", "dual_numbers", "cube")
    ended = stepgrad_("check", *lessons)
    assert [line.split()[0] for line in ended.stdout.splitlines()] == [*lessons]


def test_replay_keeps_its_output_to_itself(tmp_path: Path) -> None:
    path = tmp_path / program(tmp_path, f"print('mine')\n{VALUE}1 / 0")
    result = stepgrad_("replay", "--at", "x", "--plain", path, code=1)
    assert result.stdout == "Event 1 of 5, forward: x is 2, in line 3 of program.py.\n"
    assert result.stderr.startswith("mine\nTraceback")
    assert '"scenario": null' in stepgrad_("replay", "--json", path, code=1).stdout
    lines = stepgrad_("replay", "--at", "2", path, code=1).stdout.splitlines()
    assert lines[0] == "program.py"
    assert lines[2] == "x·x = 2·2 = 4   [program.py:4]"


@pytest.mark.parametrize("command", [["check"], ["replay", "--at", "x"], ["replay", "--plain"]])
def test_what_a_program_forks_does_not_go_on_with_us(command: list[str], tmp_path: Path) -> None:
    program(tmp_path, f"import os\n{VALUE}if child := os.fork():\n    os.waitpid(child, 0)\n")
    forked = run_forked(*command, "program.py", cwd=tmp_path)
    program(tmp_path, f"import os\n{VALUE}")
    alone = run_forked(*command, "program.py", cwd=tmp_path)
    assert alone.stdout
    assert (forked.returncode, forked.stdout) == (0, alone.stdout)


@pytest.mark.parametrize("closed", ["stdout", "stderr", "stdout.close(); sys.stderr"])
def test_what_a_program_closes_is_open_for_us(closed: str, tmp_path: Path) -> None:
    program(tmp_path, f"import sys\n{VALUE}sys.{closed}.close()\n")
    for command in ("check", "replay"):
        ended = run_forked(command, "program.py", cwd=tmp_path)
        assert ended.returncode == 0
        assert "x" in ended.stdout
    saved = run_forked("record", "program.py", cwd=tmp_path)
    assert saved.stderr.startswith("program.py: 5 events")


def test_a_program_is_checked_by_its_gradients() -> None:
    result = stepgrad_("check", TRAIN, code=0)
    assert "ok" in result.stdout


# --- saving


def test_a_program_is_saved(tmp_path: Path) -> None:
    path, goal = tmp_path / program(tmp_path, f"{VALUE}1 / 0"), tmp_path / "x.stepgrad"
    result = stepgrad_("record", "-o", goal, path, "--steps", "2", code=1)
    assert Recording.load(goal).length == 5
    events, where = "5 events, 2 nodes, 1 backward pass", f"{goal.stat().st_size:,} bytes in {goal}"
    assert result.stderr.endswith(f"program.py: {events}; {where}\n")
    for command in ("run", "replay"):
        told = stepgrad_(command, goal, "--plain").stdout
        assert told.startswith(f"program.py\n\n{FIRST}\n")
    assert events in stepgrad_("run", goal).stderr
    assert "ok" in stepgrad_("check", goal).stdout


def test_a_scenario_is_saved_in_this_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    stepgrad_("record", "two_layer")
    assert [path.name for path in tmp_path.iterdir()] == ["two_layer.stepgrad"]
    again = stepgrad_("replay", "two_layer.stepgrad").stdout
    assert again == stepgrad_("replay", "two_layer").stdout


def test_what_cannot_be_saved_is_told_before_it_is_run(tmp_path: Path) -> None:
    path = tmp_path / program(tmp_path, f"{VALUE}print('run')")
    for goal, words in (
        (path, "this is the input file"),
        (tmp_path / "nowhere" / "x.stepgrad", "does not exist"),
        (tmp_path, "is a folder"),
        ("/dev/null", "is not a regular file"),
    ):
        result = stepgrad_("record", "-o", goal, path, code=2)
        assert words in result.stderr
        assert result.stdout == ""
    assert list(tmp_path.rglob("*.stepgrad")) == []


def test_values_that_only_other_threads_made_are_asked_about(tmp_path: Path) -> None:
    path = tmp_path / program(
        tmp_path,
        "from threading import Thread\nfrom stepgrad import Value\n"
        "thread = Thread(target=Value, args=(1.0,))\nthread.start()\nthread.join()\n",
    )
    assert "in another thread" in stepgrad_("run", path).stderr


KEPT_IN_A_DICT = """
class V:
    def __init__(self, data, parents=()):
        self.data, self.parents = data, parents
    def __add__(self, other):
        return V(self.data + other.data, ((self, 1.0), (other, 1.0)))
    def __mul__(self, other):
        return V(self.data * other.data, ((self, other.data), (other, self.data)))

print((V(2.0) * V(3.0)).data)
"""


def test_a_class_that_keeps_no_gradients_is_named(tmp_path: Path) -> None:
    path = tmp_path / program(tmp_path, KEPT_IN_A_DICT)
    told = stepgrad_("diagnose", path, code=2).stderr
    assert "objects of V have a `data`, and no attribute such as `grad`" in told
    assert "Store each gradient in its object" in told
    path.write_text(f"from stepgrad import Value\n{KEPT_IN_A_DICT}\n(Value(2.0) * 3).backward()\n")
    assert "objects of V" not in stepgrad_("diagnose", path).stdout


FUNCTIONS = """
class Node:
    def __init__(self, data, parents=()):
        self.data, self.grad, self.parents = data, 0.0, parents

def add(a, b):
    return Node(a.data + b.data, (a, b))

print(add(Node(2.0), Node(3.0)).data)
"""


def test_an_engine_of_functions_is_named(tmp_path: Path) -> None:
    path = tmp_path / program(tmp_path, FUNCTIONS)
    for command in ("run", "check", "diagnose", "record"):
        told = stepgrad_(command, path, code=0 if command == "run" else 2).stderr
        assert (
            "objects of Node have a `data` and a `grad`, and no methods such as `__add__`" in told
        )
        assert "`a + b` for `add(a, b)`. Or use stepgrad.Value" in told
    path.write_text(f"from stepgrad import Value\n{FUNCTIONS}\n(Value(2.0) * 3).backward()\n")
    assert "objects of Node" not in stepgrad_("diagnose", path).stdout
    path.write_text("print({'data': 1})")
    assert "A class of your own is observed if it has" in stepgrad_("diagnose", path, code=2).stderr


def test_an_engine_of_lists_is_told_that_a_number_is_needed(tmp_path: Path) -> None:
    text = (
        "class Vec:\n"
        "    def __init__(self, data): self.data, self.grad = data, [0.0] * len(data)\n"
        "    def __add__(self, o): return Vec([a + b for a, b in zip(self.data, o.data)])\n"
        "Vec([1.0]) + Vec([2.0])\n"
    )
    path = tmp_path / program(tmp_path, text)
    told = stepgrad_("check", path, code=2).stderr
    assert "the `data` of Vec is of type list: " in told
    assert "observed only where it is a number" in told
    path.write_text(f"from stepgrad import Value\n{text}\n(Value(2.0) * 3).backward()\n")
    assert "Vec" not in stepgrad_("diagnose", path).stdout


def test_a_number_of_a_library_is_no_engine_without_gradients(tmp_path: Path) -> None:
    (library := tmp_path / "site-packages").mkdir()
    (library / "floats.py").write_text(KEPT_IN_A_DICT)
    text = f"import sys\nsys.path.insert(0, {str(library)!r})\nimport floats\n"
    path = tmp_path / program(tmp_path, text)
    assert "objects of V" not in stepgrad_("diagnose", path, code=2).stderr


def test_gradients_that_are_nowhere_seen_are_a_note(tmp_path: Path) -> None:
    text = "from stepgrad import Value\nw = Value(2.0)\nfor _ in range(3):\n"
    path = tmp_path / program(tmp_path, f"{text}    loss = w * w\n    w.data -= 0.2 * w.data\n")
    assert "no gradient is seen" in stepgrad_("diagnose", path).stdout
    path.write_text(f"{text}    loss = w * w\n    loss.backward()\n    w.data -= 0.1 * w.grad\n")
    assert "no gradient is seen" not in stepgrad_("diagnose", path, code=1).stdout


def test_nothing_is_saved_where_nothing_was_recorded(tmp_path: Path) -> None:
    path = tmp_path / program(tmp_path, "print('run')")
    result = stepgrad_("record", "-o", tmp_path / "x.stepgrad", path, code=2)
    assert "nothing was recorded" in result.stderr
    assert list(tmp_path.rglob("*.stepgrad")) == []
    path.write_text("raise SystemExit(7)")
    assert stepgrad_("record", "-o", tmp_path / "x.stepgrad", path, code=7).stderr == ""


# --- debug()


def test_debug_without_a_recording_says_how_to_record() -> None:
    with pytest.raises(NothingRecordedError, match="start the program with `stepgrad run`"):
        stepgrad.debug()


def test_debug_without_a_terminal_goes_on(tmp_path: Path) -> None:
    program(tmp_path, f"{VALUE}import stepgrad\nstepgrad.debug()\nprint('on')")
    ended = run_forked("run", "program.py", cwd=tmp_path)
    assert (ended.returncode, ended.stdout) == (0, "on\n")
    told, summary = ended.stderr.splitlines()
    assert told.startswith("stepgrad.debug(): there is no terminal, so the program continues; 5")
    assert summary.startswith("program.py: 5 events")


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """A terminal that is said to be there; what is opened on it: position and length."""
    opened: list[tuple[int, int]] = []

    def show(recording: Recording, *, position: int, said: str) -> None:
        assert said == "⟦quit⟧ continues the program"
        assert active_tape() is None
        stepgrad.Value(9.0)  # nothing that the debugger does is heard
        opened.append((position, len(recording.events)))

    monkeypatch.setattr(debugger, "has_screen", lambda: True)
    monkeypatch.setattr(debugger, "open_debugger", show)
    return opened


def test_debug_opens_on_what_was_recorded_so_far(shown: list[Any]) -> None:
    with stepgrad.record() as recording:
        x = stepgrad.Value(2.0)
        y = x * x
        stepgrad.debug()
        y.backward()
        x.data = 3.0
        stepgrad.debug()
        x.grad = 0.0
    assert shown == [(2, 2), (6, 6)]
    assert recording.length == 7


async def test_debug_where_an_event_loop_runs(
    shown: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    with stepgrad.record():
        stepgrad.debug()
    assert shown == []
    assert "an event loop is running" in capsys.readouterr().err


def test_debug_shows_what_was_recorded_before_the_memory_was_spent(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with stepgrad.record(memory=10_000) as recording:
        for _ in range(100):
            (stepgrad.Value(2.0) * 3.0).backward()
        stepgrad.debug()
    assert recording.spent
    assert f"so the program continues; {recording.incomplete}\n" in capsys.readouterr().err


def test_a_program_is_a_regular_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.py")  # never written to
    with pytest.raises(ProgramError, match="cannot be read: it is not a regular file"):
        run_program(str(tmp_path / "pipe.py"))
