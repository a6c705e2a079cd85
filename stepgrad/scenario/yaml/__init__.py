"""YAML as plain data, with the place of every value in the text."""
