"""Layers, and losses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from torch_operations.inputs import BATCH, IMAGE, MASK, Tried, f64


def _module(module: nn.Module) -> Callable[..., Any]:
    """Return a function of the input and of all parameters of a module."""
    module = module.double()
    names = [name for name, _ in module.named_parameters()]

    def run(a: Tensor, *parameters: Tensor) -> Any:
        named = dict(zip(names, parameters, strict=True))
        return torch.func.functional_call(module, named, (a,))

    return run


def _layer(module: nn.Module, *shape: int) -> tuple[Callable[..., Any], Sequence[Any]]:
    sizes = [tuple(each.shape) for each in module.parameters()]
    return _module(module), (shape, *sizes)


_LABELS = torch.tensor([1, 0, 3])
_WEIGHTS = torch.tensor([0.3, 1, 2, 0.7], dtype=torch.float64)

_INDICES = torch.tensor([0, 1, 2, 1, 0, 3])

LAYERS: Tried = {
    "embedding_bag": (
        lambda a, b: [
            *(
                F.embedding_bag(_INDICES, a, torch.tensor([0, 2, 2]), mode=mode, padding_idx=3)
                for mode in ("sum", "mean", "max")
            ),
            F.embedding_bag(_INDICES.view(2, 3), a),
            F.embedding_bag(_INDICES, a, torch.tensor([0, 2, 6]), include_last_offset=True),
            F.embedding_bag(_INDICES, a, torch.tensor([0, 4]), mode="sum", per_sample_weights=b),
        ],
        [(5, 3), (6,)],
    ),
    "linear": _layer(nn.Linear(4, 3), 2, 3, 4),
    "linear of a vector": _layer(nn.Linear(4, 3), 4),
    "linear of nothing": _layer(nn.Linear(4, 3), 0, 4),
    "linear without bias": _layer(nn.Linear(4, 1, bias=False), 2, 4),
    "conv1d": _layer(nn.Conv1d(3, 2, 3, stride=2, padding=1), 2, 3, 8),
    "conv1d unbatched": _layer(nn.Conv1d(3, 2, 2, dilation=2), 3, 8),
    "conv2d": _layer(nn.Conv2d(4, 2, 3, padding="same"), *IMAGE),
    "conv2d groups": _layer(nn.Conv2d(4, 6, (2, 3), (2, 1), (0, 2), (1, 2), groups=2), *IMAGE),
    "conv2d 1": _layer(nn.Conv2d(4, 2, 1, bias=False), *IMAGE),
    "conv2d reflect": _layer(nn.Conv2d(4, 2, 3, padding=1, padding_mode="reflect"), *IMAGE),
    "conv3d": _layer(nn.Conv3d(1, 1, 2), 1, 1, 2, 3, 3),
    "conv_transpose1d": _layer(nn.ConvTranspose1d(3, 2, 3, 2, 1, 1), 2, 3, 4),
    "conv_transpose2d": _layer(nn.ConvTranspose2d(4, 4, 3, 2, groups=2, dilation=2), *IMAGE),
    "max_pool": (
        lambda a: (
            F.max_pool2d(a, 2),
            F.max_pool2d(a, 3, 2, 1, ceil_mode=True),
            F.max_pool1d(a[0], 2),
            F.max_pool3d(a, 2),
        ),
        [IMAGE],
    ),
    "avg_pool": (
        lambda a: (
            F.avg_pool2d(a, 2),
            F.avg_pool2d(a, 3, 2, 1, ceil_mode=True, count_include_pad=False),
            F.avg_pool2d(a, 3, 2, 1, ceil_mode=True),
            F.avg_pool2d(a, 2, divisor_override=3),
            F.avg_pool1d(a[0], 2),
            F.avg_pool3d(a, 2),
        ),
        [IMAGE],
    ),
    "adaptive": (
        lambda a: (
            F.adaptive_avg_pool2d(a, 1),
            F.adaptive_avg_pool2d(a, (2, 4)),
            F.adaptive_avg_pool1d(a[0], 3),
            F.adaptive_max_pool2d(a, (2, 4)),
            F.adaptive_max_pool1d(a[0], 4),
        ),
        [IMAGE],
    ),
    "lp_pool": (lambda a: F.lp_pool2d(a, 2, 2), [IMAGE]),
    "max_unpool": (lambda a: F.max_unpool2d(*F.max_pool2d(a, 2, return_indices=True), 2), [IMAGE]),
    "batch_norm": _layer(nn.BatchNorm2d(4), *IMAGE),
    "batch_norm eval": _layer(nn.BatchNorm1d(4).eval(), 3, 4),
    "batch_norm stateless": _layer(
        nn.BatchNorm1d(4, affine=False, track_running_stats=False), 3, 4
    ),
    "instance_norm": _layer(nn.InstanceNorm2d(4, affine=True), *IMAGE),
    "layer_norm": _layer(nn.LayerNorm((3, 4)), 2, 3, 4),
    "layer_norm plain": _layer(nn.LayerNorm(4, elementwise_affine=False), 2, 3, 4),
    "group_norm": _layer(nn.GroupNorm(2, 4), *IMAGE),
    "rms_norm": _layer(nn.RMSNorm(4), 2, 3, 4),
    "local_response_norm": (lambda a: F.local_response_norm(a, 2), [IMAGE]),
    "weight_norm": (lambda v, g: torch._weight_norm(v, g, 0), [(3, 4), (3, 1)]),
    "rnn": _layer(nn.RNN(4, 3, 2, bidirectional=True), 2, 3, 4),
    "rnn relu": _layer(nn.RNN(4, 3, nonlinearity="relu"), 2, 3, 4),
    "lstm": _layer(nn.LSTM(4, 3, 2, batch_first=True, bidirectional=True), 2, 3, 4),
    "lstm projected": _layer(nn.LSTM(4, 3, proj_size=2), 2, 3, 4),
    "rnn batch first": _layer(nn.RNN(4, 3, bias=False, batch_first=True), 2, 3, 4),
    "gru": _layer(nn.GRU(4, 3), 2, 3, 4),
    "gru batch first": _layer(nn.GRU(4, 3, batch_first=True, bidirectional=True), 2, 3, 4),
    "lstm cell": _layer(nn.LSTMCell(4, 3), 3, 4),
    "gru cell": _layer(nn.GRUCell(4, 3), 3, 4),
    "encoder": _layer(nn.TransformerEncoderLayer(4, 2, 8, dropout=0, batch_first=True), 2, 3, 4),
    "multihead": (
        lambda a, *p: F.multi_head_attention_forward(
            a, a, a, 4, 2, p[0], p[1], None, None, False, 0.0, p[2], p[3], need_weights=True
        )[0],
        [(3, 2, 4), (12, 4), (12,), (4, 4), (4,)],
    ),
    "attention": (
        lambda q, k, v: (
            F.scaled_dot_product_attention(q, k, v),
            F.scaled_dot_product_attention(q, k, v, is_causal=True, scale=0.3),
            F.scaled_dot_product_attention(q, k, v, attn_mask=~MASK),
            F.scaled_dot_product_attention(q, k, v, attn_mask=MASK),
            F.scaled_dot_product_attention(q, k, v, attn_mask=q.detach() @ k.detach().mT),
        ),
        [(2, 2, 3, 4)] * 3,
    ),
    "attention, mask that learns": (
        lambda q, k, m: F.scaled_dot_product_attention(q, k, k, attn_mask=m),
        [(2, 2, 3, 4), (2, 2, 3, 4), (3, 3)],
    ),
    "attention, grouped": (
        lambda q, k: F.scaled_dot_product_attention(q, k, k, enable_gqa=True),
        [(2, 4, 3, 4), (2, 2, 3, 4)],
    ),
    "attention, three dimensions": (
        lambda q: F.scaled_dot_product_attention(q, q, q),
        [(2, 3, 4)],
    ),
}

LOSSES: Tried = {
    "reductions": (
        lambda a, b: [
            loss(a, b, reduction=how)
            for loss in (F.mse_loss, F.l1_loss, F.smooth_l1_loss, F.huber_loss)
            for how in ("none", "mean", "sum")
        ],
        [BATCH, BATCH],
    ),
    "bce at the ends": (
        lambda a: F.binary_cross_entropy(a, f64([1.0, 0, 0, 1, 0.5, 1]), reduction="sum"),
        [f64([0.0, 0, 1, 1, 1, 1e-14])],
    ),
    "bce weight": (lambda a: F.binary_cross_entropy(a.sigmoid(), _WEIGHTS / 2, _WEIGHTS), [(4,)]),
    "bce logits": (
        lambda a, b: F.binary_cross_entropy_with_logits(a, b, _WEIGHTS, pos_weight=_WEIGHTS),
        [BATCH, BATCH],
    ),
    "bce logits, far": (
        lambda a: F.binary_cross_entropy_with_logits(a, f64([1.0, 0, 1, 0, 0.5])),
        [f64([-800.0, 800, 40, -40, 0])],
    ),
    "nll": (
        lambda a: [
            F.nll_loss(a, _LABELS, reduction=how, ignore_index=0) for how in ("none", "mean", "sum")
        ],
        [(3, 4)],
    ),
    "cross_entropy": (
        lambda a: (
            F.cross_entropy(a, _LABELS),
            F.cross_entropy(a[0], _LABELS[0]),
            F.cross_entropy(a, _LABELS, _WEIGHTS, ignore_index=3, label_smoothing=0.1),
            F.cross_entropy(a, a.detach().softmax(-1)),
            F.cross_entropy(a.expand(2, 3, 4).mT, _LABELS.expand(2, 3)),
        ),
        [(3, 4)],
    ),
    "cross_entropy 2d": (
        lambda a: F.cross_entropy(a, torch.arange(60).view(2, 5, 6) % 4, _WEIGHTS),
        [IMAGE],
    ),
    "kl_div": (
        lambda a, b: (
            F.kl_div(a.log_softmax(-1), b.softmax(-1), reduction="batchmean"),
            F.kl_div(a.log_softmax(-1), b.log_softmax(-1), reduction="sum", log_target=True),
            F.kl_div(a, f64([0.0, 1, 0.5, 0]), reduction="none"),
        ),
        [BATCH, BATCH],
    ),
    "margins": (
        lambda a, b: (
            F.triplet_margin_loss(a, b, a * b),
            F.hinge_embedding_loss(a, b.detach().sign()),
            F.margin_ranking_loss(a, b, b.detach().sign(), 0.2),
            F.cosine_embedding_loss(a[0], b[0], torch.tensor([1, -1, 1]), 0.1),
            F.multilabel_soft_margin_loss(a[0], (b[0].detach() > 0).double()),
            F.multi_margin_loss(a[0], _LABELS),
            F.multilabel_margin_loss(a[0], torch.tensor([[0, 2, -1, 0]] * 3)),
        ),
        [BATCH, BATCH],
    ),
}
