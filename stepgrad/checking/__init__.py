"""Holding recordings against what is expected of them, and against other ways to the gradients.

`verdict` says what came of it; `text` tells it to a person, `reports` to a program and to a CI
system.
"""
