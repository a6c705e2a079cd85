"""The glossary: its examples are what its commands print, and words are found in any form."""

from __future__ import annotations

import shlex

import pytest
from click.testing import CliRunner

from scenario.test_lessons_followed import agrees, numbers, read
from shelf import COURSE
from stepgrad.cli import main
from stepgrad.course.glossary import GLOSSARY, Entry, look_up, mentions, words

PROMISED = [
    *("chain rule", "computational graph", "topological order", "local derivative"),
    *("upstream gradient", "accumulation", "forward mode", "reverse mode", "dual number"),
    *("tape", "gate", "dead", "saturation", "primal", "tangent", "VJP", "JVP"),
]


def test_the_words_are_in_order_and_there() -> None:
    assert words() == sorted(words(), key=str.casefold)
    assert set(PROMISED) <= set(words())


@pytest.mark.parametrize("entry", GLOSSARY, ids=lambda entry: entry.word)
def test_the_command_of_an_entry_shows_the_numbers_of_its_example(entry: Entry) -> None:
    program, *arguments = shlex.split(entry.command)
    assert program == "stepgrad"
    lesson = next(each for each in arguments if each in COURSE)
    assert entry.example.startswith(f"In {lesson}, ")
    result = CliRunner().invoke(main, arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit)
    due = [n for n in numbers(entry.example) if n != "−"]
    assert due
    assert [n for n in due if not agrees(n, read(result.output))] == []


def test_an_entry_is_one_sentence_and_is_found_by_its_word() -> None:
    for entry in GLOSSARY:
        assert entry.meaning.endswith("."), entry
        assert ". " not in entry.meaning, entry
        assert len(entry.meaning) <= 110, entry
        assert look_up(entry.word.upper()) is entry


def test_a_word_is_found_in_any_form_and_marked_once() -> None:
    text = "Gradients: the chain\nrule, gradients again, a topological order; dead_relu is a name."
    assert [text[m.start : m.end] for m in mentions(text)] == [
        "Gradients",
        "chain\nrule",
        "topological order",
    ]
    assert look_up("gradients") is look_up("gradient")
    assert look_up("Chain   rule") is not None
    assert look_up("zebra") is None


def test_the_command_explains_one_word_or_all() -> None:
    one = CliRunner().invoke(main, ["glossary", "Chain", "rule"])
    assert one.output == (
        "chain rule:\n"
        "  The derivative along a chain of operations is the product of their local\n"
        "  derivatives.\n"
        "  In chain_rule, h changes 14 times as fast as u, and u 3 times as fast as x:\n"
        "  14·3 = 42.\n"
        "    stepgrad replay chain_rule --keys G\n"
    )
    everything = CliRunner().invoke(main, ["glossary"]).output
    assert all(f"{entry.word}:\n" in everything for entry in GLOSSARY)
    assert max(map(len, everything.splitlines())) <= 80


def test_a_word_that_is_not_there_is_told_with_one_that_is_near() -> None:
    result = CliRunner().invoke(main, ["glossary", "tangant"])
    assert result.exit_code == 2
    assert "`tangant` is not in the glossary; did you mean `tangent`?" in result.output
    result = CliRunner().invoke(main, ["glossary", "zebra"])
    assert "not in the glossary; `stepgrad glossary` explains all words" in result.output


@pytest.mark.parametrize("word", ["cross-entropy", "Cross entropy", "log loss", "sigmoid"])
def test_what_the_titles_of_lessons_speak_of_is_a_word(word: str) -> None:
    assert look_up(word)
