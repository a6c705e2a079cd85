"""The spy plot: a dot for each node on the diagonal, and one for each operand."""

from stepgrad import Value, record
from stepgrad.recording.recording import Recording
from stepgrad.tui.render.spy import node_at, spy


def square() -> Recording:
    with record() as recording:
        a, b = Value(1.0), Value(2.0)
        (a * b) * a
    return recording


def dots(line: str) -> set[tuple[int, int]]:
    """The dots of the first line, as (row, column)."""
    bits = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
    return {
        (row, 2 * cell + column)
        for cell, character in enumerate(line)
        for row in range(4)
        for column in range(2)
        if character != " " and ord(character) & bits[row][column]
    }


def test_a_dot_for_each_node_and_each_operand() -> None:
    [line] = spy(square(), (0, 1, 2, 3), None, 2, 1)
    assert dots(line.plain) == {(0, 0), (1, 1), (2, 2), (2, 0), (2, 1), (3, 3), (3, 2), (3, 0)}


def test_an_empty_cell_is_a_blank() -> None:
    lines = spy(square(), (0, 1, 2, 3), None, 4, 4)
    assert lines[0].plain.endswith("   ")


def test_the_line_of_the_node_is_told_apart_and_leads_back_to_it() -> None:
    scene = (0, 1, 2, 3)
    for node in scene:
        lines = spy(square(), scene, node, 8, 4)
        bright = [y for y, line in enumerate(lines) if line.spans[0].style == "bold $current"]
        assert bright == [node]
        assert node_at(scene, node, 4) == node
    assert node_at(scene, 4, 4) is None
    assert node_at((), 0, 4) is None
