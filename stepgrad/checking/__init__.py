"""Holding recordings against what is expected of them, and against other ways to the gradients.

`ways` come to the gradients anew, from the `passes` of a recording, and `tangents` to those of
forward mode; a `comparison` says how far apart two are. `verdict` says what came of it all; `text`
tells it to a person, `reports` to a program and to a CI system.
"""
