"""From the `exercises` of a scenario to tasks: numbers, answers, and mistakes to recognise.

`drawing` gives each student numbers; `numbers` reads the answers off a run with them; `mistakes`
computes what an answer is if something was forgotten; `posing` puts a task together, and `trying`
finds those that cannot be answered.
"""
