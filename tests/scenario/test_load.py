"""From a file to a scenario: guards, YAML, names, positions, and everything at once."""

import json
import os
import re
import warnings
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from processes import python, run
from scenario.samples import FUNCTIONS, GRAPH, NETWORK, changed, parse, problems
from stepgrad import Value, record
from stepgrad.errors import ScenarioError
from stepgrad.scenario.form.sections import GraphScenario
from stepgrad.scenario.load import load_scenario_file, parse_scenario
from stepgrad.scenario.text import Source
from stepgrad.scenario.yaml import compose as compose_module
from stepgrad.scenario.yaml.errors import explain
from tries import tries


def refusal(path: Path, shipped: tuple[str, ...] = ()) -> str:
    """Say why the file at `path` is refused."""
    with pytest.raises(ScenarioError) as caught:
        load_scenario_file(path, FUNCTIONS, shipped)
    return str(caught.value)


def test_a_file_that_is_in_order(tmp_path: Path) -> None:
    path = tmp_path / "two_layer.yaml"
    path.write_text(GRAPH)
    scenario = load_scenario_file(path, FUNCTIONS)
    assert (scenario.path, scenario.title, scenario.lesson) == (path, "Two layers", "")
    assert [(s.line, s.target) for s in scenario.statements] == [(5, "z1"), (6, "h"), (7, "loss")]
    assert scenario.source.lines[4] == "  - z1 = w1*x + b1"
    assert scenario.line("expect", "grads", "w1") == 11
    late = scenario.error(("expect", "grads", "w1"), "expected -15, got 3")
    assert str(late).startswith(f"{path}:11:11: expected -15, got 3\n  11 |   grads: {{w1: -15}}\n")


def test_a_byte_order_mark_and_other_line_ends_are_fine(tmp_path: Path) -> None:
    path = tmp_path / "windows.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + GRAPH.replace("\n", "\r\n").encode())
    assert [s.line for s in load_scenario_file(path, FUNCTIONS).statements] == [5, 6, 7]


def test_reading_names_does_not_import_yaml() -> None:
    code = "import sys, stepgrad.scenario.load; sys.exit('yaml' in sys.modules)"
    assert run(python("-c", code)).returncode == 0


