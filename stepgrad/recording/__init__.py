"""The event log: what a program did, stored small, and every event of it derived on demand.

Stored are structures (shared by all passes of the same shape), a column of values for each
forward pass and one of final gradients for each backward pass, and the writes. Local derivatives,
contributions and partly accumulated gradients follow from those.

The way of a value: the engine reports it to the tape (`recorder.py`), which keeps it in a list
(`pending.py`; with its line, `callers.py`) until something else happens. Then the list becomes a
batch (`batch.py`), and the batch a block (`writer.py`): its structure is recognised or described
(`template.py`, `structure.py`), its numbers are packed into a column, and the block (`blocks.py`)
is added to the log (`log.py`). `known.py` remembers which index the Value has there. On the way
back, `history.py` derives events (`events.py`) from blocks, which `index.py` finds. `recording.py`
adds files to a log: `store/write.py` and `store/read.py`, with the columns packed by
`store/packing.py`. `record.py` opens all this, `source.py` and `places.py` keep the text of the
program, and `changed.py` records a world with a bug.

A program that runs its backward passes itself is watched. What its rules write comes in at a door
of the recorder, and becomes blocks that store their edges and what each has left (`foreign/`).

Where lines are noted, `naming/` finds what nodes are called, and in which calls they are made, and
`holders.py` what holds the leaves; `described.py` puts it together. `numbered.py` tells equal names
of a training step apart. `released.py` finds where a program has let go of all that it computed.

There are three kinds of shape that blocks share. For each, one file says what it is, and one how
the recorder finds the one that a new block has:

- a forward pass has a structure (`structure.py`), found by a template (`template.py`);
- a backward pass has a sweep (`sweep.py`), found by a plan (`plan.py`), or by a walk (`foreign/`);
- a run of writes has writes (`writes.py`), found by `changes.py`; one of them is in `written.py`.

Two things are compiled, from the statements in `statements.py`. What recurs with Values becomes
code that recognises a pass, or runs it backward (`recurring.py`). Whole passes run as code without
Values where a scenario promises that they are the same (`compiled.py`, called by `traced.py`); the
recorder takes those, and passes over tensors, as blocks (`blockwise.py`).
Caches are in `kept.py`; how much memory is left, in `budget.py` and `memory.py`.
"""
