"""A position in a recording, and every question about it. Nothing here draws, nothing is kept."""
