"""A lesson as a list of steps: what each asks for, and how far a learner has come in it."""
