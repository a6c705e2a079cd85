"""What a scenario may contain: fields, kinds of value, and what sections demand of each other."""

from pathlib import Path

import pytest

from scenario.samples import FUNCTIONS, GRAPH, NETWORK, changed, parse, problems
from stepgrad.errors import ScenarioError
from stepgrad.scenario.form.json_schema import json_schema
from stepgrad.scenario.form.sections import GraphScenario, NetworkScenario, parameter_count
from stepgrad.scenario.load import load_scenario_file


def test_a_graph_scenario() -> None:
    model = parse(GRAPH).model
    assert isinstance(model, GraphScenario)
    assert model.inputs == {"x": 3.0, "target": 4.0}
    assert model.graph[0] == "z1 = w1*x + b1"
    assert (model.backward, model.train) == ("loss", None)
    assert model.expect.grads == {"w1": -15.0}
    assert model.expect.tolerance == 1e-9


def test_a_network_scenario() -> None:
    model = parse(NETWORK).model
    assert isinstance(model, NetworkScenario)
    assert model.network.sizes == (2, 4, 1)
    assert model.network.activations == ("tanh", "tanh")
    assert model.network.init is not None
    assert (model.network.init.weights, model.network.init.bias) == ((-1.0, 1.0), 0.0)
    assert model.data.targets == ((-1.0,), (1.0,), (1.0,), (-1.0,))
    assert model.train is not None
    assert (model.train.optimizer, model.train.zero_grad) == ("sgd", True)
    assert model.expect.loss == {0: 4.1491, 20: 2.9166}
    assert parameter_count(model.network.sizes) == 17


def test_a_network_whose_numbers_are_written_out() -> None:
    text = changed(
        changed(NETWORK, "sizes: [2, 4, 1]", "sizes: [2, 1, 1]"),
        "init: {seed: 42}",
        "weights: [[[1], [2]], [[3]]]\n  biases: [[4], [.5]]",
    )
    network = parse(changed(text, "tanh", "[tanh, identity]")).model
    assert isinstance(network, NetworkScenario)
    assert network.network.weights == (((1.0,), (2.0,)), ((3.0,),))
    assert network.network.biases == ((4.0,), (0.5,))
    assert network.network.activations == ("tanh", "linear")


