"""The debugger by ear: keys are typed at a prompt, and every answer is a few sentences.

`talk` turns a debugger and a typed line into the next debugger and what it says. `panels` and
`reports` say what the panels and reports of the screen show, `lesson` reads a lesson part by part,
`help` explains the commands. None of it knows a terminal.
"""
