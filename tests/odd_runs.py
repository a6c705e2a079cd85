"""What the tests of the renderers draw: usual recordings, and ones with everything odd in them."""

from __future__ import annotations

from math import inf, nan

from hypothesis import strategies as st

from stepgrad import Cursor, Recording, Value, record, scope
from stepgrad.replay.commands import moving, stopping
from stepgrad.replay.session import Session

WIDTHS = (1, 20, 40, 80, 200)

ODD_NAMES = (
    "x" * 300,
    "[bold]x[/]",
    "[",
    "[/red]",
    "wide 重み 勾配",
    "e\u0301\u0302 combined",
    "two\nlines",
    "tab\there",
    "esc\x1b[31m",
    "bell\x07",
    "family 👩\u200d👩\u200d👧",
    "right \u202eto left",
    "\n",
    "−",
)
ODD_NUMBERS = (0.0, -0.0, 1e300, -1e300, 5e-324, -1.23456789e-300, nan, inf, -inf, 1234567.0, 1 / 3)

odd_names = st.sampled_from(ODD_NAMES) | st.text(max_size=12)
odd_numbers = st.sampled_from(ODD_NUMBERS) | st.floats()
widths = st.integers(0, 200)


@st.composite
def odd_sessions(draw: st.DrawFn) -> Session:
    """Somewhere in a recording of odd names and odd numbers, with stops and a selection."""
    name, other, number = draw(odd_names), draw(odd_names), draw(odd_numbers)
    with record() as recording:
        recording.title = draw(odd_names)
        with scope(draw(odd_names).replace("/", "") or "s"):
            x, y = Value(number, label=name or None), Value(draw(odd_numbers), label=other or None)
        product = x * y
        product.label = other or None
        root = (product + x).relu() * 2.0
        root.label = name or None
        root.backward()
        y.grad = number
        x.data = draw(odd_numbers)
    position = draw(st.integers(0, recording.length))
    session = Session(Cursor(recording, position))
    selected = draw(st.none() | st.sampled_from(session.state.scene))
    session = session.select(selected)
    if draw(st.booleans()):
        session = stopping.toggle_stop(session, every=draw(st.booleans()))
    return moving.bookmark(session) if draw(st.booleans()) else session


def at(recording: Recording, position: int) -> Session:
    return Session(Cursor(recording, position))
