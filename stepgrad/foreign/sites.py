"""Instructions of a program, and what is known of them: nothing is worked out twice."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from stepgrad.engine.ops import Op
from stepgrad.foreign.makers import Recipe, gives
from stepgrad.foreign.nodes import Shadow
from stepgrad.foreign.statements import Statement
from stepgrad.recording.naming.sites import Spot

if TYPE_CHECKING:
    from types import CodeType

    from stepgrad.foreign.numeric import Forward

Key = tuple[str, int, object]
"""The text for an operation, the number of children, and the callers that matter."""

_MOST_RECIPES = 64
_UNKNOWN: tuple[Recipe | None, tuple[int, ...]] = None, ()


class MakingSite:
    """An instruction that makes objects.

    Args:
        lifts: whether what it makes of a number is a constant in an operation; None if that
            depends on its caller.

    `depth` is how many callers decide what it makes. The usual recipe is at hand, if it has one or
    two operands: it holds for objects with this `symbol` and `callers`, and this many children
    (`count`). Operands are these, in the order of `places`, and after them the number that the
    variable `argument` of the call has, if there is one: then the symbol may be any, as `**2` and
    `**3` are alike. `ops` has the operation, by which of the operands are constants: 1 for the
    first, 2 for the second. Unless this is `certain`, the number has to be compared. Of an object
    with this symbol and `sure` children, nothing else has to be known.

    `trusted` has the functions whose results need no look at their calls, as they bring their local
    derivatives with them, and these were right so far.
    """

    __slots__ = (
        "_of_shape", "_simple", "argument", "callers", "certain", "count", "depth", "forwards",
        "lifts", "ops", "places", "recipes", "sure", "symbol", "trusted",
    )  # fmt: skip

    def __init__(self, lifts: bool | None) -> None:
        self.lifts = lifts
        self.depth = 0
        self.recipes: dict[Key, Recipe] = {}
        self.forwards: dict[tuple[CodeType, str], Forward] = {}
        self.trusted: dict[Key, Forward] = {}
        self._simple: dict[Key, tuple[Recipe, tuple[int, ...]]] = {}  # of children only
        self._of_shape: dict[tuple[int, object], dict[Key, None]] = {}
        self.symbol = ""
        self.callers: object = None
        self.count = self.sure = 0  # none is usual
        self.certain = False
        self.argument = ""
        self.ops: Sequence[Op] = ()
        self.places: Sequence[int] = ()

    def learn(self, key: Key, recipe: Recipe) -> None:
        """Keep a recipe for the next object."""
        if recipe.depth > self.depth:  # from now on, callers are part of the key
            self.depth = recipe.depth
            self._clear()
            return
        op, picks = recipe.op, recipe.picks
        if op is not None and picks is None:
            return  # x * x says nothing of the order
        if len(self.recipes) >= _MOST_RECIPES:
            self._clear()
        self.recipes[key] = recipe
        self._of_shape.setdefault(key[1:], {})[key] = None
        children = recipe.from_children
        if children is None:
            self._simple.pop(key, None)
        else:
            self._simple[key] = recipe, children
        if recipe.certain:
            self._expect(key, recipe)
        elif not self.certain:  # another text may still come: it says nothing if there are two
            self.count = self.sure = 0
            if children is not None and len(self.recipes) == 1:
                self._expect(key, recipe)

    def _expect(self, key: Key, recipe: Recipe) -> None:
        """Have a recipe at hand, if it is that simple."""
        op, picks = recipe.op, recipe.picks or ()
        names = [pick for pick in picks if isinstance(pick, str)]
        if op is None or not 0 < len(picks) <= 2 or len(picks) != key[1] + len(names):
            return
        if recipe.depth and names:  # it is in another frame
            return
        self.symbol, self.count, self.callers = key
        self.certain = recipe.certain
        self.argument = names[0] if names else ""
        self.sure = 0 if names or self.depth or not self.certain else self.count
        self.places = [self.count if isinstance(pick, str) else pick for pick in picks]
        self.ops = [op, op.beside(0)]
        if len(picks) == 2:
            self.ops += [op.beside(1), op.beside(0, 1)]

    def is_usual(
        self, symbol: str, kids: Sequence[Shadow], callers: object, data: float | None
    ) -> bool:
        """Whether the usual recipe holds for an object; the arguments are those of `knows`."""
        if len(kids) != self.count or callers != self.callers:
            return False
        if symbol != self.symbol and not self.argument:
            return False
        if self.certain:
            return True
        return data is not None and gives(self.ops[0], [kids[at] for at in self.places], data)

    def _clear(self) -> None:
        for each in (self.recipes, self.trusted, self._simple, self._of_shape):
            each.clear()
        self.count = self.sure = 0
        self.certain = False

    def knows(
        self, symbol: str, kids: Sequence[Shadow], callers: object, data: float | None
    ) -> bool:
        """Whether such an object needs no look at the calls that make it.

        Args:
            symbol: the text that it has for its operation; empty if that may still come.
            kids: its children.
            callers: what the calls are known by.
            data: its number, if it has one yet.
        """
        if data is None:
            return False
        keys: Collection[Key]
        if symbol:
            keys = ((symbol, len(kids), callers),)
        else:
            keys = self._of_shape.get((len(kids), callers), ())
        for key in keys:
            if not self._knows(key, kids, data):
                return False
        return bool(keys)

    def _knows(self, key: Key, kids: Sequence[Shadow], data: float) -> bool:
        forward = self.trusted.get(key)
        if forward is not None:
            return not forward.is_due()
        recipe, picks = self._simple.get(key, _UNKNOWN)
        if recipe is None or recipe.op is None:
            return False
        return recipe.certain or gives(recipe.op, [kids[pick] for pick in picks], data)


class WritingSite:
    """An instruction that writes gradients, or calls what does.

    Args:
        line: where it is.
        what: its statement.

    `variable` is the name under which the owner of the rule is found, `depth` frames further up,
    once this is certain; it is empty before. `direct` is the same if that is in this frame, else
    empty. `seeds` is whether it has begun a backward pass, and `through` whether it is no place of
    its own, but carries out what its caller writes.
    """

    __slots__ = ("by_path", "depth", "direct", "line", "seeds", "statement", "through", "variable")

    def __init__(self, line: Spot, what: Statement, *, through: bool) -> None:
        self.line = line
        self.statement = what
        self.through = through
        self.variable = self.direct = ""
        self.depth = 0
        self.by_path = False
        self.seeds = False
