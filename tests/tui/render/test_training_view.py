"""The loss curve, the decision boundary, and the table of answers."""

import math

import pytest

from stepgrad import State, Value, mark, record
from stepgrad.recording.recording import Recording
from stepgrad.replay.samples import samples
from stepgrad.replay.training import Loss
from stepgrad.scenario import record_scenario
from stepgrad.tui.render import ink
from stepgrad.tui.render.boundary import boundary
from stepgrad.tui.render.braille import Dots
from stepgrad.tui.render.plot import LABEL, loss_curve, ordinal_at
from stepgrad.tui.render.training import step_at, training


@pytest.fixture(scope="module")
def xor() -> Recording:
    return record_scenario("xor_tanh")


def rows_of(curve: list[str]) -> list[int]:
    """For each column of a curve, the highest line that has dots."""
    width = max(map(len, curve))
    return [
        next((y for y, line in enumerate(curve) if line[x : x + 1].strip()), -1)
        for x in range(LABEL + 1, width)
    ]


def test_a_dot_is_one_of_eight_in_a_cell() -> None:
    dots = Dots(2, 1)
    dots.dot(0, 0)
    dots.dot(3, 3)
    assert dots.lines() == ["⠁⢀"]


def test_a_line_leaves_no_gap() -> None:
    dots = Dots(3, 2)
    dots.line((0, 7), (5, 0))
    assert all(line.strip() for line in dots.lines())
    assert [sum(line[x] != " " for line in dots.lines()) >= 1 for x in range(3)] == [True] * 3


def test_a_falling_loss_falls_from_left_to_right() -> None:
    points = [Loss(i, 1.0 - i / 10) for i in range(11)]
    lines = [line.plain for line in loss_curve(points, 11, None, 40, 6)]
    rows = rows_of(lines)
    assert rows == sorted(rows)
    assert (rows[0], rows[-1]) == (0, 5)
    assert lines[0].startswith(f"{'1':>{LABEL}}")
    assert lines[-1].startswith(f"{'0':>{LABEL}}")


