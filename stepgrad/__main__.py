"""`python -m stepgrad` is the command `stepgrad`."""

from stepgrad.cli import main

main()
