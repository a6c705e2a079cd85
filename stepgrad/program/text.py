"""The text of a Python file, or why it has none: where Python itself may not even name the file."""

from __future__ import annotations

import codecs
from importlib.util import decode_source

from stepgrad.program.parts import ProgramError

_MARKS = {codecs.BOM_UTF16_LE: "UTF-16", codecs.BOM_UTF16_BE: "UTF-16"}
"""What files begin with that some editors and shells write; UTF-32 has null bytes as well."""


def python_text(name: str, content: bytes) -> str:
    """Return the text of a Python file, decoded as Python does it.

    Raises:
        ProgramError: it is not text, or not in the encoding that it says.
    """
    if mark := _MARKS.get(content[:2]):
        raise ProgramError(f"{name}: is {mark} text; save it as UTF-8")
    if b"\0" in content:
        raise ProgramError(
            f"{_place(name, content, content.index(0))}: contains a null byte, so it is not a "
            "Python program; delete that byte, or name another file"
        )
    try:
        try:
            return decode_source(content)
        except SyntaxError as error:
            content.decode()  # the first lines may be what is not UTF-8
            raise ProgramError(f"{name}: {error.msg}; save the file as UTF-8") from None
    except UnicodeDecodeError as error:
        raise ProgramError(
            f"{_place(name, content, error.start)}: byte 0x{content[error.start]:02X} is not "
            f"{error.encoding.upper()}; save the file as UTF-8, or write its encoding in the first "
            "line, such as `# coding: latin-1`"
        ) from None


def _place(name: str, content: bytes, at: int) -> str:
    line = content.count(b"\n", 0, at) + 1
    return f"{name}:{line}"
