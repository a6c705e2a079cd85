"""What a diagnosis costs: each question, on recordings of about a million events.

Run `python tests/benchmarks/diagnose.py`. For each recording it prints the time of the survey, of
all questions together, and of those that take more than 20 ms; of several rounds, the fastest. The
questions share what they have worked out, which counts for the first that asks. Each round reads
the recording from a file, as everything that is worked out is kept with it.

All times are the processor's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import process_time

from stepgrad import SGD, Recording, Value, record
from stepgrad.diagnosis.questions import QUESTIONS
from stepgrad.diagnosis.survey import survey
from stepgrad.opening import open_typed
from stepgrad.scenario.library import shipped

LESSONS = Path(__file__).parents[2] / "scenarios"
ROUNDS, NOTABLE = 3, 0.02


def by_hand() -> Recording:
    """Rows one by one, with writes by hand."""
    random = Random(1)
    with record() as recording:
        w, b = Value(0.1, label="w"), Value(0.0, label="b")
        for _ in range(50_000):
            x = random.uniform(-1, 1)
            loss = (w * x + b - 2 * x) ** 2
            loss.backward()
            for p in (w, b):
                p.data -= 0.01 * p.grad
                p.grad = 0.0
    return recording


def never_cleared() -> Recording:
    """The same bug in every step."""
    with record() as recording:
        w = Value(0.0, label="w")
        optimizer = SGD([w], 1e-4)
        for _ in range(40_000):
            ((w * 1.0 - 3) ** 2).backward()
            optimizer.step()
    return recording


def one_pass() -> Recording:
    """A single backward pass of 300,000 operations."""
    random = Random(1)
    with record() as recording:
        w = [Value(random.uniform(-1, 1), label=f"w{i}") for i in range(300)]
        total = Value(0.0)
        for i in range(100_000):
            total = total + (w[i % 300] * random.uniform(-1, 1)).tanh()
        total.backward()
    return recording


def xor() -> Recording:
    """XOR, 2,500 steps."""
    text = shipped()["xor_tanh"].read_text(encoding="utf-8")
    with TemporaryDirectory() as folder:
        path = Path(folder) / "xor.yaml"
        path.write_text(text[: text.index("expect:")].replace("steps: 100", "steps: 2500"))
        return open_typed(str(path)).recording


RUNS: Mapping[str, Callable[[], Recording]] = {
    "xor × 2,500": xor,
    "tiny_gpt": lambda: open_typed(str(LESSONS / "tiny_gpt.py")).recording,
    "by hand": by_hand,
    "never cleared": never_cleared,
    "one pass": one_pass,
}


def main() -> None:
    """Measure each recording."""
    with TemporaryDirectory() as folder:
        for name, run in RUNS.items():
            path = Path(folder) / "run.stepgrad"
            run().save(path)
            costs = [_costs(Recording.load(path)) for _ in range(ROUNDS)]
            best = min(costs, key=lambda cost: sum(cost.values()))
            notable = {each: cost for each, cost in best.items() if cost > NOTABLE}
            events = Recording.load(path).length
            print(f"{name:14} {events:>9,} events {sum(best.values()) * 1e3:6,.0f} ms", flush=True)
            for each, cost in sorted(notable.items(), key=lambda item: -item[1]):
                print(f"    {each:18} {cost * 1e3:6,.0f} ms", flush=True)


def _costs(recording: Recording) -> Mapping[str, float]:
    start = process_time()
    brief = survey(recording)
    costs = {"survey": process_time() - start}
    for question in QUESTIONS:
        start = process_time()
        list(question.find(brief))
        costs[question.name] = process_time() - start
    return costs


if __name__ == "__main__":
    main()
