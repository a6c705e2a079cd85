"""What is recorded of tensors, against a slow fold of the events and PyTorch's gradients."""

from __future__ import annotations

from collections.abc import Callable

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install '.[torch]'")

from torch import Tensor, nn  # noqa: E402

import stepgrad  # noqa: E402
from reference import Fold  # noqa: E402
from stepgrad.recording.blocks import Backward, Forward  # noqa: E402
from stepgrad.recording.recording import Recording  # noqa: E402
from stepgrad.torch import watch  # noqa: E402


def recorded(*leaves: Tensor, run: Callable[[], None]) -> tuple[Recording, Fold]:
    """Record a program, and fold its events; each leaf's gradient is PyTorch's."""
    with stepgrad.record() as recording, watch() as tensors:
        run()
        known = [(each, tensors.beside.window(each)) for each in leaves]
    fold = Fold()
    for event in recording.events:
        fold.take(event)
    for leaf, nodes in known:
        assert nodes is not None
        found = torch.tensor(
            [fold.grads.get(n, 0.0) for n in nodes.reshape(-1).tolist()], dtype=torch.float64
        )
        wanted = torch.zeros_like(leaf) if leaf.grad is None else leaf.grad
        torch.testing.assert_close(found, wanted.reshape(-1), rtol=1e-12, atol=1e-14)
    for node in range(
        recording.size
    ):  # what is stored at the end of a pass is the sum of its events
        stored = recording.history.grad(node, recording.length)
        assert (stored is None) == (node not in fold.grads)
        assert stored is None or stored == pytest.approx(fold.grads[node], rel=1e-12, abs=1e-14)
    return recording, fold


def leaf(*shape: int, seed: int = 0) -> Tensor:
    """Return a tensor of random numbers that asks for its gradient."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64).requires_grad_()


def test_every_step_of_a_training_loop_shares_one_structure() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1)).double()
    x = torch.ones(2, 3, dtype=torch.float64)

    def train() -> None:
        for _ in range(4):
            model.zero_grad()
            (model(x) ** 2).mean().backward()

    with stepgrad.record() as recording, watch(model):
        train()
    forwards = [block for block in recording.blocks if isinstance(block, Forward)]
    backwards = [block for block in recording.blocks if isinstance(block, Backward)]
    assert len(backwards) == 4
    assert len({id(block.structure) for block in forwards[-4:]}) == 1
    assert len({id(block.sweep) for block in backwards}) == 1


def test_a_tensor_that_is_used_twice_adds_up_what_arrives() -> None:
    a = leaf(3)
    recorded(a, run=lambda: (a * a + a).sum().backward())


def test_gradients_of_several_passes_add_up_at_the_leaves_only() -> None:
    a, b = leaf(2), leaf(2, seed=1)

    def run() -> None:
        hidden = torch.tanh(a * b)
        hidden.sum().backward(retain_graph=True)
        (hidden * hidden).sum().backward()

    recorded(a, b, run=run)


def test_a_pass_may_begin_before_another_one_ends() -> None:
    a, b = leaf(2), leaf(2, seed=1)

    def run() -> None:
        shared = a * b
        first = shared.sum()
        first.backward(retain_graph=True)
        second = (shared * a).sum()  # uses what an earlier pass has made
        second.backward()

    recorded(a, b, run=run)


def test_a_view_is_a_window_on_the_same_nodes() -> None:
    a = leaf(2, 3)

    def run() -> None:
        (a.t()[1:] * a.reshape(3, 2)[1:]).sum().backward()

    recorded(a, run=run)


def test_what_is_detached_is_a_plain_number() -> None:
    a = leaf(3)
    recording, _ = recorded(a, run=lambda: (a * a.detach()).sum().backward())
    nodes = [recording.node(index) for index in range(recording.size)]
    products = [node for node in nodes if node.op.name == "mul"]
    assert len(products) == len(a)
    assert all(recording.node(product.operands[1]).constant for product in products)


def test_nothing_is_recorded_where_no_gradient_is_asked_for() -> None:
    a = leaf(3)

    def run() -> None:
        with torch.no_grad():
            (a * 2).sum()

    with stepgrad.record() as recording, watch():
        run()
    assert not recording.length


def test_numbers_of_float32_are_the_programs_own() -> None:
    a = leaf(3).detach().float().requires_grad_()
    with stepgrad.record() as recording, watch() as tensors:
        out = torch.exp(a)
        tensors.settle()
        nodes = tensors.beside.window(out)
    assert nodes is not None
    values = [recording.history.value(node, recording.length) for node in nodes.tolist()]
    assert values == [float(each) for each in out.detach()]


def test_passes_end_with_the_tensors_that_hold_them() -> None:
    a = leaf(3)
    with stepgrad.record(), watch() as tensors:
        for _ in range(5):
            (a * a).sum().backward()
            a.grad = None
        (a * a).sum().backward()
        assert len({*tensors.beside.passes()}) <= 3
