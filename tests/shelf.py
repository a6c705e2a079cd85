"""The lessons that ship, read once: that takes a while."""

from stepgrad.scenario import gallery

COURSE = gallery()
