"""Edits: another number for an input or a parameter, or another setting of a training."""

from __future__ import annotations

from math import isinf

from stepgrad.numbers import exact, number, typed
from stepgrad.recording.numbered import node_called
from stepgrad.replay.commands.variants import NO_PROGRAM, EditError, go, program_of
from stepgrad.replay.naming import AmbiguousNameError, find_node, near
from stepgrad.replay.program import Edit, Evaluate, Program, Variant
from stepgrad.replay.session import Session
from stepgrad.replay.state import State
from stepgrad.replay.telling.titles import short_title, title


def ask(session: Session) -> tuple[Session, str]:
    """Return what to ask before an edit: it names the target, or says why it cannot be edited."""
    if session.program is None:
        return session.say(NO_PROGRAM), ""
    node, recording = session.subject, session.recording
    settings = ", ".join(session.program.settings)
    others = f" Or a setting: {settings}" if settings else ""
    if node is None:
        return session, f"Which input or parameter?{others}"
    facts, name = recording.node(node), title(recording, node)
    if facts.operands or facts.name is None:
        why = "is computed" if facts.operands else "has no name in the program"
        return session, f"{name} {why}, so it cannot be edited. Which input or parameter?{others}"
    value = exact(recording.history.first_value(node))
    return session, f"{name} = {value}. What value instead?{others}"


def edit(session: Session, text: str) -> Session:
    """Run the program again with another value: `0.7` or `w1*2` for the subject, or `w1 = 0.7`.

    `learning_rate = 0.1` edits a setting of the program, if no node has this name. An empty text
    flips a 0 to 1 and a 1 to 0. The position stays. What the program has by itself is no edit.

    Raises:
        EditError: there is no such input, parameter or setting, or no such value.
        StepgradError: the program cannot have this setting.
    """
    program = program_of(session)
    left, equals, right = text.rpartition("=")
    name = left.strip() if equals else ""
    setting = program.short.get(name, name)
    if setting in program.settings and _named(session, name) is None:
        return _set(session, program, setting, right.strip())
    node = _leaf(session, name) if name else session.subject
    if node is None:
        raise EditError("name an input or a parameter, as in w1 = 0.7")
    right = right.strip()
    return turn(session, node, _worked_out(session, right) if right else _flipped(session, node))


def leaf_name(session: Session, node: int) -> str:
    """Return the name of an input or a parameter that can be edited.

    Raises:
        EditError: the node is no such thing, or the program cannot run again.
    """
    program_of(session)
    facts, called = session.recording.node(node), title(session.recording, node)
    if facts.operands:
        raise EditError(f"{called} is computed: only inputs and parameters can be edited")
    if facts.label is None:
        raise EditError(f"{called} has no name in the program, so it cannot be edited")
    return facts.label


def turn(session: Session, node: int, x: float, *, continued: bool = False) -> Session:
    """Run the program again with another number for a leaf, and say what came of it.

    An edit that is `continued`, as one drags a slider, is undone together with the one before.

    Raises:
        EditError: the node cannot be edited.
    """
    name = leaf_name(session, node)
    if same(session.recording.history.first_value(node), x):
        return session.say(f"{name} is {exact(x)} already")
    unedited = original_value(session, name)
    turned = _edited(session, name, x, unedited is not None and same(unedited, x))
    moved = go(session, turned, continued=continued)
    if unedited is None or name not in dict(turned.edits):
        return moved.say(f"{name} = {exact(x)}")
    name = short_title(session.recording, node)
    return moved.say(_told(session, moved, name, *_apart(unedited, x)))


def original_value(session: Session, name: str) -> float | None:
    """Return the number that the program by itself has for a leaf; None if it has no such leaf."""
    original = session.original or session.recording
    node = node_called(original.names(original.length), name)
    return None if node is None else original.history.first_value(node)


def same(a: float, b: float) -> bool:
    """Whether two numbers are the same; 0 is not −0, and nan is nan."""
    return repr(a) == repr(b)


