"""What is written into the page of a replay; `tests/browser` has what a person sees of it."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path

import pytest
from hypothesis import given

import stepgrad
from odd_runs import odd_sessions
from stepgrad import Cursor, Recording, Value, record, record_scenario, scope
from stepgrad.errors import StepgradError
from stepgrad.export import replay_page
from stepgrad.export.replay_page import MOST, chosen, show
from stepgrad.export.replay_page.events import stops
from stepgrad.export.replay_page.parts import Lens
from stepgrad.export.replay_page.views import View
from stepgrad.replay.session import Session
from stepgrad.replay.state import State
from test_cli import stepgrad as run

ROOM = Path(replay_page.__file__).parent


def data_of(page: str) -> dict[str, object]:
    found = re.search(
        r'<script type="application/json" id="replay">(.*?)</script>', page, re.DOTALL
    )
    assert found is not None
    data = json.loads(found[1])
    assert isinstance(data, dict)
    return data


def check_histories(view: View) -> None:
    """Compare the history of each part with what it is like at every position."""
    for key, number in view.numbers.items():
        history = view.histories[number]
        changes = {moment.position: moment.look for moment in history}
        look = history[0].look
        for position in view.positions:
            look = changes.get(position, look)
            assert (key, position, Lens(State(view.recording, position), view.drawn).look(key)) == (
                key, position, look,
            )  # fmt: skip


@pytest.mark.parametrize(
    "name",
    [
        "two_layer", "dual_numbers", "forward_and_reverse", "forgotten_zero_grad", "dead_relu",
        "gradient_is_nan", "nan_origin", "micrograd_readme",
    ],
)  # fmt: skip
def test_a_history_is_what_the_debugger_shows(name: str) -> None:
    recording = record_scenario(name)
    for end in chosen(recording):
        check_histories(View(recording, end))


def test_so_is_that_of_folded_scopes() -> None:
    with record() as recording:
        x = w = Value(0.5, label="w")
        for name in ("first", "second"):
            with scope(name):
                for _ in range(30):
                    x = x * w
        x.backward()
        w.data = 0.25
    (end,) = chosen(recording)
    view = View(recording, end)
    assert {key.kind for key in view.numbers} == {"heading", "node", "scope", "edge"}
    check_histories(view)


@given(odd_sessions())
def test_and_with_odd_names_and_numbers(session: Session) -> None:
    recording = session.recording
    for end in chosen(recording):
        check_histories(View(recording, end))
    assert data_of(show(recording).html)


def test_stops_are_where_the_cursor_moves() -> None:
    recording = record_scenario("forward_and_reverse")
    found = stops(recording, range(recording.length + 1))
    for position in range(recording.length + 1):
        cursor = Cursor(recording, position)
        after = [each for each in found["next_node"] if each > position]
        assert min(after, default=position) == cursor.next_node().position
        before = [each for each in found["phase_start"] if each < position]
        assert max(before, default=position) == cursor.phase_start().position


def test_a_page_is_small() -> None:
    assert len(show(record_scenario("two_layer")).html) < 60_000
    assert len(show(record_scenario("xor_tanh"), steps=[3]).html) < 500_000
    script = (ROOM / "page.js").read_text(encoding="utf-8").splitlines()
    assert len(script) < 400
    assert max(map(len, script)) <= 120


def test_steps_that_look_alike_share_a_drawing() -> None:
    page = show(record_scenario("xor_tanh"), steps=[3, 10, 50]).html
    assert page.count("<template ") == 1
    assert len(data_of(page)["views"]) == 3  # type: ignore[arg-type]


def test_it_loads_nothing_and_runs_no_other_script() -> None:
    page = show(record_scenario("two_layer")).html
    assert not re.search(r"https?://|//cdn|@import|url\(", page)
    assert "default-src 'none'; script-src 'sha256-" in page
    assert page.count("<script") == 2


def test_long_recordings_need_steps() -> None:
    recording = record_scenario("xor_tanh")
    with pytest.raises(StepgradError, match="choose training steps, such as --steps 0,99"):
        chosen(recording)
    with pytest.raises(StepgradError, match="there is no step 500; steps are 0 to 100"):
        chosen(recording, [500])
    with pytest.raises(StepgradError, match="choose fewer steps"):
        chosen(recording, range(100))
    assert chosen(recording, at=recording.steps[7] + 3) == [recording.steps[8]]
    assert len(chosen(recording, [99, 0, 0])) == 2
    with pytest.raises(StepgradError, match="there are no training steps to choose from"):
        chosen(record_scenario("two_layer"), [0])


def test_a_long_recording_without_steps_cannot_be_a_page() -> None:
    with record() as recording:
        x = Value(1.0, label="x")
        for _ in range(MOST // 2 + 1):
            x = x + 1.0
        x.backward()
    with pytest.raises(StepgradError, match="without --replay, a page has one position"):
        chosen(recording)
    assert recording._repr_html_() is None


def test_a_recording_shows_itself_in_a_notebook() -> None:
    recording = record_scenario("two_layer")
    frame = recording._repr_html_()
    assert frame is not None
    page = stepgrad.show(recording)
    assert frame == page._repr_html_()
    assert unescape(re.findall(r'srcdoc="([^"]*)"', frame)[0]) == page.html
    assert "in the terminal:" not in page.html  # no command opens it there
    assert "Recording" in repr(recording)
    assert page.html not in repr(page)
    assert "height: 300px" in stepgrad.show(recording, height=300)._repr_html_()
    assert data_of(stepgrad.show(recording, at=21).html)["at"] == 21
    assert Recording()._repr_html_() is None
    with pytest.raises(StepgradError, match="no event 99"):
        stepgrad.show(recording, at=99)


def test_of_a_long_one_it_shows_the_step_asked_for_or_the_last() -> None:
    recording = record_scenario("xor_tanh")
    assert "step 99" in str(data_of(stepgrad.show(recording).html)["views"])[:100]
    assert "step 80" in str(data_of(stepgrad.show(recording, at="step 80").html)["views"])[:100]


def test_while_it_grows_it_shows_what_is_there() -> None:
    with record() as recording:
        x = Value(2.0, label="x")
        y = x * x
        assert "event 2 of 2" in str(recording._repr_html_())
        y.backward()
    assert "event 5 of 5" in str(recording._repr_html_())


def test_the_command(tmp_path: Path) -> None:
    goal = tmp_path / "page.html"
    done = run("export", "two_layer", "--to", "html", "--replay", "--at", "21", "-o", goal)
    page = goal.read_text(encoding="utf-8")
    assert done.stderr == f"26 events; {len(page.encode()):,} bytes in {goal}\n"
    assert data_of(page)["at"] == 21
    assert "stepgrad run --at {} two_layer" in page
    done = run("export", "xor_tanh", "--to", "html", "--replay", "--steps", "0-1,7", "-o", goal)
    assert done.stderr.startswith("1,191 events of 39,853; ")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--to", "svg", "--replay"], "--replay goes with --to html"),
        (["--to", "html", "--steps", "0"], "--steps goes with --replay"),
        (["--to", "html", "--replay", "--steps", "1-"], "is not a list of training steps"),
        (["--to", "html", "--replay", "--steps", "3-1"], "is not a list of training steps"),
        (["--to", "html", "--replay", "--at", "los"], "did you mean `loss`?"),
    ],
)
def test_what_cannot_be(options: list[str], words: str) -> None:
    assert words in run("export", "two_layer", *options, code=2).stderr


def test_the_page_of_a_program_has_its_docstring_and_opens_in_the_terminal(tmp_path: Path) -> None:
    program = tmp_path / "train.py"
    program.write_text(
        '"""Squares *something*. Press `n`, then `e`."""\n'
        "from stepgrad import Value\nx = Value(3.0, label='x')\n(x * x).backward()\n"
    )
    page = run("export", "--to", "html", "--replay", program, "--rate", "0.1").stdout
    assert "Squares <em>something</em>" in page
    assert '<button class="key" data-do="next_node"' in page
    assert '<kbd title="in the terminal: try another value">e</kbd>' in page
    assert f"stepgrad run --at {{}} {program} --rate 0.1" in page


def test_only_recordings_are_shown() -> None:
    with pytest.raises(StepgradError, match=r"^show\(\) takes a recording, .* not int$"):
        show(3)  # type: ignore[arg-type]
