"""The spy plot: a whole graph as a matrix of dots, a row for each node, a column for each operand.

What a network is made of can be read in it at any size: layers are bands, shared weights are
stripes at the left, a chain of sums lies along the diagonal.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from textual.content import Content

from stepgrad.recording.recording import Recording
from stepgrad.tui.render import ink

_BLANK = 0x2800
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""The bits of a braille character, by row and column of its dots."""


def spy(
    recording: Recording, scene: Sequence[int], node: int | None, width: int, height: int
) -> list[Content]:
    """Return the plot in lines of cells; the line that holds `node` is bright."""
    lines = [Content.styled(line, ink.QUIET) for line in _plot(recording, scene, width, height)]
    if node in scene and lines:
        line = scene.index(node) * height // len(scene)
        lines[line] = Content.styled(lines[line].plain, ink.CURRENT)
    return lines


def node_at(scene: Sequence[int], y: int, height: int) -> int | None:
    """Return the first node of a line of the plot."""
    if not 0 <= y < height or not scene:
        return None
    return scene[min(-(-y * len(scene) // height), len(scene) - 1)]


@lru_cache(maxsize=4)
def _plot(recording: Recording, scene: Sequence[int], width: int, height: int) -> tuple[str, ...]:
    """Draw the dots; the nodes are spread evenly over the rows, and over the columns."""
    cells = [[_BLANK] * width for _ in range(height)]
    place = {node: i for i, node in enumerate(scene)}
    rows, columns, count = height * 4, width * 2, max(len(scene), 1)
    for i, node in enumerate(scene):
        row = i * rows // count
        for operand in (node, *recording.node(node).operands):
            if operand in place:
                column = place[operand] * columns // count
                cells[row // 4][column // 2] |= _DOTS[row % 4][column % 2]
    # Not every font has the braille blank.
    return tuple("".join(map(chr, line)).replace(chr(_BLANK), " ") for line in cells)
