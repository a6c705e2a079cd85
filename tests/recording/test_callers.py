"""Lines of nodes: whose they are, and that they change nothing else."""

from __future__ import annotations

import copy
import linecache
import runpy
import sys
from collections.abc import Callable
from functools import reduce
from operator import add
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

import pytest

import stepgrad
from stepgrad import MLP, SGD, Recording, State, Value, compat, record, scope
from stepgrad.engine.tape import Place
from stepgrad.recording.blocks import Forward, Write
from stepgrad.recording.naming import assigned
from stepgrad.recording.naming.assigned import assignments
from stepgrad.recording.places import is_ours
from stepgrad.recording.source import path_of
from stepgrad.replay.telling.titles import made_by

PROGRAM = Path(__file__).parents[1] / "programs" / "train.py"


def here() -> int:
    """The line that asks."""
    return sys._getframe(1).f_lineno


def places(recording: Recording) -> list[Place]:
    return [recording.node(i).place for i in range(recording.size)]


def lines(recording: Recording) -> list[int | None]:
    """The lines of all nodes, all of which this file made."""
    assert {place.file for place in places(recording)} == {__file__}
    return [place.line for place in places(recording)]


class Doubled:
    """A part of somebody's own model."""

    def __init__(self, value: Value) -> None:
        self.value = value
        self.line = 0

    def __call__(self) -> Value:
        self.line = here() + 1
        return self.value * 2


def test_a_node_is_made_by_the_line_that_makes_it() -> None:
    with record(lines=True) as recording:
        x, first = Value(2.0), here()
        y = (
            x.tanh()
            + 1
        )  # fmt: skip
        second, last = here() - 3, here() + 1
        y.neg()
    assert lines(recording) == [first, second, second, second, last]


MAKERS: dict[str, tuple[Callable[[list[Value]], object], int]] = {
    "a constant": (lambda xs: xs[0] * 2, 2),
    "a constant on the left": (lambda xs: 2 - xs[0], 2),
    "sum": (lambda xs: sum([*xs]), 4),
    "a generator": (lambda xs: sum(x * x for x in xs), 7),
    "reduce": (lambda xs: reduce(add, xs), 2),
    "map": (lambda xs: list(map(Value.tanh, xs)), 3),
    "sorted by": (lambda xs: sorted(xs, key=lambda x: (x * x).data), 3),
    "our network": (lambda xs: MLP([[[1.0, 2.0, 3.0]]], [[0.5]], ["tanh"])([*xs]), 11),
    "micrograd's network": (lambda xs: compat.MLP(3, [1])([*xs]), 10),
}


@pytest.mark.parametrize("name", MAKERS)
def test_what_we_and_python_do_is_done_by_the_line_that_asks_for_it(name: str) -> None:
    maker, count = MAKERS[name]
    xs = [Value(1.0), Value(2.0), Value(3.0)]
    with record(lines=True) as recording:
        (xs[0] + xs[1] + xs[2]).backward()  # takes the leaves in
        before = recording.size
        maker(xs)
    line = maker.__code__.co_firstlineno
    made = [recording.node(i).place for i in range(before, recording.size)]
    assert [(place.line, place.file) for place in made] == [(line, __file__)] * count


def test_a_class_of_ones_own_is_asked_within() -> None:
    with record(lines=True) as recording:
        model, line = Doubled(Value(1.0)), here()
        model()
    assert lines(recording) == [line, model.line, model.line]


def test_a_generator_expression_is_part_of_the_call_around_it() -> None:
    noted: list[Any] = []

    def doubled(value: Value) -> Value:
        made = value * 2
        noted.append(sys._getframe(1).f_trace)
        return made

    with record(lines=True):
        for _ in range(3):
            sum(doubled(Value(x)) for x in (1.0, 2.0))
        noted.append(sys._getframe().f_trace)
    assert len({id(mark.path) for mark in noted}) == 1


def test_a_copy_is_made_where_python_makes_it() -> None:
    with record(lines=True) as recording:
        copy.deepcopy(Value(1.0))
    assert [place.file for place in places(recording)] == [__file__, copy.__file__]


def test_a_program_that_ships_is_a_program_and_the_rest_of_the_package_is_not() -> None:
    package = Path(stepgrad.__file__).parent
    paths = [package / "engine" / "nn.py", package / "scenarios" / "gpt.py", PROGRAM]
    assert [is_ours(str(path)) for path in paths] == [True, False, False]
    assert is_ours(Value.__add__.__code__.co_filename)


def test_scopes_are_kept() -> None:
    with scope("model"), record(lines=True) as recording:
        Value(1.0)
        with scope("layer1"):
            Value(2.0), here()
        Value(3.0)
    assert [place.scope for place in places(recording)] == ["model", "model/layer1", "model"]
    first = here() - 5
    assert lines(recording) == [first, first + 2, first + 3]


def test_what_was_there_before_has_no_line() -> None:
    x = Value(2.0)
    with record(lines=True) as recording:
        x * x
    assert [place.line for place in places(recording)] == [None, here() - 1]


