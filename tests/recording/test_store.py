"""Recording files: what is saved comes back, and what is not a valid recording is refused."""

from __future__ import annotations

import io
import json
import math
import os
import pickle
import random
import struct
import sys
import tracemalloc
from array import array
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile
from zlib import crc32, decompress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graphs import Graph, Program, graphs, programs, run, wild
from imitation import FILE, Engine, train, trained
from odd_runs import ODD_NAMES, odd_sessions
from replay_runs import training, two_layer
from stepgrad import MLP, SGD, Adam, Recording, State, Value, clip_norm, mark, record, scope
from stepgrad.engine.tape import Place, Rule, at_line, seed
from stepgrad.errors import RecordingError
from stepgrad.progress import watching
from stepgrad.recording.blocks import Backward, Block, Forward, Marked, Write
from stepgrad.recording.foreign.sweep import ForeignBackward
from stepgrad.recording.recording import Source
from stepgrad.recording.store import VERSION
from stepgrad.recording.store.packing import Damaged, pack, passes_in_piece, unpack, unpack_place
from stepgrad.replay.session import Session

files = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "recording.stepgrad"


def reopened(recording: Recording, path: Path) -> Recording:
    recording.save(path)
    return Recording.load(path)


def bits(column: Any) -> bytes:
    return array("d", column[:]).tobytes()


def described(block: Block, shapes: dict[object, int]) -> tuple[object, ...]:
    """All that a block says; a shape is a number, which shows whether it is shared."""
    match block:
        case Forward(start, structure, base, values, tangents, earlier, context):
            number = shapes.setdefault(structure, len(shapes))
            made = structure.codes, structure.refs, structure.outer
            said = list(context.names.items()), list(context.places)
            bases = [each.base for each in earlier]
            columns = bits(values), bits(tangents or [])
            return "forward", start, number, made, base, columns, bases, said
        case ForeignBackward(sweep=sweep):
            number = shapes.setdefault(sweep, len(shapes))
            walked = block.nodes, sweep.computed, sweep.outs, sweep.slots, sweep.receivers
            told = sweep.places, sweep.lines, sweep.by_path, [each.base for each in block.over]
            return "foreign", block.start, number, walked, told, block.root, bits(block.after)
        case Backward(start, sweep, over, grads):
            number = shapes.setdefault(sweep, len(shapes))
            walked = block.nodes, sweep.computed, sweep.outs, sweep.slots, sweep.receivers
            bases = [each.base for each in over]
            return "backward", start, number, walked, block.root, bases, bits(grads), block.length
        case Write(start, writes, after, rule):
            number = shapes.setdefault(writes, len(shapes))
            return "write", start, number, writes.kinds, writes.nodes, bits(after), ruled(rule)
        case Marked():
            return "mark", block.start, block.kind, block.number
    raise AssertionError(block)


def ruled(rule: Rule | None) -> object:
    if rule is None:
        return None
    columns = [(name, bits(column)) for name, column in rule.columns.items()]
    return rule.method, list(rule.numbers), bits(list(rule.numbers.values())), columns


def everything(recording: Recording) -> list[object]:
    """All that a recording holds, so that equal means equal in every bit."""
    shapes: dict[object, int] = {}
    return [
        recording.title,
        recording.source,
        recording.length,
        recording.size,
        recording.steps,
        list(recording.labels.items()),
        recording.names(recording.length),
        [*recording.remarks],
        [described(block, shapes) for block in recording.blocks],
    ]


def all_events(recording: Recording) -> list[str]:
    return [f"{event} {getattr(event, 'by_hand', None)}" for event in recording.events]


def noted(program: Program) -> Recording:
    with record() as recording:
        run(program, [Value(1.5, label="a"), Value(-0.5)])
    return recording


def learned(graph: Graph, steps: int) -> Recording:
    with record() as recording:
        leaves = [Value(leaf, label=f"w{i}") for i, leaf in enumerate(graph.leaves)]
        optimizer = SGD(leaves, 0.1)
        for step in range(steps):
            mark("step", step)
            graph.extend(leaves)[-1].backward()
            optimizer.step()
            optimizer.zero_grad()
    return recording


# What is saved comes back.


