"""CLAF-SER (equations 12-26 of the paper) as an ``nn.Module``.

Where the paper is silent we chose, and say so here:

=====================  =====================================================
heads (3.4.3)          4: "multi-head" without a number
phonetic branch        kernel 3, padding 1, ReLU, masked mean.  Eq. 16 and
(3.4.4)                section 3.4.4 feed it ``X``; section 3.4.2 says the
                       BiLSTM output.  We follow the equation.  Without the
                       ReLU, convolution and mean would fold into one linear
                       map of the mean row.
language rows (3.4.5)  5 instead of 4: row 4 is "unknown", trained by dropping
                       the id at random, because a device does not know which
                       corpus it is listening to
domain MLP (3.4.6)     256 -> 64 -> 4, ReLU; it sees the attention vector with
                       the unknown row added, see ``CLAFSER.forward``
emotion MLP (3.4.7)    272 -> 128, layer norm, ReLU, dropout, -> 8
frames (3.4.1)         one a step; a small model may hear ``frame_stack`` of them
                       side by side at every step, see ``stack_frames``
=====================  =====================================================
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from quantize.models.config import PARTS, ClafSerConfig

__all__ = [
    "CLAFSER",
    "PARTS",
    "ClafSerConfig",
    "ClafSerOutput",
    "reverse_gradient",
    "stack_frames",
]


class ClafSerOutput(NamedTuple):
    """What one forward pass yields; ``B`` examples, ``T`` frames."""

    logits: Tensor  #: (B, n_labels), before the softmax of eq. 23
    domain_logits: Tensor  #: (B, n_domains), before the softmax of eq. 21
    pooled: Tensor  #: (B, 2 * hidden), f_attn of eq. 15


class _ReverseGradient(torch.autograd.Function):
    """Identity forward, ``-alpha`` times the gradient backward."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, alpha: float) -> Tensor:
        ctx.alpha = alpha
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        return -ctx.alpha * grad, None


def reverse_gradient(x: Tensor, alpha: float) -> Tensor:
    """Gradient reversal layer (eq. 20; Ganin & Lempitsky, 2015)."""
    reversed_: Tensor = _ReverseGradient.apply(x, alpha)  # type: ignore[no-untyped-call]
    return reversed_


def stack_frames(x: Tensor, n_stacked: int) -> Tensor:
    """Lay neighbouring frames side by side: (B, T, k) -> (B, ceil(T / n), n * k).

    The LSTM then takes a step for ``n_stacked`` frames and still hears them all; its steps, one
    after the other, are most of a small model's time.  The last frame is repeated where it has
    too few neighbours.  Slices that count from the end, so that exporters find no arithmetic on
    shapes.
    """
    if n_stacked == 1:
        return x
    padded = torch.cat([x] + [x[:, -1:]] * (n_stacked - 1), dim=1)
    parts = [padded[:, i : i + 1 - n_stacked : n_stacked] for i in range(n_stacked - 1)]
    parts.append(padded[:, n_stacked - 1 :: n_stacked])
    return torch.cat(parts, dim=2)


