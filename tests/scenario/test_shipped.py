"""Every shipped scenario keeps its promises, and they are the numbers of the lesson."""

import re
from dataclasses import replace
from functools import reduce
from math import exp, isfinite, log1p
from operator import add
from pathlib import Path
from random import Random
from runpy import run_path
from typing import Any

import pytest

from scenario.runs import SCENARIOS
from scenario.samples import changed, with_fields
from shelf import COURSE
from stepgrad import Value, record_scenario
from stepgrad.engine.nn import MLP
from stepgrad.harness import Replay
from stepgrad.numbers import number
from stepgrad.program import run_program
from stepgrad.recording.blocks import Backward, Forward
from stepgrad.replay.commands.table import BY_KEY
from stepgrad.replay.cursor import Cursor
from stepgrad.replay.lesson.marks import key_of
from stepgrad.replay.session import Session
from stepgrad.scenario import ScenarioFile, open_scenario, shipped
from stepgrad.scenario.expect import checks
from stepgrad.tui.render.reports import difference_report


def expit(z: float) -> float:
    """The sigmoid."""
    return 1 / (1 + exp(-z))


LESSONS: dict[str, dict[str, dict[str, float]]] = {
    "chain_rule": {"values": {"u": 7, "h": 49}, "grads": {"u": 14, "x": 42}},
    "three_nodes": {"values": {"c": 6, "d": 7, "L": 49}, "grads": {"a": 42, "b": 28}},
    "sum_over_paths": {"values": {"z1": 3, "z2": -1.5, "L": 11.25}, "grads": {"h": 15}},
    "single_neuron": {
        "values": {"w": 1.7, "b": -0.9, "a": 2.5, "L": 0.25},
        "grads": {"a": -2, "z": -2, "w": -4, "b": -2},
    },
    "dead_relu": {"values": {"z": -1, "a": 0, "L": 9}, "grads": {"w": 0, "b": 0}},
    "two_layer": {
        "values": {"z1": 1.5, "h": 1.5, "y": 2, "loss": 4},
        "grads": {"y": -4, "w2": -6, "b2": -4, "h": -8, "z1": -8, "w1": -24, "b1": -8},
    },
    "chain_rule_nudge": {"values": {"f": 49}, "grads": {"x": 28}},
    "sine_of_square": {
        "values": {"a": 4, "y": -0.7568024953},
        "grads": {"a": -0.6536436209, "x": -2.6145744835},
    },
    "square_of_affine": {
        "values": {"p": 6, "s": 7, "f": 49},
        "grads": {"s": 14, "w": 42, "x": 28, "b": 14},
    },
    "three_input_product": {"values": {"p": 24}, "grads": {"x": 12, "y": 8, "z": 6}},
    "polynomial": {"values": {"f": 11}, "grads": {"x": 7}},
    "cube": {"values": {"y": 8}, "grads": {"x": 12}},
    "tanh": {"values": {"middle": 0}, "grads": {"a": 1, "c": 0.0706508249}},
    "gears": {"values": {"wheel": 6}, "grads": {"crank": 6}},
    "square": {"values": {"y": 9}, "grads": {"x": 6}},
    "product_of_sum": {"values": {"y": 15}, "grads": {"x": 8}},
    "reused_value": {"values": {"b": 9}, "grads": {"a": 6}},
    "reused_twice": {"values": {"c": 4}, "grads": {"a": 4}},
    "micrograd_readme": {
        "values": {"g": 24.7040816327},
        "grads": {"a": 138.8338192420, "b": 645.5772594752},
    },
    "relu_gate": {"values": {"p": 6, "z": 7, "a": 7}, "grads": {"x1": 3, "x2": 2}},
    "relu_sum": {"values": {"L": 4}, "grads": {"a": -3, "b": 2, "c": 1}},
    "neuron_five_gradients": {
        "values": {"a": 0.5},
        "grads": {"w1": 2, "w2": 1, "x1": 0.5, "x2": -1, "b": 1},
    },
    "two_input_neuron": {
        "values": {"L": 0.25},
        "grads": {"z": -1, "w1": -2, "w2": -1, "b": -1},
    },
    "diagonal_flip": {
        "values": {"row1/layer1/neuron1/z": 0, "row1/layer1/neuron2/z": -0.1, "loss": 0.89625},
        "grads": {
            "row1/y1": -0.45, "row1/y2": -0.55, "row1/y3": -0.025, "row1/y4": -0.625,
            "layer2/neuron1/w3": -0.225, "layer2/neuron2/w3": -0.275,
            "layer2/neuron3/w3": -0.0125, "layer2/neuron4/w3": -0.3125,
            "row1/layer1/neuron3/h": 0.44, "layer1/neuron3/w1": 0.44, "layer1/neuron3/w2": 0,
        },
    },
    "dual_numbers": {"values": {"a": 4, "y": -0.7568024953}, "grads": {"x": -2.6145744835}},
    "forward_and_reverse": {"values": {"L": 49}, "grads": {"x": 70, "y": 28, "z": 14}},
    "gradient_check": {"values": {"z": 2.125}, "grads": {"x": 0.15252426}},
    "vanishing_gradient": {
        "values": {"h1": 0.5, "L": 0.5},
        "grads": {"w10": 0.125, "x": 0.25**10, "w1": 0.25**10 / 2},
    },
    "exploding_gradient": {"values": {}, "grads": {"a": 117.390853}},
    "first_descent": {"values": {"w": 1.85, "b": -0.825}, "grads": {"w": -1, "b": -0.5}},
    "matrix_view": {
        "values": {"y1": 2, "y2": 8},
        "grads": {"x1": 14, "x2": 25, "x3": 36, "w11": 10, "w12": 20, "w13": -10, "w23": -1},
    },
    "topological_order": {"values": {"z2": 30}, "grads": {"z1": 2, "h": 10, "x": 30}},
    "softmax_cross_entropy": {
        "values": {"p1": 0.6590011389, "p2": 0.2424329707, "p3": 0.0985658904},
        "grads": {"a": -0.3409988611, "b": 0.2424329707, "c": 0.0985658904},
    },
    "log_loss": {
        "values": {"logloss": log1p(exp(8))},
        "grads": {"z1": -2 * expit(8) ** 2 * expit(-8), "z2": -expit(8)},
    },
    "residual": {"values": {"h1": 1}, "grads": {"h1": 1.7920463529, "x": 2.2400579412}},
    "normalised": {"values": {"std1": 0.1972930635}, "grads": {"x2": 0.7176800044}},
    "product_rule_of_duals": {"values": {"a": 9, "b": 7, "ab": 63}, "grads": {"x": 60}},
    "when_to_check": {"values": {"L": 0.00050025}, "grads": {"x": 1.001}},
    "disconnected_parameter": {"values": {"h": 2, "L": 4}, "grads": {"v": -8}},
}  # fmt: skip
"""The numbers of the lessons, worked out by hand and with another engine."""

