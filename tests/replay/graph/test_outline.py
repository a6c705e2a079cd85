"""The outline of a scene: every node is shown once, or hidden by one folded scope."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from odd_runs import at
from stepgrad import Recording, Value, record, scope
from stepgrad.replay.graph.outline import FITTING, LARGE, Outline, ScopeLine, enclosing, folds
from stepgrad.replay.graph.scene import Scene

SCOPES = ("", "a", "a/b", "a/b/c", "a/d", "e", "e/b")


def nested(visits: list[int]) -> Recording:
    """A node in each of these scopes, one after the other."""
    with record() as recording:
        x = Value(1.0)
        for visit in visits:
            with scope(SCOPES[visit % len(SCOPES)]):
                x = x * 2.0
    return recording


def scene_of(recording: Recording) -> Scene:
    return at(recording, 0).state.scene


visits = st.lists(st.integers(0, len(SCOPES) - 1), max_size=20)
some_folded = st.frozensets(st.sampled_from([*SCOPES[1:], "nowhere"]))


@given(visits, some_folded)
def test_every_node_has_its_line(visits: list[int], folded: frozenset[str]) -> None:
    recording = nested(visits)
    scene = scene_of(recording)
    outline = Outline(scene, folded)
    lines = [outline[number] for number in range(len(outline))]
    shown: list[int] = []
    for line in lines:
        shown += [line] if isinstance(line, int) else line.nodes
    assert sorted(shown) == list(scene)
    for node in scene:
        number = outline.line_of(node)
        assert number is not None
        line = lines[number]
        if isinstance(line, ScopeLine):
            assert node in line.nodes
            assert line.scope in folded
        else:
            assert line == node
            around = enclosing(recording.node(node).place.scope)
            assert folded.isdisjoint(around)


@given(visits, some_folded)
def test_targets_are_the_lines_that_can_be_pointed_at_in_order(
    visits: list[int], folded: frozenset[str]
) -> None:
    scene = scene_of(nested(visits))
    outline = Outline(scene, folded)
    lines = [outline[number] for number in range(len(outline))]
    expected = [
        line if isinstance(line, int) else line.nodes[0]
        for line in lines
        if isinstance(line, int) or line.nodes
    ]
    targets = [outline.node_of(target) for target in range(outline.targets)]
    assert targets == expected
    assert [outline.target_of(node) for node in targets] == list(range(outline.targets))
    assert outline.target_of(None) is outline.line_of(-5) is None


def test_a_scope_stands_above_its_nodes_and_again_where_it_goes_on() -> None:
    outline = Outline(scene_of(nested([1, 1, 2, 1, 0])), frozenset())
    lines = [outline[number] for number in range(len(outline))]
    scopes = [line.scope if isinstance(line, ScopeLine) else line for line in lines]
    assert [each if isinstance(each, str) else "·" for each in scopes].count("a") == 2
    assert [each for each in scopes if isinstance(each, str)] == ["a", "a/b", "a", "·"]


def large(rows: int, depth: int) -> Scene:
    with record() as recording:
        x = Value(1.0)
        for row in range(rows):
            with scope("/".join(["net", f"row{row}", *map(str, range(depth))])):
                for _ in range(2 * LARGE // rows):
                    x = x * x
    return scene_of(recording)


def test_a_small_scene_opens_as_it_is_and_a_large_one_folded_so_that_it_fits() -> None:
    assert folds(scene_of(nested([1, 2, 3]))) == frozenset()
    few, many = large(5, 2), large(60, 2)
    assert [len(Outline(scene, folds(scene))) for scene in (few, many)] == [1 + 5, 1 + 1]
    assert FITTING < 1 + 60


def test_one_level_opens_after_the_other() -> None:
    scene = large(60, 2)
    opened = folds(scene) - {"net"}
    assert len(Outline(scene, opened)) == 1 + 60
    assert len(Outline(scene, opened - {"net/row0"})) == 1 + 60  # its only scope is folded in turn
    assert len(Outline(scene, frozenset())) == len(scene) + 60


def test_enclosing_scopes() -> None:
    assert list(enclosing("a/b/c")) == ["a", "a/b", "a/b/c"]
    assert list(enclosing("")) == []
