"""The lessons that ship, read once: that takes a while."""

from stepgrad.course.lessons import ours

OURS = ours()
COURSE = dict(OURS.lessons)
