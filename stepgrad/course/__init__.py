"""A course: what a person has done of its lessons.

`progress` is what there is to know, and what comes next; `state` keeps it in a file.
"""
