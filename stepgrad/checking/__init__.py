"""Checking recordings against what is expected of them, and their gradients in other ways.

`ways` computes the gradients of the `passes` of a recording again, and `tangents` does so for
forward mode; a `comparison` says how far two results differ. `mistaken` says what is wrong with a
number that a person has worked out, and `returned` reads what a function of theirs returns.
`result` sums it all up; `text` shows it to a person, `reports` to programs and CI systems.
"""
