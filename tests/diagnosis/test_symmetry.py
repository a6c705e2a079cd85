"""Copies, compared with a definition by the courses of all parameters."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from stepgrad import SGD, Value, record
from stepgrad.diagnosis.steps.symmetry import copies
from stepgrad.diagnosis.survey import survey

weights = st.lists(st.sampled_from([0.25, 0.5]), min_size=6, max_size=6)


@given(weights)
def test_copies_have_the_same_course(numbers: list[float]) -> None:
    with record(lines=True) as recording:
        parameters = [Value(each, label=f"w{i}") for i, each in enumerate(numbers)]
        optimizer = SGD(parameters, 0.1)
        courses: list[list[float]] = [[] for _ in parameters]
        for _ in range(4):
            hidden = [
                (w * 0.75).tanh() * v for w, v in zip(parameters, parameters[3:], strict=False)
            ]
            loss = (hidden[0] + hidden[1] + hidden[2] - 1) ** 2
            optimizer.zero_grad()
            loss.backward()
            for course, p in zip(courses, parameters, strict=True):
                course += [p.data, p.grad]
            optimizer.step()
    alike = Counter(map(tuple, courses))
    expected = {i for i, course in enumerate(courses) if alike[tuple(course)] > 1}
    found = [*copies(survey(recording))]
    assert {node for verdict in found for node in verdict.nodes} == (
        expected if len(expected) >= 3 else set()
    )