def _set(session: Session, program: Program, name: str, text: str) -> Session:
    """Run the program again with another setting."""
    texts = dict(program.settings) | {k: v for k, v in session.edits if isinstance(v, str)}
    if not text:
        raise EditError(f"{name} is {texts[name]}: write a value, as in {name} = {texts[name]}")
    text = _setting(program, texts, name, text)
    if text == texts[name]:
        return session.say(f"{name} is {text} already")
    original = program.settings[name]
    moved = go(session, _edited(session, name, text, text == original))
    if text == original:
        return moved.say(f"{name} = {text}")
    return moved.say(_told(session, moved, name, original, text))


def _setting(program: Program, texts: dict[str, str], name: str, text: str) -> str:
    """The text of a setting; where it is a number, an expression may give it: `lr/2`."""

    def value_of(other: str) -> float:
        return float(texts[program.short.get(other, other)])

    try:
        float(texts[name])
        x = program.evaluate(text, value_of) if program.evaluate else float(text)
    except (ValueError, KeyError):
        return text  # what is wrong with it is for the program to say
    return text if text.replace(".", "").isdigit() else f"{x:.0f}" if x.is_integer() else repr(x)


def _edited(session: Session, name: str, value: Edit, original: bool) -> Variant:
    """The variant with an edit; one that brings the `original` value back is none."""
    edits = {**dict(session.edits), name: value}
    if original:
        del edits[name]
    return Variant(tuple(edits.items()), session.recording.world)


def _told(session: Session, edited: Session, name: str, before: str, after: str) -> str:
    """Say what was edited, and what came of it: `x 2 → 2.1: h +4.29, by the gradient +4.2`."""
    from stepgrad.replay.outcome import outcome  # noqa: PLC0415 - edits come later, if at all

    assert edited.original is not None, "there is an edit"
    others = len(edited.edits) - 1
    more = f" (with {others} other edit{'s' * (others > 1)})" if others else ""
    place = State(edited.original, min(session.cursor.position, edited.original.length))
    came = outcome(place, edited.state, edited.variant)
    return f"{name} {before} → {after}{more}{': ' * bool(came)}{came}"


def _apart(before: float, after: float) -> tuple[str, str]:
    """Two numbers as a person reads them, with all their digits if these alone differ."""
    texts = number(before), number(after)
    return texts if texts[0] != texts[1] else (exact(before), exact(after))


def _named(session: Session, name: str) -> int | None:
    try:
        return find_node(session.state, name)
    except AmbiguousNameError as error:
        raise EditError(str(error)) from None


def _leaf(session: Session, name: str) -> int:
    node = _named(session, name)
    if node is None:
        settings = program_of(session).settings
        hint = near(session.state, name, *settings)
        raise EditError(f"no input or parameter is called {name}{hint}")
    return node


def _flipped(session: Session, node: int) -> float:
    name = leaf_name(session, node)
    bit = session.recording.history.first_value(node)
    if bit not in (0, 1):
        raise EditError(
            f"{name} is {exact(bit)}, and only 0 and 1 flip: write a number, as in {name} = 0.7"
        )
    return 1.0 - bit


def _worked_out(session: Session, text: str) -> float:
    """The number that a text is, or an expression gives."""
    try:
        given, _ = typed(text)
    except ValueError as error:
        evaluate = program_of(session).evaluate
        if evaluate is None or not _is_expression(text):
            raise EditError(str(error)) from None
        return _evaluated(session, text, evaluate)
    x = float(given)
    if isinf(x) and given.is_finite():
        raise EditError(f"{text} is too large for a float; write inf if you mean infinity")
    return x


def _is_expression(text: str) -> bool:
    return any(sign.isalpha() or sign in "*/+()" for sign in text) or "-" in text[1:]


def _evaluated(session: Session, text: str, evaluate: Evaluate) -> float:
    """Work out an expression; a name in it is looked up beside the subject first."""
    history = session.recording.history
    names = session.recording.names(session.recording.length)
    subject = session.subject
    own = "" if subject is None else (session.recording.node(subject).name or "")
    scope = own.rpartition("/")[0]

    def value_of(name: str) -> float:
        beside = names.get(f"{scope}/{name}")
        node = _leaf(session, name) if beside is None else beside
        leaf_name(session, node)
        return history.first_value(node)

    try:
        return evaluate(text, value_of)
    except ValueError as error:
        raise EditError(str(error)) from None
