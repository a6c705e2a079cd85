"""What nodes are called."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphs import Program, programs, run
from stepgrad import Recording, Value, record, scope
from stepgrad.recording.blocks import Forward
from stepgrad.replay.telling.titles import (
    definition,
    names,
    operand_titles,
    short_title,
    title,
    titles,
)
from tries import tries


@pytest.fixture(scope="module")
def recording() -> Recording:
    with record() as recording:
        with scope("layer1"):
            w = Value(2.0, label="w")
        x = Value(3.0, label="x")
        unnamed = Value(4.0)
        with scope("layer1"):
            product = w * x  # 3
            total = product + 1  # 5
            (total * unnamed).tanh()  # 6, 7
            named = total.relu()  # 8
        named.label = "h"
        long = (w * x + w * x) * (w * x + w * x)
        long.relu()
    return recording


@pytest.mark.parametrize(
    ("node", "full", "short"),
    [
        (0, "layer1/w", "w"),
        (1, "x", "x"),
        (2, "#2", "#2"),
        (3, "w·x", "w·x"),
        (4, "1", "1"),
        (5, "w·x + 1", "w·x + 1"),
        (6, "#6", "#6"),
        (8, "h", "h"),
    ],
)
def test_titles(recording: Recording, node: int, full: str, short: str) -> None:
    assert (title(recording, node), short_title(recording, node)) == (full, short)


def test_a_label_keeps_the_slashes_of_its_own() -> None:
    with record() as recording:
        ratio = Value(2.0, label="a/b")
        with scope("layer1"):
            rate = ratio.exp()
            rate.label = "dL/dw"
            inner = rate.sin()
        inner.label = "s/t"  # in no scope
        (ratio * inner).label = "y"
    forward = recording.blocks[0]
    assert isinstance(forward, Forward)
    shorts = ["a/b", "dL/dw", "t", "y"]
    assert [short_title(recording, node) for node in range(recording.size)] == shorts
    assert names(recording, forward) == titles(recording, forward) == shorts
    assert definition(recording, recording.node(1)) == "exp(a/b)"
    assert definition(recording, recording.node(2)) == "sin(dL/dw)"


def test_what_is_too_deep_or_too_long_is_a_number(recording: Recording) -> None:
    last = recording.size - 1
    assert title(recording, last) == f"#{last}"


def test_definition_is_in_the_titles_of_the_operands(recording: Recording) -> None:
    definitions = [definition(recording, recording.node(n)) for n in (0, 3, 5, 6, 8)]
    assert definitions == ["", "w·x", "w·x + 1", "(w·x + 1)·#2", "relu(w·x + 1)"]


def test_a_name_is_written_as_seen_from_the_node_that_uses_it() -> None:
    with record() as recording:
        with scope("row1"):
            x = Value(1.0, label="x")
            with scope("layer1"):
                w = Value(2.0, label="w")
                inner = w * x
            middle = w * x
        outer = w * x
        with scope("row2"), scope("layer1"):
            twin = w * x
        names = [inner, middle, outer, twin]
    nodes = [recording.node(i) for i in range(recording.size) if recording.node(i).operands]
    assert len(nodes) == len(names)
    assert [definition(recording, node) for node in nodes] == [
        "w·x",
        "layer1/w·x",
        "row1/layer1/w·row1/x",
        "row1/layer1/w·row1/x",
    ]


def test_a_title_is_up_to_date_while_the_recording_grows() -> None:
    with record() as recording:
        x = Value(1.0)
        y = x * 2
        y.backward()
        before = short_title(recording, 2)
        x.label = "x"
        recording.settle()
        assert (before, short_title(recording, 2)) == ("#2", "x·2")


@settings(max_examples=tries(150))
@given(programs(), st.integers(1, 3))
def test_the_titles_of_a_pass_are_those_of_its_nodes(program: Program, passes: int) -> None:
    with record() as recording:
        with scope("scope"):
            parameter = Value(1.5, label="a/b")
        for number in range(passes):
            run(program, [parameter, Value(-2.0), parameter * float(number)])
        recording.settle()
        for _ in range(2):
            for block in recording.blocks:
                if isinstance(block, Forward):
                    nodes = range(block.base, block.base + len(block.structure))
                    assert titles(recording, block) == [short_title(recording, n) for n in nodes]
                    named = [recording.node(n).name or "" for n in nodes]
                    assert names(recording, block) == [n.removeprefix("scope/") for n in named]
            parameter.label = "now"
            recording.settle()


def test_operand_titles_are_by_the_names_of_formulas(recording: Recording) -> None:
    assert operand_titles(recording, recording.node(8)) == {"a": "w·x + 1", "out": "h"}


@pytest.mark.parametrize(
    ("write", "expected"),
    [
        (lambda x: (x**2) ** 2, "(x²)²"),
        (lambda x: (x * x) * (x * x), "x·x·(x·x)"),
        (lambda x: x.max(2.0) * 3, "max(x, 2)·3"),
        (lambda x: -(x + 1), "−(x + 1)"),
        (lambda x: (2.0**x) ** x, "(2^x)^x"),
    ],
)
def test_brackets_in_nested_expressions(write, expected: str) -> None:  # type: ignore[no-untyped-def]
    with record() as recording:
        write(Value(2.0, label="x"))
    assert title(recording, recording.size - 1) == expected
