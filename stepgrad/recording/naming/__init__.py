"""Names and scopes that a program gives without saying so: by its variables, and by its functions.

- `assigned.py` reads off a text which expression is assigned to which variable; `sites.py` finds
  the expression of an instruction.
- `calls.py` finds, while a program runs, in which calls of its functions a node is made, which
  `paths.py` keeps, and `kinds.py` what a call of a function is called.
- `scopes.py` makes scopes of these calls, `variables.py` makes names of these expressions.
- `walk.py` names objects by what holds them: `model.layers[0].w[1]`.

Nothing in here knows a recorder, a log or an engine.
"""
