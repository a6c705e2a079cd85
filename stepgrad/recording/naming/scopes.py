"""What the calls in which a pass was made are called, as scopes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from stepgrad.recording.naming.kinds import Kind
from stepgrad.recording.naming.paths import Path

_FEWEST = 2
"""The fewest nodes that make a scope: fewer are not worth a line of their own."""


def scopes_of(counts: Mapping[Path, int]) -> dict[Path, str]:
    """Return the scope of each path, given how many nodes were made in it, outside its calls.

    A scope is called after the function. Where one call makes several calls of a function, they
    are told apart by the variables that the results are assigned to (`linear_q`, `linear_k`), and
    numbered where these are the same.
    """
    inside: dict[Path, int] = defaultdict(int)
    for path, count in counts.items():
        each: Path | None = path
        # Once a scope has enough nodes, so has what is around it: more need not be counted.
        while each is not None and inside[each] < _FEWEST:
            inside[each] += count
            each = each.parent
    families: dict[tuple[Path, Kind | None, str], list[Path]] = defaultdict(list)
    for path in inside:
        if path.name and path.parent is not None:
            families[path.parent.around, path.kind, path.name].append(path)
    parts = {
        path: part
        for family in families.values()
        for path, part in _told_apart(family)
        if inside[path] >= _FEWEST and not path.driver
    }
    scopes: dict[Path, str] = {}
    for path in inside:
        _resolve(path, parts, scopes)
    return scopes


def _resolve(path: Path, parts: Mapping[Path, str], scopes: dict[Path, str]) -> None:
    unresolved = []
    each: Path | None = path
    while each is not None and each not in scopes:
        unresolved.append(each)
        each = each.parent
    around = "" if each is None else scopes[each]
    for each in reversed(unresolved):
        part = parts.get(each, "")
        around = scopes[each] = f"{around}/{part}" if around and part else around or part


def _told_apart(family: list[Path]) -> Iterable[tuple[Path, str]]:
    """Yield what to call the calls of one function that one call makes."""
    by_target: dict[str, list[Path]] = defaultdict(list)
    for path in family:
        assigned = path.site and path.site.assigned
        target = assigned.target if assigned else ""
        by_target[target if target.isidentifier() else ""].append(path)
    for target, paths in by_target.items():
        alone = len(by_target) == 1 or not target
        name = family[0].name if alone else f"{family[0].name}_{target}"
        for number, path in enumerate(paths):
            yield path, f"{name}{number}" if len(paths) > 1 else name
