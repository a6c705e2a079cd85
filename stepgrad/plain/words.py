"""What answers are made of: names, numbers and keys as a voice says them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from stepgrad.numbers import number
from stepgrad.printable import counted, printable
from stepgrad.recording.recording import Recording
from stepgrad.replay.commands.hints import Keymap, with_keys
from stepgrad.replay.commands.table import KEYS
from stepgrad.replay.graph.contents import Fold, Node
from stepgrad.replay.telling.spoken import read_out, spoken, spoken_key
from stepgrad.replay.telling.titles import definition, title

MOST = 12
"""The most things of a kind in one answer: what a listener keeps in mind, and more."""

SPOKEN_KEYS: Keymap = {name: [spoken_key(keys[0])] if keys else [] for name, keys in KEYS.items()}
"""The keys of the commands, as messages name them."""


def read_message(text: str) -> str:
    """Say a message: it may name commands, and have notation in it."""
    return sentence(read_out(with_keys(printable(text), SPOKEN_KEYS)))


def sentence(text: str) -> str:
    """End a text."""
    return text if not text or text[-1] in ".?!:" else f"{text}."


def name_of(recording: Recording, node: int) -> str:
    """Say what a node is called, or what it computes."""
    return spoken(printable(title(recording, node)))


def place_of(node: Node) -> str:
    """Say what a node is called; one without a name, which others may be called as well, where."""
    called, scope = name_of(node.state.recording, node.index), spoken(node.scope)
    named = node.state.node(node.index).name or node.state.node(node.index).constant
    return called if named or not scope else f"{called} in {scope}"


def definition_of(recording: Recording, node: int) -> str:
    """Say what a node computes; empty for a leaf, and where that is all its name says."""
    text = printable(definition(recording, recording.node(node)))
    return "" if text == title(recording, node) else spoken(text)


def read_number(x: float) -> str:
    """Say a number."""
    return spoken(number(x))


def numbers_of(node: Node) -> str:
    """Say the value of a node, and its gradient or tangent: a clause for each."""
    if node.value is None:
        return "not computed yet"
    told = read_number(node.value)
    if node.state.node(node.index).constant:
        return f"{told}, a constant"
    if node.grad is None and node.tangent is not None:
        return f"{told}, and its tangent is {read_number(node.tangent)}"
    if node.grad is not None:
        return f"{told}, and its gradient is {read_number(node.grad)}"
    if node.state.never_reached(node.index):
        return f"{told}, and no gradient ever"
    return told if node.state.root is None else f"{told}, and no gradient yet"


def told_box(box: Node | Fold) -> str:
    """Say a node with its numbers, or a folded scope with a summary of them."""
    if isinstance(box, Node):
        return sentence(f"{place_of(box)} is {numbers_of(box)}")
    told = f"Scope {spoken(printable(box.line.scope))} is folded: {counted(box.count, 'node')}"
    if box.span:
        told += f", with gradients of sizes {read_out(box.span.replace('…', ' to '))}"
    for sign, share in re.findall(r"(\S+) (\S+%)", box.shares):
        told += f"; {share.replace('<', 'less than ')} of them are {_SHARES[sign]}"
    return sentence(told)


_SHARES = {"!nan": "not a number", "0": "0", "∅": "never reached"}
"""What the signs of a folded scope mean."""


def some(sentences: Iterable[str], count: int, most: int = MOST, of: str = "node") -> Iterator[str]:
    """Yield the first sentences, and how many are left out."""
    yield from islice(sentences, most)
    if count > most:
        yield f"And {counted(count - most, f'more {of}')}."


def listed(words: Sequence[str]) -> str:
    """Join words: `a, b and c`."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last
