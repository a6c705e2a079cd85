"""The top line: which recording, which way, where in it, and what the checks say."""

from textual.content import Content

from stepgrad.replay.numbers import number
from stepgrad.replay.state import State
from stepgrad.replay.titles import short_title
from stepgrad.tui.render import ink


def header(state: State, name: str, passed: int, promised: int, width: int) -> Content:
    """Return the header, `width` cells wide; `passed` of `promised` checks hold already.

    Where it is too narrow for all, the root goes first, then the checks, then the name.
    """
    phase = state.phase
    style = ink.PHASES.get(phase or "", ink.QUIET)
    where = f"event {state.position}/{state.recording.length}"
    named: list[ink.Span] = [(f" {ink.fit(name, width // 3).strip()} ", ink.NAME)]
    left: list[ink.Span] = [(" ", "")]
    if phase and phase != "mark":
        left += [(f"{ink.ARROWS[phase]} {phase.upper()}", f"bold {style}"), ("  ", "")]
    left.append((where, ""))
    if state.step is not None:
        left.append((f"  step {state.step}", ""))
    verdict = ink.FORWARD if passed == promised else ink.QUIET
    checks: list[ink.Span] = [(f"checks {passed}/{promised} ", verdict)] if promised else []
    shorter: tuple[tuple[list[ink.Span], list[ink.Span]], ...] = (
        ([*named, *left], [*_root(state), *checks]),
        ([*named, *left], checks),
        ([*named, *left], []),
        (left, []),
        ([(f" {where}", "")], []),
    )
    for start, end in shorter:
        line, tail = ink.line(*start), ink.line(*end)
        gap = width - line.cell_length - tail.cell_length
        if gap >= (2 if end else 0):
            break
    return (line + " " * gap + tail).truncate(width)


def _root(state: State) -> list[ink.Span]:
    """The output and its value, as soon as there is one."""
    root = state.destination
    value = None if root is None else state.value(root)
    if root is None or value is None:
        return []
    name = ink.fit(short_title(state.recording, root), 12).strip()
    return [(f"{name} = ", ink.QUIET), (number(value), ink.NAME), ("   ", "")]
