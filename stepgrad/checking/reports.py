"""Results for programs: as an object for JSON, and as JUnit XML, which CI systems read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from stepgrad.checking.result import Result
from stepgrad.checking.text import comparison_lines, finding_lines
from stepgrad.headless import check_object
from stepgrad.numbers import for_json

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


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
    suites = Element("testsuites", name="stepgrad check")
    for result in results:
        _suite(suites, result)
    for total in ("tests", "failures", "errors", "skipped"):
        suites.set(total, str(sum(int(suite.get(total, 0)) for suite in suites)))
    ElementTree.indent(suites)
    text = ElementTree.tostring(suites, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'.encode()


def _suite(suites: Element, result: Result) -> None:
    name = _clean(result.file)
    suite = SubElement(suites, "testsuite", name=name, time=f"{result.seconds:.3f}")

    def case(what: str, problem: str = "", text: str = "") -> None:
        found = SubElement(suite, "testcase", classname=name, name=_clean(what))
        if problem:
            first = _clean(text).partition("\n")[0]
            SubElement(found, problem, message=first).text = _clean(text)

    _properties(suite, result)
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
    suite.set("tests", str(len(suite.findall("testcase"))))
    for problem, total in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
        suite.set(total, str(len(suite.findall(f"testcase/{problem}"))))


def _properties(suite: Element, result: Result) -> None:
    """Add the verdicts that nothing promises, whether or not they fail the check."""
    if not result.findings:
        return
    properties = SubElement(suite, "properties")
    for each in result.findings:
        text = _clean(f"{each.text} ({each.evidence}) {each.advice}")
        SubElement(properties, "property", name=f"verdict: {each.verdict}", value=text)


def _clean(text: str) -> str:
    """Replace the characters that XML does not allow."""
    return _NO_XML.sub("\N{REPLACEMENT CHARACTER}", text)
