"""Every way to start a backward pass over tensors, and PyTorch's gradients beside ours."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install '.[torch]'")

from torch import Tensor, nn  # noqa: E402
from torch.autograd.function import Function, _SingleLevelFunction  # noqa: E402

import stepgrad  # noqa: E402
from diagnosing import recorded, verdicts  # noqa: E402
from mistakes import MISTAKES  # noqa: E402
from stepgrad.checking.comparison import GATE  # noqa: E402
from stepgrad.checking.result import judge  # noqa: E402
from stepgrad.checking.ways import TORCH_GATE, verify  # noqa: E402
from stepgrad.diagnosis import Verdict, diagnose  # noqa: E402
from stepgrad.diagnosis.rules.pytorch import agreement  # noqa: E402
from stepgrad.recording.blocks import Backward, Forward, Write  # noqa: E402
from stepgrad.recording.recording import Recording  # noqa: E402
from stepgrad.replay.telling.narration import narrate  # noqa: E402
from stepgrad.torch import watch  # noqa: E402
from stepgrad.torch.refused import RefusedError  # noqa: E402
from tensor_programs import leaf, told, watched, writes  # noqa: E402


def passes(recording: Recording) -> int:
    return sum(isinstance(block, Backward) for block in recording.blocks)


def test_a_scalar() -> None:
    w = leaf(3)
    recording = watched(lambda: (w * w).sum().backward(), [w])
    [forward] = [b for b in recording.blocks if isinstance(b, Forward) and b.earlier]
    assert len(forward.structure) == 5  # three products, two sums: the root is the last of them
    assert passes(recording) == 1
    assert not writes(recording)


def test_a_vector_with_the_gradient_that_it_starts_from() -> None:
    w = leaf(2, 3)
    upstream = leaf(2, 3, seed=1).detach()
    recording = watched(lambda: (w * w).backward(upstream), [w])
    assert passes(recording) == 1


def test_a_vector_that_starts_from_ones_is_summed() -> None:
    w = leaf(3)
    recording = watched(lambda: (w * w).backward(torch.ones(3, dtype=torch.float64)), [w])
    [forward] = [b for b in recording.blocks if isinstance(b, Forward) and b.earlier]
    assert len(forward.structure) == 5


def test_a_scalar_with_a_gradient_other_than_1() -> None:
    w = leaf(3)
    watched(lambda: (w * w).sum().backward(torch.tensor(-2.0, dtype=torch.float64)), [w])
    assert w.grad is not None
    assert torch.equal(w.grad, -4 * w)


def test_several_roots_make_one_pass() -> None:
    w, v = leaf(3), leaf(3, seed=1)

    def run() -> None:
        h = w * v
        torch.autograd.backward([h.sum(), (h * w).sum()])

    assert passes(watched(run, [w, v])) == 1


def test_a_leaf_is_a_root() -> None:
    w = leaf()
    watched(w.backward, [w])


def test_two_losses_on_a_retained_graph() -> None:
    w = leaf(3)

    def run() -> None:
        h = torch.tanh(w)
        h.sum().backward(retain_graph=True)
        (h * h).sum().backward()

    assert passes(watched(run, [w])) == 2


def test_the_same_loss_twice() -> None:
    w = leaf(3)

    def run() -> None:
        loss = torch.tanh(w).sum()
        loss.backward(retain_graph=True)
        loss.backward()

    assert passes(watched(run, [w])) == 2


def test_micro_batches_add_up() -> None:
    model = nn.Linear(3, 1).double()
    batches = leaf(4, 2, 3).detach()

    def run() -> None:
        for batch in batches:
            (model(batch) ** 2).mean().backward()

    recording = watched(run, model.parameters())
    assert passes(recording) == 4
    assert not writes(recording)


def test_a_weight_that_is_used_twice() -> None:
    encode = nn.Linear(3, 3).double()
    decode = nn.Linear(3, 3, bias=False).double()
    decode.weight = encode.weight
    x = leaf(2, 3).detach()
    recording = watched(lambda: decode(encode(x)).sum().backward(), encode.parameters())
    leaves = [b for b in recording.blocks if isinstance(b, Forward) and not b.earlier]
    assert sum(len(each.structure) for each in leaves) == 12


def test_autograd_grad_leaves_gradients_as_they_were() -> None:
    w, v = leaf(3), leaf(3, seed=1)

    def run() -> None:
        (w * v).sum().backward()
        (returned,) = torch.autograd.grad((w * w * v).sum(), [w])
        assert torch.allclose(returned, (2 * w * v).detach())

    recording = watched(run, [w, v])
    assert passes(recording) == 2
    assert [kinds for kinds, *_ in told(recording)] == [{"set"}]
    assert "2 backward passes" in agreement(recording)


def test_autograd_grad_before_any_pass_leaves_no_gradients() -> None:
    w = leaf(3)
    recording = watched(lambda: torch.autograd.grad((w * w).sum(), [w]) and None, [w])
    assert [kinds for kinds, *_ in told(recording)] == [{"zero"}]
    assert w.grad is None


def test_autograd_grad_of_a_result_is_compared() -> None:
    w = leaf(3)

    def run() -> None:
        h = w * 2
        (found,) = torch.autograd.grad((h * h).sum(), [h])
        assert torch.allclose(found, (2 * h).detach())

    assert agreement(watched(run, [w]))


def test_leaves_may_share_a_storage_with_each_other_and_with_results() -> None:
    w = leaf(3)
    shared = w.detach().requires_grad_()
    leaves = [w, shared]

    def run() -> None:
        h = w * shared * shared
        leaves.append(h.detach().requires_grad_())
        cut = leaves[-1]
        ((h * h).sum() * (cut**3).sum() + (cut[1:] * h[:2]).sum()).backward()
        assert torch.equal(h.detach(), cut)

    assert agreement(watched(run, leaves))
    assert w.grad is not None
    assert not torch.equal(w.grad, shared.grad)


def test_leaves_may_be_parts_of_a_larger_storage() -> None:
    whole = leaf(10).detach()
    first, second = whole[2:6].requires_grad_(), whole[6:8].requires_grad_()
    third = whole[4:9].detach().requires_grad_()

    def run() -> None:
        h = first[1:].sum() * second.view(2, 1).sum()
        (h * first.as_strided((3,), (1,), 3) * third[:3]).sum().backward()

    assert agreement(watched(run, [first, second, third]))


def test_only_the_inputs_that_are_named_receive_something() -> None:
    w, v = leaf(3), leaf(3, seed=1)
    recording = watched(lambda: (w * v).sum().backward(inputs=[w]), [w, v])
    assert v.grad is None
    assert [len(each.after) for each in writes(recording)] == [3]


def test_gradients_of_gradients_are_refused() -> None:
    w = leaf(3)

    def run() -> None:
        torch.autograd.grad((w**3).sum(), [w], create_graph=True)

    with pytest.raises(RefusedError, match=r"gradients of gradients cannot be recorded"):
        watched(run, [w])
    assert torch.autograd.grad((w**3).sum(), [w], create_graph=True)  # as ever, outside


def test_a_pass_that_fails_is_not_in_the_log() -> None:
    w = leaf(3)

    def run() -> None:
        loss = (w * w).sum()
        loss.backward()
        with pytest.raises(RuntimeError, match="second time"):
            loss.backward()

    assert passes(watched(run, [w])) == 1


def test_a_graph_from_before_the_recording_has_no_pass_but_its_gradients_are_written() -> None:
    w = leaf(3)
    before = (w * w).sum()

    def run() -> None:
        (w * 2).sum().backward()
        before.backward()

    recording = watched(run, [w])
    assert passes(recording) == 1
    assert told(recording) == [({"set"}, "before.backward()", None)]


def test_a_result_may_be_gone_when_a_write_has_parted_the_forward_pass() -> None:
    w, other = leaf(3), leaf(2)

    def run() -> None:
        other.sum().backward()
        h = w + 1
        with torch.no_grad():
            other.zero_()
        h = h + 1
        h.sum().backward()

    watched(run, [w, other])


def test_a_detached_result_that_asks_for_its_gradient_is_a_leaf() -> None:
    w = leaf(3)
    cut: list[Tensor] = []

    def run() -> None:
        cut.append((w * 2).detach().requires_grad_())
        (cut[0] * cut[0]).sum().backward()

    watched(run, [])
    assert w.grad is None
    assert cut[0].grad is not None


def test_in_single_precision_rounding_is_no_difference() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 3), nn.Tanh(), nn.Linear(3, 1))
    x = leaf(6, 5, dtype=torch.float32).detach()

    def run() -> None:
        for _ in range(3):
            (model(x) ** 2).mean().backward()

    recording = watched(run, model.parameters(), tolerance=1e-5)
    assert not writes(recording)
    text = agreement(recording)
    assert text.startswith("PyTorch's gradients agree: 6 tensors in 3 backward passes, and ")
    assert "and 21 results in between, within " in text
    assert text.endswith("of the largest (float32)")
    ways = verify(recording)
    assert all(way.ok for way in ways)
    limits = {way.way: way.limit for way in ways}
    assert limits["complex steps"] == pytest.approx(1e-4, rel=0.2)
    assert limits["saved values"] == GATE


def test_rounding_is_told_where_each_pass_begins() -> None:
    w = leaf(3, dtype=torch.float32)

    def run() -> None:
        loss = (torch.tanh(w) * w).sum()
        loss.backward(retain_graph=True)
        loss.backward()
        torch.exp(w).sum().backward()

    recording = watched(run, [w], tolerance=1e-5)
    begins = [block.start for block in recording.blocks if isinstance(block, Backward)]
    assert len(begins) == 3
    for at in begins:
        assert "PyTorch's gradients (float32) agree " in str(narrate(recording, at))
        assert "PyTorch" not in str(narrate(recording, at + 1))


def test_in_double_precision_nothing_is_allowed_for_rounding() -> None:
    w = leaf(3)
    recording = watched(lambda: torch.tanh(w).sum().backward(), [w])
    assert agreement(recording).endswith(("of the largest", "to the last digit"))
    assert {way.limit for way in verify(recording)} <= {GATE, TORCH_GATE, None}


def test_in_a_check_the_agreement_is_said_and_a_wrong_function_fails() -> None:
    w, v = leaf(3), leaf(3, seed=1)
    right = function(lambda x, y, g: (2 * x * y * g, x * x * g))
    wrong = function(lambda x, y, g: (x * y * g, x * x * g))
    result = judge("a", watched(lambda: right(w, v).sum().backward(), [w, v]))
    assert not result.failed
    assert result.note.startswith("PyTorch's gradients agree: 2 tensors in 1 backward pass, ")
    assert judge("b", watched(lambda: wrong(w, v).sum().backward(), [w, v])).failed


def test_a_gradient_that_cancels_is_as_inexact_as_its_terms() -> None:
    w = leaf(1, dtype=torch.float32)
    big = torch.tensor([1e6, 1.1, -1e6, 3.3])

    def run() -> None:
        ((w * big).sum() * 1.7).backward()

    recording = watched(run, [w], tolerance=1.0)
    assert not verdicts(recording)


# The program's own functions.


def function(rule: Callable[..., Any], forward: Callable[..., Any] | None = None) -> Any:
    """Return an `autograd.Function` of x and y: by default x·x·y, with a rule."""

    class Own(Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor, y: Tensor) -> Tensor:
            ctx.save_for_backward(x, y)
            return x * x * y if forward is None else forward(x, y)

        @staticmethod
        def backward(ctx: Any, upstream: Tensor) -> Any:
            return rule(*ctx.saved_tensors, upstream)

    return Own.apply


def pytorch_verdicts(recording: Recording) -> list[Verdict]:
    return [each for each in verdicts(recording) if each.name == "pytorch"]


def test_a_function_whose_backward_is_right_agrees() -> None:
    w, v = leaf(3), leaf(3, seed=1)
    own = function(lambda x, y, g: (2 * x * y * g, x * x * g))
    recording = watched(lambda: (own(w * 2, v) * w).sum().backward(), [w, v])
    assert not pytorch_verdicts(recording)
    assert agreement(recording)


def test_a_function_whose_backward_is_wrong_is_named_with_its_line() -> None:
    w, v = leaf(3), leaf(3, seed=1)
    own = function(lambda x, y, g: (x * y * g, x * x * g))

    def run() -> None:
        h = own(w, v)
        (h * h).sum().backward()

    recording = watched(run, [w, v])
    [verdict] = pytorch_verdicts(recording)
    assert verdict.wrong
    assert "`Own.backward` returns " in verdict.text
    assert recording.node(verdict.nodes[0]).operands == ()
    at = verdict.places[0].line
    assert at is not None
    assert "def backward" in Path(__file__).read_text().splitlines()[at - 1]
    assert not agreement(recording)


def test_only_the_function_that_is_wrong_is_named() -> None:
    w, v = leaf(3), leaf(3, seed=1)
    right = function(lambda x, y, g: (2 * x * y * g, x * x * g))
    wrong = function(lambda x, y, g: (2 * x * y * g, None))

    def run() -> None:
        right(wrong(right(w, v), v), v).sum().backward()

    [verdict] = pytorch_verdicts(watched(run, [w, v]))
    assert "returns 0, and" in verdict.text


@pytest.mark.parametrize(
    "forward",
    [
        lambda x, y: torch.round(x) + y * 0,
        lambda x, y: (x > 0).double() + y * 0,
        lambda x, y: torch.from_numpy(x.numpy() ** 2) + y * 0,
    ],
    ids=["rounded", "compared", "NumPy"],
)
def test_where_a_forward_has_no_derivative_its_backward_is_noted(forward: Any) -> None:
    w, v = leaf(3), leaf(3, seed=1)
    own = function(lambda _, __, g: (g, None), forward)
    recording = watched(lambda: own(w, v).sum().backward(), [w, v])
    assert not pytorch_verdicts(recording)
    [verdict] = [each for each in diagnose(recording) if each.name == "pytorch"]
    assert verdict.note
    assert "`Own.backward` returns 1" in verdict.text
    assert not agreement(recording)


def test_a_backward_without_the_mask_of_its_forward_is_wrong() -> None:
    w, v = leaf(4), leaf(4, seed=1)
    assert (w > 0).any()
    assert (w < 0).any()
    own = function(lambda _, __, g: (g, None), lambda x, y: x.relu() + y * 0)
    [verdict] = pytorch_verdicts(watched(lambda: own(w, v).sum().backward(), [w, v]))
    assert verdict.wrong
    assert "returns 1, and the derivative of its forward is 0" in verdict.text


def test_what_a_function_gets_detached_needs_no_gradient() -> None:
    w = leaf(3)
    own = function(lambda x, y, g: (2 * x * y * g, None))

    def run() -> None:
        h = w * 2
        own(w, h.detach()).sum().backward()

    recording = watched(run, [w])
    assert not pytorch_verdicts(recording)
    assert agreement(recording)


def test_a_gradient_that_comes_on_a_way_that_was_not_recorded_differs() -> None:
    w, v = leaf(3), leaf(3, seed=1)
    before = w * 3

    def run() -> None:
        (before * v * w.detach()).sum().backward()

    [verdict] = pytorch_verdicts(watched(run, [v]))
    assert "PyTorch's gradient is" in verdict.text


# Results in between.


def overwritten() -> Recording:
    w, v = leaf(3), leaf(3, seed=1)

    def run() -> None:
        z = w * v
        h = torch.tanh(z)
        h.detach().numpy()[:] *= 2  # the derivative of tanh is computed from its result
        (h * w).sum().backward()

    return watched(run, [])


def test_the_first_operation_whose_gradient_differs_is_named() -> None:
    recording = overwritten()
    [verdict] = pytorch_verdicts(recording)
    assert verdict.text.startswith("at z[0], PyTorch's gradient is ")
    assert verdict.text.endswith("the first difference comes through `tanh`")
    line = verdict.places[0].line
    assert line is not None
    assert "h = torch.tanh(z)" in Path(__file__).read_text().splitlines()[line - 1]


@pytest.mark.parametrize(
    ("run", "through"),
    [
        (lambda w: torch.where(w > 0.5, torch.sqrt(w - w.detach()), w).sum(), "sqrt"),
        (lambda w: torch.sqrt(w - w.detach()).masked_fill(w < 9, 1.0).sum() + w.sum(), "sqrt"),
        (lambda w: -torch.log(w * torch.tensor([1.0, 0.0, 0.0]))[0], "log"),
    ],
)
def test_nan_by_0_times_inf_where_no_gradient_arrives_is_told_as_that(
    run: Callable[[Tensor], Tensor], through: str
) -> None:
    w = torch.tensor([0.25, 0.25, 0.25], requires_grad=True)
    found = {each.name: each for each in verdicts(watched(lambda: run(w).backward(), []))}
    verdict = found["pytorch"]
    assert f"PyTorch's gradient is nan: `{through}` multiplies" in verdict.text
    assert verdict.text.endswith("0 · inf = nan")
    assert "before the operation, not only after it" in verdict.advice
    assert "by hand" not in "".join(each.text for each in found.values())


def test_nan_that_comes_another_way_is_no_product_with_0() -> None:
    w = leaf(3)

    def run() -> None:
        h = torch.exp(w)
        h.detach().numpy()[:] = float("nan")
        h.sum().backward()

    [verdict] = pytorch_verdicts(watched(run, []))
    assert "its contributions add up to" in verdict.text


def test_behind_a_function_of_the_program_the_difference_is_that_of_what_takes_its_result() -> None:
    w, v = leaf(3), leaf(3, seed=1)
    own = function(lambda x, y, g: (2 * x * y * g, x * x * g))

    def run() -> None:
        h = torch.tanh(own(w, v))
        h.detach().numpy()[:] *= 2
        h.sum().backward()

    [verdict] = pytorch_verdicts(watched(run, []))
    assert verdict.text.endswith("through `tanh`")


def test_a_gradient_that_differs_and_is_lost_on_its_way_to_the_leaves_is_found() -> None:
    w = leaf(3)

    def run() -> None:
        z = w * 0
        h = torch.exp(z)
        h.detach().numpy()[:] *= 2
        h.sum().backward()

    [verdict] = pytorch_verdicts(watched(run, [w]))
    assert "at z[0]" in verdict.text


@pytest.mark.parametrize(
    "run",
    [
        lambda x: x.cumsum(0) * x,
        lambda x: torch.stack(torch.var_mean(x * x)).prod(),
        lambda x: torch.relu(x * 2) * x + torch.relu(x * 2).expand(2, 3),
        lambda x: torch.dropout(x * x, 0.0, True).view(3, 1) * (x * x).unsqueeze(1),
        lambda x: torch.stack([*(x * 2).unbind()]).flip(0) * x,
        lambda x: (x * 2).view(3, 1).mul_(x.view(3, 1)).mul_(3).sum(0) * x,
        lambda x: torch.cummax(x * x, 0)[0] * (x * x).sort()[0].detach(),
    ],
)
def test_results_whose_nodes_others_share_agree(run: Callable[[Tensor], Tensor]) -> None:
    w = leaf(3)
    recording = watched(lambda: run(w).sum().backward(), [w])
    assert not pytorch_verdicts(recording)
    assert "in between" in agreement(recording)


def test_a_part_that_is_written_in_place_agrees() -> None:
    w = leaf(2, 3)

    def run() -> None:
        h = w * 2
        h[0].mul_(w[1])
        row = h[1]
        h.add_(1)
        (row * h).sum().backward()

    assert "in between" in agreement(watched(run, [w]))


def test_a_pass_that_was_not_recorded_brings_nothing_to_the_next() -> None:
    w = leaf(3)

    def run() -> None:
        h = w * 2
        with pytest.raises(RuntimeError):
            torch.autograd.backward([(h * h).sum(), failing(h).sum()], retain_graph=True)
        (h * h).sum().backward()

    def fail(*_: Any) -> None:
        raise RuntimeError

    failing = function(fail, lambda x, y: x * y)
    own = failing
    failing = lambda h: own(h, h)  # noqa: E731
    assert agreement(watched(run, [w]))


def test_hooks_may_change_gradients() -> None:
    w = leaf(3)

    def run() -> None:
        handle = w.register_hook(lambda grad: grad * 2)
        (w * w).sum().backward()
        handle.remove()

    recording = watched(run, [w])
    assert not pytorch_verdicts(recording)
    [note] = [each for each in diagnose(recording) if each.name == "pytorch"]
    assert note.note
    assert "hooks" in note.text


def test_hooks_of_a_module_may_change_gradients() -> None:
    w, layer = leaf(2, 3), nn.Tanh()
    layer.register_full_backward_hook(lambda *_: None)

    def run() -> None:
        layer.register_full_backward_hook(lambda _, grads, __: (grads[0] * 2,))
        layer(w * 2).sum().backward()

    recording = watched(run, [w])
    assert not pytorch_verdicts(recording)
    [note] = [each for each in diagnose(recording) if each.name == "pytorch"]
    assert "hooks" in note.text


def test_a_hook_that_steps_and_lets_the_gradient_go() -> None:
    w = leaf(3)

    def step(leaf: Tensor) -> None:
        assert leaf.grad is not None
        with torch.no_grad():
            leaf -= 0.1 * leaf.grad
        leaf.grad = None

    def run() -> None:
        w.register_post_accumulate_grad_hook(step)
        for _ in range(2):
            (w * w).sum().backward()

    recording = watched(run, [w])
    assert {kind for each in writes(recording) for kind in each.writes.kinds} == {"update", "zero"}
    assert not pytorch_verdicts(recording)


def test_pytorch_is_as_it_was_afterwards() -> None:
    before = torch.autograd._engine_run_backward, {**vars(Tensor)}, {**vars(_SingleLevelFunction)}
    with stepgrad.record(), watch():
        assert "grad" in vars(Tensor)
    after = torch.autograd._engine_run_backward, {**vars(Tensor)}, {**vars(_SingleLevelFunction)}
    assert before == after


def test_a_write_to_a_value_between_the_passes_counts_in_the_derivatives() -> None:
    w = leaf(3)

    def run() -> None:
        loss = (w * w).sum()
        w.data.mul_(3)  # PyTorch does not notice
        loss.backward()

    recording = watched(run, [w])
    assert [type(block) for block in recording.blocks] == [Forward, Forward, Write, Backward]
    assert not pytorch_verdicts(recording)


def test_a_program_with_an_engine_of_its_own_is_judged_as_ever_where_torch_is_there(
    tmp_path: Path,
) -> None:
    assert "torch" in sys.modules
    first, *_ = verdicts(recorded(MISTAKES["path_assigns"].planted(tmp_path)))
    assert "`=` stands where `+=` belongs" in first.text


def test_what_cancels_up_to_the_rounding_of_the_program_is_no_fault() -> None:
    torch.manual_seed(3)
    query, key = nn.Linear(3, 2), nn.Linear(3, 2)
    x = torch.randn(4, 3)
    leaves = [*query.parameters(), *key.parameters()]
    optimizer = torch.optim.SGD(leaves, lr=0.1)

    def attention() -> None:  # softmax is blind to what all keys have in common: their bias
        weights = torch.softmax(query(x) @ key(x).T, dim=1)
        (weights @ x).pow(2).sum().backward()
        optimizer.step()

    found = diagnose(watched(attention, leaves, tolerance=1e-5))
    assert [each.note for each in found if each.name == "cancels"] == [True]
