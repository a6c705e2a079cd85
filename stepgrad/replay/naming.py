"""Which node a typed name means: one rule for every command, option and edit that takes a name."""

from __future__ import annotations

import re

from stepgrad.errors import StepgradError, suggest
from stepgrad.replay.state import State
from stepgrad.replay.telling.spoken import spoken
from stepgrad.replay.telling.titles import short_title, title

_LISTED = 5
"""The most names that an ambiguous one lists."""


class AmbiguousNameError(StepgradError):
    """A name that ends several others; lists them."""


def find_node(state: State, text: str) -> int | None:
    """Return the node that `text` names, or None.

    A node is known by its name (`row1/x2`), by the end of that (`x2`), by its number (`#12`), by
    what it computes (`w·x`), or by what a voice says of it (`row1 x2`, `w times x`). Of several
    nodes with the same name it is the latest one made so far, or else the first to come.

    Raises:
        AmbiguousNameError: several names end like this.
    """
    recording = state.recording
    everywhere = recording.names(recording.length)
    if text in everywhere:
        return _latest(state, text)
    if re.fullmatch(r"#\d{1,18}", text, re.ASCII) and int(text[1:]) < recording.size:
        return int(text[1:])
    ending = [name for name in everywhere if name.endswith(f"/{text}")]
    if " " in text and not ending:
        heard = f" {text}"
        ending = [name for name in everywhere if f" {spoken(name)}".endswith(heard)]
    if len(ending) > 1:
        listed = ", ".join(ending[:_LISTED]) + ", …" * (len(ending) > _LISTED)
        raise AmbiguousNameError(f"`{text}` matches {len(ending)} nodes: {listed}")
    if ending:
        return _latest(state, ending[0])
    if re.fullmatch(r"\w+", text, re.ASCII):
        return None  # what a node computes is never a bare word, and takes seconds to write for all
    titled = (title(recording, node) for node in state.scene)
    return next((n for n, t in zip(state.scene, titled, strict=True)
                 if text in (t, short_title(recording, n), spoken(t))), None)  # fmt: skip


def near(state: State, text: str, *others: str) -> str:
    """`"; did you mean w1?"` for the name, or other word, nearest to `text`; empty for none."""
    everywhere = state.recording.names(state.recording.length)
    endings = dict.fromkeys(name.rpartition("/")[2] for name in everywhere)
    return suggest(text, [*others, *everywhere, *endings])


def _latest(state: State, name: str) -> int:
    node = state.find(name)
    return state.recording.first_named(name) if node is None else node