def test_code_without_a_file() -> None:
    with record(lines=True) as recording:
        exec("from stepgrad import Value\nValue(1.0)")
        x, line = Value(2.0), here()
    assert places(recording) == [Place("", 2, "<string>"), Place("", line, __file__)]
    assert recording.source_of(places(recording)[0]) is None
    assert list(recording.sources) == [__file__]
    assert x.data == 2.0


def test_the_texts_are_those_of_the_files(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text("from stepgrad import Value\n\f\nx = Value(1.0)  # Größe\n", "utf-8")
    with record(lines=True) as recording:
        runpy.run_path(str(program))
        program.unlink()
        Value(2.0)
    (made, *_), source = places(recording), recording.source
    assert source is not None
    assert source is recording.source_of(made)
    assert source.lines[(made.line or 0) - 1] == "x = Value(1.0)  # Größe"
    assert list(recording.sources) == [str(program), __file__]
    assert recording.name == "program.py"


def test_without_being_asked_no_line_is_known() -> None:
    with record() as recording:
        Value(1.0)
    assert places(recording) == [Place()]
    assert recording.sources == {}


def trained(steps: int, *, lines: bool) -> Recording:
    with record(lines=lines) as recording:
        runpy.run_path(str(PROGRAM))["train"](steps)
    return recording


def test_a_training_loop_of_ones_own_is_one_structure(capsys: pytest.CaptureFixture[str]) -> None:
    recording = trained(50, lines=True)
    first, *rest = [block for block in recording.blocks if isinstance(block, Forward)]
    assert len(rest) == 49
    assert len({id(block.structure) for block in rest}) == 1
    assert len(first.structure) > len(rest[0].structure)  # it makes the parameters
    assert capsys.readouterr().out.count("\n") == 50


def test_lines_change_nothing_else() -> None:
    plain, lined = trained(3, lines=False), trained(3, lines=True)
    assert list(plain.events) == list(lined.events)
    text = PROGRAM.read_text().splitlines()
    made = {text[(place.line or 0) - 1].strip().split(" ")[0] for place in places(lined)}
    assert made == {"self.w", "self.b", "act", "return", "loss"}


def test_a_write_by_hand_knows_its_line() -> None:
    with record(lines=True) as recording:
        x, y = Value(2.0), Value(3.0)
        first, mine = here() + 1, [x, y]
        x.grad = 4.0
        for each in mine:
            each.data = 1.0
        last = here() - 1
        SGD(mine, 0.1).step()
    written = [block.writes for block in recording.blocks if isinstance(block, Write)]
    found = [[each.place(i) for i in range(len(each.nodes))] for each in written]
    assert found == [
        [Place("", first, __file__)],
        [Place("", last, __file__), Place("", last, __file__)],
        [None, None],
    ]
    with record() as recording:
        x.grad = 1.0
    assert State(recording, recording.length).place is None


class Shell:
    """What we ask of IPython, and what it answers."""

    compile: Any

    def __init__(self) -> None:
        self.compile = self

    def format_code_name(self, name: str) -> tuple[str, str] | None:
        number = {"/tmp/ipykernel_7/123.py": 4, "<ipython-input-12-ab>": 12}.get(name)
        return None if number is None else ("Cell", f"In[{number}]")


@pytest.mark.parametrize(
    ("file", "place"),
    [("/tmp/ipykernel_7/123.py", "cell 4, line 2"), ("<ipython-input-12-ab>", "cell 12, line 2")],
)
def test_cells_of_ipython_are_cells(file: str, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ipython = ModuleType("IPython")
    monkeypatch.setattr(ipython, "get_ipython", Shell, raising=False)
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    text = "def f(x):\n    return x * 2\n"
    monkeypatch.setitem(linecache.cache, file, (len(text), None, text.splitlines(True), file))
    variables: dict[str, Any] = {}
    exec(compile(text, file, "exec"), variables)
    with record(lines=True) as recording:
        variables["f"](Value(3.0))
    assert made_by(recording, recording.node(recording.size - 1)) == place
    cell = place.partition(",")[0]
    assert recording.sources[cell].text == text
    assert recording.sources[cell].is_python


def test_without_a_shell_ipython_is_any_module(monkeypatch: pytest.MonkeyPatch) -> None:
    ipython = ModuleType("IPython")
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    assert path_of("/tmp/x.py") == "/tmp/x.py"
    monkeypatch.setattr(ipython, "get_ipython", lambda: None, raising=False)
    assert path_of("/tmp/x.py") == "/tmp/x.py"


def test_a_text_is_parsed_once_for_all_recordings_and_again_where_that_failed() -> None:
    text = "loss = error * error  # a text of this test alone"
    with mock.patch.object(assigned, "parse_program", side_effect=RecursionError):
        assert assignments(text) is None
    found = assignments(text)
    assert found
    with mock.patch.object(assigned, "parse_program") as parse:
        assert assignments(text) is found
    parse.assert_not_called()
    assert assignments("loss = = error") is None
