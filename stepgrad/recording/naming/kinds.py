"""What calls of a piece of code are called (`Kind`)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from sys import getrefcount
from types import CodeType, FrameType

from stepgrad.recording.naming.sites import Sites

_STANDARD = f"{os.path.dirname(os.__file__)}{os.sep}"  # noqa: PTH120 - as code has it
_INSTALLED = re.compile(r"[\\/](site|dist)-packages[\\/]")
_NUMPY = re.compile(r"[\\/](site|dist)-packages[\\/]numpy[\\/]")
_OF_THE_CLASS = frozenset({"__call__", "__init__", "__post_init__", "forward"})
_LIST = "<listcomp>"
_OF_FRAME = 3  # references to a copy that only the frame has: by it, and two by us

_class_name = type.__dict__["__name__"].__get__
_bases = type.__dict__["__mro__"].__get__
_subclasses = type.__subclasses__


class Kind:
    """What is known of a piece of code: the places of its instructions, and what calls are called.

    Without a `name`, what is called in it is part of the call that is around it.

    Args:
        code: the code.
        sites: its instructions.
        ours: whether it carries out what a program's line asks for, as this package does.
        runs: whether it runs the program.
    """

    __slots__ = (
        "code", "installed", "name", "of_class", "ours", "outermost", "runs", "sites", "standard"
    )  # fmt: skip

    def __init__(self, code: CodeType, sites: Sites, *, ours: bool, runs: bool) -> None:
        self.code = code  # kept alive: its id is a key
        self.sites = sites
        self.ours = ours
        self.runs = runs
        path, name = code.co_filename, code.co_name
        self.outermost = name == "<module>"
        self.installed = is_installed(path)
        self.standard = is_standard(path)
        self.of_class = owner_of(code) if name in _OF_THE_CLASS else ""
        self.name = words(self.of_class) if self.of_class else name.strip("_")
        if self.standard or name.startswith("<"):
            self.name = ""

    @property
    def listing(self) -> bool:
        """Whether it is a list comprehension."""
        return self.code.co_name == _LIST

    @property
    def apart(self) -> bool:
        """Whether its calls are told apart: a list comprehension counts its elements again."""
        return bool(self.name) or self.listing

    def named(self, frame: FrameType) -> tuple[str, bool]:
        """Return the name of a call, and whether all calls have it.

        It is that of the function or, for `forward` and the like, that of the object's class.
        """
        if not self.of_class or not self.code.co_argcount:
            return self.name, True
        bases = _bases(type(variables_of(frame).get(self.code.co_varnames[0])))
        own = next((each for each in bases if _class_name(each) == self.of_class), None)
        if own is None:
            return self.name, True
        return words(_class_name(bases[0])), not _subclasses(own)


def owner_of(code: CodeType) -> str:
    """Return the name of the class that code is a method of; empty if it is none."""
    owner = code.co_qualname.rpartition(".")[0].rpartition(".")[2]
    return "" if owner == "<locals>" else owner


def class_names(cls: type) -> Iterator[str]:
    """Yield what a class and its bases are called."""
    yield from map(_class_name, _bases(cls))


def variables_of(frame: FrameType) -> Mapping[str, object]:
    """Return the variables of a call.

    Before Python 3.13, the frame keeps the copy that is asked for, and keeps alive what is in it.
    """
    found = frame.f_locals
    copy = dict(found)
    if type(found) is dict and getrefcount(found) == _OF_FRAME:  # the program does not use it
        found.clear()
    return copy


def outwards(frame: FrameType | None) -> Iterator[FrameType]:
    """Yield a frame, the one around it, and so on."""
    while frame is not None:
        yield frame
        frame = frame.f_back


def is_standard(path: str) -> bool:
    """Whether code is of Python's own library."""
    return path.startswith((_STANDARD, "<frozen ")) and not _INSTALLED.search(path)


def is_numpy(path: str) -> bool:
    """Whether code is of numpy, which only does to each item of an array what a line asks for."""
    return _NUMPY.search(path) is not None


def is_installed(path: str) -> bool:
    """Whether code is of an installed library."""
    return _INSTALLED.search(path) is not None


def words(name: str) -> str:
    """Return the name of a class as that of a variable: `SelfAttention` is `self_attention`."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name.strip("_"))
    return parted.lower()