class TestFiles:
    """Files that cannot be read at all."""

    def test_missing(self, tmp_path: Path) -> None:
        path = tmp_path / "two_laier.yaml"
        assert refusal(path) == f"{path}: no such file"
        (tmp_path / "two_layer.yaml").write_text(GRAPH)
        near = f"; did you mean `{tmp_path / 'two_layer.yaml'}`?"
        assert refusal(path) == f"{path}: no such file{near}"
        assert refusal(tmp_path / "two_layer").endswith(near)

    def test_missing_but_shipped(self, tmp_path: Path) -> None:
        path = tmp_path / "no" / "two_laier"
        shipped = ("chain_rule", "two_layer")
        assert refusal(path, shipped).endswith("no such file; did you mean `two_layer`?")

    def test_folder(self, tmp_path: Path) -> None:
        assert refusal(tmp_path) == f"{tmp_path}: is a folder, not a scenario file"

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
    def test_named_pipe(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        assert refusal(tmp_path / "pipe").endswith(": is not a regular file")

    def test_in_no_folder(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        assert "cannot be read" in refusal(tmp_path / "file" / "a.yaml")
        assert "cannot be read" in refusal(tmp_path / ("a" * 5_000))
        assert "cannot be read" in refusal(tmp_path / "a\0b")

    def test_empty(self, tmp_path: Path) -> None:
        path = tmp_path / "empty.yaml"
        path.touch()
        assert refusal(path) == f"{path}: the file is empty"

    def test_too_big(self, tmp_path: Path) -> None:
        path = tmp_path / "big.yaml"
        with path.open("wb") as file:
            file.truncate(50_000_000)
        assert refusal(path).endswith(": the file is too big: 50.0 MB; the limit is 1 MB")

    def test_not_utf8(self, tmp_path: Path) -> None:
        path = tmp_path / "latin.yaml"
        path.write_bytes("title: é\ngraph: é = 1\n".encode()[:-2] + b"\xe9\n")
        assert refusal(path) == (
            f"{path}:2:12: not UTF-8 text: byte 0xE9; save the file as UTF-8\n"
            "  2 | graph: é = \N{REPLACEMENT CHARACTER}\n"
            "    |            ^"
        )

    def test_utf16(self, tmp_path: Path) -> None:
        path = tmp_path / "wide.yaml"
        path.write_text(GRAPH, encoding="utf-16")
        assert "1:1: not UTF-8 text: byte 0xFF; the file looks like UTF-16" in refusal(path)

    def test_a_recording(self, tmp_path: Path) -> None:
        path = tmp_path / "run"
        with record() as recording:
            Value(1.0)
        recording.save(path)
        assert refusal(path) == f"{path}: is a recording or a zip file, not a scenario"


@pytest.mark.usefixtures("loader")
def test_a_document_has_not_too_many_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compose_module, "MAX_VALUES", 1_000)
    [problem] = problems("title: [" + "1," * 4_000 + "]")
    assert problem == "1:2009 more than 1,000 values"


ALIAS_BOMB = "a: &a [x, x]\n" + "".join(
    f"{chr(n + 1)}: &{chr(n + 1)} [{', '.join([f'*{chr(n)}'] * 9)}]\n" for n in range(97, 105)
)


@pytest.mark.usefixtures("loader")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "1:1 there is no scenario in the file, only blank lines or comments"),
        ("# nothing\n", "1:1 there is no scenario in the file, only blank lines or comments"),
        ("title: \x1b[31m", "1:8 the character U+001B is not allowed"),
        (GRAPH + "---\n" + GRAPH, "12:1 a second document begins here; a scenario is one docum"),
        (GRAPH + "title: again\n", "12:1 duplicate key `title`: it is already on line 1"),
        (changed(GRAPH, "x: 3.0", "x: 3.0, x: 4"), "2:18 duplicate key `x`: it is already on line"),
        (changed(NETWORK, "20: 2", "00: 2"), "12:21 duplicate key `0`: it is already on line 12"),
        (changed(GRAPH, "x: 3.0", "x: &a 3.0"), "2:13 an anchor (`&a`) is not allowed"),
        (changed(GRAPH, "x: 3.0", "x: *a"), "2:13 an alias (`*a`): write the value out instead"),
        (changed(GRAPH, "x: 3.0", "x: !!float 3"), "2:13 a tag (`!…`) is not allowed"),
        (changed(GRAPH, "x: 3.0", "[x]: 3.0"), "2:10 a key must be plain text or a whole numbe"),
        (ALIAS_BOMB, "1:4 an anchor (`&a`) is not allowed in a scenario"),
        ("title: " + "[" * 100_000, "1:58 nested deeper than 50 levels"),
        ("title: " + "{a: " * 100_000, "1:208 nested deeper than 50 levels"),
        ("title: " + "[" * 52 + "@", "1:58 nested deeper than 50 levels"),
        ("title: [0, ']]', " + "[" * 2_000, "1:67 nested deeper than 50 levels"),
        ("[" * 2_000, "1:52 nested deeper than 50 levels"),
        ("- " * 2_000, "1:103 nested deeper than 50 levels"),
    ],
)
def test_yaml(text: str, expected: str) -> None:
    found = problems(text)
    assert found[0].startswith(expected), found


LONG = "k" * 1_030


@pytest.mark.parametrize("loader", [yaml.SafeLoader, getattr(yaml, "CSafeLoader", yaml.SafeLoader)])
@pytest.mark.parametrize(
    ("text", "place"),
    [
        (f"title: t\nparams:\n  {LONG}: 1\n  b: 2\n", (3, 3)),
        (f"title: t\n{LONG}: 1\nb: 2\n", (2, 1)),
        (f'title: t\n"{LONG}": 1\n', (2, 1)),
        (f"title: t\nparams: {{a: 1, {LONG}: 1}}\n", (2, 16)),
    ],
)
def test_a_key_that_is_too_long_for_yaml(text: str, place: tuple[int, int], loader: Any) -> None:
    source = Source(Path("s.yaml"), text)
    with pytest.raises(yaml.MarkedYAMLError) as caught:
        list(yaml.parse(text, Loader=loader))
    index, message = explain(caught.value, source)
    assert source.position(index) == place
    assert message == "not valid YAML: a key has at most 1,024 characters"


def test_python_says_nothing_about_a_statement() -> None:
    text = GRAPH.replace("z1 = w1*x + b1", "z1 = x*1if x else 2")
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        [found] = problems(text)
    assert not warned
    assert found.startswith("5:10 `if` and `else` cannot ")