@pytest.mark.parametrize("kind", [GraphScenario, NetworkScenario])
def test_every_field_of_the_json_schema_says_what_it_is_or_is_plain(
    kind: type[GraphScenario] | type[NetworkScenario],
) -> None:
    schema = json_schema()["definitions"][kind.__name__]
    assert schema["additionalProperties"] is False
    lesson = schema["properties"]["lesson"]["description"]
    assert lesson == "Text in Markdown, shown beside the replay."


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("backward: loss", "bakward: loss", "8:1 unknown key `bakward`; did you mean `backward`?"),
        ("title: Two", "titel: Two", "1:1 unknown key `titel`; did you mean `title`?"),
        ("params:", "param:", "3:1 unknown key `param`; did you mean `params`?"),
        ("  values:", "  valeus:", "10:3 unknown key `valeus`; did you mean `values`?"),
        ("backward: loss", "loss: 3", "8:1 unknown key `loss`"),
        ("title: Two layers\n", "", "1:1 `title` is missing"),
        ("title: Two layers", "title:", "1:1 `title` has no value"),
        ("title: Two layers", "title: ''", "1:8 must not be empty"),
        ("title: Two layers", "title: 2", "1:8 expected text, not the number `2`; put it in q"),
        ("backward: loss", "backward:", "8:1 `backward` has no value"),
        ("x: 3.0", "x: yes", "2:13 expected a number, not the text `yes`"),
        ("x: 3.0", "x: 1:30", "2:13 expected a number, not the text `1:30`"),
        ("x: 3.0", "x: 0x10", "2:13 expected a number, not the text `0x10`"),
        ("x: 3.0", "x: true", "2:13 expected a number, not `true`"),
        ("x: 3.0", 'x: "3"', '2:13 expected a number, not the text "3"; remove the quotes'),
        ("x: 3.0", 'x: "a"', '2:13 expected a number, not the text "a"'),
        ("x: 3.0", "x: ", "2:10 a number is missing"),
        ("x: 3.0", "x: [3]", "2:10 expected a number, not a list"),
        ("x: 3.0", "1: 3.0", "2:10 expected a name, not the number `1`"),
        ("x: 3.0", "x: 1e999", "2:13 `1e999` is too large for a float (at most about 1.8e308)"),
        ("{x: 3.0, target: 4.0}", "3", "2:9 expected a mapping (`{…}`, or a line with `key: va"),
        ("- h = relu(z1)", "- h: relu(z1)", "6:5 expected a statement such as `c = a + b`, not"),
        ("- h = relu(z1)", "- 3", "6:5 expected a statement such as `c = a + b`, not the number"),
        ("z1: 1.5", "z1: abc", "10:16 expected a number, not the text `abc`"),
        ("  grads:", "  tolerance: -1\n  grads:", "11:14 must be at least 0"),
        ("  grads:", "  loss: {1: 2}\n  grads:", "11:10 there is no step 1: the last is 0"),
        (
            "expect:",
            "train: {steps: 1, learning_rate: 1, batch_size: 1}\nexpect:",
            "9:49 `batch_size` is for the data of a network; a graph has no rows",
        ),
        ("  grads:", "  predictions: [1]\n  grads:", "11:3 unknown key `predictions`"),
        ("backward: loss", "mode: forwards", "8:7 expected `forward` or `reverse`, not the text"),
        ("backward: loss", "mode: forward", "8:7 forward mode needs `wrt`: the inputs to"),
        ("backward: loss", "wrt: x", "8:6 `wrt` is for forward mode: add `mode: forward`"),
        ("backward: loss", "wrt: []", "8:1 must not be empty"),
        ("backward: loss", "wrt: {x: 1}", "8:1 expected a list (`[…]`, or a line with `- ` for"),
        ("backward: loss", "mode: forward\nwrt: [{x: 1}]", "9:7 expected text, not a mapping"),
        ("backward: loss", "wrt: 3", "8:6 expected text, not the number `3`"),
        ("backward: loss", "mode: forward\nwrt: [x, xx]", "9:10 unknown name `xx`"),
        (
            "backward: loss",
            "mode: forward\nwrt: q",
            "9:6 unknown name `q`; use `x`, `target`, `w1` or",
        ),
        (
            "backward: loss",
            "after: two_layer",
            "8:8 expected a list (`[…]`, or a line with `- ` for",
        ),
        (
            "backward: loss",
            "level: easy",
            "8:8 expected `beginner`, `intermediate`, `advanced` or `debugging`, not ",
        ),
        (
            "expect:",
            "train: {steps: 0, learning_rate: 1}\nexpect:",
            "12:3 0 steps have no backward pass: without `train` there is one",
        ),
        ("backward: loss", "mode: forward\nwrt: [x, x]", "9:10 `x` is listed already: one pass"),
        ("backward: loss", "mode: forward\nwrt: h", "9:6 `h` is computed; `wrt` takes inputs"),
        ("backward: loss", "mode: forward\nwrtt: x", "9:1 unknown key `wrtt`; did you mean `wrt`?"),
        (
            "backward: loss",
            "mode: forward\nwrt: x\nbackward: loss\ntrain: {steps: 1, learning_rate: 1}",
            "11:1 training needs gradients, but forward mode computes tangents",
        ),
        (
            "  grads:",
            "  tangents: {x: {loss: 1}}\n  grads:",
            "11:3 `tangents` cannot be expected without `mode: forward`",
        ),
        (
            "backward: loss\nexpect:",
            "mode: forward\nwrt: x\nexpect:\n  tangents: {w1: {loss: 1}}",
            "11:14 `w1` is not listed in `wrt`",
        ),
        (
            "backward: loss\nexpect:",
            "mode: forward\nwrt: x\nexpect:\n  tangents: {x: {losss: 1}}",
            "11:18 unknown name `losss`; did you mean `loss`?",
        ),
        (
            "backward: loss\nexpect:",
            "mode: forward\nwrt: x\nexpect:\n  tangents: {x: 1}",
            "11:17 expected a mapping (`{…}`, or a line with `key",
        ),
    ],
)
def test_fields_of_a_graph(old: str, new: str, expected: str) -> None:
    found = problems(changed(GRAPH, old, new))
    assert any(problem.startswith(expected) for problem in found), found


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("sizes: [2, 4, 1]", "sizes: [2]", "3:3 needs 2 entries or more"),
        ("[2, 4, 1]", "[2, 0, 1]", "3:14 must be at least 1"),
        ("[2, 4, 1]", "[2, 4.0, 1]", "3:14 expected a whole number, not the number `4.0`"),
        ("[2, 4, 1]", "[2, 1000000000, 1]", "3:14 must be at most 100,000"),
        ("[2, 4, 1]", "[2, 999, 999, 1]", "3:3 the network has 1,002,997 parameters; the limit"),
        ("activation: tanh", "activation: tahn", "4:15 expected `linear`, `tanh`, `relu`, "),
        ("activation: tanh", "activation: []", "4:3 must not be empty"),
        ("activation: tanh", "activation: [tanh, relu, tanh]", "4:3 3 activations for 2 layers"),
        ("init: {seed: 42}", "init: {}", "5:3 `seed` is missing"),
        ("init: {seed: 42}", "", "2:1 a network needs `init`, or `weights` and `biases`"),
        ("init: {seed: 42}", "biases: [[0,0,0,0],[0]]", "2:1 a network needs `init`, or `weights"),
        ("seed: 42", "seed: 42, weights: [1, -1]", "5:20 the lower end 1 is above the upper end"),
        ("seed: 42", "seed: 42, weights: [1]", "5:20 entry 2 is missing"),
        ("seed: 42", "seed: 42, weights: [1, .inf]", "5:33 must be a finite number"),
        ("[0,1]", "[0,1,2]", "7:18 3 numbers, but the network has 2 inputs"),
        ("[0,1]", "[0,x]", "7:21 expected a number, not the text `x`"),
        ("[0,1]", "[]", "7:18 must not be empty"),
        ("[0,1],[1,0]", "[0,1]", "8:3 4 rows of targets for 3 rows of inputs"),
        (", 1, 1, -1]\nloss", ", 1, 1]\nloss", "8:3 3 rows of targets for 4 rows of inputs"),
        ("[-1, 1, 1, -1]\nl", "[-1, 1, 1, no]\nl", "8:23 expected a number, not the text `no`"),
        ("sizes: [2, 4, 1]", "sizes: [2, 4, 2]", "8:3 every row has 1 number, but the network h"),
        (
            "loss: sum_",
            "loss: sums_",
            "9:7 expected `sum_squared_error`, `mean_squared_error`, `binary_cross_en",
        ),
        ("steps: 100", "steps: -1", "10:16 must be at least 0"),
        ("steps: 100", "steps: 1000001", "10:16 must be at most 1,000,000"),
        ("steps: 100", "steps: 1e2", "10:16 expected a whole number, not the number `1e2`"),
        ("steps: 100", "stesp: 100", "10:9 unknown key `stesp`; did you mean `steps`?"),
        ("0.05}", ".nan}", "10:36 must be a finite number"),
        ("0.05}", "0.05, zero_grad: no}", "10:53 expected `true` or `false`, not the text `no`"),
        ("0.05}", "0.05, batch_size: 0}", "10:54 must be at least 1"),
        ("0.05}", "0.05, batch_size: 5}", "10:54 a batch of 5, but only 4 rows of data"),
        ("0.05}", "0.05, shuffle_seed: 5}", "10:56 without `batch_size`, every step uses all"),
        ("0.05}", "0.05, optimizer: adan}", "10:53 expected `sgd`, `momentum` or `adam`, not the"),
        ("0.05}", "0.05, momentum: 0.9}", "10:42 `momentum` is for `optimizer: momentum`, not for"),
        ("0.05}", "0.05, optimizer: adam, momentum: 0.9}", "10:59 `momentum` is for `optimizer: m"),
        ("0.05}", "0.05, epsilon: 0.1}", "10:42 `epsilon` is for `optimizer: adam`, not for `sgd`"),
        (
            "0.05}",
            "0.05, optimizer: adam, betas: 0.9}",
            "10:66 expected a list (`[…]`, or a line with",
        ),
        ("0.05}", "0.05, optimizer: adam, betas: [0, 1]}", "10:70 must be less than 1"),
        ("0.05}", "0.05, clip_norm: 0}", "10:53 must be greater than 0"),
        (
            "sum_squared_error",
            "binary_cross_entropy",
            "4:15 `binary_cross_entropy` takes probabilities: the last layer must be `sigmoid`",
        ),
        (
            "sum_squared_error",
            "binary_cross_entropy",
            "8:13 the targets of `binary_cross_entropy` are 0 or 1",
        ),
        (
            "sum_squared_error",
            "softmax_cross_entropy",
            "3:17 `softmax_cross_entropy` needs an output for each class, so 2 or more",
        ),
        (
            "sum_squared_error",
            "softmax_cross_entropy",
            "4:15 `softmax_cross_entropy` takes logits, not probabilities",
        ),
        ("20: 2.9", "200: 2.9", "12:21 there is no step 200: the last is 100"),
        ("20: 2.9", "-2: 2.9", "12:21 expected a step (a whole number from 0), not the number"),
        ("20: 2.9", "x: 2.9", "12:21 expected a step (a whole number from 0), not the text `x`"),
        ("0.801, ", "", "13:3 3 predictions for 4 inputs"),
    ],
)
def test_fields_of_a_network(old: str, new: str, expected: str) -> None:
    found = problems(changed(NETWORK, old, new))
    assert any(problem.startswith(expected) for problem in found), found


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        ("[0, 1, 2, 1]", []),
        ("[0, 1, 3, 1]", ["8:19 there is no class 3: the 3 outputs are classes 0 to 2"]),
        (
            "[0, 7, 9, 1]",
            ["8:16 there is no class 7: the 3 outputs are classes 0 to 2 (and 1"],
        ),
        ("[0, -1, 2, 1]", ["8:16 there is no class -1: the 3 outputs are classes 0 to"]),
        ("[0, 0.5, 2, 1]", ["8:16 there is no class 0.5: the 3 outputs are classes 0"]),
        ("[0, [0, 1, 0], 2, 1]", ["8:16 3 numbers, but a row has one class"]),
    ],
)
def test_classes_fit_the_outputs(targets: str, expected: list[str]) -> None:
    text = changed(NETWORK, "[2, 4, 1]", "[2, 4, 3]")
    text = changed(text, "activation: tanh", "activation: [tanh, linear]")
    text = changed(text, "[-1, 1, 1, -1]", targets)
    text = changed(text, "sum_squared_error", "softmax_cross_entropy")
    text = text[: text.index("expect:")]
    found = problems(text) if expected else []
    assert len(found) == len(expected)
    assert all(map(str.startswith, found, expected)), found
    if not expected:
        assert parse(text).model.expect.loss == {}


