"""What a PyTorch program writes: values and gradients, line by line, and by which rule."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install '.[torch]'")

from torch import Tensor, nn  # noqa: E402
from torch.optim import SGD, Adam, AdamW, Optimizer, RMSprop  # noqa: E402

from stepgrad.engine.optim import METHODS  # noqa: E402
from stepgrad.recording.events import Update  # noqa: E402
from stepgrad.recording.recording import Recording  # noqa: E402
from tensor_programs import leaf, line, told, watched, writes  # noqa: E402

Make = Callable[[Any], Optimizer]
STEP, ZERO = "optimizer.step()", "optimizer.zero_grad()"
X = leaf(3, 2, seed=9).detach()


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1)).double()


def trained(make: Make, model: nn.Module, *, steps: int = 3, tolerance: float = 1e-9) -> Recording:
    """Train a model, each statement on a line of its own."""
    optimizer = make(model.parameters())
    x = X.to(next(model.parameters()).dtype)

    def run() -> None:
        for _ in range(steps):
            optimizer.zero_grad()
            loss = (model(x) ** 2).mean()
            loss.backward()
            optimizer.step()

    return watched(run, model.parameters(), tolerance=tolerance)


def by_rule(recording: Recording) -> Iterator[tuple[float | None, float]]:
    """For each value that was written by a rule, what the formulas give, and what was written."""
    for index, event in enumerate(recording.events):
        if isinstance(event, Update) and event.rule is not None:
            known = {
                **event.rule.numbers,
                "data": recording.history.value(event.node, index),
                "grad": recording.history.grad(event.node, index),
            }
            for name, formula in METHODS[event.rule.method].formulas.items():
                known[name] = formula.function(*known)(**known)
            yield known["data"], event.after


KNOWN: list[tuple[str, Make]] = [
    ("sgd", lambda p: SGD(p, lr=0.1)),
    ("sgd", lambda p: SGD(p, lr=0.1, foreach=True)),
    ("sgd", lambda p: SGD(p, lr=torch.tensor(0.1))),
    ("sgd", lambda p: SGD(p, lr=0.1, fused=True)),
    ("sgd_decay", lambda p: SGD(p, lr=0.1, weight_decay=0.2)),
    ("momentum", lambda p: SGD(p, lr=0.1, momentum=0.9)),
    ("momentum_decay", lambda p: SGD(p, lr=0.1, momentum=0.9, weight_decay=0.2, foreach=True)),
    ("adam", lambda p: Adam(p, lr=0.1)),
    ("adam", lambda p: Adam(p, lr=0.1, betas=(0.5, 0.7), eps=0.01, foreach=True)),
    ("adam", lambda p: Adam(p, lr=0.1, fused=True)),
    ("adam_decay", lambda p: Adam(p, lr=0.1, weight_decay=0.2)),
    ("adamw", lambda p: AdamW(p, lr=0.1, weight_decay=0.2)),
    ("adamw", lambda p: AdamW(p, lr=0.1, fused=True)),
    ("adam", lambda p: AdamW(p, lr=0.1, weight_decay=0.0)),
]


@pytest.mark.parametrize(("method", "make"), KNOWN)
def test_the_rule_of_a_known_optimizer_gives_what_is_written(method: str, make: Make) -> None:
    recording = trained(make, network())
    assert told(recording) == [
        ({"update"}, STEP, method),
        ({"zero"}, ZERO, None),
        ({"update"}, STEP, method),
        ({"zero"}, ZERO, None),
        ({"update"}, STEP, method),
    ]
    written = [*by_rule(recording)]
    assert len(written) == 3 * 13
    for wanted, after in written:
        assert wanted == pytest.approx(after, rel=1e-9, abs=1e-12)


UNKNOWN: list[Make] = [
    lambda p: SGD(p, lr=0.1, momentum=0.9, nesterov=True),
    lambda p: SGD(p, lr=0.1, momentum=0.9, dampening=0.5),
    lambda p: SGD(p, lr=0.1, maximize=True),
    lambda p: Adam(p, lr=0.1, amsgrad=True),
    lambda p: RMSprop(p, lr=0.1),
]


@pytest.mark.parametrize("make", UNKNOWN)
def test_another_optimizer_writes_by_no_rule(make: Make) -> None:
    recording = trained(make, network(), steps=2)
    assert told(recording) == [
        ({"update"}, STEP, None),
        ({"zero"}, ZERO, None),
        ({"update"}, STEP, None),
    ]


def test_an_optimizer_of_the_programs_own_writes_by_no_rule() -> None:
    class Mine(SGD):
        pass

    assert {rule for *_, rule in told(trained(lambda p: Mine(p, lr=0.1), network()))} == {None}


def test_groups_have_numbers_of_their_own() -> None:
    model = network()
    groups = [{"params": model[0].parameters(), "lr": 0.5}, {"params": model[2].parameters()}]
    recording = trained(lambda _: SGD(groups, lr=0.1), model, steps=1)
    assert [rule.numbers["learning_rate"] for b in writes(recording) if (rule := b.rule)] == [
        0.5,
        0.1,
    ]


def test_a_scheduler_changes_the_rule() -> None:
    w = leaf(2)
    optimizer = SGD([w], lr=1.0)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1, gamma=0.5)

    def run() -> None:
        for _ in range(3):
            (w * w).sum().backward()
            optimizer.step()
            scheduler.step()

    rates = [each.rule.numbers["learning_rate"] for each in writes(watched(run, [w])) if each.rule]
    assert rates == [1.0, 0.5, 0.25]


def test_a_parameter_without_a_gradient_is_not_written() -> None:
    w, idle = leaf(2), leaf(3, seed=1)
    optimizer = Adam([w, idle])

    def run() -> None:
        (w * w).sum().backward()
        optimizer.step()
        (w * idle.sum()).sum().backward()
        optimizer.step()

    blocks = [each for each in writes(watched(run, [w, idle])) if each.rule]
    assert [(each.rule.numbers["step"], len(each.after)) for each in blocks if each.rule] == [
        (1.0, 2),
        (2.0, 2),
        (1.0, 3),
    ]


def test_a_step_with_a_closure() -> None:
    w = leaf(2)
    optimizer = SGD([w], lr=0.1, momentum=0.5)

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = (w * w).sum()
        loss.backward()
        return loss

    def run() -> None:
        optimizer.step(closure)
        optimizer.step(closure)

    recording = watched(run, [w])
    assert [rule for *_, rule in told(recording)] == ["momentum", None, "momentum"]
    assert all(wanted == pytest.approx(after) for wanted, after in by_rule(recording))


@pytest.mark.parametrize("set_to_none", [True, False])
def test_gradients_are_cleared(set_to_none: bool) -> None:
    model = network()

    def run() -> None:
        (model(X) ** 2).mean().backward()
        model.zero_grad(set_to_none=set_to_none)
        model.zero_grad(set_to_none=set_to_none)

    recording = watched(run, model.parameters())
    text = "model.zero_grad(set_to_none=set_to_none)"
    assert told(recording) == [({"zero"}, text, None)]
    assert len(writes(recording)[0].after) == 13


def test_clipping_to_a_norm_is_a_rule() -> None:
    model = network()

    def run() -> None:
        (model(X) ** 2).mean().backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.01)
        nn.utils.clip_grad_norm_(model.parameters(), 10.0)

    recording = watched(run, model.parameters())
    [block] = writes(recording)
    assert told(recording) == [
        ({"set"}, "nn.utils.clip_grad_norm_(model.parameters(), 0.01)", "clip_norm")
    ]
    assert block.rule is not None
    assert block.rule.numbers["max_norm"] == 0.01
    assert block.rule.numbers["norm"] > 0.01


def test_clipping_each_element_writes_those_that_change() -> None:
    w = leaf(4)

    def run() -> None:
        (w * w).sum().backward()
        nn.utils.clip_grad_value_([w], 1.0)

    [block] = writes(watched(run, [w]))
    assert block.rule is None
    assert len(block.after) == int((2 * w).abs().gt(1).sum())


def by_in_place(w: Tensor) -> None:
    with torch.no_grad():
        w -= 0.1


def by_data(w: Tensor) -> None:
    w.data = w.data - 0.1


def by_data_in_place(w: Tensor) -> None:
    w.data.sub_(0.1)


def by_copy(w: Tensor) -> None:
    with torch.no_grad():
        w.copy_(w - 0.1)


def by_a_row(w: Tensor) -> None:
    with torch.no_grad():
        w[:] = w.clone() - 0.1


def by_set(w: Tensor) -> None:
    with torch.no_grad():
        w.set_((w - 0.1).contiguous())


def by_a_recorded_result(w: Tensor) -> None:
    w.data = w - 0.1


def test_two_parameters_swap_their_data() -> None:
    w, v = leaf(3), leaf(3, seed=1)

    def run() -> None:
        (w * w * v).sum().backward()
        w.data, v.data = v.data, w.data
        (w * w * v).sum().backward()

    recording = watched(run, [w, v])
    assert told(recording) == [({"update"}, "w.data, v.data = v.data, w.data", None)]
    assert len(writes(recording)[0].after) == 6


def test_another_thread_is_not_recorded() -> None:
    w, other = leaf(3), leaf(3, seed=1)

    def work() -> None:
        (other * other).sum().backward()
        other.grad = None

    def run() -> None:
        (w * w).sum().backward()
        thread = Thread(target=work)
        thread.start()
        thread.join()

    recording = watched(run, [w])
    assert len(recording.blocks) == 3
    assert not writes(recording)


def test_a_second_order_method_writes_several_times() -> None:
    w = leaf(3)
    optimizer = torch.optim.LBFGS([w], lr=0.1, max_iter=3)

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = ((w - 3) ** 4).sum()
        loss.backward()
        return loss

    def run() -> None:
        optimizer.step(closure)

    assert [kinds for kinds, *_ in told(watched(run, [w]))].count({"update"}) == 2


@pytest.mark.parametrize(
    "write",
    [by_in_place, by_data, by_data_in_place, by_copy, by_a_row, by_set, by_a_recorded_result],
)
def test_values_are_written_by_hand(write: Callable[[Tensor], None]) -> None:
    w = leaf(3)

    def run() -> None:
        for _ in range(2):
            (w * w).sum().backward()
            write(w)
            w.grad = None

    recording = watched(run, [w])
    text = inspect.getsource(write).splitlines()[-1].strip()
    assert told(recording) == [({"update"}, text, None), ({"zero"}, "w.grad = None", None)] * 2


def test_a_write_that_no_operation_shows_is_seen_without_its_line() -> None:
    w = leaf(3)

    def run() -> None:
        (w * w).sum().backward()
        w.detach().numpy()[1] = 5.0
        (w * w).sum().backward()

    [block] = writes(watched(run, [w]))
    assert (block.writes.kinds, [*block.after], block.place(0)) == (("update",), [5.0], None)


def test_several_operations_of_a_line_are_one_write() -> None:
    w, average = leaf(3), leaf(3, seed=1)

    def run() -> None:
        (w * average).sum().backward()
        with torch.no_grad():
            average.mul_(0.9).add_(w, alpha=0.1)

    recording = watched(run, [w, average])
    assert told(recording) == [({"update"}, "average.mul_(0.9).add_(w, alpha=0.1)", None)]
    assert len(writes(recording)[0].after) == 3


def test_a_loop_that_writes_and_clears_is_one_block_with_its_lines() -> None:
    w, v = leaf(2), leaf(2, seed=1)

    def run() -> None:
        (w * v).sum().backward()
        for each in (w, v):
            with torch.no_grad():
                each.sub_(0.1)
            each.grad = None

    recording = watched(run, [w, v])
    [block] = writes(recording)
    found = [line(recording, block, each) for each in range(8)]
    assert found == [*["each.sub_(0.1)"] * 2, *["each.grad = None"] * 2] * 2


def test_a_write_between_two_operations_parts_the_forward_pass() -> None:
    w = leaf(3)

    def run() -> None:
        first = w * 2
        with torch.no_grad():
            w.zero_()
        (first + w * 3).sum().backward()

    watched(run, [w])


def test_a_result_that_is_written_to() -> None:
    w = leaf(3)

    def run() -> None:
        h = w * 2
        with torch.no_grad():
            h[1:] = 7.0
        (h + w).sum().backward()

    recording = watched(run, [w])
    assert told(recording) == [({"update"}, "h[1:] = 7.0", None)]
    assert [*writes(recording)[0].after] == [7.0, 7.0]


def test_loading_a_state_is_one_write() -> None:
    model = network()
    before = copy.deepcopy(model.state_dict())

    def run() -> None:
        optimizer = SGD(model.parameters(), lr=0.1)
        (model(X) ** 2).mean().backward()
        optimizer.step()
        model.load_state_dict(before)
        (model(X) ** 2).mean().backward()

    recording = watched(run, model.parameters())
    assert told(recording) == [
        ({"update"}, STEP, "sgd"),
        ({"update"}, "model.load_state_dict(before)", None),
    ]


def test_a_model_that_is_converted_keeps_its_nodes() -> None:
    model = network()
    for each in model.parameters():
        nn.init.normal_(each)  # numbers that single precision has to round

    def run() -> None:
        (model(X) ** 2).mean().backward()
        model.zero_grad()
        model.float()
        (model(X.float()) ** 2).mean().backward()

    recording = watched(run, model.parameters(), tolerance=1e-5)
    assert told(recording) == [
        ({"zero"}, "model.zero_grad()", None),
        ({"update"}, "model.float()", None),
    ]


def test_in_single_precision_only_what_is_written_is_a_write() -> None:
    model = network().float()
    recording = trained(lambda p: Adam(p, lr=0.1), model, steps=4, tolerance=1e-4)
    assert [rule for *_, rule in told(recording)] == [
        "adam",
        None,
        "adam",
        None,
        "adam",
        None,
        "adam",
    ]


def test_minus_zero_and_nan_are_numbers_like_others() -> None:
    w = leaf(3)

    def run() -> None:
        (w * w).sum().backward()
        with torch.no_grad():
            w.copy_(torch.tensor([-0.0, float("nan"), 0.0]))
        with torch.no_grad():
            w.copy_(torch.tensor([0.0, float("nan"), 0.0]))
        (w * w).sum().backward()

    with_nan = writes(watched(run, []))
    assert [len(each.after) for each in with_nan] == [4]


def test_writes_and_remarks_are_kept_in_a_file(tmp_path: Path) -> None:
    recording = trained(lambda p: AdamW(p, lr=0.1, weight_decay=0.2), network())
    recording.save(tmp_path / "a.stepgrad")
    again = Recording.load(tmp_path / "a.stepgrad")
    assert [*again.events] == [*recording.events]
    assert told(again) == told(recording)
    assert again.remarks == recording.remarks


def test_a_parameter_without_elements_is_kept_in_a_file(tmp_path: Path) -> None:
    empty, w = nn.Parameter(torch.empty(0)), leaf(3)
    recording = watched(lambda: torch.cat([w, empty]).sum().backward(), [w])
    recording.save(tmp_path / "a.stepgrad")
    assert told(Recording.load(tmp_path / "a.stepgrad")) == told(recording)