WALKS: dict[tuple[str, str], str] = {
    ("chain_rule", "G 'ex = 2.001'"): "dh/dx += .* = 42.018 .*",
    ("dead_relu", "f n n n"): ".*a.grad – → −6, contribution 1 of 1.",
    ("dead_relu", "f n n n n n"): ".*z.grad – → 0, contribution 1 of 1, the gate is shut.*",
    ("gears", "G"): ".* = 2 · 3 = 6   .crank.grad – → 6, contribution 1 of 1.",
    ("three_nodes", "f n"): "dL/dL = 1 .*",
    ("three_nodes", "f n n n"): ".*c.grad – → 14, contribution 1 of 1.",
    ("polynomial", "f s s s s s s"): ".*x.grad 3 → 7, contribution 2 of 2.",
    ("sum_over_paths", "f s s s s s s s"): "dL/dh += .* = 6 · 2 = 12 .*",
    ("micrograd_readme", "g 'Bop == \"relu\" and local == 0' c"): "dg/d(b + a) += .* = 0 .*",
    ("xor_tanh", "f f"): "loss = .* = 4.14906",
    ("xor_tanh", "':step 80' f"): "loss = .* = 0.293563",
    ("xor_relu_dead", "f f /row3/y a"): ".*row3/y.grad – → −0.5, contribution 1 of 1.",
    (
        "xor_relu_dead",
        "f f /row3/y a s",
    ): ".*neuron1/z.grad – → 0, contribution 1 of 1, the gate is shut.*",
    (
        "xor_relu_stuck",
        "G T /row3/y a s",
    ): ".*neuron1/z.grad – → 0, contribution 1 of 1, the gate is shut.*",
    ("forward_and_reverse", "f"): "dL = .* = 70 .*",
    ("forward_and_reverse", "f t"): "dL = .* = 28 .*",
    ("forward_and_reverse", "f t t"): "dL = .* = 14 .*",
    ("forward_and_reverse", "f t t t"): "L = s² = 7² = 49",
    ("forward_and_reverse", "f t t t f"): ".*y.grad – → 28, contribution 1 of 1.",
    ("gradient_check", "G 'ex = 0.5000001' :f"): "f = tanh(z) = tanh(2.125) = 0.971873",
    ("vanishing_gradient", "f n n n n"): ".*w10.grad – → 0.125, contribution 1 of 1.",
    ("vanishing_gradient", "G"): "dL/dx += .* = 9.53674e−7 .*",
    ("vanishing_gradient", "f f 'ex=5'"): "dL/dx += .* = 3.89195e−8 .*",
    ("single_neuron", "f f"): "L = .* = 1",
    ("single_neuron", "f f f f f f"): "L = .* = 0.25",
    ("first_descent", "f f f f f"): "b ← .* = −0.9",
    ("first_descent", "f f f f f f t t"): "L = .* = 0.015625",
    ("residual", "G 'ex = 5'"): ".*x.grad .* → 1.01746, contribution 2 of 2.",
    ("exploding_gradient", "/a a a"): r".*a.grad 0 → 117.391, contribution 1 of 1\]",
    ("exploding_gradient", "/a a a a"): "a.grad ← a.grad·(max_norm / (norm + ε)) = .* = 1",
    ("exploding_gradient", "/a a a a 'ew = 0.9' :h50"): "h50 = w·h49 = .* = 0.00515378",
    ("forgotten_zero_grad", "/w a"): r".*w.grad – → −6, contribution 1 of 1\]",
    ("forgotten_zero_grad", "/w a a"): r".*w.grad −6 → −10.8, contribution 1 of 1\]",
    ("nan_origin", "Bbad c"): "u = log(p) = log(−0.581124) = nan",
    ("nan_origin", "Bbad c /p w C"): "p ← p − lr·p.grad = 0.2 − 0.2·3.90562 = .*",
}
"""What lies at the end of the keys that a lesson speaks of."""