@pytest.mark.parametrize(
    ("weights", "biases", "expected"),
    [
        ("[[[1,2],[3]],[[1],[2]]]", "[[0,0],[0]]", "5:20 1 number in a row of weights: layer 1"),
        ("[[[1,2]],[[1],[2]]]", "[[0,0],[0]]", "5:13 1 row of weights: layer 1 takes a row for"),
        ("[[[1,2],[3,4]]]", "[[0,0],[0]]", "5:3 `weights` for 1 layer, but the network has 2"),
        ("[[[1,2],[3,4]],[[1,2]]]", "[[0,0],[0]]", "5:27 layer 2 takes a row for each of 2 in"),
        ("[[[1,2],[3,4]],[[1],[2]]]", "[[0,0],[0,0]]", "6:18 2 numbers for the 1 neuron of la"),
        ("[[[1,2],[3,4]],[[1],[2]]]", "[[0,0]]", "6:3 `biases` for 1 layer, but the network h"),
        ("[[[1,2],[3,x]],[[1],[2]]]", "[[0,0],[0]]", "5:23 expected a number, not the text `x`"),
        ("[]", "[]\n  init: {seed: 1}", "7:3 give either `init` or `weights` and `biases`, not"),
    ],
)
def test_written_numbers_fit_the_layers(weights: str, biases: str, expected: str) -> None:
    text = changed(NETWORK, "[2, 4, 1]", "[2, 2, 1]")
    text = changed(text, "init: {seed: 42}", f"weights: {weights}\n  biases: {biases}")
    found = problems(text)
    assert any(problem.startswith(expected) for problem in found), found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("title: x", ["1:1 a scenario needs `graph` or `network`"]),
        ("grpah: []", ["1:1 unknown key `grpah`; did you mean `graph`?"]),
        ("graph: []\nnetwork: {}", ["2:1 a scenario has either `graph` or `network`, not both"]),
        ("- a", ["1:1 expected a mapping such as `title: …`, not a list"]),
        ("hello", ["1:1 expected a mapping such as `title: …`, not the text `hello`"]),
        ("title: x\ngraph: []", ["2:1 must not be empty"]),
        ("title: x\ngraph: a = b",
         ["2:8 expected a list with a statement such as `c = a + b` after each `- `, "
          "not the text `a = b`"]),
        ("title: x\ngraph: [a = 1]\ntrain: {steps: 1, learning_rate: 1}\nexpect: {grads: {a: 1}}",
         ["3:1 training needs `backward`, the name of the loss",
          "3:1 there are no `params` to train",
          "4:10 `grads` cannot be expected without `backward`"]),
    ],
)  # fmt: skip
def test_kinds_and_rules(text: str, expected: list[str]) -> None:
    assert problems(text) == expected


