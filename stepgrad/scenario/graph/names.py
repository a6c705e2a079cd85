"""The names of a graph scenario: each is defined once, before it is used.

The checks work on the document and not on the validated model, so that a wrong number elsewhere in
the file does not hide a misspelt name.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from keyword import iskeyword

from stepgrad.errors import suggest, suggest_or_list
from stepgrad.scenario.form.exercise import names_of
from stepgrad.scenario.form.kinds import fields_of
from stepgrad.scenario.form.sections import MAX_STATEMENTS, GraphScenario
from stepgrad.scenario.graph.expression import Name, Number, names_in
from stepgrad.scenario.graph.statement import LOOKALIKES, Statement, StatementError, parse_statement
from stepgrad.scenario.text import Problems
from stepgrad.scenario.yaml.document import Data, Document, Key, Path

_TARGET = re.compile(r"([^\W\d]\w*)\s*=(?!=)")
_NEXT_STATEMENT = re.compile(r"\n[ \t]*((?:-[ \t]+)?[^\W\d]\w*[ \t]*=)")


def read_graph(
    document: Document, functions: Mapping[str, int], problems: Problems
) -> tuple[Statement, ...]:
    """Return the statements under `graph`, in order, after noting all their problems."""
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
        self._lost = 0  # statements whose name is unknown because they cannot be read

    def read(self) -> tuple[Statement, ...]:
        """Check everything and return the statements that can be read."""
        self._declare_leaves()
        entries = [(path, entry, self._parse(path, entry)) for path, entry in self._entries()]
        later = {
            name: self._document.index(path) for path, entry, _ in entries for name in _made(entry)
        }
        for path, entry, statement in entries:
            if statement is None:
                self._salvage(_made(entry), self._document.index(path))
            else:
                self._check_uses(path, statement, later)
                index = self._document.index_within(path, statement.column - 1)
                self._define(statement.target, index)
        statements = tuple(statement for *_, statement in entries if statement is not None)
        if self._complete:
            self._check_references()
            computed = {
                each.target for each in statements if not isinstance(each.expression, Number)
            }
            self._check_wrt(computed)
            self._check_exercises(computed)
        return statements

    @property
    def _complete(self) -> bool:
        """Whether all statements were read; if not, the others may define a name."""
        graph = _mapping(self._document.data).get("graph")
        return (
            isinstance(graph, tuple)
            and 0 < len(graph) <= MAX_STATEMENTS
            and all(isinstance(text, str) for text in graph)
        )

    def _declare_leaves(self) -> None:
        """Define the names of `inputs` and `params`.

        A section that the schema does not know is probably one of them misspelt. Its names count,
        too, so that one typo is one problem.
        """
        for section, values in _mapping(self._document.data).items():
            if section in ("inputs", "params") or section not in fields_of(GraphScenario):
                for name in _mapping(values):
                    if isinstance(name, str):
                        self._define(name, self._document.key_index((section, name)))

    def _define(self, name: str, index: int) -> None:
        """Note that `name` is defined at `index`, and any objection to it."""
        message = self._objection(name)
        if name in self._defined:
            line, _ = self._document.source.position(self._defined[name])
            message = message or f"`{name}` is already defined on line {line}"
        if message:
            self._problems.add(index, message)
            self._lost += 1
        self._defined.setdefault(name, index)

    def _salvage(self, names: Sequence[str], index: int) -> None:
        """Define the names of a statement that cannot be read, so that their uses are valid."""
        new = [n for n in names if n not in self._defined and not self._objection(n)]
        self._defined |= dict.fromkeys(new, index)
        self._lost += not new

    def _objection(self, name: str) -> str | None:
        """Why `name` cannot be a name, if it cannot."""
        if name in self._functions:
            return f"`{name}` is a function and cannot be a name"
        if iskeyword(name):
            return f"`{name}` is a Python keyword and cannot be a name"
        if not name.isidentifier() or LOOKALIKES.keys() & set(name):
            return f"`{name}` is not a name: use letters, digits and `_`, but no digit first"
        plain = unicodedata.normalize("NFKC", name)
        return f"write `{name}` as `{plain}`" if plain != name else None

    def _entries(self) -> Iterator[tuple[Path, Data]]:
        """Yield the path of each entry of `graph`, and its data."""
        graph = _mapping(self._document.data).get("graph")
        for number, entry in enumerate(graph[:MAX_STATEMENTS] if isinstance(graph, tuple) else ()):
            yield ("graph", number), entry

    def _parse(self, path: Path, text: Data) -> Statement | None:
        if not isinstance(text, str):
            return None  # the schema says what is wrong with it
        line, _ = self._document.source.position(self._document.index_within(path, 0))
        try:
            return parse_statement(text, self._functions, line)
        except StatementError as error:
            if layout := self._laid_out(path, line):
                self._problems.add(*layout)
                return None
            for column, message in error.problems:
                self._problems.add(self._document.index_within(path, column - 1), message)
            return None

    def _laid_out(self, path: Path, line: int) -> tuple[int, str] | None:
        """Where YAML ended a statement too late or too early, if that explains what is wrong."""
        place, text = self._document.places[path], self._document.source.text
        if place.style:
            return None
        written = text[place.start : place.end]
        if goes_on := _NEXT_STATEMENT.search(written):
            message = f"this continues the statement of line {line}: a new one begins with `- `,"
            message += " in the same column as the others"
            return place.start + goes_on.start(1), message
        open_ = written.count("(") - written.count(")")
        comma = place.end if open_ > 0 else text[: place.start].rstrip().rfind(",")
        if open_ and text[comma : comma + 1] == "," and not text[comma + 1 : place.start].strip():
            return comma, "in `[…]`, a comma ends the entry: put the statement in quotes"
        return None

    def _check_uses(self, path: Path, statement: Statement, later: Mapping[str, int]) -> None:
        """Check that the statement computes something, from names that are already defined."""
        if isinstance(statement.expression, Name) and statement.expression.name in self._defined:
            name, column = statement.expression.name, statement.expression.column
            message = f"`{statement.target}` would only be another name for `{name}`"
            message += f": use `{name}` itself, or compute something"
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
                index = self._document.index_within(path, use.column - 1)
                self._unknown(name, index, later=later)
                continue
            self._problems.add(self._document.index_within(path, use.column - 1), message)

    def _check_references(self) -> None:
        """Check that `backward` and the expectations name what exists."""
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

    def _check_exercises(self, computed: Collection[str]) -> None:
        """Check that exercises name what exists, and change what is not computed."""
        exercises = _mapping(self._document.data).get("exercises")
        for place, exercise in enumerate(exercises if isinstance(exercises, tuple) else ()):
            for at, name, leaf in names_of(_mapping(exercise)):
                path: Path = ("exercises", place, *at)
                keyed = at[0] != "of"
                index = (self._document.key_index if keyed else self._document.index)(path)
                if name not in self._defined:
                    self._unknown(name, index)
                elif leaf and name in computed:
                    message = f"`{name}` is computed; only inputs and parameters can change"
                    self._problems.add(index, message)

    def _check_wrt(self, computed: Collection[str]) -> None:
        """Check that forward mode differentiates with respect to what is not computed."""
        wrt = _mapping(self._document.data).get("wrt")
        for i, name in enumerate(wrt if isinstance(wrt, tuple) else (wrt,)):
            if not isinstance(name, str):
                continue
            index = self._document.index(("wrt", i))
            if name not in self._defined:
                self._unknown(name, index, [n for n in self._defined if n not in computed])
            elif name in computed:
                message = f"`{name}` is computed; `wrt` takes inputs and parameters"
                self._problems.add(index, message)

    def _unknown(
        self,
        name: str,
        index: int,
        usable: Iterable[str] | None = None,
        later: Iterable[str] = (),
    ) -> None:
        """Note a name that nothing defines, unless a statement that cannot be read may do so.

        Suggestions are the names that are `usable` here (by default, all so far) or come `later`.
        """
        known = list(self._defined if usable is None else usable)
        near = suggest(name, [*known, *later])
        if self._lost and not near:
            self._lost -= 1
            self._defined[name] = index
        else:
            hint = near or suggest_or_list(name, known)
            self._problems.add(index, f"unknown name `{name}`{hint}")


def _mapping(data: Data) -> Mapping[Key, Data]:
    """Return `data` if it is a mapping, else an empty one: the schema reports the mistake."""
    return data if isinstance(data, dict) else {}


def _made(entry: Data) -> list[str]:
    """Return the names that an entry of `graph` defines, as far as one can tell."""
    found = _TARGET.findall(entry) if isinstance(entry, str) else _mapping(entry)
    return [unicodedata.normalize("NFKC", name) for name in found if isinstance(name, str)]