@pytest.mark.parametrize(("value", "word"), [(math.nan, "!nan"), (math.inf, "!inf")])
@pytest.mark.parametrize("steps", [3, 6, 40])
def test_where_the_loss_is_no_longer_finite_the_curve_says_so(
    value: float, word: str, steps: int
) -> None:
    points = [Loss(i, 2.0 - i if i < steps // 2 else value) for i in range(steps)]
    lines = [line.plain for line in loss_curve(points, steps, None, 40, 6)]
    assert [line.count(word) for line in lines] == [0, 0, 0, 0, 0, 1]
    whole = [line.plain for line in loss_curve(points[: steps // 2], steps, None, 40, 6)]
    assert lines[-1].replace(word, " " * 4) == whole[-1].ljust(40), "the curve itself is untouched"


def test_several_decades_are_drawn_logarithmically() -> None:
    points = [Loss(i, 10.0**-i) for i in range(6)]
    lines = [line.plain for line in loss_curve(points, 6, None, 46, 6)]
    assert "log" in lines[1]
    assert rows_of(lines)[::7] == [0, 1, 2, 3, 4, 5]


def test_what_is_not_finite_leaves_a_gap() -> None:
    points = [Loss(0, 1.0), Loss(1, math.nan), Loss(2, math.inf), Loss(3, 0.5)]
    lines = loss_curve(points, 4, None, 40, 4)
    assert len(lines) == 4
    assert loss_curve([Loss(0, math.nan)], 1, 0, 40, 4) == []


def test_the_cursor_is_a_line_through_the_curve_where_its_step_is() -> None:
    points = [Loss(i, float(i)) for i in range(101)]
    for here in (0, 50, 100):
        lines = loss_curve(points, 101, here, 71, 5)
        marked = {
            span.start for line in lines for span in line.spans if span.style == "bold $current"
        }
        [column] = marked
        found = ordinal_at(column, 101, 71)
        assert found is not None
        assert abs(found - here) <= 1


@pytest.mark.parametrize(
    ("steps", "looks", "words"),
    [(1, 1, "loss over 1 step "), (2, 0, "loss over 2 steps "), (2, 1, "loss over 2 steps ")],
)
def test_the_steps_with_a_backward_pass_are_counted(steps: int, looks: int, words: str) -> None:
    with record() as recording:
        w = Value(1.0, label="w")
        for step in range(steps + looks):
            mark("step", step)
            loss = w * w
            if step < steps:
                loss.backward()
                w.data -= 0.1 * w.grad
    assert training(State(recording, recording.length), 80, 20).plain.startswith(words)


def test_outside_of_the_curve_there_is_no_step() -> None:
    assert ordinal_at(LABEL, 101, 71) is None
    assert ordinal_at(71, 101, 71) is None


def test_a_click_on_the_curve_leads_to_its_step(xor: Recording) -> None:
    state = State(xor, 0)
    position = step_at(state, 80, 20, 79, 2)
    assert position is not None
    assert State(xor, position).step == 100
    assert step_at(state, 80, 20, 79, 0) is None
    assert step_at(state, 80, 20, 79, 19) is None


def test_the_boundary_is_where_the_answer_changes_its_side(xor: Recording) -> None:
    state = State(xor, xor.length)
    legend, *lines = boundary(state, samples(state), 24, 12)
    assert legend.plain == "█y ●t >0  █y ○t <0"
    assert [span.style for span in legend.spans[::2]] == [ink.shade(1.0), ink.shade(-1.0)]
    assert [line.cell_length for line in lines] == [24] * 12
    text = [line.plain for line in lines]
    circles = "".join(text)
    assert (circles.count("●"), circles.count("○")) == (2, 2)
    assert not any("reverse" in str(span.style) for line in lines for span in line.spans)
    # XOR: full at the upper left and the lower right, empty at the other two corners.
    assert (text[0][0], text[-1][-1], text[0][-1], text[-1][0]) == ("█", "█", " ", " ")


def test_a_wrong_answer_is_in_reverse(xor: Recording) -> None:
    state = State(xor, 0)
    wrong = sum(
        (xor.history.first_value(s.outputs[0]) > 0) != (xor.history.first_value(s.targets[0]) > 0)
        for s in samples(state)
    )
    legend, *lines = boundary(state, samples(state), 40, 12)
    assert legend.plain == "█y ●t >0  █y ○t <0  ✗ wrong  x1 →  x2 ↑"
    assert "".join(line.plain for line in lines).count("✗") == wrong
    narrow = [boundary(state, samples(state), width, 12)[0].plain for width in (28, 24, 20, 12)]
    assert narrow == [
        "█y ●t >0  █y ○t <0  ✗ wrong",
        "█y●t>0 █y○t<0 ✗ wrong",
        "█●>0 █○<0 ✗ wrong",
        "✗ wrong █y●…",
    ]
    reversed_ = sum("reverse" in str(span.style) for line in lines for span in line.spans)
    assert reversed_ == wrong > 0


@pytest.mark.parametrize("size", [(58, 16), (78, 18), (30, 9), (20, 5), (8, 3), (138, 40)])
@pytest.mark.parametrize("position", [0, 40, 20_000])
def test_it_fits_where_it_is_shown(xor: Recording, size: tuple[int, int], position: int) -> None:
    width, height = size
    lines = training(State(xor, position), width, height).split("\n")
    assert len(lines) <= height
    assert max(line.cell_length for line in lines) <= width


def test_it_says_the_answers_and_what_they_should_be(xor: Recording) -> None:
    text = training(State(xor, xor.length), 78, 20).plain
    assert "step 100" in text
    assert "−0.85283" in text
    assert "0.80113" in text


def test_the_heads_of_the_table_stand_over_its_columns(xor: Recording) -> None:
    rows = training(State(xor, xor.length), 58, 16).plain.split("\n")
    head = next(i for i, row in enumerate(rows) if "x1" in row and "x2" in row)
    for name in ("x1", "x2"):
        end = rows[head].index(name) + 2
        assert rows[head + 1][end - 1] == "0"
        assert rows[head + 1][end : end + 1].strip() == ""


def test_without_training_it_says_so() -> None:
    recording = record_scenario("two_layer")
    assert "no training" in training(State(recording, 3), 40, 10).plain
