"""What opens over the debugger: long work and reports (`dialog`), places, the help, the palette."""