@files
@given(program=programs())
def test_a_program_comes_back(path: Path, program: Program) -> None:
    recording = noted(program)
    loaded = reopened(recording, path)
    assert everything(loaded) == everything(recording)
    assert all_events(loaded) == all_events(recording)
    for position in range(recording.length + 1):
        before, after = State(recording, position), State(loaded, position)
        assert list(after.scene) == list(before.scene)
        for node in range(recording.size):
            assert repr(after.value(node)) == repr(before.value(node))
            assert repr(after.grad(node)) == repr(before.grad(node))


@files
@given(graph=graphs(wild), steps=st.integers(1, 12))
def test_training_comes_back(path: Path, graph: Graph, steps: int) -> None:
    recording = learned(graph, steps)
    loaded = reopened(recording, path)
    assert everything(loaded) == everything(recording)
    assert all_events(loaded) == all_events(recording)


@files
@given(session=odd_sessions())
def test_odd_names_and_numbers_come_back(path: Path, session: Session) -> None:
    assert everything(reopened(session.recording, path)) == everything(session.recording)


@files
@given(program=programs())
def test_the_same_recording_is_the_same_file(path: Path, program: Program) -> None:
    recording = noted(program)
    loaded = reopened(recording, path)
    first = path.read_bytes()
    recording.save(path)
    second = path.read_bytes()
    loaded.save(path)
    assert first == second == path.read_bytes()


@files
@given(graph=graphs(wild), data=st.data())
def test_passes_that_programs_run_themselves_come_back(
    path: Path, graph: Graph, data: st.DataObject
) -> None:
    with record(lines=True) as recording:
        engine = Engine()
        nodes = engine.run(graph)
        edges = [(out, slot) for out in nodes for slot, _ in engine.edges(out)]
        for root in data.draw(st.lists(st.sampled_from(nodes), max_size=3)):
            engine.seed(root)
            for out, slot in data.draw(st.lists(st.sampled_from(edges))) if edges else ():
                engine.set(out, slot, data.draw(wild))
            engine.door.ended(by_path=data.draw(st.booleans()))
            engine.make("tanh", root)
        engine.door.remark("odd", nodes[-1], (3, FILE), "a remark")
    loaded = reopened(recording, path)
    assert everything(loaded) == everything(recording)
    assert all_events(loaded) == all_events(recording)


def test_steps_of_an_engine_that_is_not_ours_take_about_as_much_room(
    path: Path, tmp_path: Path
) -> None:
    with record(lines=True) as ours:
        w, b = Value(0.5), Value(-0.5)
        for step in range(300):
            x = Value(1.0 + step % 3)
            loss = ((w * x + b).tanh() - 0.3) ** 2
            w.grad = b.grad = 0.0
            loss.backward()
            for p in (w, b):
                p.data -= 0.1 * p.grad
    theirs = trained(300)
    assert theirs.length == ours.length
    ours.save(tmp_path / "ours")
    theirs.save(path)
    assert path.stat().st_size < (tmp_path / "ours").stat().st_size + ours.length


def test_an_empty_recording_comes_back(path: Path) -> None:
    assert reopened(Recording(), path).length == 0


@pytest.mark.parametrize("steps", [255, 256, 257, 700])
def test_long_training_comes_back_in_pieces(path: Path, steps: int) -> None:
    recording = training(steps)
    loaded = reopened(recording, path)
    order = list(range(recording.length))
    random.Random(1).shuffle(order)
    assert all(repr(loaded.events[i]) == repr(recording.events[i]) for i in order[:2000])
    assert everything(loaded) == everything(recording)


def test_passes_of_many_shapes_share_what_was_shared(path: Path) -> None:
    w = Value(0.5, label="w")
    with record() as recording:
        for step in range(40):
            y = w * 2.0 if step % 3 else w + w
            (y if step % 5 else y.tanh()).backward()
    assert everything(reopened(recording, path)) == everything(recording)


def test_a_pass_over_several_blocks_comes_back(path: Path) -> None:
    with record() as recording:
        x = Value(3.0)
        for _ in range(5):
            y = x * x
            x.data += 1.0
            z = y * x + 1.0
            z.backward()
            y.backward()
    assert everything(reopened(recording, path)) == everything(recording)


def test_a_leaf_and_a_constant_can_be_roots(path: Path) -> None:
    with record() as recording:
        x = Value(3.0)
        x.backward()
        y = x * 2.0
        y._operands[1].backward()
    assert everything(reopened(recording, path)) == everything(recording)


