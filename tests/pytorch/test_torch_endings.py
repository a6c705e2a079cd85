"""How programs that use PyTorch end, and what of them is left alone."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install '.[torch]'")

from torch import Tensor, nn  # noqa: E402

import stepgrad  # noqa: E402
from processes import python, run, started  # noqa: E402
from processes import stepgrad as in_a_process  # noqa: E402
from stepgrad.program import run_program  # noqa: E402
from stepgrad.recording.blocks import Backward  # noqa: E402
from stepgrad.recording.record import active_recorder  # noqa: E402
from stepgrad.recording.recording import Recording  # noqa: E402
from stepgrad.torch import watch  # noqa: E402
from torch_runs import names, program, recorded, scopes, untouched  # noqa: E402

ENDS: Mapping[str, tuple[str, int]] = {
    "by itself": ("", 0),
    "with an error": ("1 / 0", 1),
    "in a module": ("Failing()(w)", 1),
    "with exit()": ("exit(3)", 3),
    "with Ctrl+C": ("raise KeyboardInterrupt", 130),
    "inside a backward pass": ("w.register_hook(lambda _: exit(4)); w.sum().backward()", 4),
}


@pytest.mark.parametrize(("end", "status"), ENDS.values(), ids=ENDS)
def test_pytorch_is_as_before_however_a_program_ends(tmp_path: Path, end: str, status: int) -> None:
    text = f"""
        import torch
        class Failing(torch.nn.Module):
            def forward(self, x):
                raise ValueError
        w = torch.ones(2, requires_grad=True)
        loss = (w * w).sum()
        loss.backward()
        later = w * 2
        {end}
        """
    before = untouched()
    found = run_program(program(tmp_path, text))
    assert untouched() == before
    assert found.status == status
    assert {"loss", "later[1]"} <= {*names(found.recording)}


def test_ctrl_c_ends_a_program_that_computes(tmp_path: Path) -> None:
    text = """
        import torch
        w = torch.ones(200, requires_grad=True)
        (w * w).sum().backward()
        print("ready", flush=True)
        while True:
            (w * w).sum().backward()
        """
    program(tmp_path, text)
    command = in_a_process("record", "-o", "out.stepgrad", "train.py")
    with started(command, cwd=tmp_path) as process:
        assert process.stdout is not None
        assert "ready" in process.stdout.readline()
        process.send_signal(2)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "stepgrad/torch" not in said  # no frame of ours
    assert Recording.load(tmp_path / "out.stepgrad").size


def test_a_traceback_is_that_of_python(tmp_path: Path) -> None:
    text = """
        import torch
        from torch.nn.functional import cross_entropy
        w = torch.ones(2, requires_grad=True)
        try:
            cross_entropy(w, "a")
        finally:
            w.detach().sum().backward()
        """
    path = program(tmp_path, text)
    out = str(tmp_path / "out.stepgrad")
    told = run(python(path)), run(in_a_process("record", "-o", out, path))
    alone, recorded_ = (each.stderr.partition("RuntimeError")[0] for each in told)
    assert "in backward" in alone
    assert "in cross_entropy" in alone
    assert alone == recorded_


def test_warnings_are_those_of_python(tmp_path: Path) -> None:
    text = """
        import torch, warnings
        from torch.nn.functional import mse_loss
        w = torch.ones(3, 1, requires_grad=True)
        for _ in range(2):
            loss = mse_loss(w, torch.ones(3))
        mse_loss(w, torch.ones(3))
        warnings.simplefilter("ignore")
        mse_loss(w, torch.ones(3))
        warnings.simplefilter("error")
        try:
            mse_loss(w, torch.ones(3))
        except UserWarning as error:
            print(error)
        with warnings.catch_warnings(record=True, action="always") as caught:
            mse_loss(w, torch.ones(3))
        print([(each.filename, each.lineno) for each in caught])
        loss.backward()
        """
    path = program(tmp_path, text)
    out = str(tmp_path / "out.stepgrad")
    alone, watched = run(python(path)), run(in_a_process("record", "-o", out, path))
    assert alone.stderr.count("train.py:") == 2
    assert watched.stderr.startswith(alone.stderr)
    assert watched.stderr.count("Warning: ") == 2
    assert watched.stdout.startswith(alone.stdout)


def test_other_threads_are_not_recorded_and_work() -> None:
    w = torch.ones(2, requires_grad=True)
    model = nn.Linear(2, 1)
    seen: list[Tensor] = []

    def work() -> None:
        seen.append(model(w.detach()).sum())

    with stepgrad.record() as recording, watch():
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        (w * w).sum().backward()
    assert len(seen) == 1
    assert scopes(recording) == {"w (2)", "mul (2)", ""}


def test_workers_of_a_data_loader_are_left_alone(tmp_path: Path) -> None:
    text = """
        import torch
        from torch.utils.data import DataLoader
        w = torch.ones(1, requires_grad=True)
        def collate(batch):
            inside = torch.ones(1, requires_grad=True)
            (inside * 3).sum().backward()
            return torch.stack(batch)
        if __name__ == "__main__":
            data = [torch.ones(1) for _ in range(4)]
            for batch in DataLoader(data, batch_size=2, num_workers=1, collate_fn=collate):
                (batch * w).sum().backward()
        """
    recording = recorded(tmp_path, text)
    assert len([block for block in recording.blocks if isinstance(block, Backward)]) == 2
    assert not any(name.startswith("inside") for name in names(recording))


OVERWRITTEN = """
import torch
from torch import nn

net, other = nn.Linear(2, 3), nn.Linear(3, 1)
optimizer = torch.optim.SGD([*net.parameters(), *other.parameters()], lr=0.1)
x = torch.randn(2, 2)
other(net(x)).sum().backward()
h = torch.sigmoid(net(x))
loss = other(h).sum()
WRITE
loss.backward()
"""


@pytest.mark.parametrize(
    ("write", "by"),
    [
        ("h += 1", "add_"),
        ("h[0] = 0", "fill_"),
        ("optimizer.step()", "add_"),
        ("with torch.no_grad(): other.weight.zero_()", "zero_"),
    ],
)
def test_the_line_of_a_write_that_pytorch_refuses_is_told(
    write: str, by: str, tmp_path: Path
) -> None:
    found = run_program(program(tmp_path, OVERWRITTEN.replace("WRITE", write)))
    assert found.failure.startswith("the program failed: RuntimeError: one of the variables")
    told = found.failure.rpartition(" `")[2]
    assert told.startswith(f"{by}` at ")
    assert told.endswith("train.py:11 writes to it in place")


def test_nodes_of_a_pass_that_is_being_made_are_counted() -> None:
    with stepgrad.record() as recording:
        recorder = active_recorder()
        assert recorder is not None
        with watch():
            w = torch.ones(3, requires_grad=True)
            squares = w * w
            logged = recorder.log.size
            made = recorder.nodes
            squares.sum().backward()
        assert (logged, made) == (3, 6)
        assert recorder.nodes == recording.size > made
