"""Conditions such as `isnan(grad)`, tested for every event of a recording, in whole columns."""