def test_every_bit_of_a_number_comes_back(path: Path) -> None:
    patterns = [0x7FF8000000000001, 0xFFF8DEADBEEF0001, 0x8000000000000000, 1, 0x7FF0 << 48]
    numbers = array("d", struct.pack("<5Q", *patterns))
    with record() as recording:
        for number in numbers:
            Value(number)
    loaded = reopened(recording, path)
    [block] = loaded.blocks
    assert isinstance(block, Forward)
    assert bits(block.values) == numbers.tobytes()


def test_what_was_said_about_a_recording_comes_back(path: Path) -> None:
    with record() as recording:
        recording.title = "μ"
        texts = Source("dir/a.yaml", "x\r\ny: 1\n"), Source("b.py", "")
        recording.sources = {source.path: source for source in texts}
        with scope("layer"), at_line(7):
            x = Value(2.0, label="x")
        y = x * 3.0
        y.backward()
        y.label = "late"
        mark("epoch")
        mark("step", 10**30)
        mark("step", -1)
    loaded = reopened(recording, path)
    assert loaded.title == "μ"
    assert loaded.sources == recording.sources
    assert loaded.source == texts[0]
    assert loaded.node(0).place == Place("layer", 7)
    assert loaded.names(loaded.length) == recording.names(recording.length)
    assert [b.number for b in loaded.blocks if isinstance(b, Marked)] == [None, 10**30, -1]


def test_lines_of_writes_come_back(path: Path) -> None:
    with record(lines=True) as recording:
        x = Value(2.0)
        x.grad = 1.0
        x.grad = 2.0
    ends = [State(recording, end) for end in (2, 3)]
    assert [state.place and state.place.file for state in ends] == [__file__] * 2
    back = reopened(recording, path)
    assert [State(back, end).place for end in (2, 3)] == [state.place for state in ends]


@pytest.mark.parametrize("rate", [0.1, 0, 1e-300, float("inf"), float("nan"), -0.0])
def test_rules_come_back(path: Path, rate: float) -> None:
    w = Value(1.0)
    with record() as recording:
        SGD([w], rate).step()
        w.data = 3.0
    rules = [b.rule for b in reopened(recording, path).blocks if isinstance(b, Write)]
    assert list(map(ruled, rules)) == [ruled(Rule("sgd", {"learning_rate": rate})), None]


@pytest.mark.parametrize("optimizer", [SGD, Adam, lambda values, rate: SGD(values, rate, 0.9)])
def test_what_an_optimizer_remembers_comes_back(
    path: Path, optimizer: Callable[[list[Value], float], SGD | Adam]
) -> None:
    values = [Value(1.0), Value(-2.0)]
    with record() as recording:
        descent = optimizer(values, 0.1)
        for _ in range(3):
            (values[0] * values[1]).backward()
            clip_norm(values, 0.5)
            descent.step()
    loaded = reopened(recording, path)
    assert everything(loaded) == everything(recording)
    assert list(map(repr, loaded.events)) == list(map(repr, recording.events))


def test_a_learning_rate_that_changes_costs_no_run(path: Path) -> None:
    w = Value(1.0)
    optimizer = SGD([w], 1.0)
    with record() as recording:
        for step in range(1, 300):
            optimizer.learning_rate = 1 / step
            (w * w).backward()
            optimizer.step()
    assert everything(reopened(recording, path)) == everything(recording)
    assert len(manifest_of(path)["blocks"]) < 5


@pytest.mark.parametrize("name", ["\ud800", *ODD_NAMES])
def test_any_text_is_a_name(path: Path, name: str) -> None:
    with record() as recording:
        recording.title = name
        Value(1.0, label=name)
    assert everything(reopened(recording, path)) == everything(recording)


def test_a_recording_is_saved_as_far_as_it_has_come(path: Path) -> None:
    with record() as recording:
        x = Value(2.0)
        (x * x).backward()
        loaded = reopened(recording, path)
        (x * x).backward()
    assert loaded.length == 5 < recording.length


def test_the_file_may_go_when_it_is_loaded(path: Path) -> None:
    recording = training(20)
    loaded = reopened(recording, path)
    path.unlink()
    assert everything(loaded) == everything(recording)


def test_saving_says_how_far_it_is(path: Path) -> None:
    told: list[float] = []
    with watching(told.append):
        training(2000).save(path)
    assert told == sorted(told)
    assert len(told) > 10
    assert 0 <= told[0] < told[-1] <= 1


def test_a_path_may_be_a_text(path: Path) -> None:
    two_layer().save(str(path))
    assert Recording.load(str(path)).length == 26


