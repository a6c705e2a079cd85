"""Verdicts for programs: as an object for JSON, and as JUnit XML, which CI systems read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from stepgrad.checking.text import comparison_lines
from stepgrad.checking.verdict import Verdict
from stepgrad.headless import check_object
from stepgrad.numbers import for_json

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def as_object(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """Return everything as one object: whether all is well, and an entry for each file.

    Infinities and nan, which JSON cannot write, are the strings `inf`, `-inf` and `nan`.
    """
    return {
        "ok": not any(each.error or each.failed for each in verdicts),
        "files": [_object(each) for each in verdicts],
    }


def _object(verdict: Verdict) -> dict[str, Any]:
    return {
        "file": verdict.file,
        "verdict": verdict.word,
        "error": verdict.error,
        "status": verdict.status,
        "seconds": round(verdict.seconds, 3),
        "broken": verdict.broken,
        "passes": verdict.passes,
        "note": verdict.note,
        "checks": [
            check_object(promise.check) | {"details": list(promise.details)}
            for promise in verdict.promises
        ],
        "gradients": [
            {key: for_json(value) if isinstance(value, float) else value for key, value in row}
            for row in (
                {**asdict(way), "ok": None if way.ok and way.limit is None else way.ok}.items()
                for way in verdict.ways
            )
        ],
    }


def as_junit(verdicts: Sequence[Verdict]) -> bytes:
    """Return a suite for each file, with a test case for each expectation and for each way.

    A file that cannot be checked is a suite with one case, an error.
    """
    suites = Element("testsuites", name="stepgrad check")
    for verdict in verdicts:
        _suite(suites, verdict)
    for total in ("tests", "failures", "errors", "skipped"):
        suites.set(total, str(sum(int(suite.get(total, 0)) for suite in suites)))
    ElementTree.indent(suites)
    text = ElementTree.tostring(suites, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'.encode()


def _suite(suites: Element, verdict: Verdict) -> None:
    name = _clean(verdict.file)
    suite = SubElement(suites, "testsuite", name=name, time=f"{verdict.seconds:.3f}")

    def case(what: str, problem: str = "", text: str = "") -> None:
        found = SubElement(suite, "testcase", classname=name, name=_clean(what))
        if problem:
            first = _clean(text).partition("\n")[0]
            SubElement(found, problem, message=first).text = _clean(text)

    if verdict.error:
        case("opens", "error", verdict.error)
    for promise in verdict.promises:
        case(promise.check.name, "" if promise.ok else "failure", "\n".join(promise.details))
    if verdict.status:
        case("program", "failure", f"exit status {verdict.status}")
    if verdict.broken:
        case("finite", "failure", verdict.broken)
    if verdict.word == "nothing to check":
        told = verdict.note or "there is no backward pass and no expectation"
        case("gradients", "skipped", told)
    elif verdict.note:
        case("expectations", "skipped", verdict.note)
    for way in verdict.ways:
        if way.limit is None and way.ok:
            continue
        result, said = "" if way.compared else "skipped", "nothing is compared"
        if not way.ok:
            result = "failure"
            said = way.odds or f"{way.way} differs by {way.worst:.1e} at {way.where}"
        case(f"gradients: {way.way}", result, "\n".join((said, *comparison_lines([way]))))
    suite.set("tests", str(len(suite)))
    for problem, total in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
        suite.set(total, str(len(suite.findall(f"testcase/{problem}"))))


def _clean(text: str) -> str:
    """Replace the characters that XML does not allow."""
    return _NO_XML.sub("\N{REPLACEMENT CHARACTER}", text)