def test_a_graph_of_too_many_statements_is_refused() -> None:
    text = "title: x\ngraph:\n" + "".join(f"  - a{n} = {n}\n" for n in range(5_001))
    assert problems(text) == ["2:1 must not have more than 5,000 entries"]


@pytest.mark.parametrize(
    ("old", "short", "meant"),
    [
        ("learning_rate:", "lr:", "learning_rate"),
        ("sum_squared_error", "MSE", "mean_squared_error"),
        ("sum_squared_error", "bce", "binary_cross_entropy"),
        ("sum_squared_error", "cross_entropy", "softmax_cross_entropy"),
        ("activation: tanh", "activation: logistic", "sigmoid"),
        ("0.05}", "0.05, optimizer: mse}", ""),
    ],
)
def test_other_names_are_known(old: str, short: str, meant: str) -> None:
    (problem,) = problems(changed(NETWORK, old, short))
    assert ("did you mean" in problem) == bool(meant)
    assert problem.endswith(f"; did you mean `{meant}`?" if meant else "`mse`")


def test_a_list_where_lists_belong_is_told_once() -> None:
    text = changed(NETWORK, "init: {seed: 42}", "weights: [[1, 2], [3, 4]]\n  biases: [1, 2, 3]")
    assert [problem.partition(" ")[0] for problem in problems(text)] == ["5:14", "5:22", "6:12"]


