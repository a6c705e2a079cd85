"""Whether the rules of a program's own engine are right: `engine`, the question about them.

A program may bring its own class of scalars and run its own backward passes. What its rules wrote
is in the recording, beside what is right, so this asks nothing of the engine itself.

- `wrote.py` reads the contributions of a pass; `passes.py` judges them in their order: seed,
  visits, numbers, and what is missing, where no object may need none (`asking.py`); `forward.py`
  judges values, `remarks.py` tells what no event shows.
- `earlier.py` says what a pass adds to that an earlier one has left.
- `causes.py` finds why contributions are wrong, with the wrong derivatives of `formulas.py`.
- `finals.py` judges engines that write final gradients, not contributions, by their results.
- `lines.py` finds the line to blame, in the `text.py` of the program and by what `writers.py` knows
  of the lines of rules; `seeds.py` whether a seed was asked for; `words.py` the words.
- `by_hand.py` is the question about backward passes that are written gradient by gradient, each of
  them a `hand_pass.py`.
- `pytorch.py` is the question about PyTorch's gradients, which were compared at run time.
- `judgement.py` puts it together, and `question.py` makes verdicts of it.
"""