CHANGES: dict[tuple[str, str], str] = {
    ("chain_rule", "G 'ex = 2.001'"): r"h .* \+0.042009 ",
    ("chain_rule_nudge", "G 'ex = 3.001'"): r"f .* \+0.028004 ",
    ("cube", "G 'ex = 0'"): r"x .* 12 → 0",
    ("square", "G 'ex = 0'"): r"x .* 6 → 0",
    ("tanh", "G 'ec = 5'"): r"c .* 0.0706508 → 0.000181583",
    ("relu_gate", "G 'ex1 = -2'"): r"z +7 → −5 ",
    ("relu_sum", "G 'ec = 5'"): r"a .* −3 → 0",
    ("diagonal_flip", "G 'erow1/x2 = 1'"): r"layer1/neuron3/w2 .* 0 → 0.3865",
    ("vanishing_gradient", "G 'ex = 5'"): r"x .* 9.53674e−7 → 3.89195e−8",
    ("diagonal_flip", "G 'erow1/t1 = 0'"): r"row1/y1 .* −0.45 → 0.05",
    ("topological_order", "G '%wrong_order'"): r"x .* 30 → 0",
    ("log_loss", "G 'ez2 = -800'"): r"z2 .* → !nan",
    ("normalised", "G 'ew = 0.1'"): r"x2 .* 0.71768 → 0.724167",
    ("when_to_check", "G 'ex = -0.0005'"): r"L .* −0.0005 ",
    ("when_to_check", "G 'ex = 0.0004'"): r"L .* −0.00010009 ",
    ("gradient_check", "G 'ex = 0.501'"): r"f .* \+0.0001522 ",
    ("gradient_check", "G 'ex = 0.5000001'"): r"f .* \+1.52524e−8 ",
}
"""What `D` shows after the edit that a lesson speaks of."""

