"""The top line: the recording, the phase, the position, and what the checks say."""

from textual.content import Content

from stepgrad.numbers import number
from stepgrad.replay.commands.hints import Keymap
from stepgrad.replay.program import written
from stepgrad.replay.session import Progress, Session
from stepgrad.replay.state import State
from stepgrad.replay.telling.derivatives import differential
from stepgrad.replay.telling.titles import short_title
from stepgrad.scenario.expect import matches
from stepgrad.tui.render import ink

NO_KEYS: Keymap = {}

_BAR = 16
_SEEDS = 20
_EDITS = 24
_TITLE = 12
"""The fewest cells of a title."""


def header(  # noqa: PLR0913 - one for each thing that it shows
    session: Session,
    name: str,
    checks: tuple[int, int],
    width: int,
    *,
    title: str = "",
    keys: Keymap = NO_KEYS,
    verdicts: int = 0,
) -> Content:
    """Return the header, `width` cells wide.

    The `title` of a lesson takes the place of its file's name; it is cut before it is left out.
    `checks` are the number of expected values that are there by now, and the number of all. They
    are for the numbers of the scenario, so they are not shown after an edit. `verdicts` is how many
    the recording gets. The `keys` that list them, and that end a recording early, are shown as
    well; a click does what they do. If the line is too narrow, the checks are left out first, then
    the name, what was edited and the keys; the root stays longer, the number of verdicts longest.
    """
    state, (passed, promised) = session.state, checks
    where = f"event {state.position}/{state.recording.length}"
    left = _place(state, where)
    edits, edited = _changes(session)
    which: list[ink.Span] = [(f" {ink.fit(edits, min(len(edits), _EDITS))}", ink.NAME)]
    held, brief = _held(passed, promised) if promised and not session.edits else ([], [])
    root, bar = _root(state), _bar(session.progress)
    there = [*_recorded(session.progress, keys), *_alarm(verdicts, keys)]
    told = [*left, *edited, *which] if edits else left
    left += edited
    rest = width - ink.line(*told, *root, *there).cell_length - len("  " * 2)
    names = _titles(title, rest) if title else [f" {ink.fit(name, width // 3).strip()} "]
    none: list[ink.Span] = []
    less = (held, bar), (brief, bar), (held, none), (brief, none), (none, none)
    ends = [[*root, *counted, *grown, *there] for counted, grown in less]
    shorter: tuple[tuple[list[ink.Span], list[ink.Span]], ...] = (
        *(([(called, ink.NAME), *told], end) for called in names for end in ends),
        (told, [*root, *there]),
        ([(names[-1], ink.NAME), *left], [*root, *there]),
        (left, [*root, *there]),
        (left, [*root, *there[:1]]),
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


def _titles(title: str, room: int) -> list[str]:
    """A title, and if there is room for enough of it, the title cut to the room."""
    return [f" {title} ", *([f" {ink.fit(title, room)} "] if room >= _TITLE else [])]


def _held(passed: int, promised: int) -> tuple[list[ink.Span], list[ink.Span]]:
    """How many expected values are there, in full and in brief; a click lists them."""
    style = f"{ink.FORWARD if passed == promised else ink.QUIET} {ink.doing('verdicts')}"
    full = matches(passed, promised)
    return [(f"  {full} ", style)], [(f"  {full.removesuffix(' expected')} ", style)]


def _place(state: State, where: str) -> list[ink.Span]:
    """The phase, what forward mode starts from, the event, and the training step."""
    phase = state.phase
    style = ink.PHASES.get(phase or "", ink.QUIET)
    place: list[ink.Span] = [(" ", "")]
    if phase and phase != "mark":
        place += [(f"{ink.ARROWS[phase]} {phase.upper()}", f"bold {style}"), ("  ", "")]
    if state.seeds:
        place.append((f"{_seeds(state)}  ", style))
    place.append((where, ""))
    if state.step is not None:
        place.append((f"  step {state.step}", ""))
    return place


def _changes(session: Session) -> tuple[str, list[ink.Span]]:
    """The edits and the bug of the world, and the word before them."""
    edits = [f"{name} = {written(edit)}" for name, edit in session.edits]
    world = session.recording.world
    if world is not None:
        edits.append(f"bug: {world}" if edits else str(world))
    word = "edited" if session.edits else "bug:"
    return ", ".join(edits), [(f"  {word}", ink.CURRENT)] if edits else []


def _recorded(progress: Progress | None, keys: Keymap) -> list[ink.Span]:
    """How much of the recording is there, as a percentage, rounded down."""
    if progress is None:
        return []
    share = f"{int(progress.share * 100)}%"
    if progress.stopped:
        return [(f" stopped at {share} ", ink.CURRENT)]
    return [(f" recording {share} ", ink.CURRENT), *_hint("stop_recording", "stops", keys)]


def _alarm(verdicts: int, keys: Keymap) -> list[ink.Span]:
    """How much is wrong."""
    if not verdicts:
        return []
    style = f"{ink.HALT} {ink.doing('verdicts')}"
    return [(f"  {ink.ALARM} {verdicts} ", style), *_hint("verdicts", "shows", keys)]


def _hint(command: str, does: str, keys: Keymap) -> list[ink.Span]:
    """What a key does, if the command has one."""
    style = f"{ink.QUIET} {ink.doing(command)}"
    return [(f" {key} {does} ", style) for key in keys.get(command, ())[:1]]


def _bar(progress: Progress | None) -> list[ink.Span]:
    if progress is None or progress.stopped:
        return []
    filled = int(progress.share * _BAR)
    return [("  " + "━" * filled, ink.CURRENT), ("─" * (_BAR - filled), ink.QUIET)]


def _seeds(state: State) -> str:
    """The seed of forward mode: `dx = 1`."""
    titles = {node: short_title(state.recording, node) for node in state.seeds}
    seeds = (f"{differential(titles[node])} = {number(x)}" for node, x in state.seeds.items())
    return ink.fit(", ".join(seeds), _SEEDS).strip()


def _root(state: State) -> list[ink.Span]:
    """The output and its value, as soon as there is one."""
    if state.output is None:
        return []
    root, value = state.output
    name = ink.fit_name(short_title(state.recording, root), 12).strip()
    return [(f"{name} = ", ink.QUIET), (number(value), ink.NAME), (" ", "")]
