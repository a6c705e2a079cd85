"""The painting says what the graph is: read back cell by cell, it gives the same edges."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pytest
from hypothesis import given, settings

from drawings import STANDARD, Graph, chain, dags, items_of, square, sum_over_paths, two_layer
from stepgrad.drawing.layout import Box, Item, Layout, Wire, lay_out
from stepgrad.tui.render.canvas import EAST, JOINTS, NORTH, SOUTH, WEST, Canvas
from stepgrad.tui.render.painting import Border, BoxContent, Painter, WireContent, fitted
from tries import tries

STEPS = {EAST: (1, 0), WEST: (-1, 0), NORTH: (0, -1), SOUTH: (0, 1)}
BACK = {EAST: WEST, WEST: EAST, NORTH: SOUTH, SOUTH: NORTH}
ARMS = {characters[0]: arms for arms, characters in JOINTS.items()}


class Reader:
    """Follows the wires of a painting, knowing only where the boxes are."""

    def __init__(self, canvas: Canvas, boxes: Sequence[Box]) -> None:
        rows = canvas.crop(0, 0, canvas.width, canvas.height)
        self.cells = {(x, y): c for y, row in enumerate(rows) for x, c in enumerate(row.plain)}
        for box in boxes:
            for x in range(box.x, box.x + box.width):
                for y in range(box.y, box.y + box.height):
                    self.cells[x, y] = "□"
        self.seen: set[tuple[int, int, bool]] = set()

    def heads(self, x: int, y: int) -> Iterator[tuple[int, int]]:
        """The arrow heads that one reaches from a cell next to a box, going east."""
        pending = [(x, y, EAST)]
        while pending:
            x, y, ahead = pending.pop()
            character = self.cells.get((x, y), " ")
            if character == "▶":
                assert ahead == EAST, "an arrow head is entered from the left"
                yield x, y
                continue
            upright = ahead in (NORTH, SOUTH) or ARMS.get(character, 0) & (NORTH | SOUTH) != 0
            under = ahead == EAST and character == "│"
            cell = x, y, upright and not under
            assert cell not in self.seen, f"two nets share {x, y}"
            self.seen.add(cell)
            arms = EAST | WEST if under else ARMS.get(character, 0)
            assert arms & BACK[ahead], f"{character!r} at {x, y} does not go on"
            for arm, (dx, dy) in STEPS.items():
                if arms & arm and arm != BACK[ahead]:
                    pending.append((x + dx, y + dy, arm))

    def strays(self) -> list[tuple[int, int]]:
        """Cells of lines that no wire runs through."""
        seen = {(x, y) for x, y, _ in self.seen}
        return [cell for cell, c in self.cells.items() if c in ARMS and cell not in seen]


def paint(
    layout: Layout, content: Callable[[Box], BoxContent], wire: Callable[[Wire], WireContent]
) -> Canvas:
    return Painter(layout).paint(content, wire)


def read_back(layout: Layout) -> dict[int, list[tuple[int, ...]]]:
    """The operands in view of each box of each node, read off the painting."""
    reader = Reader(paint(layout, lambda _: BoxContent(), lambda _: WireContent()), layout.boxes)
    entries: dict[Box, dict[int, int]] = {box: {} for box in layout.boxes}
    for source in layout.boxes:
        if reader.cells.get(source.exit, " ") in ARMS:
            for x, y in reader.heads(*source.exit):
                [target] = [box for box in layout.boxes if box.x == x + 1 and box.covers(x + 1, y)]
                assert y not in entries[target], "two operands enter at one row"
                entries[target][y] = source.key
    assert reader.strays() == []
    told: dict[int, list[tuple[int, ...]]] = {box.key: [] for box in layout.boxes}
    for box, rows in entries.items():
        told[box.key].append(tuple(rows[y] for y in sorted(rows)))
    return told


def check(items: Sequence[Item]) -> None:
    told = read_back(lay_out(items))
    keys = {item.key for item in items}
    for item in items:
        in_view = tuple(operand for operand in item.operands if operand in keys)
        assert set(told.pop(item.key)) == {in_view}
    assert not told


@pytest.mark.parametrize("height", [1, 4])
@pytest.mark.parametrize("graph", STANDARD.values(), ids=STANDARD)
def test_a_standard_graph_can_be_read_back(graph: Graph, height: int) -> None:
    check(items_of(graph, height))


@given(dags())
@settings(max_examples=tries(300), deadline=None)
def test_any_graph_can_be_read_back(items: list[Item]) -> None:
    check(items)


def ink(graph: Graph, height: int = 1) -> str:
    """A painting with the names in the boxes and a label on every wire."""
    names = [name for name, _ in graph]

    def content(box: Box) -> BoxContent:
        name = [(names[box.key], "")]
        return BoxContent([name]) if height < 3 else BoxContent(title=name)

    def wire(each: Wire) -> WireContent:
        return WireContent("a" if each.slot == 0 else "−b")

    return paint(lay_out(items_of(graph, height)), content, wire).plain()


def drawing(text: str) -> str:
    return text.strip("\n")


def test_the_painting_of_a_chain() -> None:
    assert ink(chain()) == "[z1]── a ──▶[h]── a ──▶[z2]── a ──▶[L]"


def test_a_repeated_operand_enters_at_two_rows_from_one_join() -> None:
    assert ink(square()) == drawing("""