NO_YAML = [
    ("title: a: b", "1:9 put text that contains `: ` in quotes"),
    ("title:\n\t- b", "2:1 indent with spaces, not with tabs"),
    ("inputs: {x: - 2.0}", "1:13 a value is missing before this; there is no space between"),
    ("graph:\n\xa0 - z = 1\nb: 1", "2:1 a no-break space: indent with plain spaces"),
    ("title: @b", "1:8 put text that begins with this character in quotes"),
    ("title: *", "1:8 put text that begins with this character in quotes"),
    ("title: >b", "1:8 put text that begins with this character in quotes"),
    (
        "inputs: {a: 1\ngraph: b",
        "1:9 this `{` is not closed: `,` or `}` is missing before line",
    ),
    ("inputs: [[1, 2], [3, 4]\nb: 1", "1:9 this `[` is not closed: `,` or `]` is missing befo"),
    (
        "inputs: {x: 1 y: 2}",
        "1:9 this `{` is not closed: `,` or `}` is missing before line 1, c",
    ),
    ("inputs: {x: 1}}", "1:15 nothing can follow here: the value before it is complete"),
    ("title: 'it's'", "1:12 nothing can follow here: the value before it is complete"),
    ("title: 'a\ninputs: 2\n", "1:8 the quote that begins here is never closed"),
    (
        "title: x\ngraph: - z = 1",
        "2:8 begin the list on a line of its own, with `- ` before ea",
    ),
    ("title: x\nbackward L\ngraph: []", "2:1 neither a key nor a list entry: write"),
    ("graph:\n  - z = 1\n  a = 2\nb: 1", "3:3 neither a key nor a list entry: write"),
    ("graph:\n  - z = 1\n  a: 2", "3:3 line 3 does not match line 2: write"),
    (
        "title:x\ngraph: []",
        "2:6 line 2 does not match line 1: write",
    ),
    (
        "expect:\nvalues: {z: 2}\n\n# so\n  grads: {w: 1}",
        "5:3 line 5 begins in column 3, line 2",
    ),
    (
        " title: x\ngraph: []",
        "2:1 line 2 begins in column 1, line 1 in column 2: give lines",
    ),
    (
        "inputs:\n  x: 1\n   y: 2",
        "3:5 line 3 begins in column 4, line 2 in column 3: give lines",
    ),
    ("inputs:\n  x: 1\n y: 2", "3:2 line 3 begins in column 2, line 2 in column 3: give lines"),
    ("graph:\n  - z = 1\n - a = 2", "3:2 line 3 begins in column 2, line 2 in column 3: give"),
]
YAML_ERRORS = json.loads((Path(__file__).parent / "yaml_errors.json").read_text(encoding="utf-8"))
"""What PyYAML 6.0.2 to 6.0.4 says of `NO_YAML`, with either of its parsers."""


@pytest.mark.parametrize(("said", "case"), [*zip(YAML_ERRORS, NO_YAML, strict=True)])
def test_what_is_not_yaml(said: dict[str, Any], case: tuple[str, str]) -> None:
    text, expected = case
    assert said["text"] == text
    source = Source(Path("s.yaml"), text)

    def mark(index: int | None) -> Any:
        return None if index is None else yaml.Mark("s.yaml", index, 0, 0, None, 0)

    for each in said["errors"]:
        error = yaml.MarkedYAMLError(
            each["context"], mark(each["begins"]), each["problem"], mark(each["stands"])
        )
        index, message = explain(error, source)
        line, column = source.position(index)
        place, _, words = expected.partition(" ")
        assert f"{line}:{column}" == place
        assert message.startswith(f"not valid YAML: {words}")


@pytest.mark.usefixtures("loader")
@pytest.mark.parametrize("text", [text for text, _ in NO_YAML])
def test_what_is_not_yaml_is_refused_by_any_parser(text: str) -> None:
    (problem,) = problems(text)
    assert re.match(r"\d+:\d+ not valid YAML: ", problem), problem


def test_words_that_no_pattern_knows_are_not_shown() -> None:
    error = yaml.MarkedYAMLError(None, None, "new words", yaml.Mark("s.yaml", 8, 0, 8, None, 0))
    told = explain(error, Source(Path("s.yaml"), "title: a b"))
    assert told == (8, "not valid YAML: this cannot follow what comes before it")


