"""Text that a person wrote, read with Python's parser, and without its warnings.

What it warns about, such as `1if x else 2`, is reported by whoever reads the tree, or is no concern
of ours.
"""

from __future__ import annotations

import ast
import warnings


def parse(text: str) -> ast.Module:
    """Return the syntax tree of a program; raises what `ast.parse` does."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text)


def parse_expression(text: str) -> ast.expr:
    """Return the syntax tree of an expression; raises what `ast.parse` does."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text, mode="eval").body
