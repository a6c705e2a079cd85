"""The top line: which recording, which way, where in it, and what the checks say."""

from textual.content import Content

from stepgrad.numbers import number
from stepgrad.replay.derivatives import differential
from stepgrad.replay.session import Progress, Session
from stepgrad.replay.state import State
from stepgrad.replay.titles import short_title
from stepgrad.tui.render import ink

_BAR = 16
_SEEDS = 20


def header(
    session: Session, name: str, checks: tuple[int, int], width: int, stop: str = ""
) -> Content:
    """Return the header, `width` cells wide.

    Of the `checks`, the first number holds already and the second is promised; `stop` is the key
    that leaves a recording at what is there. Where the line is too narrow for all, the root goes
    first, then the checks, the key and the name.
    """
    state, (passed, promised) = session.state, checks
    phase = state.phase
    style = ink.PHASES.get(phase or "", ink.QUIET)
    where = f"event {state.position}/{state.recording.length}"
    named: list[ink.Span] = [(f" {ink.fit(name, width // 3).strip()} ", ink.NAME)]
    left: list[ink.Span] = [(" ", "")]
    if phase and phase != "mark":
        left += [(f"{ink.ARROWS[phase]} {phase.upper()}", f"bold {style}"), ("  ", "")]
    if state.seeds:
        left.append((f"{_seeds(state)}  ", style))
    left.append((where, ""))
    if state.step is not None:
        left.append((f"  step {state.step}", ""))
    if session.edits:
        left.append(("  edited", ink.CURRENT))
    verdict = ink.FORWARD if passed == promised else ink.QUIET
    held: list[ink.Span] = [(f"checks {passed}/{promised} ", verdict)] if promised else []
    there, bar = _recorded(session.progress, stop), _bar(session.progress)
    shorter: tuple[tuple[list[ink.Span], list[ink.Span]], ...] = (
        ([*named, *left], [*_root(state), *held, *bar, *there]),
        ([*named, *left], [*held, *bar, *there]),
        ([*named, *left], [*held, *there]),
        ([*named, *left], there),
        ([*named, *left], there[:1]),
        (left, there[:1]),
        (left, []),
        ([(f" {where}", "")], []),
    )
    for start, end in shorter:
        line, tail = ink.line(*start), ink.line(*end)
        gap = width - line.cell_length - tail.cell_length
        if gap >= (2 if end else 0):
            break
    return (line + " " * gap + tail).truncate(width)


def _recorded(progress: Progress | None, stop: str) -> list[ink.Span]:
    """How much of the recording is there, in a percentage that is never too high."""
    if progress is None:
        return []
    share = f"{int(progress.share * 100)}%"
    if progress.stopped:
        return [(f" stopped at {share} ", ink.CURRENT)]
    return [(f" recording {share} ", ink.CURRENT), (f" {stop} stops " if stop else "", ink.QUIET)]


def _bar(progress: Progress | None) -> list[ink.Span]:
    if progress is None or progress.stopped:
        return []
    filled = int(progress.share * _BAR)
    return [("  " + "━" * filled, ink.CURRENT), ("─" * (_BAR - filled), ink.QUIET)]


def _seeds(state: State) -> str:
    """What forward mode goes by: `dx = 1`."""
    titles = {node: short_title(state.recording, node) for node in state.seeds}
    seeds = (f"{differential(titles[node])} = {number(x)}" for node, x in state.seeds.items())
    return ink.fit(", ".join(seeds), _SEEDS).strip()


def _root(state: State) -> list[ink.Span]:
    """The output and its value, as soon as there is one."""
    root = state.destination
    value = None if root is None else state.value(root)
    if root is None or value is None:
        return []
    name = ink.fit(short_title(state.recording, root), 12).strip()
    return [(f"{name} = ", ink.QUIET), (number(value), ink.NAME), ("   ", "")]
