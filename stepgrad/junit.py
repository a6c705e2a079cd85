"""JUnit XML, which CI systems read: suites of test cases, and what became of each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TOTALS = {"failure": "failures", "error": "errors", "skipped": "skipped"}


def suite(name: str, seconds: float | None = None) -> Element:
    """Return a suite without cases, and how long it has taken."""
    time = {} if seconds is None else {"time": f"{seconds:.3f}"}
    return Element("testsuite", {"name": _clean(name), **time})


def case(  # noqa: PLR0913 - all that there is to a case
    suite: Element,
    name: str,
    problem: str,
    text: str,
    *,
    classname: str = "",
    properties: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Add a case to a suite; its `problem` is "failure", "error" or "skipped", if it has one."""
    where = _clean(classname) or suite.get("name", "")
    found = SubElement(suite, "testcase", classname=where, name=_clean(name))
    add_properties(found, properties)
    if problem:
        first = _clean(text).partition("\n")[0]
        SubElement(found, problem, message=first).text = _clean(text)


def add_properties(element: Element, properties: Mapping[str, str]) -> None:
    """Add properties to a suite or a case, if there are any."""
    if properties:
        holder = SubElement(element, "properties")
        for name, value in properties.items():
            SubElement(holder, "property", name=_clean(name), value=_clean(value))


def document(name: str, suites: Iterable[Element]) -> bytes:
    """Return a document of suites, which are counted."""
    root = Element("testsuites", name=name)
    for each in suites:
        each.set("tests", str(len(each.findall("testcase"))))
        for problem, total in _TOTALS.items():
            each.set(total, str(len(each.findall(f"testcase/{problem}"))))
        root.append(each)
    for total in ("tests", *_TOTALS.values()):
        root.set(total, str(sum(int(each.get(total, 0)) for each in root)))
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'.encode()


def _clean(text: str) -> str:
    """Replace the characters that XML does not allow."""
    return _NO_XML.sub("\N{REPLACEMENT CHARACTER}", text)