XOR_LOSS = {0: 4.149063, 20: 2.916627, 40: 1.473297, 60: 0.601079, 80: 0.293563}
XOR_PREDICTIONS = [-0.852833, 0.771338, 0.801126, -0.753266]

every_scenario = pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)


@every_scenario
def test_it_keeps_its_promises(path: Path) -> None:
    promised = checks(open_scenario(path), record_scenario(path))
    assert promised
    assert [check for check in promised if not check.ok] == []


def test_each_has_a_title_and_a_lesson() -> None:
    for name, file in COURSE.items():
        assert 8 <= len(file.title) <= 60, name
        assert not file.title.endswith("."), name
        assert len(file.lesson.split()) > 40, name
        if isinstance(file, ScenarioFile):
            assert max(map(len, file.lesson.splitlines())) <= 82, name


def test_each_has_a_place_of_its_own_after_what_it_builds_on() -> None:
    assert list(COURSE) != sorted(COURSE)
    places = [file.model.place for file in COURSE.values()]
    assert places == sorted(set(places))
    seen: set[str] = set()
    for name, file in COURSE.items():
        assert file.model.level
        assert seen.issuperset(file.model.after), name
        seen.add(name)


def test_each_speaks_of_keys_and_lessons_that_there_are() -> None:
    """A single letter in a code span is a key, a word with an underscore another lesson."""
    for name, file in COURSE.items():
        spans = re.findall(r"`([^`]+)`", file.lesson)
        keys = {span for span in spans if len(span) == 1} - {*"0–=∅"}
        lessons = {span for span in spans if re.fullmatch(r"[a-z]+(_[a-z]+)+", span)}
        assert keys - {*BY_KEY} == set(), name
        assert lessons - {*shipped()} == set(), name


def test_a_key_that_asks_is_answered_with_enter_before_the_next_key() -> None:
    """Who types what a lesson says, key by key, must not type the next key into the prompt."""
    for name, file in COURSE.items():
        asking: str | None = None
        for span, text in re.findall(r"`([^`]+)`([^`]*)", file.lesson):
            if span in BY_KEY:
                assert asking is None, f"{name}: `{asking}` still asks when `{span}` is pressed"
                asking = span if BY_KEY[span].asks else None
            if "enter" in text.casefold():
                asking = None


def test_what_a_key_is_pressed_until_is_a_place_and_no_key() -> None:
    for name, file in COURSE.items():
        spans = re.findall(r"until\s+`([^`]+)`", file.lesson)
        assert [span for span in spans if key_of(span)] == [], name


def test_titles_are_told_apart() -> None:
    assert len({open_scenario(path).title for path in SCENARIOS}) == len(SCENARIOS)


@pytest.mark.parametrize("name", LESSONS)
def test_it_promises_the_numbers_of_the_lesson(name: str) -> None:
    expect = open_scenario(name).model.expect
    for promised, numbers in ((expect.values, "values"), (expect.grads, "grads")):
        for node, due in LESSONS[name][numbers].items():
            assert promised[node] == pytest.approx(due, abs=1e-9)
    assert expect.tolerance <= 1e-6


TANGENTS: dict[str, dict[str, dict[str, float]]] = {
    "dual_numbers": {"x": {"x": 1, "a": 4, "y": -2.6145744835}},
    "forward_and_reverse": {"x": {"L": 70}, "y": {"L": 28}, "z": {"u": 0, "L": 14}},
    "gradient_check": {"x": {"cube": 0.75, "z": 2.75, "f": 0.15252426}},
    "product_rule_of_duals": {"x": {"a": 6, "b": 2, "ab": 60}},
}


