"""Engines of programs."""