def test_an_escape_that_yaml_does_not_know() -> None:
    (problem,) = problems('title: "\\lambda"')
    assert problem.endswith(r"not valid YAML: write `\\` for `\`, or put the text in single quotes")


@pytest.mark.parametrize(
    ("scalar", "hint"),
    [
        ("inf", "write `.inf`"), ("-Infinity", "write `-.inf`"), ("nan", "write `.nan`"),
        ("−1", "write `-1`, with the minus sign of your keyboard"),
        ("2,5", "write `2.5`, with a decimal point"),
        ("3/2", "only a number is allowed here: compute in `graph`"),
        ("50%", "write a percentage as a decimal, such as 0.05"),
    ],
)  # fmt: skip
def test_texts_that_were_meant_as_numbers(scalar: str, hint: str) -> None:
    text = changed(GRAPH, "{x: 3.0, target: 4.0}", f"\n  target: 4.0\n  x: {scalar}")
    assert problems(text) == [f"4:6 expected a number, not the text `{scalar}`; {hint}"]


def test_a_decimal_comma() -> None:
    comma = "`{0},{1}`: write `{0}.{1}`, with a decimal point".format
    assert problems(changed(GRAPH, "x: 3.0", "x: -3,05e-2")) == [f"2:13 {comma('-3', '05e-2')}"]
    assert problems(changed(NETWORK, "learning_rate: 0.05", "learning_rate: 0,05")) == [
        f"10:36 {comma('0', '05')}"
    ]
    thousand = "2:13 `1,000.5`: write `1000.5`, without a comma"
    assert problems(changed(GRAPH, "x: 3.0", "x: 1,000.5")) == [thousand]
    assert problems(changed(GRAPH, "w1: 0.5", "\n  w1: 0,5")) == [f"4:7 {comma('0', '5')}"]


@pytest.mark.parametrize("written", ["x:3.0", "x = 3.0", "x=3.0"])
def test_a_key_that_is_not_parted_from_its_value(written: str) -> None:
    found = problems(changed(GRAPH, "x: 3.0", written))
    assert found == ["2:10 write `x: 3.0`, with a space after the colon"]


def test_a_comma_ends_an_entry_of_a_list() -> None:
    found = problems("title: t\ninputs: {x: 1}\ngraph: [a = max(x, 0), y = 2*a]\nbackward: y\n")
    assert found == ["3:18 in `[…]`, a comma ends the entry: put the statement in quotes"]


@pytest.mark.parametrize(
    ("scalar", "value"),
    [
        ("3", 3.0), ("-4", -4.0), ("+4", 4.0), ("1e-3", 1e-3), (".5", 0.5), ("5.", 5.0),
        ("1_000", 1_000.0), ("1_000.5", 1_000.5), ("5.0e-4", 5e-4), ("5E4", 5e4), ("010", 10.0),
        (".inf", float("inf")), ("-.inf", float("-inf")),
    ],
)  # fmt: skip
def test_numbers_are_numbers(scalar: str, value: float) -> None:
    model = parse(changed(GRAPH, "x: 3.0", f"x: {scalar}")).model
    assert isinstance(model, GraphScenario)
    assert model.inputs["x"] == value


