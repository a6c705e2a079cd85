"""What `check` and `diagnose` share: they open files and examine them, one after the other.

What is wrong with one file does not keep the others from being examined.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, redirect_stdout
from itertools import chain
from pathlib import Path
from typing import Protocol, TypeVar

from stepgrad.cli.arguments import nothing_recorded
from stepgrad.cli.progress import progress_bar
from stepgrad.errors import NotEnoughMemoryError, StepgradError
from stepgrad.opening import How, Opened, files_typed, is_course, is_program, of_use, open_typed
from stepgrad.recording.naming.kinds import is_installed, is_standard
from stepgrad.scenario import locate
from stepgrad.scenario.programs import meant_to_fail


class Examined(Protocol):
    """What an examination found: an `error` if there was none, and the `status` of a program."""

    @property
    def error(self) -> str: ...  # noqa: D102
    @property
    def status(self) -> int: ...  # noqa: D102
    @property
    def failed(self) -> bool: ...  # noqa: D102


Found = TypeVar("Found", bound=Examined)


def examine(  # noqa: PLR0913 - all that an examination needs
    file: str,
    arguments: Sequence[str],
    how: How,
    *,
    doing: str,
    look: Callable[[Opened], Found],
    bare: Callable[..., Found],
) -> Found:
    """Open a file and `look` at it, with progress; what a program prints goes to stderr.

    Where there is nothing to look at, `bare` makes the result: from the name and an `error`, or
    from the name, the `status` and the `failure` of a program that failed before anything was
    recorded.
    """
    program = is_program(file)
    # A program prints where a bar would be.
    waiting = nullcontext() if program else progress_bar(f"{file}: running")
    try:
        with redirect_stdout(sys.stderr), waiting, _own_modules():
            then = "Ctrl+C examines what there is"
            opened = open_typed(file, arguments, of_use(how, file), then=then)
        if not opened.recording.length and opened.scenario is None:
            if opened.status:  # its own error says why
                return bare(file, status=opened.status, failure=opened.failure)
            raise nothing_recorded(file, opened.recording)
        with progress_bar(f"{file}: {doing}"):
            return look(opened)
    except StepgradError as error:
        return bare(file, error=str(error))
    except MemoryError:
        return bare(file, error=f"{file}: {NotEnoughMemoryError()}")


@contextmanager
def _own_modules() -> Iterator[None]:
    """Forget the modules of a program: the next may have others of these names, or run them again.

    What is installed stays: much of it cannot be loaded twice.
    """
    before = {*sys.modules}
    try:
        yield
    finally:
        for name in sys.modules.keys() - before:
            path = getattr(sys.modules[name], "__file__", None)
            kept = not path or is_standard(path) or is_installed(path)
            if not kept and name.partition(".")[0] != "stepgrad":
                del sys.modules[name]


def expanded(files: Sequence[str]) -> list[str]:
    """Replace each folder of lessons by its files, and name each file once.

    A folder stays if it is no course: to examine it says why.
    """
    return list(dict.fromkeys(chain.from_iterable(map(_files_of, files))))


def _files_of(file: str) -> list[str]:
    try:
        return [*files_typed(file).values()] if is_course(file) else [file]
    except StepgradError:
        return [file]


def shows_mistake(file: str) -> bool:
    """Whether a file is a program that says that its check fails."""
    return is_program(file) and meant_to_fail(Path(locate(file)).read_text(encoding="utf-8"))


def exit_status(found: Sequence[Examined]) -> int:
    """Return 2 if a file cannot be examined, a program's own status, or 1 if anything failed."""
    if any(each.error for each in found):
        return 2
    # A program's own status says more than that it failed.
    status = next((each.status for each in found if each.status), 0)
    return status or int(any(each.failed for each in found))