# Columns.


@pytest.mark.parametrize("width", [(1 << 14) - 1, (1 << 14) + 1, 1 << 16, (1 << 16) + 5])
def test_long_columns_come_back(width: int) -> None:
    noise = random.Random(width)
    columns: list[array[Any]] = [
        array("d", [noise.gauss(0, 1) for _ in range(width)]),
        array("d", [0.0, -0.0, math.inf, math.nan] * (width // 4) + [1.0] * (width % 4)),
        array("q", [noise.choice((1, -1, 3, -(1 << 63))) for _ in range(width)]),
        array("q", [at % 300 for at in range(width)]),
    ]
    for column in columns:
        piece = memoryview(pack([column]))
        [found] = unpack(piece, column.typecode, 1, width)
        assert found.tobytes() == column.tobytes()
        [entry] = unpack_place(piece, column.typecode, 1, width, width - 1)
        assert struct.pack("d", entry) == struct.pack("d", column[-1])


def test_a_long_pass_comes_back(path: Path) -> None:
    with record() as recording:
        w = Value(0.5, label="w")
        (w * w).backward()
        total = w
        for at in range(12_000):
            total = total + w * at
        total.backward()
    recording.save(path)
    loaded = Recording.load(path)
    theirs = [block.structure for block in loaded.blocks if isinstance(block, Forward)]
    ours = [block.structure for block in recording.blocks if isinstance(block, Forward)]
    assert max(len(each.refs) for each in ours) > 1 << 15
    assert [each.content for each in theirs] == [each.content for each in ours]


@given(st.data())
def test_columns_come_back(data: st.DataObject) -> None:
    width = data.draw(st.integers(0, 9))
    number = st.integers(-(2**63), 2**63 - 1) | st.integers(-5, 5)
    column = st.lists(number, min_size=width, max_size=width).map(lambda row: array("q", row))
    columns = data.draw(st.lists(column, min_size=1, max_size=9))
    piece = memoryview(pack(columns))
    assert unpack(piece, "q", len(columns), width) == columns
    for place in range(width):
        numbers = unpack_place(piece, "q", len(columns), width, place)
        assert list(numbers) == [column[place] for column in columns]


def test_smooth_numbers_take_little_room() -> None:
    columns = [array("d", [1 / (step + place) for place in range(100)]) for step in range(1, 201)]
    assert len(pack(columns)) < 0.4 * 8 * 100 * 200


def test_a_file_is_the_same_on_every_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    columns = [array("d", [1.5, -2.0, step]) for step in range(5)]
    other = "big" if sys.byteorder == "little" else "little"
    swapped = [column[:] for column in columns]
    for column in swapped:
        column.byteswap()
    piece = memoryview(pack(columns))
    monkeypatch.setattr(sys, "byteorder", other)
    assert pack(swapped) == piece
    assert unpack(piece, "d", 5, 3) == swapped
    assert list(unpack_place(piece, "d", 5, 3, 2)) == [column[2] for column in swapped]


def test_pieces_are_of_a_size_to_be_unpacked_in_milliseconds() -> None:
    assert [passes_in_piece(width) for width in (1, 300, 65536, 65537, 10**7)] == [
        256,
        218,
        1,
        1,
        1,
    ]


def by_the_book(piece: bytes, k: int, n: int) -> list[bytes]:
    """Read a piece as the format says, and as slowly."""
    order, lag, content = piece[0], piece[1], decompress(piece[2:])
    entries = [
        sum(content[weight * k * n + place] << 8 * weight for weight in range(8))
        for place in range(k * n)
    ]
    columns = [[entries[entry * k + column] for entry in range(n)] for column in range(k)]
    if order:
        columns = [[-(z + 1) // 2 if z % 2 else z // 2 for z in column] for column in columns]
    for _ in range(order):
        for i in range(lag, k):
            before = columns[i - lag]
            columns[i] = [(a + b) % 2**64 for a, b in zip(before, columns[i], strict=True)]
    return [struct.pack(f"<{n}Q", *(entry % 2**64 for entry in column)) for column in columns]


def linked(blocks: list[Block], shapes: list[object]) -> list[bytes]:
    """What is said of each forward and each backward block, besides numbers."""
    passes = [b for b in blocks if isinstance(b, Forward)]
    contexts = [*dict.fromkeys(repr(b.context) for b in passes)]
    found: dict[tuple[int, bool], list[bytes]] = {}
    made = 0
    for block in blocks:
        match block:
            case Forward():
                said = contexts.index(repr(block.context)), *map(passes.index, block.earlier)
                made += 1
                key = shapes.index(block.structure), block.tangents is not None
            case Backward():
                said = (made - 1 - passes.index(block.over[0]),)
                key = shapes.index(block.sweep), False
            case _:
                continue
        found.setdefault(key, []).append(array("q", said).tobytes())
    count = len({id(b.structure) for b in passes})
    order = sorted(found, key=lambda key: (key[0] >= count, key[1], key[0]))
    return [row for key in order for row in found[key]]


def trained_both_ways() -> Recording:
    network = MLP.drawn([2, 4, 1], ["tanh", "tanh"], random.Random(1))
    sgd = SGD(network.parameters(), 0.05)
    with record() as recording:
        for step in range(300):
            mark("step", step)
            for row in ([0.0, 1.0], [1.0, 1.0]):
                (network([Value(x) for x in row])[0] - 1).backward()
            sgd.step()
            sgd.zero_grad()
        for number in (1.0, 2.0):
            x = Value(number)
            seed(x, 1.0)
            x.tanh()
            mark("next")
    return recording


def test_the_format_is_as_it_is_told(path: Path) -> None:
    recording = trained_both_ways()
    recording.save(path)
    manifest = manifest_of(path)
    with ZipFile(path) as archive:
        content = archive.read("columns")
    lengths = iter(manifest["pieces"])

    def taken() -> bytes:
        nonlocal content
        length = next(lengths)
        piece, content = content[:length], content[length:]
        return piece

    blocks = recording.blocks
    forwards = [b for b in blocks if isinstance(b, Forward)]
    structures = [*dict.fromkeys(b.structure for b in forwards)]
    sweeps = dict.fromkeys(b.sweep for b in blocks if isinstance(b, Backward))
    for entry, sweep in zip(manifest["sweeps"], sweeps, strict=True):
        entry["nodes"] = sweep.width
    for _ in range(4 + 2):
        taken()
    uses = Counter(tuple(block) for n, period in manifest["blocks"] for block in n * period)
    columns: dict[str, list[bytes]] = {"forward": [], "dual": [], "backward": [], "write": []}
    tables = ("structures", "structures", "sweeps", "writes")
    links: list[bytes] = []
    for kind, table in zip([*columns][:3], tables[:3], strict=True):
        for which in range(len(manifest[table])):
            n = (
                1
                if kind == "backward"
                else 1 + len({number for number, _ in structures[which].outer})
            )
            count = uses[kind, which]
            together = max(1, min(256, 65536 // n))
            for first in range(0, count, together):
                links += by_the_book(taken(), min(together, count - first), n)
    assert links == linked(blocks, [*structures, *sweeps])
    for kind, table in zip(columns, tables, strict=True):
        for which, shape in enumerate(manifest[table]):
            own = shape.get("numbers", [])
            n = shape["nodes"] * (2 if kind == "dual" else 1) + len(own)
            count = uses[kind, which]
            together = max(1, min(256, 65536 // n))
            for first in range(0, count, together):
                columns[kind] += by_the_book(taken(), min(together, count - first), n)
    assert not content
    assert columns["forward"] == [bits(b.values) for b in forwards if b.tangents is None]
    duals = [bits(b.values) + bits(b.tangents) for b in forwards if b.tangents is not None]
    assert columns["dual"] == duals
    assert len(duals) == 2
    assert columns["backward"] == [bits(b.grads) for b in blocks if isinstance(b, Backward)]
    written = [block for block in blocks if isinstance(block, Write)]
    order = list(dict.fromkeys(block.writes for block in written))
    written.sort(key=lambda block: order.index(block.writes))
    rules = [[*block.rule.numbers.values()] if block.rule else [] for block in written]
    wanted = [bits([*block.after, *rule]) for block, rule in zip(written, rules, strict=True)]
    assert columns["write"] == wanted


def test_the_format_of_a_pass_of_the_program_is_as_it_is_told(path: Path) -> None:
    recording = remarked(3)
    recording.save(path)
    manifest = manifest_of(path)
    with ZipFile(path) as archive:
        content = archive.read("columns")
    ends = [sum(manifest["pieces"][: i + 1]) for i in range(len(manifest["pieces"]))]
    pieces = [content[end - n : end] for end, n in zip(ends, manifest["pieces"], strict=True)]
    blocks = [block for block in recording.blocks if isinstance(block, ForeignBackward)]
    walks = [*dict.fromkeys(block.sweep for block in blocks)]
    assert len(walks) == len(manifest["walks"]) == 2
    for entry, walk, piece in zip(manifest["walks"], walks, pieces[4:6], strict=True):
        n = 2 * entry["computed"] + 3 * entry["edges"] + 1
        integers = struct.unpack(f"{n}q", by_the_book(piece, 1, n)[0])
        nodes, rest = integers[: 2 * walk.computed], integers[2 * walk.computed :]
        assert nodes == (*walk.passes[: walk.computed], *walk.offsets[: walk.computed])
        steps, slots, lines = (rest[i * walk.edges : (i + 1) * walk.edges] for i in range(3))
        assert [sum(steps[: i + 1]) for i in range(walk.edges)] == [*walk.outs]
        assert [*slots, *lines, rest[-1]] == [*walk.slots, *walk.lines]
    kept = [[[*block.after] for block in blocks if block.sweep is walk] for walk in walks]
    writes = len({block.writes for block in recording.blocks if isinstance(block, Write)})
    packed = pieces[-writes - 2 : -writes]
    for rows, walk, piece in zip(kept, walks, packed, strict=True):
        book = by_the_book(piece, len(rows), 1 + walk.edges)
        assert [[*struct.unpack(f"{1 + walk.edges}d", row)] for row in book] == rows


# What is not a valid recording is refused.


def refused(path: Path, *parts: str) -> None:
    with pytest.raises(RecordingError) as caught:
        Recording.load(path)
    assert str(caught.value).startswith(f"{path}: ")
    for part in parts:
        assert part in str(caught.value)


def read_all(path: Path) -> list[object]:
    """Look at everything that a file says."""
    loaded = Recording.load(path)
    return [*everything(loaded), all_events(loaded)]


def same_or_refused(path: Path, expected: list[object]) -> None:
    try:
        found = read_all(path)
    except RecordingError:
        return
    assert found == expected


@pytest.mark.parametrize("flip", [0x01, 0x80, 0xFF])
def test_a_changed_byte_is_noticed(path: Path, flip: int) -> None:
    recording = training(2)
    recording.save(path)
    expected = read_all(path)
    content = path.read_bytes()
    for place in range(len(content)):
        path.write_bytes(content[:place] + bytes([content[place] ^ flip]) + content[place + 1 :])
        same_or_refused(path, expected)


def test_changed_bytes_in_a_big_file_are_noticed(path: Path) -> None:
    recording = training(2000)
    recording.save(path)
    expected = everything(Recording.load(path))
    content = bytearray(path.read_bytes())
    draw = random.Random(1)
    for _ in range(100):
        places = [draw.randrange(len(content)) for _ in range(draw.randint(1, 3))]
        changed = bytearray(content)
        for place in places:
            changed[place] ^= draw.randrange(1, 256)
        path.write_bytes(changed)
        try:
            loaded = Recording.load(path)
        except RecordingError:
            continue
        assert everything(loaded) == expected


def test_a_file_cut_short_is_refused(path: Path) -> None:
    two_layer().save(path)
    content = path.read_bytes()
    for length in range(len(content)):
        path.write_bytes(content[:length])
        refused(path)
    path.write_bytes(content[:-30])
    refused(path, "damaged", "cut short", "record it again")


def zipped(**members: bytes) -> bytes:
    file = io.BytesIO()
    with ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK",
        b"\x89PNG\r\n\x1a\n" + bytes(100),
        zipped(readme=b"hello"),
        zipped(),
        pickle.dumps({"a": 1}),
        b"title: a scenario\n",
        "title: ein Szenario ü\n".encode("utf-16"),
        bytes(10_000),
    ],
)
def test_another_kind_of_file_is_refused(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    refused(path, "is not a stepgrad recording", "save")


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    refused(tmp_path, "is not a regular file")
    refused(tmp_path / "nowhere", "No such file")
    os.mkfifo(tmp_path / "pipe")
    refused(tmp_path / "pipe", "is not a regular file")
    refused(Path("/dev/zero"), "is not a regular file")
    with pytest.raises(RecordingError, match="null byte"):
        Recording.load("\0")


def manifest_of(path: Path) -> dict[str, Any]:
    with ZipFile(path) as archive:
        manifest: dict[str, Any] = json.loads(archive.read("manifest.json"))
    return manifest


def forge(path: Path, manifest: object, columns: bytes | None = None) -> None:
    """Write another manifest (or a text for it), with checksums that are right."""
    if columns is None:
        with ZipFile(path) as archive:
            columns = archive.read("columns")
    elif isinstance(manifest, dict):
        manifest["checksum"] = crc32(columns)
    text = manifest if isinstance(manifest, bytes) else json.dumps(manifest).encode()
    with ZipFile(path, "w") as archive:
        archive.writestr("manifest.json", text)
        archive.writestr("columns", columns)


def test_a_newer_file_asks_for_a_newer_stepgrad(path: Path) -> None:
    two_layer().save(path)
    manifest = manifest_of(path)
    forge(path, manifest | {"version": VERSION + 1, "producer": "stepgrad 9.9"})
    refused(path, "newer stepgrad", "stepgrad 9.9", f"format {VERSION + 1}")
    manifest["ops"][1][0] = "softplus"
    forge(path, manifest)
    refused(path, "newer stepgrad", "softplus")


def test_operations_are_known_by_their_names(path: Path) -> None:
    """Their codes may change from version to version; what is in the file counts."""
    recording = two_layer()
    recording.save(path)
    ops = manifest_of(path)["ops"]
    assert ops == [
        ["leaf", 0],
        ["mul", 2],
        ["add", 2],
        ["relu", 1],
        ["sub", 2],
        ["constant", 0],
        ["pow", 2],
    ]


def test_columns_of_another_file_are_refused(path: Path, tmp_path: Path) -> None:
    training(2).save(tmp_path / "other")
    training(3).save(path)
    with ZipFile(tmp_path / "other") as archive:
        forge(path, manifest_of(path) | {"checksum": 1}, None)
        refused(path, "another manifest")
        content = archive.read("columns")
    with ZipFile(path, "w") as archive:
        archive.writestr("manifest.json", json.dumps(manifest_of(tmp_path / "other")))
        archive.writestr("columns", content + b" ")
    refused(path, "another manifest")


def remarked(steps: int) -> Recording:
    """Training with an engine that is not ours, and what was said about it."""
    with record(lines=True) as recording:
        engine = Engine()
        train(engine, steps)
        engine.door.remark("odd", engine.leaf(1.0), (3, FILE), "a remark")
    return recording


@cache
def saved(make: Callable[[int], Recording]) -> bytes:
    """What a file holds of three steps."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "recording.stepgrad")
        make(3).save(path)
        return path.read_bytes()


ODD_VALUES: list[object] = [
    None, True, -1, 0, 1, 2, 7, 10**6, 10**12, 2**63, 2**70, 1.5, "", "x", "add", "nan", [],
    {}, [[]], [0], [1, 2], [[0, "x"]], [[10**9, [["mark", 0]]]], [[10**9, [["forward", 0]]]],
]  # fmt: skip


def places_in(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The ways to everything in a JSON value."""
    found = [path] if path else []
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            found += places_in(value[key], (*path, key))
    return found


def changed(manifest: dict[str, Any], way: tuple[Any, ...], value: object) -> dict[str, Any]:
    """Put another value in, or take one out that is `...`."""
    manifest = deepcopy(manifest)
    holder: Any = manifest
    for key in way[:-1]:
        holder = holder[key]
    if value is ...:
        del holder[way[-1]]
    else:
        holder[way[-1]] = value
    return manifest


@pytest.mark.parametrize("make", [two_layer, lambda: training(3), lambda: remarked(3)])
def test_a_forged_manifest_is_a_recording_or_refused(
    path: Path, make: Callable[[], Recording]
) -> None:
    make().save(path)
    manifest = manifest_of(path)
    forged = 0
    draw = random.Random(1)
    for way in places_in(manifest):
        for odd in (..., *draw.sample(ODD_VALUES, 4)):
            forge(path, changed(manifest, way, odd))
            try:
                read_all(path)
            except RecordingError:
                forged += 1
    assert forged > 200


@pytest.mark.parametrize("links", [[[7], []], [[], []], [[0], []], [None, []], [[1], None]])
def test_a_sweep_over_passes_that_do_not_hang_together_is_refused(
    path: Path, links: list[object]
) -> None:
    with record() as recording:
        scale = Value(0.5).tanh()
        mark("ready")
        (scale * 2.0).backward()
    recording.save(path)
    manifest = manifest_of(path)
    [sweep] = manifest["sweeps"]
    assert sweep["links"] == [[1], []]
    forge(path, changed(manifest, ("sweeps", 0, "links"), links))
    refused(path, "damaged", "a backward pass")


@files
@given(data=st.data())
def test_forged_columns_are_a_recording_or_refused(path: Path, data: st.DataObject) -> None:
    path.write_bytes(saved(data.draw(st.sampled_from([training, remarked]))))
    manifest = manifest_of(path)
    with ZipFile(path) as archive:
        columns = bytearray(archive.read("columns"))
    for _ in range(data.draw(st.integers(1, 3))):
        columns[data.draw(st.integers(0, len(columns) - 1))] ^= data.draw(st.integers(1, 255))
    forge(path, manifest, bytes(columns))
    with_errors_of_its_own(lambda: read_all(path))


@files
@given(data=st.data())
def test_forged_integers_are_a_recording_or_refused(path: Path, data: st.DataObject) -> None:
    """Codes, operands, sweeps and writes that are well packed, and wrong."""
    path.write_bytes(saved(data.draw(st.sampled_from([training, remarked]))))
    manifest = manifest_of(path)
    with ZipFile(path) as archive:
        columns = archive.read("columns")
    which = data.draw(st.integers(0, len(manifest["pieces"]) - 1))
    begin = sum(manifest["pieces"][:which])
    end = begin + manifest["pieces"][which]
    for width in range(100):
        try:
            [integers] = unpack(memoryview(columns)[begin:end], "q", 1, width)
        except Damaged:
            continue
        if width:
            place = data.draw(st.integers(0, width - 1))
            integers[place] = data.draw(st.integers(-20, 20) | st.integers(-(2**63), 2**63 - 1))
        piece = pack([integers])
        manifest["pieces"][which] = len(piece)
        forge(path, manifest, columns[:begin] + piece + columns[end:])
        with_errors_of_its_own(lambda: read_all(path))
        return


def with_errors_of_its_own(look: Callable[[], object]) -> None:
    with suppress(RecordingError):
        look()


@pytest.mark.parametrize("text", [b"", b"[]", b"nothing", b"\xff\xfe", b"[" * 200_000, b"1" * 9999])
def test_a_manifest_that_is_none_is_refused(path: Path, text: bytes) -> None:
    two_layer().save(path)
    forge(path, text)
    refused(path, "damaged")


def test_a_small_file_never_takes_much_memory(path: Path) -> None:
    training(3).save(path)
    manifest = manifest_of(path)
    forgeries: list[bytes] = []
    for key, count in (("structures", "nodes"), ("sweeps", "ordered"), ("writes", "nodes")):
        bomb = deepcopy(manifest)
        for entry in bomb[key]:
            entry[count] = 10**11
        forgeries.append(json.dumps(bomb).encode())
    for token in (["mark", 0], ["forward", 0], ["dual", 0], ["backward", 0], ["write", 0]):
        forgeries.append(json.dumps(manifest | {"blocks": [[10**13, [token]]]}).encode())
    original = path.read_bytes()
    for forged in forgeries:
        path.write_bytes(original)
        forge(path, forged)
        assert peak(path) < 2**22
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", b" " * 100_000_000)
        archive.writestr("columns", b"")
    assert peak(path) < 2**22


def peak(path: Path) -> int:
    tracemalloc.start()
    refused(path, "damaged")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def test_a_text_that_packs_well_is_no_bomb(path: Path) -> None:
    with record() as recording:
        recording.title = "a" * 10_000_000
    assert reopened(recording, path).title == recording.title


# What cannot be saved leaves what was there.


def test_what_was_there_stays_when_a_file_cannot_be_written(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_layer().save(path)
    content = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RecordingError, match=r"not written.*as it was: No space left"):
        training().save(path)
    assert path.read_bytes() == content
    assert list(path.parent.iterdir()) == [path]


def test_where_nothing_can_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="is a folder"):
        two_layer().save(tmp_path)
    with pytest.raises(RecordingError, match="No such file"):
        two_layer().save(tmp_path / "no" / "where")
    with pytest.raises(RecordingError, match="null byte"):
        two_layer().save("\0")


def test_what_no_file_can_hold_is_said(path: Path) -> None:
    with record() as recording:
        mark("step", 10**5000)
    with pytest.raises(RecordingError, match="cannot hold this recording"):
        recording.save(path)
    assert not path.exists()
