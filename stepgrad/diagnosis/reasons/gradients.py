"""Why a gradient is what it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isfinite

from stepgrad.diagnosis.reasons.chain import Link, Number, Reason, same_kind
from stepgrad.diagnosis.reasons.decades import explain_decades
from stepgrad.diagnosis.reasons.received import Received
from stepgrad.diagnosis.reasons.writes import explain_written_gradient
from stepgrad.numbers import factor, number
from stepgrad.printable import counted
from stepgrad.recording.blocks import Backward, Forward, Write
from stepgrad.recording.recording import Recording
from stepgrad.replay.gradients.ledger import Contribution, latest_pass, next_write
from stepgrad.replay.telling.titles import gradient_title, short_title, title

_SHOWN = 3
"""The most contributions, or edges, that are shown of one gradient."""

_CANCELLED = 2**-26
"""Of which share of its parts on a sum is what rounding has left of them: half of the digits."""

_FARTHEST = 10_000  # nodes that are gone through on the way to the root


def explain_gradient(recording: Recording, asked: Number, *, first: bool) -> Link:
    """Explain a gradient by its last write: a pass, a clearing, or a write by hand.

    Only the `first` of a chain is asked where its decades come from.
    """
    node, history = asked.node, recording.history
    if history.grad(node, asked.position) is None:
        return Link([_missing(recording, node, asked.position)])
    block, count = next(history.gradient_writes(node, asked.position))
    if isinstance(block, Write):
        write = block.writes.gradients[node][count - 1]
        link = explain_written_gradient(recording, node, block, write)
        cleared = block.writes.kinds[write] == "zero"
        return Link([*link.reasons, *_unreached(recording, node)]) if cleared else link
    column = block.column(node)
    assert column is not None, "the pass has written it"
    return _received(Received(recording, block, column, asked.position), first)


def _received(at: Received, first: bool) -> Link:
    """Explain what a backward pass has made of a gradient."""
    grad = at.recording.history.grad(at.node, at.position) or 0.0
    if not at.contributions and at.node == at.block.root:
        name = short_title(at.recording, at.node)
        return Link([Reason(at.block.start + 1, at.node, f"the pass begins: d{name}/d{name} = 1")])
    if not isfinite(grad):
        return _not_finite(at, grad)
    if grad == 0:
        return _zero(at)
    return (explain_decades(at, grad) if first else None) or _ordinary(at)


def _missing(recording: Recording, node: int, position: int) -> Reason:
    """Say why nothing has reached a gradient."""
    name = title(recording, node)
    if recording.is_constant(node):
        made = recording.history.made_at(node)
        return Reason(made, node, f"{name} is a constant: it takes no gradient")
    made = recording.history.made_at(node)
    if position < made:
        return Reason(made, node, f"{name} is not computed yet: this event makes it")
    coming = next_write(recording, node, position)
    if coming is not None:
        gradient = gradient_title(recording, node)
        text = f"nothing has reached {gradient} yet: this event is the next to write it"
        return Reason(coming + 1, node, text)
    return next(_unreached(recording, node))


def _unreached(recording: Recording, node: int) -> Iterator[Reason]:
    """Say why no pass reaches a node, if none does."""
    history, name = recording.history, title(recording, node)
    if any(
        isinstance(block, Backward) for block, _ in history.gradient_writes(node, recording.length)
    ):
        return
    tip = _last_user(recording, node)
    if latest_pass(recording, recording.length) is None:
        text = f"no gradient reaches {name}: there is no backward pass"
    elif tip == node:
        text = f"no backward pass reaches {name}: it is used nowhere, and no pass starts there"
    else:
        end = title(recording, tip)
        text = (
            f"no backward pass reaches {name}: what is computed from it ends here, at {end}, "
            "and no pass starts there"
        )
    yield Reason(history.made_at(tip), tip, text)


def _last_user(recording: Recording, node: int) -> int:
    """Follow the newest user of a node, and so on to the end; return the node itself if none."""
    while (user := _newest_user(recording, node)) is not None:
        node = user
    return node


def _newest_user(recording: Recording, node: int) -> int | None:
    made_in = recording.history.forward_of(node)
    for block in reversed(recording.blocks):
        if isinstance(block, Forward):
            if users := block.users(node):
                return block.base + max(users)
            if block is made_in:
                return None
    return None


def _not_finite(at: Received, grad: float) -> Link:
    """Follow a gradient that is not finite to where that begins."""
    if not isfinite(at.carried):
        return Link(_left_over(at), [at.before], dull=True)
    sick = [each for each in at.contributions if not isfinite(each.amount)]
    if not sick:
        told = _edge(at, at.contributions[-1], "the sum of the contributions overflows", birth=True)
        largest = max(at.contributions, key=lambda each: abs(each.amount))
        return Link(told, [at.upstream(largest)])
    telling = next((each for each in sick if same_kind(each.amount, grad)), None)
    if telling is None:  # it is nan, they are infinite
        told = _edge(at, sick[-1], "contributions of inf and −inf meet")
        return Link(told, [at.upstream(sick[0])])
    return _not_finite_edge(at, telling)


def _not_finite_edge(at: Received, edge: Contribution) -> Link:
    """Say which factor makes a contribution infinite or nan."""
    upstream = at.upstream(edge)
    if same_kind(edge.upstream, edge.amount):
        return Link(_edge(at, edge), [upstream], dull=True)
    slope = at.slope(edge)
    sources = slope.sources(at.recording)
    if not isfinite(edge.upstream):  # inf · 0
        return Link(_edge(at, edge), [upstream, *sources])
    if not isfinite(edge.local):
        return Link(_edge(at, edge, birth=slope.born), sources)
    then = [upstream] if abs(edge.upstream) >= abs(edge.local) else sources
    return Link(_edge(at, edge, "it overflows", birth=True), then)


def _edge(
    at: Received, edge: Contribution, words: str = "", *, birth: bool = False
) -> Iterator[Reason]:
    told = f"{at.told(edge)}: {words}" if words else at.told(edge)
    yield Reason(edge.position, at.node, told, birth)


def _left_over(at: Received) -> Iterator[Reason]:
    name = gradient_title(at.recording, at.node)
    text = f"{name} is {number(at.carried)} before this pass, which adds to it"
    yield Reason(at.block.start + 1, at.node, text)


def _zero(at: Received) -> Link:
    """Say why a gradient is 0: what arrives cancels, or nothing arrives but zeros."""
    if any(each.amount for each in at.contributions) or at.carried:
        largest, others = _largest(at)
        first, *rest = [*([at.carried] if at.carried else []), *(e.amount for e in largest)]
        terms = " + ".join([number(first), *map(factor, rest), *["…"] * bool(others)])
        text = f"the contributions cancel to exactly 0: {terms}"
        return Link([Reason(largest[-1].position, at.node, text)])
    found = sorted(_zero_factors(at), key=lambda each: not each[0].slope(each[1]).shut)
    *shown, (where, edge) = found[:_SHOWN]
    told = [reason for each in shown for reason in _edge(*each, _zero_words(*each))]
    more = f"{counted(len(found) - _SHOWN, 'more such edge')}" if len(found) > _SHOWN else ""
    told += _edge(where, edge, "; ".join(filter(None, [_zero_words(where, edge), more])))
    where, edge = found[0]
    return Link(told, [where.upstream(edge)] if edge.local else where.sources(edge))


def _zero_factors(at: Received) -> Sequence[tuple[Received, Contribution]]:
    """Return where the paths to a gradient become 0: for each, the edge nearest to the root."""
    found: list[tuple[Received, Contribution]] = []
    pending, seen = [at], {at.column}
    while pending and len(seen) < _FARTHEST:
        here = pending.pop()
        for each in here.contributions:
            if each.upstream != 0:
                found.append((here, each))
            elif (above := here.above(each)).column not in seen:
                seen.add(above.column)
                pending.append(above)
    return found or [(at, at.contributions[0])]


def _zero_words(at: Received, edge: Contribution) -> str:
    """Say why nothing passes an edge, if its numbers do not."""
    if edge.right is not None:
        return "the rule is wrong"
    if at.slope(edge).shut:
        return "the gate is shut"
    return "it underflows" if edge.local and edge.upstream else ""


def _ordinary(at: Received) -> Link:
    """Name the largest contributions, and what was there before them."""
    largest, others = _largest(at)
    told = [reason for each in largest[:-1] for reason in _edge(at, each)]
    told += _edge(at, largest[-1], "; ".join(_about_the_sum(at, largest[0], others)))
    if at.carried:
        told[:0] = _left_over(at)
    if at.missing:
        name = gradient_title(at.recording, at.node)
        text = f"{name} is not complete: {counted(at.missing, 'contribution')} to come"
        told.insert(0, Reason(at.contributions[-1].position, at.node, text))
    earlier = [at.before] if at.carried else []
    return Link(told, [*_upwards(at, largest[0]), *earlier], _hands_on(at))


def _about_the_sum(
    at: Received, largest: Contribution, others: Sequence[Contribution]
) -> Iterator[str]:
    """Say what the contributions that are not shown add, and whether all of them cancel."""
    if others:
        rest = number(sum(each.amount for each in others))
        yield f"{counted(len(others), 'more contribution')}, {rest} in all"
    total = sum(each.amount for each in at.contributions)
    if abs(total) < _CANCELLED * abs(largest.amount):
        yield f"they cancel: {number(abs(total / largest.amount), 2)} of the largest is left"


def _hands_on(at: Received) -> bool:
    """Whether a gradient is just that of its only user, and complete."""
    only = at.contributions[0]
    alone = len(at.contributions) == 1 and not at.missing and not at.carried
    return alone and only.local == 1 and only.out != at.block.root


def _upwards(at: Received, edge: Contribution) -> Sequence[Number]:
    """Return what a contribution is made of: given values, and the gradient that it passes on."""
    if edge.out == at.block.root:
        return at.sources(edge)
    given = (n for n in at.sources(edge) if not at.recording.node(n.node).operands)
    return [*(given if edge.local != 1 else ()), at.upstream(edge)]


def _largest(at: Received) -> tuple[Sequence[Contribution], Sequence[Contribution]]:
    """Return the largest contributions, which are not 0 if any is not, and the others."""
    ranked = sorted(at.contributions, key=lambda each: -abs(each.amount))
    shown = [each for each in ranked[:_SHOWN] if each.amount] or ranked[:1]
    return shown, ranked[len(shown) :]
