"""A diagnosis copes with whatever a program does."""

from __future__ import annotations

from hypothesis import given

from graphs import Graph, Program, graphs, programs, run, tame, writing_programs
from stepgrad import Recording, record
from stepgrad.diagnosis import QUESTIONS, Verdict, diagnose


def recorded(graph: Graph, program: Program) -> Recording:
    with record(lines=True) as recording:
        run(program, graph.build())
    return recording


@given(graphs(), programs() | writing_programs())
def test_there_is_an_answer(graph: Graph, program: Program) -> None:
    recording = recorded(graph, program)
    found = diagnose(recording)
    assert {each.name for each in found} <= {question.name for question in QUESTIONS}
    assert all(_at_hand(recording, each) for each in found)


@given(graphs(tame), writing_programs())
def test_a_diagnosis_changes_nothing(graph: Graph, program: Program) -> None:
    recording = recorded(graph, program)
    before = [*recording.events]
    diagnose(recording)
    assert repr([*recording.events]) == repr(before)


def _at_hand(recording: Recording, verdict: Verdict) -> bool:
    """Whether the evidence is in the recording."""
    events = all(0 < position <= recording.length for position in verdict.events)
    return events and all(0 <= node < recording.size for node in verdict.nodes)