@pytest.mark.parametrize("name", TANGENTS)
def test_forward_mode_promises_the_numbers_of_the_lesson(name: str) -> None:
    expect = open_scenario(name).model.expect
    for by, numbers in TANGENTS[name].items():
        promised = getattr(expect, "tangents", {})[by]
        assert {node: promised[node] for node in numbers} == pytest.approx(numbers, abs=1e-9)


def _expecting(file: ScenarioFile, **numbers: dict[Any, Any]) -> ScenarioFile:
    """The same scenario with other promises."""
    expect = with_fields(file.model.expect, **numbers)
    return replace(file, model=with_fields(file.model, expect=expect))


@pytest.mark.parametrize("name", TANGENTS)
def test_a_wrong_tangent_would_be_found(name: str) -> None:
    file, recording = open_scenario(name), record_scenario(name)
    tangents: dict[str, dict[str, float]] = getattr(file.model.expect, "tangents", {})
    wrong = {by: {n: x + 1e-3 for n, x in each.items()} for by, each in tangents.items()}
    short = [check for check in checks(_expecting(file, tangents=wrong), recording) if not check.ok]
    assert [(check.name, check.line) for check in short] == [
        (f"d{n}/d{by}", file.line("expect", "tangents", by, n))
        for by, each in wrong.items()
        for n in each
    ]
    assert all("d" in line for check in short for line in check.why(recording))


def test_forward_mode_takes_a_pass_for_each_input_and_reverse_mode_one() -> None:
    blocks = record_scenario("forward_and_reverse").blocks
    assert sum(isinstance(b, Forward) and b.tangents is not None for b in blocks) == 3
    assert sum(isinstance(b, Backward) for b in blocks) == 1


@pytest.mark.parametrize(("name", "keys"), WALKS)
def test_the_keys_of_the_lesson_lead_to_what_it_tells(name: str, keys: str) -> None:
    pattern = WALKS[name, keys].replace("(", r"\(").replace(")", r"\)").replace("+", r"\+")
    assert re.fullmatch(pattern, Replay.of(name).press(keys).text)


@pytest.mark.parametrize(("name", "keys"), CHANGES)
def test_the_edit_of_the_lesson_changes_what_it_tells(name: str, keys: str) -> None:
    report = difference_report(Replay.of(name).press(keys).session).plain
    assert re.search(rf"^{CHANGES[name, keys]}", report, re.MULTILINE)


def test_no_line_of_a_lesson_begins_a_list_by_accident() -> None:
    for name, file in COURSE.items():
        lines = file.lesson.splitlines()
        assert [line for line in lines if re.match(r"\s*[-+#>]\s", line)] == [], name
        numbers = [int(found[1]) for line in lines if (found := re.match(r"(\d+)\.\s", line))]
        assert numbers == [*range(1, len(numbers) + 1)], name


def test_how_many_of_the_networks_with_relus_start_dead() -> None:
    """A network whose four answers are 0 is shut at its last relu, for every row."""
    rows = [(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0)]

    def dead(seed: int) -> bool:
        network = MLP.drawn([2, 4, 4, 1], ["relu"] * 3, Random(seed))
        return all(network(row)[0].data == 0 for row in rows)

    assert sum(map(dead, range(30))) == 17
    assert sum(map(dead, range(1000))) / 1000 == pytest.approx(0.4, abs=0.02)


def test_a_gate_may_hang_on_the_order_of_a_sum() -> None:
    products = [0.2 * 1, -0.3 * 0, 0.1 * 1, -0.4 * 1]
    assert reduce(add, products, 0.1) == 0
    assert number(reduce(add, products) + 0.1, 2) == "2.8e−17"


def test_a_parameter_that_nothing_reaches_has_no_gradient_not_even_0() -> None:
    state = Replay.of("disconnected_parameter").press("G").session.state
    for name in ("w", "b", "h"):
        node = state.find(name)
        assert node is not None
        assert state.never_reached(node)
        assert state.grad(node) is None


