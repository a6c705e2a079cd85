"""A course: its lessons, and what a person has done of them.

`lessons` are those that ship, or those of a `folder`, which may say so in a `course.yaml` (`form`).
`progress` is what there is to know, and what comes next; `state` keeps it in a file.
"""
