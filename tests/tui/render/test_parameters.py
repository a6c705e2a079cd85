"""The rows of parameters: names that stay distinct."""

import pytest

from stepgrad.tui.render.parameters import shortened

NAMES = [f"layer{i}/neuron{j}/{last}" for i in (1, 2) for j in (1, 2) for last in ("w1", "b")]


@pytest.mark.parametrize(
    ("room", "first"),
    [(30, "layer1/neuron1/w1"), (16, "layer1/neuro1/w1"), (13, "lay1/neu1/w1"), (8, "l1/n1/w1")],
)
def test_names_are_shortened_until_they_fit(room: int, first: str) -> None:
    short = shortened(NAMES, room)
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
def test_names_of_modules_are_shortened_and_what_is_named_last(room: int, first: str) -> None:
    names = [f"encoder.l{i}.{last}" for i in (1, 2) for last in ("weight[0]", "weight[1]", "bias")]
    short = shortened(names, room)
    assert short[0] == first
    assert len(set(short)) == len(names)


def test_names_that_would_become_alike_stay_as_they_are() -> None:
    assert shortened(["alpha/w", "alto/w"], 3) == ["alpha/w", "alto/w"]
    assert shortened(["alpha/w", "beta/w"], 3) == ["a/w", "b/w"]
    assert shortened(["w", "b"], 0) == ["w", "b"]