def test_one_output_is_no_choice_of_classes() -> None:
    text = changed(NETWORK, "sum_squared_error", "softmax_cross_entropy")
    assert [problem.partition(" ")[0] for problem in problems(text)] == ["3:17", "4:15"]


def test_a_scenario_builds_on_what_is_there(tmp_path: Path) -> None:
    def refusal(after: str) -> str:
        path = tmp_path / "mine.yaml"
        path.write_text(f"after: [{after}]\n{GRAPH}")
        with pytest.raises(ScenarioError) as caught:
            load_scenario_file(path, FUNCTIONS, ["chain_rule"])
        (diagnostic,) = caught.value.diagnostics
        return f"{diagnostic.line}:{diagnostic.column} {diagnostic.message}"

    wrong = "1:9 scenario `gaers` neither ships with stepgrad nor is in this folder"
    assert refusal("gaers") == wrong
    (tmp_path / "gears.yaml").write_text(GRAPH)
    assert refusal("gaers") == f"{wrong}; did you mean `gears`?"
    assert refusal("gears, chain_rul").endswith("; did you mean `chain_rule`?")
    (tmp_path / "mine.yaml").write_text(f"after: [gears, chain_rule]\n{GRAPH}")
    assert load_scenario_file(tmp_path / "mine.yaml", FUNCTIONS, ["chain_rule"]).statements


def test_no_scenario_builds_on_itself_or_on_what_builds_on_it(tmp_path: Path) -> None:
    def refusals(**after: str) -> list[str]:
        for name, names in after.items():
            (tmp_path / f"{name}.yaml").write_text(f"after: [{names}]\n{GRAPH}")
        with pytest.raises(ScenarioError) as caught:
            load_scenario_file(tmp_path / "mine.yaml", FUNCTIONS, ["gears"])
        return [f"{each.column} {each.message}" for each in caught.value.diagnostics]

    assert refusals(mine="gears, mine") == ["16 a scenario cannot build on itself"]
    circle = "scenario `a` builds on this one, so neither can come first"
    assert refusals(mine="gears, a", a="mine") == [f"16 {circle}"]
    assert refusals(mine="a", a="b, gears", b="gears, mine") == [f"9 {circle}"]
    (tmp_path / "mine.yaml").write_text(f"after: [a, b]\n{GRAPH}")
    (tmp_path / "b.yaml").write_text("after: [a]\ngraph: {}\n")  # a circle without this one
    assert load_scenario_file(tmp_path / "mine.yaml", FUNCTIONS, ["gears"]).statements
