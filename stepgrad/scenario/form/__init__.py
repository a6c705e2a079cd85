"""The form of a scenario: which fields each section has, and what each field may hold.

`sections` is the table of fields, as dataclasses: a field's annotation says what it may hold, in
types and in the terms of `kinds`. From it come the dataclasses themselves, every message about the
form of a file (`reading`), and the JSON Schema. `rules` are what sections demand of each other.
"""
