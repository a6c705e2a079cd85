"""Programs that are no single script: modules, packages, folders and notebooks."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from forks import run_forked
from processes import python, run
from stepgrad.cli import main
from stepgrad.program import ProgramError, run_program
from stepgrad.recording.recording import Recording
from stepgrad.replay.telling.titles import made_by

SURROUNDINGS = (
    "import sys\n"
    "print(__name__, __file__, __package__, __spec__ and __spec__.name, sys.argv, sys.path[0])\n"
    "print(sys.modules['__main__'].__dict__ is globals())\n"
)
FILES = {
    "pkg/__init__.py": "print('package')\n",
    "pkg/__main__.py": f"from .engine import square\n{SURROUNDINGS}square(3.0).backward()\n",
    "pkg/train.py": f"from . import engine\n{SURROUNDINGS}engine.square(2.0).backward()\n",
    "pkg/engine.py": "from stepgrad import Value\ndef square(x):\n    return Value(x) ** 2\n",
    "pkg/fails.py": "from .engine import square\ndef f():\n    square(1.0)\n    1 / 0\nf()\n",
    "pkg/inner/__init__.py": "",
    "pkg/inner/__main__.py": f"from ..engine import square\n{SURROUNDINGS}square(4.0).backward()\n",
    "pkg/empty/__init__.py": "",
    "broken/__init__.py": "import nowhere\n",
    "broken/train.py": "",
    "plain/__main__.py": f"import helper\n{SURROUNDINGS}helper.square(3.0).backward()\n",
    "plain/helper.py": "from stepgrad import Value\ndef square(x):\n    return Value(x) ** 2\n",
    "shared/made.py": "",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(text, "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def process(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run(python(*arguments), "", cwd=folder)


def stepgrad_(*arguments: object, code: int = 0) -> Result:
    result = CliRunner().invoke(main, [str(each) for each in arguments])
    assert result.exit_code == code, result.output
    return result


def lines(recording: Recording) -> list[str]:
    return [made_by(recording, recording.node(node)) for node in range(recording.size)]


# Modules, packages and folders.


@pytest.mark.parametrize(
    "words",
    [
        ["-m", "pkg.train"], ["-m", "pkg"], ["-m", "pkg.inner"], ["-m", "pkg.fails"],
        ["-m", "broken.train"], ["plain"],
    ],
)  # fmt: skip
def test_it_runs_as_under_python(words: list[str], folder: Path) -> None:
    arguments = [*words, "a", "--steps", "3", "--", "-m"]
    alone = process(folder, *arguments)
    ours = run_forked("run", *arguments, cwd=folder)
    assert (ours.returncode, ours.stdout) == (alone.returncode, alone.stdout)
    theirs = re.sub(r'  File "<frozen runpy>", .*\n', "", alone.stderr)
    assert ours.stderr.startswith(theirs)


@pytest.mark.parametrize(("typed", "same"), [("pkg", "pkg"), ("pkg/inner", "pkg.inner")])
def test_a_package_folder_runs_as_its_module(typed: str, same: str, folder: Path) -> None:
    ours = run_forked("run", typed, "x", cwd=folder)
    assert ours.stdout == process(folder, "-m", same, "x").stdout
    elsewhere = run_forked("run", f"../{typed}", "x", cwd=folder / "plain")
    assert elsewhere.stdout == ours.stdout


def test_the_recording_is_of_the_module_with_the_lines_of_its_package(folder: Path) -> None:
    (folder / "shared" / "__init__.py").write_text("from stepgrad import Value\nw = Value(1.0)\n")
    (folder / "shared" / "made.py").write_text("from . import w\n(w * 2).backward()\n")
    recording = run_program("-m shared.made").recording
    assert recording.name == "made.py"
    assert lines(recording) == ["__init__.py:2", "made.py:2", "made.py:2"]
    assert run_program("-m pkg").recording.name == "__main__.py"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["-m", "nowhere"], "-m nowhere: no such module"),
        (["-m", "nowhere.at.all"], "-m nowhere: no such module"),
        (["-m", "pkg.nowhere"], "-m pkg.nowhere: no such module"),
        (["-m", "pkg.train.deeper"], "-m pkg.train.deeper: no such module"),
        (["-m", "pkg.empty"], "-m pkg.empty: is a package without a __main__.py"),
        (["-m", "pkg..train"], "-m pkg..train: no such module"),
        (["-m", ".train"], "-m .train: no such module"),
        (["-m", "./pkg"], "-m ./pkg: no such module"),
        (["-m", "pkg/train.py"], "-m pkg/train.py: is a file; its module is -m pkg.train"),
        (["-m", ""], "no such module"),
        (["-m", "math"], "math: has no Python code to run"),
        (["-m"], "Option '-m' requires the name of a module."),
        (["pkg/empty.py"], "pkg/empty.py: no such file"),
    ],
)
@pytest.mark.parametrize("command", ["run", "check"])
@pytest.mark.usefixtures("folder")
def test_what_cannot_run_is_said(command: str, words: list[str], told: str) -> None:
    assert told in stepgrad_(command, *words, code=2).output


@pytest.mark.usefixtures("folder")
def test_every_command_takes_a_module() -> None:
    module = ["-m", "pkg.train", "--x"]
    assert "train.stepgrad" in stepgrad_("record", *module).stderr
    assert Path("train.stepgrad").exists()
    stepgrad_("record", "-m", "pkg")
    assert Path("pkg.stepgrad").exists()
    stepgrad_("record", "pkg/inner")
    assert Path("inner.stepgrad").exists()
    assert "#0² = 2² = 4" in stepgrad_("replay", *module).stdout
    assert "gradients 1 in" in stepgrad_("check", "chain_rule", *module).stdout.splitlines()[1]
    assert "-m pkg.train: nothing found" in stepgrad_("diagnose", *module).stdout
    assert "<svg" in stepgrad_("export", "--to", "svg", *module).stdout
    assert "event" in stepgrad_("why", "-m", "pkg.train", "#0.grad").stdout
    noted = stepgrad_("replay", "-m", "pkg.train", "--plain").stderr
    assert "note: --plain comes after -m pkg.train and is passed to it; " in noted
    missing = stepgrad_("export", "-m", "pkg.train", "--to", "svg", code=2).stderr
    assert missing.endswith("stepgrad export --to svg -m pkg.train\n")
    assert stepgrad_("run", "pkg/engine.py", "-m", "x", code=0).stdout == ""


# Notebooks.


def notebook(path: Path, *cells: str, **more: object) -> str:
    """Write a notebook of code cells; those that begin with # are text."""
    told = [
        {"cell_type": "markdown" if text.startswith("# ") else "code", "source": text}
        for text in cells
    ]
    path.write_text(json.dumps({"nbformat": 4, "cells": told, "metadata": {}} | more), "utf-8")
    return str(path)


