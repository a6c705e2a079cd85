"""Predict before you look: questions about what comes next, and which answers are right."""
