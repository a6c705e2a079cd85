"""Numbers for people."""

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stepgrad.engine import ieee
from stepgrad.numbers import exact, factor, gradient, gradient_inline, number, typed, worked

finite = st.floats(allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (-8.0, "−8"),
        (1.5, "1.5"),
        (24.70408163265306, "24.7041"),
        (-0.6536436208636119, "−0.653644"),
        (0.1 + 0.2, "0.3"),
        (100000.0, "100000"),
        (1234567.0, "1234567"),
        (0.000123457, "0.000123457"),
        (0.00001, "0.00001"),
        (-9.5367431640625e-07, "−9.53674e−7"),
        (1e300, "1e300"),
        (-1.234567e-300, "−1.23457e−300"),
        (5e-324, "4.94066e−324"),
        (math.nan, "nan"),
        (math.inf, "inf"),
        (-math.inf, "−inf"),
    ],
)
def test_number(x: float, text: str) -> None:
    assert number(x) == text


@given(finite)
def test_read_back_it_is_nearly_the_number(x: float) -> None:
    assert float(number(x).replace("−", "-")) == pytest.approx(x, rel=1e-5, abs=0)


@given(st.floats())
def test_it_is_short_and_plain(x: float) -> None:
    text = number(x)
    assert len(text) <= 13
    assert "-" not in text
    assert "+" not in text
    assert text != "−0"


@given(st.integers(-99_999_999, 99_999_999))
def test_an_integer_reads_as_an_integer(x: int) -> None:
    assert number(float(x)) == str(x).replace("-", "−")


@given(finite)
@example(123456789.0)
def test_the_sign_changes_nothing_else(x: float) -> None:
    assert number(-abs(x)).removeprefix("−") == number(abs(x))


@given(st.floats())
def test_a_factor_has_brackets_where_it_is_negative(x: float) -> None:
    text = number(x)
    assert factor(x) == (f"({text})" if text[0] == "−" else text)


@pytest.mark.parametrize(("grad", "text"), [(None, "–"), (0.0, "0"), (-8.0, "−8")])
def test_gradient(grad: float | None, text: str) -> None:
    assert gradient(grad) == gradient_inline(grad) == text


@pytest.mark.parametrize(("grad", "text"), [(math.nan, "!nan"), (4e-310, "~0")])
def test_only_a_column_marks_a_gradient(grad: float, text: str) -> None:
    assert gradient(grad) == text
    assert gradient_inline(grad) == number(grad)


@given(st.floats())
def test_all_digits_give_the_number_back(x: float) -> None:
    assert repr(float(typed(exact(x))[0])) == repr(x + 0.0)  # there is no −0


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [("0.50", 0.5, 0.01), ("−8", -8.0, 1.0), (" 2e-3 ", 0.002, 0.001), ("1/4", 0.25, 0.0)],
)
def test_what_is_typed_is_read_with_its_digits(text: str, value: float, unit: float) -> None:
    assert tuple(map(float, typed(text))) == (value, unit)


@pytest.mark.parametrize(
    ("numbers", "shown"),
    [
        ((1.000003, 4.0), ["1.000003", "4"]),  # 1 / 4 is not 0.250001
        ((1.0000000003, 4.0), ["1", "4"]),
        ((2 / 3, 3.0), ["0.666667", "3"]),  # whoever sees six digits knows that they are rounded
        ((0.1 + 0.2, 3.0), ["0.3", "3"]),
        ((1e-300, 0.0), ["1e−300", "0"]),
        ((math.nan, math.inf), ["nan", "inf"]),
    ],
)
def test_what_a_number_hides_is_shown_where_the_result_tells(
    numbers: tuple[float, float], shown: list[str]
) -> None:
    assert worked(ieee.div, numbers) == shown