@pytest.mark.parametrize("scalar", ["yes", "on", "no", "y", "1:30", "1_", "_1", "1e", "0x1F", "٣"])
def test_everything_else_is_text(scalar: str) -> None:
    (problem,) = problems(changed(GRAPH, "x: 3.0", f"x: {scalar}"))
    assert problem == f"2:13 expected a number, not the text `{scalar}`"
    assert parse(changed(GRAPH, "Two layers", scalar)).title == scalar


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("w1*x", "w3*x", ["5:10 unknown name `w3`; did you mean `w1`?"]),
        ("w1*x", "h*x", ["5:10 `h` is used before it is defined, on line 6"]),
        ("w1*x", "z1*x", ["5:10 `z1` is used in its own definition"]),
        ("w1*x + b1", "x", ["5:10 `z1` would only be another name for `x`: use `x` itself"]),
        ("w1*x", "tanh*x", ["5:10 `tanh` is a function: write `tanh(…)`"]),
        ("- h =", "- z1 = 1\n  - h =", ["6:5 `z1` is already defined on line 5"]),
        ("- h =", "- x = 1\n  - h =", ["6:5 `x` is already defined on line 2"]),
        ("- h =", "- relu = 1\n  - h =", ["6:5 `relu` is a function and cannot be a name"]),
        ("b1: 0.0", "b1: 0.0, x: 1", ["3:28 `x` is already defined on line 2"]),
        ("x: 3.0", "x: 3.0, exp: 1", ["2:18 `exp` is a function and cannot be a name"]),
        ("x: 3.0", "x: 3.0, lambda: 1", ["2:18 `lambda` is a Python keyword and cannot be a na"]),
        ("x: 3.0", "x: 3.0, a b: 1", ["2:18 `a b` is not a name: use letters, digits and `_`, "]),
        ("x: 3.0", "x: 3.0, ﬁ: 1", ["2:18 write `ﬁ` as `fi`"]),
        ("backward: loss", "backward: los", ["8:11 unknown name `los`; did you mean `loss`?"]),
        ("{z1: 1.5}", "{zz: 1.5}", ["10:12 unknown name `zz`; did you mean `z1`?"]),
        ("{w1: -15}", "{z2: -15}", ["11:11 unknown name `z2`; did you mean `z1`?"]),
        ("relu(z1)", "rleu(z1)", ["6:9 unknown function `rleu`; did you mean `relu`?"]),
        (
            "b1: 0.0",
            "b1: 0.0, b·: 0",
            ["3:28 `b·` is not a name: use letters, digits and `_`, but no di"],
        ),
        ("w1*x", "q*x", ["5:10 unknown name `q`; use `x`, `target`, `w1` or `b1`"]),
        (
            "backward: loss",
            "backward: q",
            ["8:11 unknown name `q`; use `x`, `target`, `w1`, `b1`, "],
        ),
        ("- h = relu", "- z1 = relu", ["6:5 `z1` is already defined on line 5"]),
        ("- h = relu", "- relu", ["6:5 expected a statement such as"]),
        (
            "- h = relu",
            "- h: relu",
            ["6:5 expected a statement such as `c = a + b`, not a mapping"],
        ),
        ("- h = relu", "- lambda = relu", ["6:5 `lambda` is a Python keyword"]),
        ("- h = relu", "- exp = relu", ["6:5 `exp` is a function and cannot be a name"]),
        ("- h = relu", "- h = q = relu", ["6:5 a statement defines one name; write a statement"]),
        ("- h = relu", " - h = relu", ["6:4 this continues the statement of line 5: a new"]),
        ("- h = relu", "  h = relu", ["6:5 this continues the statement of line 5: a new"]),
        (
            "- h = relu(z1)",
            "- h = relu(z1",
            ["6:13 cannot read this statement: "],
        ),
        ("params:", "parms:", ["3:1 unknown key `parms`; did you mean `params`?"]),
        ("relu(z1)", "(" * 10_000 + ")" * 10_000, ["6:5 the statement is 20,004 characters long"]),
        ("relu(z1)", "(x\n     * yy)", ["7:8 unknown name `yy`"]),
        ("h = relu(z1)", "'h = yy'", ["6:10 unknown name `yy`"]),
        ("h = relu(z1)", '"h = x +\n      yy"', ["7:7 unknown name `yy`"]),
        ("h = relu(z1)", "|\n    h = (x +\n      yy)", ["8:7 unknown name `yy`"]),
        ("h = relu(z1)", ">-  # folded\n    h = x +\n    yy", ["8:5 unknown name `yy`"]),
        ("h = relu(z1)", "", ["6:4 a statement such as `c = a + b` is missing"]),
    ],
)
def test_names(old: str, new: str, expected: list[str]) -> None:
    found = problems(changed(GRAPH, old, new))
    assert len(found) == len(expected), found
    for problem, start in zip(found, expected, strict=True):
        assert problem.startswith(start)


def test_the_whole_message() -> None:
    text = changed(GRAPH, "w1*x + b1", "w3*x + b1 + tahn(x)")
    text = changed(text, "x: 3.0", "x: yes")
    text = changed(text, "backward: loss", "backward: los")
    with pytest.raises(ScenarioError) as caught:
        parse(text)
    assert (
        str(caught.value)
        == """\
s.yaml:2:13: expected a number, not the text `yes`
  2 | inputs: {x: yes, target: 4.0}
    |             ^
s.yaml:5:22: unknown function `tahn`; did you mean `tanh`?
  5 |   - z1 = w3*x + b1 + tahn(x)
    |                      ^
s.yaml:8:11: unknown name `los`; did you mean `loss`?
  8 | backward: los
    |           ^"""
    )


