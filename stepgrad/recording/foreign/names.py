"""What programs call the number and the gradient of an object; only this module has a list."""

NUMBERS = (
    "data", "value", "val", "item", "number", "num", "primal", "v", "x", "_data", "_value", "_val",
    "d",
)  # fmt: skip
"""The attributes that may hold the number of an object: the first that a class has is it."""

GRADIENTS = ("grad", "gradient", "derivative", "deriv", "adjoint", "adj", "g", "d", "_grad", "_g")
"""The same for its gradient."""


def names_gradient(attribute: str) -> bool:
    """Whether an attribute is a gradient, whatever its class: not `d` and `g`, which may be other.

    Its name may begin with an underscore.
    """
    name = attribute.lstrip("_")
    return len(name) > 1 and name in GRADIENTS
