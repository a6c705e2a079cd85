"""Instructions of a program, and what is known of them: nothing is worked out twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stepgrad.engine.ops import Op
from stepgrad.foreign.makers import Recipe
from stepgrad.foreign.statements import Statement
from stepgrad.recording.naming.sites import Spot

if TYPE_CHECKING:
    from types import CodeType

    from stepgrad.foreign.numeric import Forward

Key = tuple[str, int, object]
"""The text for an operation, the number of children, and the callers that matter."""

_MOST_RECIPES = 64


class MakingSite:
    """An instruction that makes objects.

    Args:
        lifts: whether what it makes of a number is a constant in an operation; None if that
            depends on its caller.

    `depth` is how many callers decide what it makes. The latest recipe for two operands, both of
    them children, is at hand: it holds for objects with this `symbol` and `callers`. `ops` has its
    operation, by which of the operands are constants: 1 for the first, 2 for the second.
    """

    __slots__ = (
        "callers", "depth", "first", "forwards", "lifts", "ops", "recipes", "second", "symbol",
    )  # fmt: skip

    def __init__(self, lifts: bool | None) -> None:
        self.lifts = lifts
        self.depth = 0
        self.recipes: dict[Key, Recipe] = {}
        self.forwards: dict[tuple[CodeType, str], Forward] = {}
        self.symbol = ""
        self.callers: object = None
        self.ops: tuple[Op, Op, Op, Op] | None = None
        self.first = self.second = 0

    def learn(self, key: Key, recipe: Recipe) -> None:
        """Keep a recipe for the next object."""
        if recipe.depth > self.depth:  # from now on, callers are part of the key
            self.depth = recipe.depth
            self.recipes.clear()
            self.ops = None
            return
        op, picks = recipe.op, recipe.picks
        if op is not None and picks is None:
            return  # x * x says nothing of the order
        if len(self.recipes) >= _MOST_RECIPES:
            self.recipes.clear()
        self.recipes[key] = recipe
        if op is not None and recipe.from_children and key[1] == len(op.partials) == 2:
            self.symbol, _, self.callers = key
            self.ops = op, op.beside(0), op.beside(1), op.beside(0, 1)
            self.first, self.second = [pick for pick in picks or () if isinstance(pick, int)]

    def knows(self, symbol: str, count: int, callers: object) -> bool:
        """Whether such an object needs no look at the arguments of the calls that make it."""
        if symbol:
            recipe = self.recipes.get((symbol, count, callers))
            return recipe is not None and recipe.from_children
        known = [each for key, each in self.recipes.items() if key[1:] == (count, callers)]
        return bool(known) and all(each.from_children for each in known)


class WritingSite:
    """An instruction that writes gradients, or calls what does.

    Args:
        line: where it is.
        what: its statement.

    `variable` is the name under which the owner of the rule is found, `depth` frames further up,
    once this is certain; it is empty before. `seeds` is whether it has begun a backward pass, and
    `through` whether it is no place of its own, but carries out what its caller writes.
    """

    __slots__ = ("by_path", "depth", "line", "seeds", "statement", "through", "variable")

    def __init__(self, line: Spot, what: Statement, *, through: bool) -> None:
        self.line = line
        self.statement = what
        self.through = through
        self.variable = ""
        self.depth = 0
        self.by_path = False
        self.seeds = False
