"""Results for programs: as an object for JSON, and as JUnit XML, which CI systems read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any
from xml.etree.ElementTree import Element

from stepgrad import junit
from stepgrad.checking.result import Result
from stepgrad.checking.text import comparison_lines, finding_lines
from stepgrad.headless import check_object
from stepgrad.numbers import for_json


def as_object(results: Sequence[Result]) -> dict[str, Any]:
    """Return everything as one object: whether all is well, and an entry for each file.

    Infinities and nan, which JSON cannot write, are the strings `inf`, `-inf` and `nan`.
    """
    return {
        "ok": not any(each.error or each.failed for each in results),
        "files": [_object(each) for each in results],
    }


def _object(result: Result) -> dict[str, Any]:
    return {
        "file": result.file,
        "verdict": result.word,
        "error": result.error,
        "status": result.status,
        "failure": result.failure,
        "seconds": round(result.seconds, 3),
        "broken": result.broken,
        "passes": result.passes,
        "note": result.note,
        "verdicts": [asdict(each) for each in result.findings],
        "promised_verdicts": result.diagnosis.promised,
        "checks": [
            check_object(promise.check) | {"details": list(promise.details)}
            for promise in result.promises
        ],
        "gradients": [
            {key: for_json(value) if isinstance(value, float) else value for key, value in row}
            for row in (
                {**asdict(way), "ok": None if way.ok and way.limit is None else way.ok}.items()
                for way in result.ways
            )
        ],
    }


def as_junit(results: Sequence[Result]) -> bytes:
    """Return a suite for each file, with a test case for each expectation and for each way.

    A file that cannot be checked is a suite with one case, an error.
    """
    return junit.document("stepgrad check", map(_suite, results))


def _suite(result: Result) -> Element:
    suite = junit.suite(result.file, result.seconds)

    def case(what: str, problem: str = "", text: str = "") -> None:
        junit.case(suite, what, problem, text)

    junit.add_properties(suite, _unpromised(result))
    if result.error:
        case("opens", "error", result.error)
    for promise in result.promises:
        case(promise.check.name, "" if promise.ok else "failure", "\n".join(promise.details))
    if result.status:
        ended = filter(None, (f"exit status {result.status}", result.failure))
        case("program", "failure", ": ".join(ended))
    if result.broken:
        case("finite", "failure", result.broken)
    if result.word == "nothing to check":
        told = result.note or "there is no backward pass and no expectation"
        case("gradients", "skipped", told)
    elif result.note:
        case("expectations", "skipped", result.note)
    for way in result.ways:
        if way.limit is None and way.ok:
            continue
        problem, said = "" if way.compared else "skipped", "nothing is compared"
        if not way.ok:
            problem = "failure"
            said = way.odds or f"{way.way} differs by {way.worst:.1e} at {way.where}"
        case(f"gradients: {way.way}", problem, "\n".join((said, *comparison_lines([way]))))
    if result.strict or result.sick or result.diagnosis.promised is not None:
        case("verdicts", "failure" if result.sick else "", "\n".join(finding_lines(result)))
    return suite


def _unpromised(result: Result) -> dict[str, str]:
    """Return the verdicts that nothing promises, whether or not they fail the check."""
    return {
        f"verdict: {each.verdict}": f"{each.text} ({each.evidence}) {each.advice}"
        for each in result.findings
    }