class CLAFSER(nn.Module):
    """Cross-Lingual Attention-based Adversarial Framework for SER.

    Parameters
    ----------
    config : ClafSerConfig
        Sizes; 470,264 parameters without the domain branch at the defaults.
    """

    def __init__(self, config: ClafSerConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or ClafSerConfig()
        width = 2 * config.hidden
        self.lstm = nn.LSTM(config.step_width, config.hidden, batch_first=True, bidirectional=True)
        self._has = {part: part not in config.without for part in PARTS}
        if self._has["attention"]:
            self.attention = nn.MultiheadAttention(width, config.n_heads, batch_first=True)
        if self._has["phonetic"]:
            self.conv = nn.Conv1d(
                config.step_width,
                config.conv_channels,
                config.conv_kernel,
                padding=config.conv_kernel // 2,
            )
        if self._has["language"]:
            self.language = nn.Embedding(config.n_domains + 1, width)
            nn.init.normal_(self.language.weight, std=0.02)
        n_phonetic = config.conv_channels if self._has["phonetic"] else 0
        self.fc1 = nn.Linear(width + n_phonetic, config.classifier)
        self.norm = nn.LayerNorm(config.classifier)
        self.fc2 = nn.Linear(config.classifier, config.n_labels)
        self.dropout = nn.Dropout(config.dropout)
        self.domain = nn.Sequential(
            nn.Linear(width, config.domain_hidden),
            nn.ReLU(),
            nn.Linear(config.domain_hidden, config.n_domains),
        )

    def encode(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Equations 13-15: BiLSTM, attention and masked mean.

        Parameters
        ----------
        x : float32 [shape=(B, T, frame_stack * n_features)]
            Stacked.
        mask : bool [shape=(B, T)], optional
            True where a step is real.  Steps are padded at the end.

        Returns
        -------
        float32 [shape=(B, 2 * hidden)]
        """
        if mask is None:
            return self._attend(self.dropout(self.lstm(x)[0]), None)
        packed = pack_padded_sequence(
            x, mask.sum(dim=1).cpu(), batch_first=True, enforce_sorted=False
        )
        h, _ = pad_packed_sequence(self.lstm(packed)[0], batch_first=True, total_length=x.shape[1])
        return self._attend(self.dropout(h), mask)

    def _attend(self, h: Tensor, mask: Tensor | None) -> Tensor:
        """Equations 14-15 in one: (B, T, 2 * hidden) -> (B, 2 * hidden).

        After the softmax everything is linear, so the mean over time is taken of the
        attention weights.  Values and output are then projected once a head and once
        a clip instead of at every frame: the numbers of ``nn.MultiheadAttention``
        followed by the mean, at half the multiplications.
        """
        if not self._has["attention"]:
            return h.mean(dim=1) if mask is None else _masked_mean(h, mask)
        attention = self.attention
        n_batch, n_frames, width = h.shape
        n_heads, per_head = attention.num_heads, width // attention.num_heads
        weights, biases = attention.in_proj_weight, attention.in_proj_bias
        both = nn.functional.linear(h, weights[: 2 * width], biases[: 2 * width])
        both = both.view(n_batch, n_frames, 2, n_heads, per_head).permute(2, 0, 3, 1, 4)
        scores = both[0] @ both[1].transpose(2, 3) * per_head**-0.5
        if mask is None:
            attended = scores.softmax(dim=3).mean(dim=2)
        else:
            scores = scores.masked_fill(~mask[:, None, None, :], float("-inf"))
            real = mask[:, None, :, None].to(h.dtype)
            attended = (scores.softmax(dim=3) * real).sum(dim=2) / real.sum(dim=2)
        mixed = attended.to(h.dtype) @ h
        values = weights[2 * width :].view(n_heads, per_head, width)
        pooled = torch.einsum("bhd,hkd->bhk", mixed, values).flatten(1)
        projected: Tensor = attention.out_proj(pooled + biases[2 * width :])
        return projected

    def phonetic(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Equations 16-17: Conv1D, ReLU, masked mean -> (B, conv_channels)."""
        if mask is None:
            return torch.relu(self.conv(x.transpose(1, 2))).mean(dim=2)
        # Padding must look like the convolution's own zero padding.
        masked = x * mask.unsqueeze(2)
        return _masked_mean(torch.relu(self.conv(masked.transpose(1, 2))).transpose(1, 2), mask)

    def classify(self, pooled: Tensor, phonetic: Tensor | None, language: Tensor) -> Tensor:
        """Equations 18-19 and 22-23: language row, concatenation, emotion MLP."""
        adapted = pooled + self.language(language) if self._has["language"] else pooled
        final = adapted if phonetic is None else torch.cat([adapted, phonetic], dim=1)
        logits: Tensor = self.fc2(self.dropout(torch.relu(self.norm(self.fc1(final)))))
        return logits

    def forward(
        self, x: Tensor, language: Tensor, mask: Tensor | None = None, alpha: float = 0.0
    ) -> ClafSerOutput:
        """Run the model.

        Parameters
        ----------
        x : float32 [shape=(B, T, n_features)]
            Normalised feature rows; where the model knows references, with the column of the
            part (:mod:`edge.features.voice_reference`) or without, which is no reference.
        language : int64 [shape=(B,)]
            Row of the language embedding, ``config.unknown_language`` for unknown.
        mask : bool [shape=(B, T)], optional
            True where a frame is real; padding then never changes a result.
        alpha : float
            Strength of the gradient reversal (eq. 24), 0 switches it off.

        Notes
        -----
        Eq. 20 reverses the gradient of ``f_attn + e_l``.  Since ``e_l`` names the
        domain outright, a domain classifier would read it there and leave
        ``f_attn`` alone; so the domain branch sees ``f_attn`` plus the *unknown*
        row, which is what every device sees.
        """
        n_stacked = self.config.frame_stack
        if x.shape[2] < self.config.n_features:
            x = nn.functional.pad(x, (0, 1))
        if n_stacked > 1:
            if mask is not None:
                last = mask.sum(dim=1, keepdim=True) - 1
                frames = torch.arange(x.shape[1], device=x.device).minimum(last)
                # As the end of a clip alone: its last frame again.
                x = x.gather(1, frames.unsqueeze(2).expand_as(x))
                mask = mask[:, ::n_stacked]
            x = stack_frames(x, n_stacked)
        pooled = self.encode(x, mask)
        phonetic = self.phonetic(x, mask) if self._has["phonetic"] else None
        logits = self.classify(pooled, phonetic, language)
        seen = pooled
        if self._has["language"]:
            seen = pooled + self.language.weight[self.config.unknown_language]
        domain_logits = self.domain(reverse_gradient(seen, alpha))
        return ClafSerOutput(logits, domain_logits, pooled)

    def n_parameters(self) -> int:
        """Parameters that are exported: all but the domain branch."""
        return sum(p.numel() for n, p in self.named_parameters() if not n.startswith("domain."))


def _masked_mean(rows: Tensor, mask: Tensor) -> Tensor:
    """Mean over the real frames: (B, T, D), (B, T) -> (B, D)."""
    weight = mask.unsqueeze(2).to(rows.dtype)
    return (rows * weight).sum(dim=1) / weight.sum(dim=1)
