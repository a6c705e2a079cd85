"""Saving the recording that is replayed."""

from pathlib import Path

import pytest

from stepgrad import Value, record, record_scenario
from stepgrad.errors import StepgradError
from stepgrad.plain.talk import Talk, respond
from stepgrad.plain.words import read_message
from stepgrad.recording.recording import Recording
from stepgrad.replay.commands.hints import key
from stepgrad.replay.commands.places import CommandError
from stepgrad.replay.commands.saving import LONG, form, leaving, save
from stepgrad.replay.cursor import Cursor
from stepgrad.replay.session import Progress, Session


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    monkeypatch.chdir(tmp_path)
    with record() as recording:
        x = Value(3.0, label="x")
        (x * x).backward()
    return Session(Cursor(recording))


def test_what_is_saved_opens_again(session: Session, tmp_path: Path) -> None:
    saved = save(session, " my_run.stepgrad ")
    path = tmp_path / "my_run.stepgrad"
    assert [*Recording.load(path).events] == [*session.recording.events]
    assert saved.said == f"saved in {path}: 5 events, {path.stat().st_size:,} bytes"
    assert saved.say("") == session


def test_a_suffix_is_added_and_a_folder_is_kept(session: Session, tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    save(session, "runs/first")
    assert Recording.load(tmp_path / "runs" / "first.stepgrad").length == 5


def test_without_a_name_it_is_that_of_the_program_and_never_one_that_exists(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    session = Session(Cursor(record_scenario("two_layer")))
    assert form(session) == "the name of a file; leave empty for two_layer.stepgrad"
    save(session, "")
    before = Path("two_layer.stepgrad").read_bytes()
    assert form(session).endswith("two_layer-2.stepgrad")
    save(session, "")
    assert sorted(each.name for each in tmp_path.iterdir()) == [
        "two_layer-2.stepgrad", "two_layer.stepgrad"
    ]  # fmt: skip
    assert Path("two_layer.stepgrad").read_bytes() == before


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("run.json", "run.json: end the name in .stepgrad"),
        ("there.stepgrad", "there.stepgrad: there is such a file; write another name"),
        ("there", "there: there is such a file; write another name"),
        ("nowhere/run.stepgrad", "No such file or directory"),
        ("nu\0ll.stepgrad", "is not written"),
    ],
)
def test_a_name_that_is_not_written_to(session: Session, name: str, problem: str) -> None:
    Path("there.stepgrad").write_text("mine")
    with pytest.raises(StepgradError) as error:
        save(session, name)
    assert problem in str(error.value)
    assert str(error.value).isprintable()
    assert [(each.name, each.read_text()) for each in Path().iterdir()] == [
        ("there.stepgrad", "mine")
    ]


def test_what_still_grows_is_not_saved(session: Session, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="still being recorded"):
        save(session.say("", progress=Progress(0.5)), "half")
    assert not [*tmp_path.iterdir()]
    save(session.say("", progress=Progress(0.5, stopped=True)), "half")
    assert Recording.load("half.stepgrad").length == 5


def test_a_recording_that_took_long_is_asked_about_once(session: Session) -> None:
    session.recording.unsaved = LONG - 1
    assert leaving(session) is None
    session.recording.unsaved = 34.2
    warned = leaving(session)
    assert warned is not None
    assert warned.said == (
        f"this recording took 34 s and is not saved: {key('save')} saves it, {key('quit')} "
        "again leaves it"
    )
    assert leaving(warned) is None
    assert leaving(warned.go(warned.cursor.step())) is not None
    assert leaving(save(session, "")) is None


def test_at_the_prompt(session: Session, tmp_path: Path) -> None:
    session.recording.unsaved = LONG
    talk, said = respond(Talk(session), "q")
    assert said == [
        "this recording took 10 s and is not saved: ctrl s saves it, q again leaves it."
    ]
    assert respond(talk, "q")[0].over
    talk, said = respond(talk, "save my_run")
    assert said[0].startswith(f"saved in {tmp_path / 'my_run.stepgrad'}: 5 events, ")
    assert respond(talk, "q")[0].over
    talk, said = respond(talk, "save")
    assert said == [
        "save the recording:",
        "Type the name of a file; leave empty for recording.stepgrad.",
    ]
    assert talk.asking is not None


def test_the_path_of_a_saved_recording_is_said_as_it_is_typed() -> None:
    said = read_message("row_1/y is in a_b/x_y.stepgrad, and row_1/y = 2")
    assert said == "row 1 y is in a_b/x_y.stepgrad, and row 1 y equals 2."
