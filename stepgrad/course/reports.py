"""Marks as text, as JSON, as a table and as a JUnit report."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from io import StringIO
from typing import Any
from xml.etree.ElementTree import Element

from stepgrad import junit
from stepgrad.course.grading import Graded
from stepgrad.numbers import number
from stepgrad.printable import counted, printable


def lines(graded: Graded) -> Iterator[str]:
    """Yield the marks of a student, a line for each exercise."""
    if graded.error:
        return
    yield printable(
        f"{graded.student or graded.path}: {number(graded.total)} of {len(graded.marks)}"
    )
    for place, each in enumerate(graded.marks, 1):
        used = [
            counted(count, what)
            for count, what in ((each.work.hints, "hint"), (each.work.wrong, "wrong answer"))
            if count
        ]
        more = f" ({', '.join(used)})" if used else ""
        yield f"  {place}. {number(each.mark):>4}  {each.exercise}{more}"
        if each.mark == 0:
            yield f"           {printable(each.said)}"


def as_object(graded: Sequence[Graded]) -> dict[str, Any]:
    """Return everything as one object, with an entry for each file of answers."""
    return {"students": [_object(each) for each in graded]}


def _object(graded: Graded) -> dict[str, Any]:
    return {
        "answers": graded.path,
        "file": graded.file,
        "student": graded.student,
        "error": graded.error,
        "mark": graded.total,
        "of": len(graded.marks),
        "exercises": [
            {
                "exercise": each.exercise,
                "mark": each.mark,
                "right": each.work.right,
                "hints": each.work.hints,
                "wrong": each.work.wrong,
                "lines": list(each.work.lines),
                "said": each.said,
            }
            for each in graded.marks
        ],
    }


def as_csv(graded: Sequence[Graded]) -> str:
    """Return a row for each file of answers, with a column for each exercise."""
    text = StringIO()
    table = csv.writer(text, lineterminator="\n")
    most = max((len(each.marks) for each in graded), default=0)
    table.writerow(["student", "file", "mark", "of", *range(1, most + 1), "error"])
    for each in graded:
        marks = [f"{mark.mark:g}" for mark in each.marks]
        total = [f"{each.total:g}", len(each.marks)] if not each.error else ["", ""]
        missing = [""] * (most - len(marks))
        who = _cell(each.student or each.path)
        table.writerow([who, _cell(each.file), *total, *marks, *missing, _cell(each.error)])
    return text.getvalue()


def _cell(text: str) -> str:
    """Keep a spreadsheet from computing what a student typed."""
    shown = printable(text)
    return f"'{shown}" if shown.startswith(("=", "+", "-", "@")) else shown


def as_junit(graded: Sequence[Graded]) -> bytes:
    """Return a suite for each file of answers, with a test case for each exercise.

    One that is not right is a failure; its mark is a property of the case.
    """
    return junit.document("stepgrad grade", map(_suite, graded))


def _suite(graded: Graded) -> Element:
    suite = junit.suite(printable(graded.student or graded.path))
    if graded.error:
        junit.case(suite, "opens", "error", printable(graded.error), classname=graded.path)
    for place, mark in enumerate(graded.marks, 1):
        junit.case(
            suite,
            f"{place}. {mark.exercise}",
            "" if mark.work.right else "failure",
            printable(mark.said),
            classname=printable(graded.file),
            properties={"mark": f"{mark.mark:g}"},
        )
    return suite
