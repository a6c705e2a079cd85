"""The commands of the table in Textual's command palette."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from stepgrad.replay.commands.table import COMMANDS
from stepgrad.tui.dialogs.help import KEYS
from stepgrad.tui.keymap import key_name, keys_in_force
from stepgrad.tui.render import ink


class CommandProvider(Provider):
    """Every command of the table with its keys, in its order, then those of the app.

    One provider for both: Textual asks several in no particular order.
    """

    def _commands(self) -> Iterator[tuple[str, str, str, Callable[[], Any]]]:
        """Yield keys, help, name and action of what is on offer."""
        keymap = keys_in_force(self.screen)
        for command in COMMANDS:
            if command.name != "palette":
                keys = " ".join(map(key_name, keymap.get(command.name, ())[:2]))
                does = getattr(self.screen, f"action_{command.name}")
                yield keys, command.help, command.name, does
        for ours in self.app.get_system_commands(self.screen):
            yield "", ours.help, ours.title, ours.callback

    async def discover(self) -> Hits:
        """Offer everything."""
        for keys, text, _, does in self._commands():
            yield DiscoveryHit(_before(keys) + text, does, text=text)

    async def search(self, query: str) -> Hits:
        """Offer what has the words, or the letters, of the query in its name or its help."""
        matcher = self.matcher(query)
        for keys, text, name, does in self._commands():
            named = f"{name}  {text}"
            if (score := matcher.match(named)) > 0:
                yield Hit(score, _before(keys) + matcher.highlight(named), does, text=named)


def _before(keys: str) -> Content:
    return Content.styled(f"{keys:>{KEYS}}  ", ink.CURRENT)
