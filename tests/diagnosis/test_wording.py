"""What verdicts call many nodes."""

from __future__ import annotations

import pytest

import stepgrad
from stepgrad import Value
from stepgrad.diagnosis.findings import Finding
from stepgrad.diagnosis.wording import listed

TABLE = [f"w[{row},{column}]" for row in range(3) for column in range(4)]


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (["w[0]", "w[1]", "b"], "w[0], w[1] and b"),
        (["w1", "w2", "w3", "w4", "w5"], "w1, w2, w3, w4 and 1 more"),
        (TABLE, "w (12 elements)"),
        ([*TABLE, "b[1]"], "w (12 elements) and b[1]"),
        ([*TABLE, "a", "b", "c", "v[0]", "v[1]"], "w (12 elements), a, b, c and 1 more"),
        (
            ["x[0][0]", "x[0][1]", "x[1][0]", "x[1][1]", "h"],
            "x[0] (2 elements), x[1] (2 elements) and h",
        ),
    ],
)
def test_elements_of_a_tensor_are_one_where_there_are_many(names: list[str], text: str) -> None:
    with stepgrad.record() as recording:
        for name in names:
            Value(1.0, label=name)
    assert listed(recording, range(len(names))) == text


def test_evidence_names_tensors_where_there_are_many_elements() -> None:
    found = Finding("dead", "", "", [], TABLE, [])
    assert found.evidence == "node w (12 elements)"
