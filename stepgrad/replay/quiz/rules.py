"""Questions about rules of thumb: about single nodes and whole passes, of no recording."""

from __future__ import annotations

from stepgrad.engine.ops import BY_NAME
from stepgrad.numbers import factor, number
from stepgrad.replay.derivatives import partial
from stepgrad.replay.quiz.answers import Question


def rules() -> list[Question]:
    """Return the questions."""
    return [
        _of_node("add", (3.0, 4.0), 0, 5.0, "An add node passes its gradient on as it is."),
        _of_node("mul", (3.0, 4.0), 0, 2.0, "A multiply node swaps its factors."),
        _of_node("relu", (-1.0,), 0, 7.0, "A relu is a gate, and this one is shut."),
        _of_node("relu", (0.5,), 0, 7.0, "A relu is a gate, and this one is open."),
        _of_node("pow", (3.0, 2.0), 0, 1.0, "A square node gives 2·v."),
        _of_node("max", (2.0, 5.0), 0, 4.0, "Only the larger operand has a say in a max."),
        Question(
            "rule", "chain rule", "The axle turns 3 times for one turn of the crank, the wheel 2 "
            "times for one of the axle. How often does the wheel turn for one turn of the crank?",
            3.0 * 2.0, "Rates along a chain multiply: 3·2 = 6.",
        ),
        Question(
            "rule", "sum over paths", "A value is used on two paths. 3 comes back over one, 12 "
            "over the other. What is its gradient?",
            3.0 + 12.0, "Every path counts: what comes back is added up.",
        ),
        Question(
            "rule", "kept values", "y = a·b is made of a = 3 and b = 4. Then the program sets a to "
            "10, and only now 1 arrives at y. What must b receive?",
            3.0, f"{partial('y', 'b')} is the a that y was made of: that is why a tape keeps the "
            "values.",
        ),
        Question(
            "rule", "vanishing gradient", "A gradient of 1 goes back through 20 layers that each "
            "multiply it by 0.25. What is left? (two digits will do, as in 2.5e-3)",
            0.25**20, f"0.25²⁰ = {number(0.25**20)}: the first layers hear next to nothing.",
        ),
        Question(
            "rule", "dead relu", "In relu(w·x + b), w·x + b is below 0 for every sample x. By how "
            "much do 100 steps of SGD change b?",
            0.0, "A gate that is shut for every sample lets no gradient through: it stays shut.",
        ),
        Question(
            "rule", "forward mode", "A function has 1 input and 50 outputs. How many passes does "
            "forward mode need for all 50 derivatives?",
            1.0, "One pass for each input, whatever comes out: here forward mode is the better.",
        ),
        Question(
            "rule", "reverse mode", "A network has 1000 parameters and one loss. How many backward "
            "passes does the whole gradient take?",
            1.0, "One pass for each output; forward mode would need 1000.",
        ),
    ]  # fmt: skip


def _of_node(
    name: str, operands: tuple[float, ...], slot: int, upstream: float, rule: str
) -> Question:
    """Ask what a node hands on to one of its operands; the op table knows."""
    op = BY_NAME[name]
    written = op.written(dict(zip(op.operands, map(number, operands), strict=True)))
    received = op.carry[slot](*operands, op.value(*operands), upstream)
    which = number(operands[slot])
    return Question(
        "rule",
        name,
        f"{number(upstream)} arrives at {written}. What is handed on to the {which}?",
        received,
        f"{rule} {number(upstream)}·{factor(received / upstream)} = {number(received)}.",
    )
