"""Runs of pytest with our plugin in the process of a test."""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from importlib import import_module
from pkgutil import walk_packages

import pytest
import yaml  # noqa: F401 - its C part, which is imported once only, knows the first yaml only

import stepgrad
from stepgrad.checking.ways import has_torch


def run_pytest(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    """Run pytest in this process; pytest-asyncio would ask for a setting."""
    return pytester.runpytest_inprocess("-p", "no:asyncio", *arguments)


@cache
def import_everything() -> None:
    """Import all of it: of what is imported first while there is a pytester, it lets go."""
    ours = {module.name for module in walk_packages(stepgrad.__path__, "stepgrad.")}
    ours = {name for name in ours if has_torch() or not name.startswith("stepgrad.torch")}
    for name in (ours - {"stepgrad.__main__"}) | ({"torch"} if has_torch() else set()):
        with suppress(ModuleNotFoundError):  # what needs an extra
            import_module(name)
