"""The debugger in the terminal: thin widgets over pure renderers.

`DebuggerScreen` owns the cursor; every panel shows a pure function of it (`render`), and what a
person does goes up as messages.
"""
