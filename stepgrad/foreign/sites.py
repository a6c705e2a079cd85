"""Instructions of a program, and what is known of them: nothing is worked out twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stepgrad.foreign.makers import Recipe
from stepgrad.foreign.statements import Statement
from stepgrad.recording.callers import Spot

if TYPE_CHECKING:
    from types import CodeType

    from stepgrad.foreign.numeric import Forward

Key = tuple[str, int, object]
"""The text for an operation, the number of children, and the callers that matter."""

_MOST_RECIPES = 64


class MakingSite:
    """An instruction that makes objects.

    Args:
        line: where it is.
        lifts: whether what it makes of a number is a constant in an operation; None if that
            depends on its caller.

    `depth` is how many callers decide what it makes. `usual` is the latest recipe that takes all
    operands from the children, and needs no comparison of numbers, and `key` what it holds for.
    """

    __slots__ = ("depth", "forwards", "key", "lifts", "line", "recipes", "usual")

    def __init__(self, line: Spot, lifts: bool | None) -> None:
        self.line = line
        self.lifts = lifts
        self.depth = 0
        self.recipes: dict[Key, Recipe] = {}
        self.forwards: dict[CodeType, Forward] = {}
        self.key: Key = ("", 0, None)
        self.usual: Recipe | None = None

    def learn(self, key: Key, recipe: Recipe) -> None:
        """Keep a recipe for the next object."""
        if recipe.depth > self.depth:  # from now on, callers are part of the key
            self.depth = recipe.depth
            self.recipes.clear()
            return
        if recipe.op is not None and recipe.picks is None:
            return  # x * x says nothing of the order
        if len(self.recipes) >= _MOST_RECIPES:
            self.recipes.clear()
        self.recipes[key] = recipe

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
