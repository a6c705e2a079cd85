"""What every drawing of a graph has in common, on the screen and on paper."""