CELLS = (
    "# A lesson",
    "from stepgrad import Value\n\nx = Value(2.0, label='x')",
    "",
    "def square(v):\n    return v * v\n",
    "y = square(x)\ny.backward()\nx.grad",
)


def test_cells_run_in_order_with_cell_and_line_as_places(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ended = run_program(notebook(tmp_path / "train.ipynb", *CELLS))
    assert ended.status == 0
    recording = ended.recording
    assert recording.name == "train.ipynb"
    assert lines(recording) == ["cell 1, line 3", "cell 2, line 2"]
    assert [source.text for source in recording.sources.values()] == [*CELLS[1::2], CELLS[4]]
    assert capsys.readouterr().out == "4.0\n"


def test_sources_may_be_lists_of_lines(tmp_path: Path) -> None:
    cells = [{"cell_type": "code", "source": ["import stepgrad\n", "stepgrad.Value(1.0)"]}]
    name = notebook(tmp_path / "train.ipynb", cells=cells)
    assert lines(run_program(name).recording) == ["cell 1, line 2"]


def test_a_notebook_is_said_and_kept_with_its_cells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    name = Path(notebook(tmp_path / "train.ipynb", *CELLS)).name
    said = stepgrad_("replay", "--plain", name).stdout
    assert "Event 1 of 5, forward: x is 2, in cell 1, line 3." in said
    stepgrad_("record", name)
    kept = Recording.load("train.stepgrad")
    assert kept.name == "train.ipynb"
    assert lines(kept) == ["cell 1, line 3", "cell 2, line 2"]
    checked = stepgrad_("check", name).stdout
    assert checked.startswith("train.ipynb ")
    assert "not checked" not in checked


def test_errors_point_to_cell_and_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, here = tmp_path / "train.ipynb", Path.cwd()
    ended = run_program(notebook(path, *CELLS, "def f():\n    return 1 / 0\n", "f()\nprint('no')"))
    assert ended.status == 1
    assert ended.failure == "the program failed: ZeroDivisionError: division by zero"
    told = capsys.readouterr()
    assert "no" not in told.out
    assert f'File "{path}/cell 5", line 1, in <module>\n    f()' in told.err
    assert f'File "{path}/cell 4", line 2, in f\n    return 1 / 0' in told.err
    assert "stepgrad/program" not in told.err
    assert ended.recording.size == 2
    assert Path.cwd() == here
    run_program(notebook(path, "x = 1", "if x:\n    y = (\n"))
    told = capsys.readouterr()
    assert f'File "{path}/cell 2", line 2\n    y = (' in told.err
    assert "ast.py" not in told.err


def test_cells_may_await_in_one_event_loop(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cells = (
        "import asyncio\nfrom stepgrad import Value\nasync def double(v):\n"
        "    await asyncio.sleep(0)\n    return v * 2\n",
        "x = Value(2.0, label='x')\ntask = asyncio.get_running_loop().create_task(double(x))\n"
        "await asyncio.sleep(0)",
        "y = await task\ny.backward()\nawait double(3)",
        "lost = asyncio.create_task(asyncio.sleep(60))\nawait asyncio.sleep(0)\nx.grad",
        "await double(x)\n1 / 0",
    )
    path = tmp_path / "train.ipynb"
    ended = run_program(notebook(path, *cells))
    assert ended.failure == "the program failed: ZeroDivisionError: division by zero"
    told = capsys.readouterr()
    assert told.out == "6\n2.0\n"
    assert lines(ended.recording)[:2] == ["cell 2, line 1", "cell 1, line 5"]
    begun, where = told.err.splitlines()[:2]
    assert begun == "Traceback (most recent call last):"
    assert where == f'  File "{path}/cell 5", line 2, in <module>'


def test_get_ipython_says_what_it_skips(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cells = (
        "shell = get_ipython()",
        "\nshell.run_line_magic('matplotlib', 'inline')\nshell.system('pip list')",
        "get_ipython().run_cell_magic('time', '', 'x = 1')",
    )
    assert run_program(notebook(tmp_path / "train.ipynb", *cells)).status == 0
    assert capsys.readouterr().err.splitlines() == [
        "train.ipynb: cell 2, line 2: skipped: %matplotlib inline",
        "train.ipynb: cell 2, line 3: skipped: !pip list",
        "train.ipynb: cell 3, line 1: skipped: %%time",
    ]


def test_a_future_holds_for_the_cells_that_follow(tmp_path: Path) -> None:
    future = "from __future__ import annotations\ndef f(x: nowhere): ...\nf"
    cells = future, "def g(x: nowhere): ...\ng", "assert g.__annotations__ == {'x': 'nowhere'}"
    assert run_program(notebook(tmp_path / "n.ipynb", *cells)).status == 0


@pytest.mark.parametrize(
    "about",
    [
        None, {"kernelspec": None}, {"kernelspec": {"language": None}}, {"kernelspec": "python"},
        {"kernelspec": {"name": "python3"}, "language_info": {"name": "python"}},
    ],
)  # fmt: skip
def test_what_the_kernel_is_may_be_missing(about: object, tmp_path: Path) -> None:
    assert run_program(notebook(tmp_path / "n.ipynb", "x = 1", metadata=about)).status == 0


MAGICS = {
    "%matplotlib inline": ["%matplotlib inline"],
    "x = 5\n!pip install stepgrad\n  \nx": ["!pip install stepgrad"],
    "if True:\n    %timeit x = 3\nx = 5": ["%timeit x = 3"],
    "x = 3\n%time x = 5": ["%time"],
    "if True:\n  %time  x = [\n    5][0]\n%time\n%prun -q x = 3": [
        "%time",
        "%time",
        "%prun -q x = 3",
    ],
    "files = !ls\nt = %timeit -o f()": ["files = !ls", "t = %timeit -o f()"],
    "?print\nprint??\nprint?": ["?print", "print??", "print?"],
    "ws[0].grad?\nd['a'][1]??": ["ws[0].grad?", "d['a'][1]??"],
    "%%bash\nrm -rf 'it\nx = (": ["%%bash … (the whole cell)"],
    "%%time\nx = 5": ["%%time"],
    "!echo it's (": ["!echo it's ("],
    "x = (17\n  % 6)\ntext = '''\n%magic\n!no\n'''\nb = x \\\n  % 7\nok = x != 5": [],
    'x = 5  # is it?\n# really?\ny = \'?\'\nz = """so?\n"""': [],
}


@pytest.mark.parametrize("cell", MAGICS)
def test_what_is_not_python_is_skipped_and_said(
    cell: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = notebook(tmp_path / "t.ipynb", "x = 5", cell, "assert x == 5\nline = 1 / 0")
    assert "ZeroDivisionError" in run_program(name).failure
    told = capsys.readouterr().err.splitlines()
    skipped = [line for line in told if "skipped" in line]
    assert [line.partition(": skipped: ")[2] for line in skipped] == MAGICS[cell]
    for line in skipped:
        number = int(re.fullmatch(r"t\.ipynb: cell 2, line (\d+): .*", line)[1])  # type: ignore[index]
        what = line.partition(": skipped: ")[2].partition(" …")[0]
        assert cell.split("\n")[number - 1].strip().startswith(what)


def test_a_cell_with_magics_has_names(tmp_path: Path) -> None:
    path = notebook(
        tmp_path / "n.ipynb",
        "from stepgrad import Value",
        "%%time\nw = Value(2.0)\nfor _ in range(2):\n    %time loss = (w - 1) ** 2\nw?",
    )
    recording = run_program(path).recording
    assert [*recording.names(recording.length)] == ["w", "loss₀", "loss₁"]


def test_it_runs_in_its_folder_as_under_jupyter(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "data.txt").write_text("data")
    (inner / "helper.py").write_text("said = 'helped'")
    monkeypatch.chdir(tmp_path)
    cells = (
        "import helper, sys, pathlib\nprint(pathlib.Path('data.txt').read_text(), helper.said)",
        "print(__name__, sys.argv[1:])\ndisplay(3)\n4;",
        "None",
    )
    assert run_program(notebook(inner / "n.ipynb", *cells), ["--x"]).status == 0
    assert capsys.readouterr().out == "data helped\n__main__ ['--x']\n3\n"
    assert Path.cwd() == tmp_path


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{", "is not a notebook: it is not JSON"),
        ("[]", "is not a notebook: it has no cells with sources"),
        ('{"nbformat": 4, "cells": [{}]}', "is not a notebook: it has no cells with sources"),
        (
            '{"nbformat": 4, "cells": [{"cell_type": "code", "source": "x=1\\u0000"}]}',
            "cell 1 contains a null byte; delete it",
        ),
        ('{"nbformat": 3, "worksheets": []}', "is in format 3 of Jupyter; only 4 can be read"),
        (
            '{"nbformat": 4, "cells": [], "metadata": {"kernelspec": {"language": "R"}}}',
            "is a notebook in R, not in Python",
        ),
        (
            '{"nbformat": 4, "cells": [], "metadata": {"language_info": {"name": "julia"}}}',
            "is a notebook in julia, not in Python",
        ),
    ],
)
def test_what_is_no_notebook(content: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "n.ipynb"
    path.write_text(content)
    with pytest.raises(ProgramError, match=re.escape(f"{path}: {told}")):
        run_program(str(path))
