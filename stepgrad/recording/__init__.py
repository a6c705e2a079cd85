"""The event log: what a program did, stored small, and every event of it derived on demand.

Stored are structures (shared by all passes of the same shape), a column of values for each
forward pass and one of final gradients for each backward pass, and the writes. Local derivatives,
contributions and partly accumulated gradients follow from those.

The way of a value: the engine reports it to the tape (`recorder.py`), which keeps it in a list
(`pending.py`; with its line, `callers.py`) until something else happens. Then the list becomes a
block (`writer.py`): its shape is recognised (`template.py`) or described (`structure.py`), its
numbers are packed into a column (`packed.py`), and the block (`blocks.py`) is added to the log
(`log.py`). `known.py` remembers which index the Value has there. Backward passes go by way of
`plan.py` and `sweep.py`, writes by way of `changes.py` and `writes.py`. On the way back,
`history.py` derives events (`events.py`) from blocks, which `index.py` finds. `recording.py` adds
files to a log: `store/write.py` and `store/read.py`, with the columns packed by `store/packing.py`.

A *shape* is what blocks share: a structure, a sweep or a run of writes. `traced.py` runs a pass
that recurs as generated code (`compiled.py`, `statements.py`), without Values.
"""
