"""The scalar engine: operations, values, and the two passes through them.

It computes. It knows nothing of logs, files or screens: a tape (`tape.py`) is all it tells
what it does, and without one it tells nobody.
"""
