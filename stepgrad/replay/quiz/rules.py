"""Questions about rules of thumb, without a recording: about single nodes and whole passes."""

from __future__ import annotations

from stepgrad.engine.ops import BY_NAME
from stepgrad.numbers import factor, number
from stepgrad.replay.quiz.answers import Question
from stepgrad.replay.telling.derivatives import partial


def rules() -> list[Question]:
    """Return the questions."""
    return [
        _of_node("add", (3.0, 4.0), 0, 5.0, "An add node passes its gradient on unchanged."),
        _of_node("mul", (3.0, 4.0), 0, 2.0, "A multiply node swaps its factors."),
        _of_node("relu", (-1.0,), 0, 7.0, "A relu is a gate, and this one is shut."),
        _of_node("relu", (0.5,), 0, 7.0, "A relu is a gate, and this one is open."),
        _of_node("pow", (3.0, 2.0), 0, 1.0, "A square node multiplies by twice its operand."),
        _of_node("max", (2.0, 5.0), 0, 4.0, "In a max, only the larger operand's gate is open."),
        Question(
            "rule", "chain rule", "The axle turns 3 times for one turn of the crank, and the wheel "
            "2 times for one of the axle. How many times does the wheel turn for one of the crank?",
            3.0 * 2.0, "Rates along a chain multiply: 3·2 = 6.",
        ),
        Question(
            "rule", "sum over paths", "A value is used on two paths. 3 comes back along one, 12 "
            "along the other. What is its gradient?",
            3.0 + 12.0, "Every path counts: what comes back along each is added up.",
        ),
        Question(
            "rule", "saved values", "y = a·b is computed from a = 3 and b = 4. Then the program "
            "sets a to 10, and only after that does 1 arrive at y. What should b receive?",
            3.0, f"{partial('y', 'b')} is the a that y was computed from: that is why a tape saves "
            "the values.",
        ),
        Question(
            "rule", "vanishing gradient", "A gradient of 1 goes back through 20 layers that each "
            "multiply it by 0.25. What is left? (two digits are enough, as in 2.5e-3)",
            0.25**20, f"0.25²⁰ = {number(0.25**20)}: next to nothing reaches the first layers.",
        ),
        Question(
            "rule", "dead relu", "In relu(w·x + b), w·x + b is below 0 for every row of the data. "
            "By how much do 100 steps of SGD change b?",
            0.0, "A gate that is shut for every row lets no gradient through: it stays shut.",
        ),
        Question(
            "rule", "forward mode", "A function has 1 input and 50 outputs. How many passes does "
            "forward mode need for all 50 derivatives?",
            1.0, "One pass for each input, whatever the number of outputs: here forward mode wins.",
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
    """Ask for the gradient that an operand receives from a node, by the op table."""
    op = BY_NAME[name]
    written = op.written(dict(zip(op.operands, map(number, operands), strict=True)))
    values = dict(zip(op.operands, operands, strict=True))
    local, _ = op.partials[slot].branch(values)
    received = op.carry[slot](*operands, op.value(*operands), upstream)
    product = f"{number(upstream)}·{factor(received / upstream)} = {number(received)}"
    told = "A shut gate sends back 0, whatever arrives" if local.shut else product
    which = number(operands[slot])
    return Question(
        "rule",
        name,
        f"{number(upstream)} arrives at {written}. What gradient does the {which} receive?",
        received,
        f"{rule} {told}.",
    )
