"""The version, apart from the package's front, which knows every part of it."""

__version__ = "0.1.0"