def test_what_forgetting_to_clear_costs(tmp_path: Path) -> None:
    text = (SCENARIOS[0].parent / "forgotten_zero_grad.yaml").read_text()
    cleared = tmp_path / "cleared.yaml"
    cleared.write_text(changed(text, ", zero_grad: false", ""))
    assert Replay.of("forgotten_zero_grad").press("G").value("L") == pytest.approx(6.046332, 1e-6)
    assert Replay.of(cleared).press("G").value("L") == pytest.approx(9 * 0.64**12)


def test_what_clipping_prevents(tmp_path: Path) -> None:
    text = (SCENARIOS[0].parent / "exploding_gradient.yaml").read_text()
    free = tmp_path / "free.yaml"
    free.write_text(changed(text, ", clip_norm: 1", ""))
    jumped = Replay.of(free).press("':step 1' f")
    assert jumped.value("a") == pytest.approx(-4.87, abs=1e-3)
    assert jumped.value("L") == pytest.approx(672, abs=0.5)


def test_a_gradient_that_is_overwritten() -> None:
    run = run_program(str(SCENARIOS[0].parent / "overwritten_gradient.py"))
    replay = Replay(Session.open(Cursor(run.recording)))
    written: list[float | None] = []
    for _ in range(6):
        replay.press("a") if written else replay.press("/h a")
        written.append(replay.grad("h"))
    assert written == [12, 3, 0, 3, 15, 15]


def test_xor_promises_the_numbers_of_the_lesson() -> None:
    expect = open_scenario("xor_tanh").model.expect
    assert expect.loss == XOR_LOSS
    assert [row[0] for row in getattr(expect, "predictions", ())] == XOR_PREDICTIONS
    assert expect.tolerance <= 1e-6


@every_scenario
def test_a_wrong_promise_would_be_found(path: Path) -> None:
    file, recording = open_scenario(path), record_scenario(path)
    for section in ("values", "grads", "loss"):
        promised = getattr(file.model.expect, section).items()
        wrong = {name: x + 1e-3 if isfinite(x) else 0.5 for name, x in promised}
        planted = _expecting(file, **{section: wrong})
        short = [check for check in checks(planted, recording) if not check.ok]
        assert [(check.expected, check.line) for check in short] == [
            (x, file.line("expect", section, name)) for name, x in wrong.items()
        ]


@pytest.mark.parametrize(("rate", "factor"), [("0.1", 0.0), ("0.05", 0.5), ("0.25", -1.5)])
def test_a_learning_rate_multiplies_the_error(tmp_path: Path, rate: str, factor: float) -> None:
    text = (SCENARIOS[0].parent / "first_descent.yaml").read_text()
    other = tmp_path / "other.yaml"
    head = text[: text.index("expect:")]
    other.write_text(changed(head, "learning_rate: 0.05", f"learning_rate: {rate}"))
    z = Replay.of(other).press("':step 1' f").value("z")
    assert z == pytest.approx(3 + factor * (2 - 3))


def test_a_jump_between_two_branches_is_in_neither_slope() -> None:
    grow = run_path(str(SCENARIOS[0].parent / "control_flow.py"))["grow"]
    assert grow(Value(2.5)).data == 10
    assert grow(Value(2.499)).data == pytest.approx(400, abs=1)


def test_what_the_layers_would_do_without_their_normalisation() -> None:
    text = " ".join(open_scenario("normalised").lesson.split())
    assert "*0.25⁵*, or *0.00098*" in text
    assert pytest.approx(0.00098, abs=5e-6) == 0.25**5
    assert pytest.approx(1e-8, rel=0.05) == (0.1 * 0.25) ** 5
    state = Replay.of("normalised").press("G").session.state
    last, first = (state.grad(state.find(name) or 0) or 0 for name in ("nb4", "nb1"))
    assert (first / last) ** (1 / 3) == pytest.approx(0.999, abs=5e-4)
