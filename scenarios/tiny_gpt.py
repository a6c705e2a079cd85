"""A GPT that learns to spell names, letter by letter, in scalar Values.

It has the parts of a large language model, only smaller: embeddings, attention with several heads,
a multi-layer perceptron, and a softmax over the next letter. One step of training makes about
50,000 nodes, and the debugger can show every one of them. The loss starts near log 27 ≈ 3.3: to the
untrained model, the 26 letters and the end of a name are all equally likely.

    python scenarios/tiny_gpt.py --steps 10
    python scenarios/tiny_gpt.py --steps 200 --samples 10
"""

from __future__ import annotations

import argparse
import string
from collections.abc import Iterable, Sequence
from functools import reduce
from itertools import count, cycle, islice, pairwise
from operator import add, mul
from random import Random

from stepgrad import Adam, Value, mark, scope, softmax

TEXT = """
ada agnes alan alba alma amelie anna anton arthur astrid august bela bella benno boris bruno carla
cecile clara claude cora daria david diana dora edgar edith elena elias elisa emil emma erik ernst
esther eva fabian felix fiona flora frank frida gabriel george gloria greta gustav hanna hector
helena henri hugo ida ines irene iris isaac ivan jacob jana jasper johan jonas judith julia karl
kira klara konrad lara laura lea leo lina linus lola louis lucia luis lydia magnus maria marta max
mila mina mona nadia niels nina nora oliver omar oscar otto paula pedro petra quentin rafael rosa
ruben ruth samuel sara selma simon sofia stella sven tara theo thomas tilda ursula vera victor
viola walter wanda xavier yara yusuf zoe
"""
NAMES = TEXT.split()
TOKENS = "." + string.ascii_lowercase  # a dot comes before and after each name

Vector = Sequence[Value]
Matrix = Sequence[Vector]


class GPT:
    """One transformer block between an embedding and an unembedding.

    Args:
        random: the source of the initial weights.
        width: numbers in the vector of a position; the heads share them.
        heads: the number of attention heads.
        context: the number of positions that it can read.
    """

    def __init__(self, random: Random, width: int = 16, heads: int = 4, context: int = 8) -> None:
        def matrix(name: str, rows: int, columns: int) -> Matrix:
            with scope(name):
                return [
                    [Value(random.gauss(0, 0.1), f"w{i}_{j}") for j in range(1, columns + 1)]
                    for i in range(1, rows + 1)
                ]

        self.heads, self.context = heads, context
        self.token = matrix("token", len(TOKENS), width)
        self.position = matrix("position", context, width)
        self.query = matrix("query", width, width)
        self.key = matrix("key", width, width)
        self.value = matrix("value", width, width)
        self.mix = matrix("mix", width, width)
        self.widen = matrix("widen", 4 * width, width)
        self.narrow = matrix("narrow", width, 4 * width)
        self.unembed = matrix("unembed", len(TOKENS), width)

    def parameters(self) -> list[Value]:
        """Return every weight, matrix by matrix."""
        matrices = (
            *(self.token, self.position, self.unembed, self.widen, self.narrow),
            *(self.query, self.key, self.value, self.mix),
        )
        return [weight for matrix in matrices for row in matrix for weight in row]

    def read(self, token: int, past: list[tuple[Vector, Vector]]) -> list[Value]:
        """Read a token, given the keys and values in `past`; return the logits of the next one.

        Each part adds to the vector x of its position, the residual stream.
        """
        x = plus(self.token[token], self.position[len(past)])
        with scope("attention"):
            x = plus(x, self.attend(normal(x), past))
        with scope("mlp"):
            hidden = [z.relu() for z in times(self.widen, normal(x))]
            x = plus(x, times(self.narrow, hidden))
        return named("logit_", times(self.unembed, normal(x)), TOKENS)

    def attend(self, x: Vector, past: list[tuple[Vector, Vector]]) -> list[Value]:
        """Attend from x: each head averages values, weighted by how well their keys match x."""
        query = named("q", times(self.query, x))
        past.append((named("k", times(self.key, x)), named("v", times(self.value, x))))
        size = len(x) // self.heads
        found: list[Value] = []
        for head in range(self.heads):
            part = slice(head * size, (head + 1) * size)
            with scope(f"head{head}"):
                scores = [dot(query[part], key[part]) * size**-0.5 for key, _ in past]
                attention = softmax(scores)
                found += [
                    dot(attention, column)
                    for column in zip(*(value[part] for _, value in past), strict=True)
                ]
        return times(self.mix, found)

    def loss(self, name: str) -> Value:
        """Return how surprising a name is to the model: the mean of −log p over its letters."""
        tokens = [TOKENS.index(letter) for letter in f".{name}."][: self.context + 1]
        past: list[tuple[Vector, Vector]] = []
        surprises = []
        for position, (token, following) in enumerate(pairwise(tokens)):
            with scope(f"pos{position}"):
                chances = softmax(self.read(token, past))
                surprises.append(-chances[following].log())
        named("surprise", surprises)
        [loss] = named("loss", [reduce(add, surprises) / len(surprises)], [""])
        return loss

    def sample(self, random: Random) -> str:
        """Make up a name: draw letters by their probabilities, until a dot is drawn."""
        name, token = "", 0
        past: list[tuple[Vector, Vector]] = []
        while len(past) < self.context:
            chances = [chance.data for chance in softmax(self.read(token, past))]
            [token] = random.choices(range(len(TOKENS)), chances)
            if token == 0:
                break
            name += TOKENS[token]
        return name


def dot(a: Iterable[Value], b: Iterable[Value]) -> Value:
    """Return a1·b1 + a2·b2 + …"""
    return reduce(add, map(mul, a, b))


def times(matrix: Matrix, x: Vector) -> list[Value]:
    """Return the product of a matrix and a vector."""
    return [dot(row, x) for row in matrix]


def plus(a: Vector, b: Vector) -> list[Value]:
    """Return the sum of two vectors."""
    return list(map(add, a, b))


def normal(x: Vector) -> list[Value]:
    """Scale a vector so that the mean of its squares is 1, which keeps every layer in range."""
    scale = (dot(x, x) / len(x) + 1e-5) ** -0.5
    return [each * scale for each in x]


def named(start: str, values: list[Value], endings: Iterable[object] | None = None) -> list[Value]:
    """Label values: q1, q2, … or with other endings."""
    for value, ending in zip(values, endings or count(1), strict=False):
        value.label = f"{start}{ending}"
    return values


def train(gpt: GPT, names: Iterable[str], learning_rate: float) -> None:
    """Learn from one name per step, and print how surprising each was."""
    adam = Adam(gpt.parameters(), learning_rate)
    for step, name in enumerate(names):
        mark("step", step)
        loss = gpt.loss(name)
        adam.zero_grad()
        loss.backward()
        adam.step()
        print(f"step {step:3}  {name:8} loss {loss.data:.4f}")


def main() -> None:
    """Train, and perhaps make up some names."""
    parser = argparse.ArgumentParser(description="Train a tiny GPT on names.")
    parser.add_argument("--steps", type=int, default=20, help="names to learn from")
    parser.add_argument("--samples", type=int, default=0, help="names to make up afterwards")
    parser.add_argument("--learning-rate", type=float, default=0.01)
    parser.add_argument("--seed", type=int, default=1, help="of the weights and the order of names")
    options = parser.parse_args()
    random = Random(options.seed)
    gpt = GPT(random)
    order = random.sample(NAMES, len(NAMES))
    train(gpt, islice(cycle(order), options.steps), options.learning_rate)
    for _ in range(options.samples):
        print(gpt.sample(random))


if __name__ == "__main__":
    main()
