"""`stepgrad check`: hold scenarios against what they promise."""

from __future__ import annotations

import sys

import click

from stepgrad import headless
from stepgrad.errors import StepgradError
from stepgrad.opening import is_program, open_typed
from stepgrad.scenario.expect import checks


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
def check(files: tuple[str, ...]) -> None:
    """Hold scenarios against what they expect; exit status 1 if one falls short.

    \b
      stepgrad check two_layer xor_tanh
      stepgrad check scenarios/*.yaml
    """
    failed = broken = 0
    width = max(map(len, files))
    for name in files:
        try:
            if is_program(name):
                raise StepgradError(f"{name}: a program expects nothing; scenarios do")
            opened = open_typed(name)
            promised = checks(opened.scenario, opened.recording) if opened.scenario else []
        except StepgradError as error:
            click.echo(f"{name:<{width}}  unreadable")
            click.echo(error, err=True)
            broken += 1
            continue
        short = [each for each in promised if not each.ok]
        failed += bool(short)
        verdict = "FAILED" if short else "ok" if promised else "nothing expected"
        click.echo(
            f"{name:<{width}}  {len(promised) - len(short):>3}/{len(promised):<3}  {verdict}"
        )
        for each in short:
            for line in headless.shortfall(opened.recording, each):
                click.echo(f"  {line}")
    sys.exit(2 if broken else 1 if failed else 0)