[x]─┬── a ──▶┌y┐
    ╰─ −b ──▶└ ┘
""")


def test_the_painting_of_two_paths_that_part_and_meet() -> None:
    assert ink(sum_over_paths()) == drawing("""
[2]──── a ──▶┌z1┐──── a ──▶[z1²]── a ──▶┌L┐
[h]─┬─ −b ──▶└  ┘ ╭── a ──▶[z2²]─ −b ──▶└ ┘
    ╰── a ──▶[z2]─╯
""")


def test_the_painting_of_framed_boxes() -> None:
    assert ink(sum_over_paths(), height=4) == drawing("""
┌2┐          ┌z1┐        ┌z1²┐          ┌L┐
│ ├──── a ──▶│  ├── a ──▶│   ├──── a ──▶│ │
│ │ ╭─ −b ──▶│  │        │   │ ╭─ −b ──▶│ │
└─┘ │        └──┘        └───┘ │        └─┘
    │                          │
┌h┐ │        ┌z2┐        ┌z2²┐ │
│ ├─┴── a ──▶│  ├── a ──▶│   ├─╯
│ │          │  │        │   │
└─┘          └──┘        └───┘
""")


def test_the_painting_of_two_layers() -> None:
    assert ink(two_layer()) == drawing("""
                                      [w2]── a ──▶┌m2┐──── a ──▶┌y┐──── a ──▶┌d┐── a ──▶[L]
[w1]── a ──▶┌m1┐──── a ──▶┌z1┐── a ──▶[h]── −b ──▶└  ┘ ╭─ −b ──▶└ ┘ ╭─ −b ──▶└ ┘
 [x]─ −b ──▶└  ┘ ╭─ −b ──▶└  ┘                    [b2]─╯        [t]─╯
            [b1]─╯
""")


def test_an_operand_out_of_view_is_an_open_end() -> None:
    layout = lay_out([Item(8, (3,), 3, 1, 3)])
    canvas = paint(layout, lambda _: BoxContent([[("h", "")]]), lambda _: WireContent("2"))
    assert canvas.plain() == " 2 ┄▶[h]"
    assert layout.wires[0].source is None


def test_a_heavy_wire_stands_out_without_colour() -> None:
    def wire(each: Wire) -> WireContent:
        return WireContent(heavy=each.target.key == 2)

    layout = lay_out(items_of([("x", ()), ("a", (0,)), ("b", (0,))]))
    assert paint(layout, lambda _: BoxContent([[("x", "")]]), wire).plain() == drawing("""
[x]━┱───────▶[x]
    ┗━━━━━━━▶[x]
""")


@pytest.mark.parametrize(
    ("border", "height", "text"),
    [
        ("none", 1, " h"),
        ("solid", 1, "[h]"),
        ("dashed", 1, "╎h╎"),
        ("heavy", 1, "┃h┃"),
        ("none", 2, "╷h\n╵"),
        ("solid", 2, "┌h┐\n└ ┘"),
        ("heavy", 3, "┏n━┓\n┃h ┃\n┗━━┛"),
        ("dashed", 3, "┌n╌┐\n╎h ╎\n└╌╌┘"),
        ("none", 3, " n\n h\n"),
    ],
)
def test_the_borders(border: Border, height: int, text: str) -> None:
    content = BoxContent([[("h", "")]], border, title=[("n", "")])
    layout = lay_out([Item(0, (), 4, height)])
    assert paint(layout, lambda _: content, lambda _: WireContent()).plain() == text


def test_the_wire_of_the_highest_rank_is_seen_on_a_shared_trunk() -> None:
    def wire(each: Wire) -> WireContent:
        current = each.target.key == 1
        return WireContent(style="bright" if current else "dim", rank=int(current))

    layout = lay_out(items_of([("x", ()), ("a", (0,)), ("b", (0,))]))
    [first, second] = paint(layout, lambda _: BoxContent([[("x", "")]]), wire).crop(3, 0, 10, 2)
    assert [str(span.style) for span in first.spans] == ["bright"]
    assert [(first.plain[:2], second.plain[:2])] == [("─┬", " ╰")]
    assert {str(span.style) for span in second.spans} == {"dim"}


def test_a_painter_paints_again_with_other_contents() -> None:
    painter = Painter(lay_out(items_of(chain())))

    def painted(name: str) -> str:
        return painter.paint(lambda _: BoxContent([[(name, "")]]), lambda _: WireContent()).plain()

    assert painted("a") != painted("b")
    assert painted("a") == painted("b").replace("b", "a")


def test_a_line_is_cut_at_a_width_in_cells() -> None:
    line = [("ab", "bold"), ("梯度", "")]
    assert list(fitted(line, 6)) == line
    assert [text for text, _ in fitted(line, 5)] == ["ab", "梯…"]
    assert [text for text, _ in fitted(line, 4)] == ["ab", " …"]
    assert "".join(text for text, _ in fitted(line, 0)) == ""
