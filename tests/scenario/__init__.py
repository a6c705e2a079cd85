"""Tests of `stepgrad.scenario`."""
