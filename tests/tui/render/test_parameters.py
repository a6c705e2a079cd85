"""The rows of parameters: names that stay distinct."""

import pytest

from stepgrad import Value, record
from stepgrad.compat import MLP
from stepgrad.engine.optim import SGD
from stepgrad.replay.cursor import Cursor
from stepgrad.replay.graph.outline import ScopeLine
from stepgrad.replay.matrices import parameter_lines
from stepgrad.replay.session import Session
from stepgrad.tui.render.parameters import alike, matrix_row, parameter_row

NAMES = [f"layer{i}/neuron{j}/{last}" for i in (1, 2) for j in (1, 2) for last in ("w1", "b")]


@pytest.mark.parametrize(
    ("room", "first"),
    [(30, "layer1/neuron1/w1"), (16, "layer1/neuro1/w1"), (13, "lay1/neu1/w1"), (8, "l1/n1/w1")],
)
def test_names_are_alike_until_they_fit(room: int, first: str) -> None:
    short = alike(NAMES, room)
    assert short[0] == first
    assert len(set(short)) == len(NAMES)


@pytest.mark.parametrize(
    ("room", "first"),
    [
        (20, "encoder.l1.weight[0]"),
        (18, "encod.l1.weight[0]"),
        (14, "e.l1.weight[0]"),
        (9, "e.l1.w[0]"),
    ],
)
def test_names_of_modules_are_alike_and_what_is_named_last(room: int, first: str) -> None:
    names = [f"encoder.l{i}.{last}" for i in (1, 2) for last in ("weight[0]", "weight[1]", "bias")]
    short = alike(names, room)
    assert short[0] == first
    assert len(set(short)) == len(names)


@pytest.mark.parametrize(
    ("room", "first"),
    [
        (30, "model.layer[0].heads[0].query"),
        (28, "mode.laye[0].head[0].query"),
        (20, "mo.la[0].he[0].query"),
        (16, "m.l[0].h[0].quer"),
    ],
)
def test_names_of_matrices_in_lists_are_shortened(room: int, first: str) -> None:
    names = [
        f"model.layer[{i}].heads[{j}].{last}"
        for i in (0, 1)
        for j in (0, 1)
        for last in ("query", "key")
    ]
    short = alike(names, room)
    assert short[0] == first
    assert len(set(short)) == len(names)


def test_names_that_would_become_alike_stay_as_they_are() -> None:
    assert alike(["alpha/w", "alto/w"], 3) == ["alpha/w", "alto/w"]
    assert alike(["alpha/w", "beta/w"], 3) == ["a/w", "b/w"]
    assert alike(["w", "b"], 0) == ["w", "b"]


def _matrices() -> Session:
    """A program that keeps 4 × 6 weights in a list of lists, two biases in a list, and a scale."""
    with record() as recording:
        w = [[Value(0.5 + 0.1 * (i - j), label=f"w[{i}][{j}]") for j in range(6)] for i in range(4)]
        b = [Value(float(i), label=f"net[0].b[{i}]") for i in range(2)]
        scale = Value(-8.0, label="scale")
        values = [*(each for row in w for each in row), *b, scale]
        sum(values, Value(0.0)).backward()
        SGD(values, 0.5).step()
    return Session(Cursor(recording).seek(recording.length))


def _drawn(session: Session, width: int) -> list[str]:
    return [
        matrix_row(session, each, width).plain
        if isinstance(each, ScopeLine)
        else parameter_row(session, each, width).plain
        for each in parameter_lines(session)
    ]


def test_a_matrix_is_one_line() -> None:
    rows = [row.split() for row in _drawn(_matrices(), 60)]
    assert rows[0] == ["+", "w", "(4×6)", "0…0.5", "∇", "1", "▆"]
    assert rows[1][:4] == ["+", "net[0].b", "(2)", "0.5"]
    assert rows[2][1] == "scale"
    assert len(rows) == 3


def test_the_matrix_of_the_selected_node_is_open() -> None:
    session = _matrices()
    node = session.state.find("w[2][3]")
    rows = _drawn(session.select(node), 40)
    assert [row.split()[0] for row in rows[:4]] == ["−", "[0][0]", "[0][1]", "[0][2]"]
    assert rows[1 + 2 * 6 + 3].startswith("›  [2][3]")
    assert len(rows) == 1 + 24 + 2


def test_before_anything_is_made_there_is_nothing_to_sum_up() -> None:
    session = _matrices()
    start = session.go(session.cursor.seek(0))
    assert _drawn(start, 60)[0].split() == ["+", "w", "(4×6)", "∇"]


def test_a_layer_is_one_line() -> None:
    with record() as recording:
        mlp = MLP(3, [5, 1])
        mlp([1.0, 2.0, 3.0]).backward()  # type: ignore[union-attr]
        SGD(mlp.parameters(), 0.5).step()
    session = Session(Cursor(recording).seek(recording.length))
    assert [row.split()[1:3] for row in _drawn(session, 40)] == [
        ["layer1", "(20)"], ["layer2", "(6)"]
    ]  # fmt: skip
    node = session.state.find("layer2/neuron1/w2")
    rows = [row.split() for row in _drawn(session.select(node), 40)]
    assert rows[1][:2] == ["−", "layer2"]
    assert [rows[2][0], *rows[3][:2]] == ["neuron1/w1", "›", "neuron1/w2"]


def test_a_few_parameters_are_listed_one_by_one() -> None:
    with record() as recording:
        w = [Value(float(i), label=f"w[{i}]") for i in range(3)]
        sum(w, Value(0.0)).backward()
        SGD(w, 0.5).step()
    assert parameter_lines(Session(Cursor(recording))) == [0, 1, 2]
