"""Which node a typed name means: one rule for every command, option and edit that takes a name."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from stepgrad.errors import StepgradError, suggest
from stepgrad.recording.numbered import FORMS, unnumbered
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
    what it computes (`w·x`, also typed `w*x`), or by what a voice says of it (`row1 x2`, `w times
    x`). What a loop makes again, `h₁`, is also `h1`, and `h` is any of them. Of several nodes with
    the same name it is the latest one made so far, or else the first to come.

    Raises:
        AmbiguousNameError: several names end like this.
    """
    recording = state.recording
    made = recording.names(state.position)
    named = _named({**recording.names(recording.length), **made}, text)
    if len({*map(unnumbered, named)}) > 1:
        listed = ", ".join(named[:_LISTED]) + ", …" * (len(named) > _LISTED)
        raise AmbiguousNameError(f"`{text}` matches {len(named)} nodes: {listed}")
    if named:
        latest = max((made[name] for name in named if name in made), default=None)
        coming = (recording.first_named(name, state.position) for name in named)
        return min(coming) if latest is None else latest
    if re.fullmatch(r"#\d{1,18}", text, re.ASCII) and int(text[1:]) < recording.size:
        return int(text[1:])
    if re.fullmatch(r"\w+", text, re.ASCII):
        return None  # what a node computes is never a bare word, and takes seconds to write for all
    typed = {_as_typed(text), _as_typed(text.removeprefix("(").removesuffix(")"))}
    for node in state.scene:
        told = title(recording, node)
        written = map(_as_typed, (told, short_title(recording, node)))
        if not typed.isdisjoint(written) or text == spoken(told):
            return node
    return None


def _as_typed(title: str) -> str:
    """Return what a node computes in the signs of a keyboard: `p-t` for `p − t`."""
    return "".join(title.replace("²", "**2").translate(_KEYS).split())


_KEYS = str.maketrans({"−": "-", "·": "*"})


def near(state: State, text: str, *others: str) -> str:
    """`"; did you mean w1?"` for the name, or other word, nearest to `text`; empty for none."""
    everywhere = state.recording.names(state.recording.length)
    endings = dict.fromkeys(name.rpartition("/")[2] for name in everywhere)
    return suggest(text, [*others, *everywhere, *endings])


def _named(everywhere: Collection[str], text: str) -> Sequence[str]:
    """Return the names that a text is, or else those that it ends."""
    for forms in FORMS:
        whole = [name for name in everywhere if text in {form(name) for form in forms}]
        ends = [n for n in everywhere if any(form(n).endswith(f"/{text}") for form in forms)]
        if " " in text and not whole and not ends:
            ends = [name for name in everywhere if f" {spoken(name)}".endswith(f" {text}")]
        if whole or ends:
            return whole or ends
    return ()
