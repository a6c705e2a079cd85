"""The debugger's screen, in layers.

It carries out commands (`working`), says what is wrong (`diagnosing`), guides through a lesson
(`teaching`), turns knobs (`turning`), and holds the panels (`debugger`). `playing` moves it on.
"""
