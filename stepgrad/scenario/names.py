"""The names of a graph scenario: each is given once, before it is used, and means one thing.

The checks work on the document and not on the validated model, so that a wrong number elsewhere in
the file does not hide a misspelt name.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from keyword import iskeyword

from stepgrad.errors import suggest
from stepgrad.scenario.document import Data, Document, Key, Path
from stepgrad.scenario.expression import Name, Number, names_in
from stepgrad.scenario.schema import MAX_STATEMENTS, GraphScenario
from stepgrad.scenario.source import Problems
from stepgrad.scenario.statement import Statement, StatementError, parse_statement

_TARGET = re.compile(r"\s*([^\W\d]\w*)\s*=")


def read_graph(
    document: Document, functions: Mapping[str, int], problems: Problems
) -> tuple[Statement, ...]:
    """Return the statements under `graph`, in order, with every problem of theirs noted."""
    return _Names(document, functions, problems).read()


class _Names:
    """One pass over the names of a document, in the order in which they are defined."""

    def __init__(
        self, document: Document, functions: Mapping[str, int], problems: Problems
    ) -> None:
        self._document = document
        self._functions = functions
        self._problems = problems
        self._defined: dict[str, int] = {}  # name -> index in the source

    def read(self) -> tuple[Statement, ...]:
        """Check everything and return the statements that could be read."""
        self._declare_leaves()
        entries = [(path, text, self._parse(path, text)) for path, text in self._texts()]
        later = {_target(text): self._document.index(path) for path, text, _ in entries}
        for path, text, statement in entries:
            if statement is None:
                self._defined.setdefault(_target(text), self._document.index(path))
            else:
                self._check_uses(path, statement, later)
                index = self._document.index_within(path, statement.column - 1)
                self._define(statement.target, index)
        statements = tuple(statement for *_, statement in entries if statement is not None)
        if self._complete:
            self._check_references()
            self._check_wrt(statements)
        return statements

    @property
    def _complete(self) -> bool:
        """Whether all statements could be looked at; if not, a name may be in the others."""
        graph = _mapping(self._document.data).get("graph")
        return (
            isinstance(graph, tuple)
            and len(graph) <= MAX_STATEMENTS
            and all(isinstance(text, str) for text in graph)
        )

    def _declare_leaves(self) -> None:
        """Define the names of `inputs` and `params`.

        A section that the schema does not know is probably one of them misspelt: its names count
        too, so that one slip of the pen is one problem.
        """
        for section, values in _mapping(self._document.data).items():
            if section in ("inputs", "params") or section not in GraphScenario.model_fields:
                for name in _mapping(values):
                    if isinstance(name, str):
                        self._define(name, self._document.key_index((section, name)))

    def _define(self, name: str, index: int) -> None:
        """Note that `name` is given at `index`, and what speaks against it."""
        if message := self._objection(name):
            self._problems.add(index, message)
        if name in self._defined:
            line, _ = self._document.source.position(self._defined[name])
            self._problems.add(index, f"`{name}` is already defined on line {line}")
        self._defined.setdefault(name, index)

    def _objection(self, name: str) -> str | None:
        """Why `name` cannot be a name, if it cannot."""
        if name in self._functions:
            return f"`{name}` is a function and cannot be a name"
        if iskeyword(name):
            return f"`{name}` is a word of Python and cannot be a name"
        if not name.isidentifier():
            return f"`{name}` is not a name: use letters, digits and `_`, and a letter first"
        plain = unicodedata.normalize("NFKC", name)
        return f"write `{name}` as `{plain}`" if plain != name else None

    def _texts(self) -> Iterator[tuple[Path, str]]:
        """Yield the path and text of each entry of `graph` that is a text."""
        graph = _mapping(self._document.data).get("graph")
        for number, text in enumerate(graph[:MAX_STATEMENTS] if isinstance(graph, tuple) else ()):
            if isinstance(text, str):
                yield ("graph", number), text

    def _parse(self, path: Path, text: str) -> Statement | None:
        line, _ = self._document.source.position(self._document.index_within(path, 0))
        try:
            return parse_statement(text, self._functions, line)
        except StatementError as error:
            for column, message in error.problems:
                self._problems.add(self._document.index_within(path, column - 1), message)
            return None

    def _check_uses(self, path: Path, statement: Statement, later: Mapping[str, int]) -> None:
        """Check that the statement computes something, from names that are there already."""
        if isinstance(statement.expression, Name) and statement.expression.name in self._defined:
            name, column = statement.expression.name, statement.expression.column
            message = f"`{statement.target}` would only be another name for `{name}`"
            message += ": a statement computes something"
            self._problems.add(self._document.index_within(path, column - 1), message)
        for use in names_in(statement.expression):
            name = use.name
            if name in self._defined:
                continue
            if name in self._functions:
                message = f"`{name}` is a function: write `{name}(…)`"
            elif name == statement.target:
                message = f"`{name}` is used in its own definition"
            elif name in later:
                line, _ = self._document.source.position(later[name])
                message = f"`{name}` is used before it is defined, on line {line}"
            else:
                message = f"unknown name `{name}`{suggest(name, [*self._defined, *later])}"
            self._problems.add(self._document.index_within(path, use.column - 1), message)

    def _check_references(self) -> None:
        """`backward` and the expectations must name what exists."""
        data = _mapping(self._document.data)
        backward = data.get("backward")
        if isinstance(backward, str) and backward not in self._defined:
            self._unknown(backward, self._document.index(("backward",)))
        for section in ("values", "grads"):
            for name in _mapping(_mapping(data.get("expect")).get(section)):
                if isinstance(name, str) and name not in self._defined:
                    self._unknown(name, self._document.key_index(("expect", section, name)))
        for by, promised in _mapping(_mapping(data.get("expect")).get("tangents")).items():
            for name in _mapping(promised):
                if isinstance(name, str) and name not in self._defined:
                    path = ("expect", "tangents", by, name)
                    self._unknown(name, self._document.key_index(path))

    def _check_wrt(self, statements: Sequence[Statement]) -> None:
        """Forward mode goes by what nobody computes."""
        computed = {each.target for each in statements if not isinstance(each.expression, Number)}
        wrt = _mapping(self._document.data).get("wrt")
        for i, name in enumerate(wrt if isinstance(wrt, tuple) else (wrt,)):
            index = self._document.index(("wrt", i))
            if isinstance(name, str) and name not in self._defined:
                self._unknown(name, index)
            elif name in computed:
                message = f"`{name}` is computed: forward mode goes by an input or a parameter"
                self._problems.add(index, message)

    def _unknown(self, name: str, index: int) -> None:
        self._problems.add(index, f"unknown name `{name}`{suggest(name, self._defined)}")


def _mapping(data: Data) -> Mapping[Key, Data]:
    """Return `data` if it is a mapping; else none, for the schema says what is wrong with it."""
    return data if isinstance(data, dict) else {}


def _target(text: str) -> str:
    """Return the name that a statement gives, also if the rest of it cannot be read."""
    match = _TARGET.match(text)
    return unicodedata.normalize("NFKC", match[1]) if match else ""
