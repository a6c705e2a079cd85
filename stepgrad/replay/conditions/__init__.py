"""Conditions: `isnan(grad)`, asked of every event of a recording, whole columns at a time."""
