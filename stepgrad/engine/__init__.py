"""The scalar engine: operations, values, and the two passes through them.

It computes. It knows nothing of logs, files or screens: it reports to a tape (`tape.py`), if there
is one.
"""
