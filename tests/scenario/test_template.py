"""What a new scenario begins with."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenario.runs import read
from stepgrad.scenario.template import template


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("my_lesson", "My lesson"), ("XOR_again", "XOR again"), ("true", "True"), ("1", "1"),
        ("", "A lesson"), ("a: b #c", "A: b #c"), ('"', '"'), ("\\n", "\\n"), ("{x}", "{x}"),
    ],
)  # fmt: skip
def test_the_title_is_the_name_of_the_file(name: str, title: str) -> None:
    assert read(template(name)).title == title


@given(st.text(), st.booleans())
def test_any_name_makes_a_scenario(name: str, network: bool) -> None:
    assert read(template(name, network=network)).title