def test_too_many_problems_end_with_a_word_about_it() -> None:
    names = "".join(f"  longname{n}: 1\n" for n in range(2_000))
    graph = "".join(f"  - c{n} = longmane{n}\n" for n in range(100))
    with pytest.raises(ScenarioError) as caught:
        parse(f"title: x\nparams:\n{names}graph:\n{graph}")
    found = [each.message for each in caught.value.diagnostics]
    assert len(found) == 50
    assert all(message.startswith("unknown name `longmane") for message in found)
    *_, place, note = str(caught.value).splitlines()
    assert place.strip(" |") == "^"
    assert note == f"{caught.value.path}: too many problems; only the first 50 are shown"


PIECES = ["title: x\n", "graph:\n", "  - ", "c = a*b", "network: ", "{", "}", "[", "]", ", ", ": ",
          "\n", "  ", "&a ", "*a", "!!map ", "|", ">", "'", '"', "\\", "#", "---\n", "1", ".inf",
          "1e999", "inputs: ", "params: ", "a", "b", "expect: ", "loss: ", "train: ", "data: ",
          "sizes: [1, 1]", "yes", "~", "? ", "\t", "\r", "\x85", "\N{LINE SEPARATOR}", "é", "%",
          "@", "\\ud800", "\\UFFFFFFFF", "backward: c\n", "-", "true"]  # fmt: skip
ANY_TEXT = st.text(max_size=80) | st.lists(st.sampled_from(PIECES), max_size=25).map("".join)


@pytest.fixture(params=["CSafeLoader", "SafeLoader"])
def loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Read with either of PyYAML's parsers: where it was built without libyaml there is one."""
    name = str(request.param)
    if not hasattr(yaml, name):
        pytest.skip("PyYAML was built without libyaml")
    monkeypatch.setattr(compose_module, "_LOADER", getattr(yaml, name))
    return name


def check_that_it_is_read_or_refused(text: str) -> None:
    source = Source(Path("s.yaml"), text)
    refused = None
    try:
        parse_scenario(source, FUNCTIONS)
    except ScenarioError as error:
        refused = error
    if refused is not None:
        assert str(refused)
        for diagnostic in refused.diagnostics:
            assert 1 <= diagnostic.column <= len(source.lines[diagnostic.line - 1]) + 1


fuzz = settings(
    max_examples=tries(300),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.mark.usefixtures("loader")
@fuzz
@given(ANY_TEXT)
def test_any_text_is_read_or_refused(text: str) -> None:
    check_that_it_is_read_or_refused(text)


@pytest.mark.usefixtures("loader")
@fuzz
@given(st.sampled_from([GRAPH, NETWORK]), ANY_TEXT, st.integers(0, 400), st.integers(0, 12))
def test_a_scenario_with_a_patch_is_read_or_refused(
    text: str, patch: str, start: int, length: int
) -> None:
    check_that_it_is_read_or_refused(text[:start] + patch + text[start + length :])


@pytest.mark.usefixtures("loader")
def test_both_parsers_give_the_same_places() -> None:
    assert problems(changed(GRAPH, "w1*x", "w3*x")) == [
        "5:10 unknown name `w3`; did you mean `w1`?"
    ]
    text = changed(GRAPH, "h = relu(z1)", "|\n    h = (x +\n      é * yy)")
    assert problems(text) == [
        f"8:{column} unknown name `{name}`; use `x`, `target`, `w1`, `b1` or `z1`"
        for column, name in ((7, "é"), (11, "yy"))
    ]


@given(content=st.binary(max_size=80))
def test_any_bytes_are_refused(content: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "bytes.yaml"
    path.write_bytes(content)
    assert refusal(path).startswith(f"{path}:")


def test_a_link_to_nothing_is_not_what_was_meant(tmp_path: Path) -> None:
    link = tmp_path / "link.yaml"
    link.symlink_to("nowhere.yaml")
    with pytest.raises(ScenarioError, match=r"link\.yaml: no such file$"):
        load_scenario_file(link, FUNCTIONS)
