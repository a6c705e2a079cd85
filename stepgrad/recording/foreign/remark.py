"""What no event can show of a program that brings its own engine (`Remark`)."""

from __future__ import annotations

from typing import NamedTuple

from stepgrad.engine.tape import Place

GRADLESS = "gradless"
"""A class of the program has numbers and arithmetic, and no attribute for gradients."""

OPERATORLESS = "operatorless"
"""A class of the program has numbers and gradients, and no arithmetic: that is in functions."""

LISTED = "listed"
"""Objects of a class of the program hold lists or arrays where an engine has a number."""

LOOKALIKES = GRADLESS, OPERATORLESS, LISTED
"""Kinds of remarks on classes that look like an engine and are not observed.

They are of interest only where nothing is recorded.
"""

TAPED = "taped"
"""Objects of the program keep no operands: these are seen only where calls say them."""

UNFOLLOWED = "unfollowed"
"""A backward pass could not be followed: nothing is held against it, and nothing is right."""

IN_PLACE = "in place"
"""An operator computes in place: what shows no mistake may have one there."""

AGREES = "PyTorch agrees"
DIFFERS = "PyTorch differs"
BACKWARD = "PyTorch backward"
ESTIMATED = "PyTorch estimated"
HOOKED = "PyTorch hook"
MASKED = "PyTorch masked"
ROUNDED = "PyTorch rounds"
NEAR = "PyTorch near"
IDLE = "PyTorch idle"
UNUSED = "PyTorch unused"
STILL = "PyTorch still"
LEFT = "PyTorch left"
HELD = "PyTorch held"
FROZEN = "PyTorch frozen"
FIXED = "PyTorch fixed"
MAXIMISED = "PyTorch maximised"
OFF = "PyTorch off"
EVALUATED = "PyTorch evaluated"
DROPS = "PyTorch drops"
SWITCHED = "PyTorch switched"
TUNED = "PyTorch tuned"
LOSS = "PyTorch loss"
CROSSED = "PyTorch crossed"
PART = "PyTorch part"
PYTORCH = (
    AGREES,
    DIFFERS,
    BACKWARD,
    ESTIMATED,
    HOOKED,
    MASKED,
    ROUNDED,
    NEAR,
    IDLE,
    UNUSED,
    STILL,
    LEFT,
    HELD,
    FROZEN,
    FIXED,
    MAXIMISED,
    OFF,
    EVALUATED,
    DROPS,
    SWITCHED,
    TUNED,
    LOSS,
    CROSSED,
    PART,
)
"""Kinds of remarks on a PyTorch program.

Its gradients are the sums of the contributions in the log; that of a node is another; what the
`backward` of an `autograd.Function` returns for a node is not the derivative of its `forward`; or
the `forward` has none, as nothing that gradients go through leads from there to its results; the
gradient of a node is another in a program that has hooks, which may change gradients; it is nan, as
PyTorch multiplies by 0 where no gradient arrives; its numbers are of a type that is coarser than
ours, which is the text; how near its gradients are in a pass from a root, which is the node (one
for each pass); an optimizer holds no parameter that has received a gradient; gradients are cleared
before it uses them; it never steps; no optimizer holds parameters that receive gradients; one holds
parameters that never receive any; or that ask for none; so does a model that is called; an
optimizer maximises; a module uses parameters while gradients are off, the first of which is the
node; a model is evaluated in training mode; a function drops in evaluation mode; a model is trained
in evaluation mode, having been trained in training mode; or throughout; on the way to a root, which
is the node, a loss gets something else than it takes; one is over each prediction with each target;
only a part of it is recorded, and the text says what is taken as given.
"""


class Remark(NamedTuple):
    """Something that whoever watches an engine has seen: a rule that never runs, for example.

    `node` is the index of the node that it is about, or None; `place` is the line.
    """

    kind: str
    node: int | None
    place: Place
    text: str
