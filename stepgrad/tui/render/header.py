"""The top line: which recording, which way, where in it, and what the checks say."""

from textual.content import Content

from stepgrad.replay.numbers import number
from stepgrad.replay.state import State
from stepgrad.replay.titles import short_title
from stepgrad.tui.render import ink


def header(state: State, name: str, passed: int, promised: int, width: int) -> Content:
    """Return the header, `width` cells wide; `passed` of `promised` checks hold already."""
    phase = state.phase
    style = ink.PHASES.get(phase or "", ink.QUIET)
    where = f"event {state.position}/{state.recording.length}"
    left: list[ink.Span] = [(f" {name} ", ink.NAME), (" ", "")]
    if phase and phase != "mark":
        left += [(f"{ink.ARROWS[phase]} {phase.upper()}", f"bold {style}"), ("  ", "")]
    left.append((where, ""))
    if state.step is not None:
        left.append((f"  step {state.step}", ""))
    verdict = ink.FORWARD if passed == promised else ink.QUIET
    checks: list[ink.Span] = [(f"checks {passed}/{promised} ", verdict)] if promised else []
    line = Content.assemble(*left)
    for right in ([*_root(state), *checks], checks, []):  # what has room, the root going first
        tail = Content.assemble(*right)
        gap = width - line.cell_length - tail.cell_length
        if gap >= 2:
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
