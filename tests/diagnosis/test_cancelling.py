"""Contributions that cancel, against the events."""

from __future__ import annotations

from math import fsum

from hypothesis import given
from hypothesis import strategies as st

from stepgrad import Recording, Value, record
from stepgrad.diagnosis.numbers.cancelling import cancels
from stepgrad.diagnosis.survey import survey
from stepgrad.recording.events import Accumulate, Seed


def cancelling(recording: Recording) -> set[int]:
    """The leaves whose contributions cancel in every pass, event by event."""
    passes: list[dict[int, list[float]]] = []
    for event in recording.events:
        if isinstance(event, Seed):
            passes.append({})
        elif isinstance(event, Accumulate):
            passes[-1].setdefault(event.node, []).append(event.contribution)
    return {
        leaf
        for leaf in passes[0]
        if not recording.node(leaf).operands
        and all(
            len(parts[leaf]) > 1
            and abs(sum(parts[leaf])) <= 2**-26 * fsum(map(abs, parts[leaf]))
            and any(parts[leaf])
            for parts in passes
        )
    }


terms = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.sampled_from([1.0, -1.0, 1e5, -1e5, 1e5 + 1e-6, -1e5 - 1e-6, 0.1, -0.3, 0.2, 1e12]),
        st.sampled_from(["mul", "div", "square", "tanh"]),
    ),
    min_size=1,
    max_size=8,
)


@given(terms, st.integers(1, 3), st.booleans())
def test_sums_that_cancel_in_every_pass(
    terms: list[tuple[int, float, str]], passes: int, cleared: bool
) -> None:
    with record() as recording:
        leaves = [Value(0.5), Value(1.5), Value(1.0)]
        for _ in range(passes):
            total = Value(0.0) * 1.0
            for which, factor, operation in terms:
                leaf = leaves[which]
                match operation:
                    case "mul":
                        total = total + factor * leaf
                    case "div":
                        total = total + factor / leaf
                    case "square":
                        total = total + factor * leaf**2
                    case "tanh":
                        total = total + factor * leaf.tanh()
            for leaf in leaves if cleared else []:
                leaf.grad = 0
            total.backward()
    found = [*cancels(survey(recording))]
    assert {node for each in found for node in each.nodes} == cancelling(recording)


def test_a_part_that_is_swallowed_is_no_symmetry() -> None:
    with record() as recording:
        x = Value(1.0, label="x")
        (1e17 * x + 1.0 * x - 1e17 * x).backward()
    [verdict] = cancels(survey(recording))
    assert not verdict.note
    assert "their sum is 0, of which 0 of 16 digits are right" in verdict.text


def test_an_exact_zero_is_a_note() -> None:
    with record() as recording:
        x = Value(1.0, label="x")
        (3 * x - 3 * x + 1).backward()
    [note] = cancels(survey(recording))
    assert note.note
    assert note.text.startswith("contributions to the gradient of x cancel by symmetry")


def test_only_parameters_count_where_there_are_any() -> None:
    with record() as recording:
        x, w = Value(1.0, label="x"), Value(1.0, label="w")
        (1e9 * x - (1e9 + 1) * x + w).backward()
        w.data -= 0.1 * w.grad
    assert [*cancels(survey(recording))] == []
    assert [*cancels(survey(recording, frozenset([0])))]
