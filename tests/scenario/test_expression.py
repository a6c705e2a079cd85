"""Statements: what is read, what is refused, and where."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepgrad.scenario.graph.expression import Apply, Expr, Name, Number, names_in
from stepgrad.scenario.graph.statement import MAX_LENGTH, Statement, StatementError, parse_statement
from tries import tries

FUNCTIONS = {"relu": 1, "tanh": 1, "exp": 1, "max": 2}


def problems(text: str) -> tuple[tuple[int, str], ...]:
    with pytest.raises(StatementError) as caught:
        parse_statement(text, FUNCTIONS)
    return caught.value.problems


def test_the_tree_of_a_statement() -> None:
    statement = parse_statement("loss = (y - 4)**2", FUNCTIONS, line=9)
    assert (statement.target, statement.column, statement.line) == ("loss", 1, 9)
    difference = Apply("sub", (Name("y", 9), Number(4.0, 13)), 9)
    assert statement.expression == Apply("pow", (difference, Number(2.0, 17)), 8)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("c = a*b", Apply("mul", (Name("a", 5), Name("b", 7)), 5)),
        ("c = -a", Apply("neg", (Name("a", 6),), 5)),
        ("c = +a", Name("a", 6)),
        ("c = a/2", Apply("div", (Name("a", 5), Number(2.0, 7)), 5)),
        ("c = max(a, 1)", Apply("max", (Name("a", 9), Number(1.0, 12)), 5)),
        ("c = 1_000 + .5", Number(1000.5, 5)),
        ("c = -2**2", Number(-4.0, 5)),
        ("c = 2*3*a", Apply("mul", (Number(6.0, 5), Name("a", 9)), 5)),
        ("α = ß + é", Apply("add", (Name("ß", 5), Name("é", 9)), 5)),
        ("  c = a", Name("a", 7)),
        ("c = (a +\n  b)", Apply("add", (Name("a", 6), Name("b", 12)), 6)),
    ],
)
def test_expressions(text: str, tree: Expr) -> None:
    assert parse_statement(text, FUNCTIONS).expression == tree


def test_names_in_goes_from_left_to_right() -> None:
    expression = parse_statement("c = b*tanh(a) + b", FUNCTIONS).expression
    assert [name.name for name in names_in(expression)] == ["b", "a", "b"]


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("c = tahn(x)", 5, "unknown function `tahn`; did you mean `tanh`?"),
        ("c = __import__('os')", 5, "unknown function `__import__`"),
        ("c = x.data", 5, "an attribute cannot be used in an expression"),
        ("c = x.tanh()", 5, "an attribute cannot be called: write `tanh(…)`"),
        ("c = x.item()", 5, "an attribute cannot be called, only a function"),
        ("c = x[0]", 5, "an index cannot be used in an expression"),
        ("c = (lambda: 3)", 6, "a lambda cannot be used in an expression"),
        ("c = (lambda: 3)()", 6, "a lambda cannot be used in an expression"),
        ("c = (y := 3)", 6, "`:=` cannot be used in an expression: define the name in"),
        ("c = 'x'", 5, "text in quotes cannot be used in an expression"),
        ("c = b'x'", 5, "text in quotes cannot be used in an expression"),
        ("c = f'{x}'", 5, "text in quotes cannot be used in an expression"),
        ("c = x < 2", 5, "a comparison cannot be used in an expression"),
        ("c = x and y", 5, "`and` or `or` cannot be used in an expression"),
        ("c = not x", 5, "unknown operator"),
        ("c = x if x else y", 5, "`if` and `else` cannot be used in an expression"),
        ("c = [x for x in y]", 5, "a comprehension cannot be used in an expression"),
        ("c = (x, y)", 5, "a collection cannot be used in an expression"),
        ("c = {}", 5, "a collection cannot be used in an expression"),
        ("c = max(*x)", 9, "`*` before a name cannot be used in an expression"),
        ("c = ...", 5, "`Ellipsis` is not a real number"),
        ("c = True", 5, "`True` is not a real number"),
        ("c = 2j", 5, "`2j` is not a real number"),
        ("c = x // 2", 5, "`x // 2`: unknown operator; use `+ - * / **`"),
        ("c = x^2", 6, "`^` (circumflex accent): write `**`"),
        ("c = x^y·z", 6, "write `**`"),
        ("c = x^y·z", 8, "`·` (middle dot): write `*`"),
        ("c = x × y", 7, "`×` (multiplication sign): write `*`"),
        ("c = x\xa0+ y", 6, "(no-break space): write a plain space"),
        ("c = |x|", 7, "`|` (vertical line): write `abs(…)`"),
        ("c₁ = x", 2, "`₁` (subscript one): write `1`"),
        ("c = maximum(x, 1)", 5, "unknown function `maximum`; did you mean `max`?"),
        ("c = w x", 7, "to multiply, write `*`"),
        ("c = (w x + b)*2", 8, "to multiply, write `*`"),
        ("c = 2 x", 7, "to multiply, write `*`"),
        ("c = (x + 1) y", 13, "to multiply, write `*`"),
        ("c = tanh x", 10, "write `tanh(…)`"),
        (
            "c = w(x + 1)",
            5,
            "unknown function `w`; use `relu`, `tanh`, `exp` or `max`, or `*` to mu",
        ),
        (
            "c = 2,5*x",
            5,
            "a collection cannot be used in an expression: commas only separate",
        ),
        ("c = max(x)", 5, "`max` takes 2 arguments, not 1"),
        ("c = tanh()", 5, "`tanh` takes 1 argument, not 0"),
        ("c = tanh(x=3)", 12, "arguments are passed by position, not by name"),
        ("c = 3(x)", 5, "only a function can be called; to multiply, write `*`"),
        ("c += 1", 1, "write `c2 = c + 1`: a name is defined only once"),
        ("(c) **= x + 1", 1, "write `c2 = c ** (…)`: a name is defined only once"),
        ("c = d = x", 1, "a statement defines one name"),
        ("c, d = x", 1, "the left side of `=` must be a single name"),
        ("c.d = x", 1, "the left side of `=` must be a single name"),
        ("c[0] += x", 1, "the left side of `=` must be a single name"),
        ("c == x", 1, "with a single `=`"),
        ("c", 1, "expected a statement such as `c = a + b`"),
        ("", 1, "expected a statement such as `c = a + b`"),
        ("c: float = x", 1, "expected a statement such as `c = a + b`"),
        ("import os", 1, "expected a statement such as `c = a + b`"),
        ("while x: pass", 1, "expected a statement such as `c = a + b`"),
        ("c = x; d = x", 8, "a second statement"),
        ("c = x\nd = x", 7, "a second statement"),
        ("3 = x", 1, "cannot read this statement"),
        ("c = (x", 5, "cannot read this statement"),
        ("c = x)", 6, "cannot read this statement"),
        ("c = 2x", 5, "to multiply, write `*`"),
        ("α = ß − 1", 7, "write `-`"),
        ("c = x²", 6, "write `**2`"),
        ("c = lambda*2", 5, "`lambda` is a Python keyword and cannot be used here"),
        ("c = \\x", 5, "is not allowed in a statement"),
        ("c = \0", 5, "is not allowed in a statement"),
    ],
)
def test_what_is_refused(text: str, column: int, message: str) -> None:
    found = problems(text)
    assert any(at == column and message in said for at, said in found), found


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("c = 9**9**9", 5, "`9**9**9` is too large for a float (at most about 1.8e308)"),
        ("c = 1e308*10", 5, "`1e308*10` is too large for a float (at most about 1.8e308)"),
        ("c = 1e999", 5, "`1e999` is too large for a float (at most about 1.8e308)"),
        ("c = x + 1/0", 9, "`1/0` divides by zero"),
        ("c = 0**-1", 5, "`0**-1` divides by zero"),
        ("c = (-8)**0.5", 5, "`(-8)**0.5` is a root of a negative number"),
    ],
)
def test_constants_are_worked_out_in_floats(text: str, column: int, message: str) -> None:
    assert problems(text) == ((column, message),)


def test_a_huge_integer_is_refused_without_being_shown_whole() -> None:
    ((column, message),) = problems("c = " + "9" * 400)
    assert column == 5
    assert message.endswith("9…` is too large for a float (at most about 1.8e308)")
    assert len(message) < 100


@pytest.mark.parametrize(
    "nest",
    [
        lambda depth: "(" * depth + "x" + ")" * depth,
        lambda depth: "-" * depth + "x",
        lambda depth: "+".join("x" * (depth + 1)),
        lambda depth: "**".join("x" * (depth // 2)),
        lambda depth: "tanh(" * (depth // 5) + "x" + ")" * (depth // 5),
    ],
    ids=["parentheses", "signs", "sum", "powers", "calls"],
)
def test_deep_nesting_is_refused(nest: Callable[[int], str]) -> None:
    ((_, message),) = problems(f"c = {nest(900)}")
    assert "nested" in message or "in a row" in message
    assert problems(f"c += {nest(900)}")
    assert parse_statement(f"c = {nest(90)}", FUNCTIONS).target == "c"


def test_a_long_statement_is_refused_unread() -> None:
    text = f"c = {'(' * 10_000}x{')' * 10_000}"
    assert problems(text) == (
        (1, f"the statement is 20,005 characters long; the limit is {MAX_LENGTH:,}"),
    )


def test_all_problems_of_a_statement_are_reported() -> None:
    assert [column for column, _ in problems("c = tahn(x) + y[0] * 1/0 + 1/0")] == [5, 15, 28]


PIECES = ["c", "x", "tanh", "max", "(", ")", "=", "+", "-", "*", "**", "/", ",", " ", "\n", "1",
          "1e400", ".5", "9**9**9", "é", "名", "lambda", ":", "[", "]", "'", "\\", "#", ";", "@",
          ":=", "if", "else", "~", "not", "0x", "_", "%", "{", "}", "!", "\t", "\0"]  # fmt: skip


@settings(max_examples=tries(400))
@given(st.text(max_size=60) | st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_any_text_is_a_statement_or_has_problems_inside_it(text: str) -> None:
    statement: Statement | None = None
    found: tuple[tuple[int, str], ...] = ()
    try:
        statement = parse_statement(text, FUNCTIONS)
    except StatementError as error:
        found = error.problems
    assert (statement is None) == bool(found)
    assert all(1 <= column <= len(text) + 1 for column, _ in found)
    if statement is not None:
        assert all(name.name for name in names_in(statement.expression))


def test_a_long_sum_is_said_to_be_long() -> None:
    assert parse_statement(f"c = {'+'.join('x' * 101)}", FUNCTIONS)
    ((_, message),) = problems(f"c = {'+'.join('x' * 102)}")
    assert message == "more than 100 operations in a row: use several statements"


def test_a_name_that_begins_with_a_digit() -> None:
    assert problems("  2t = 3") == ((3, "`2t` is not a name: it begins with a digit"),)
    ((_, message),) = problems("t = 2x")
    assert "to multiply, write `*`" in message
