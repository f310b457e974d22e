"""CLAF-SER as exporters and quantizers can take it.

``nn.MultiheadAttention`` hides more than half of the parameters from dynamic
quantization, and its reshapes freeze the number of frames in an ONNX file.  The
twin computes the same with three plain Linears that carry the same weights (the
queries' are scaled); the output projection and the biases of values and output
are in the first classifier layer, and the keys' bias, which moves all scores of
a query alike, is gone.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from edge.models.claf_ser.weights import fold_output
from quantize.export.numpy import weights_of
from quantize.models.claf_ser import CLAFSER, stack_frames

__all__ = ["ExportTwin"]


class ExportTwin(nn.Module):
    """The logits of a trained CLAF-SER, without mask, dropout and domain branch.

    Parameters
    ----------
    model : CLAFSER
        Its weights are copied; later changes to it do not reach the twin.

    Notes
    -----
    Everything after the softmax is linear up to the mean over time, so the mean
    is taken of the attention's weights.  They then mix the LSTM's rows, and the
    value projection sees ``n_heads`` rows instead of ``T``.
    """

    def __init__(self, model: CLAFSER) -> None:
        super().__init__()
        config = model.config
        width = 2 * config.hidden
        self.n_heads = config.n_heads
        self.frame_stack = config.frame_stack
        self.per_head = width // config.n_heads
        self.lstm = copy.deepcopy(model.lstm)
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width, bias=False)
        self.value = nn.Linear(width, width, bias=False)
        self.conv = copy.deepcopy(model.conv)
        self.language = nn.Embedding(config.n_domains + 1, config.classifier)
        self.fc1 = copy.deepcopy(model.fc1)
        self.norm = copy.deepcopy(model.norm)
        self.fc2 = copy.deepcopy(model.fc2)
        with torch.no_grad():
            weights = model.attention.in_proj_weight.chunk(3)
            for layer, weight in zip((self.query, self.key, self.value), weights, strict=True):
                layer.weight.copy_(weight)
            self.query.bias.copy_(model.attention.in_proj_bias[:width])
            # The scores' factor, once here instead of at every frame.
            self.query.weight.mul_(self.per_head**-0.5)
            self.query.bias.mul_(self.per_head**-0.5)
            folded = (torch.from_numpy(a) for a in fold_output(weights_of(model)))
            targets = (self.fc1.weight, self.fc1.bias, self.language.weight)
            for target, values in zip(targets, folded, strict=True):
                target.copy_(values)
        # Row i keeps the columns of head i.
        heads = torch.arange(width) // self.per_head
        own = heads == torch.arange(config.n_heads).unsqueeze(1)
        self.register_buffer("own_columns", own.to(torch.float32))
        self.eval()

    def forward(self, features: Tensor, language: Tensor) -> Tensor:
        """Run the model.

        Parameters
        ----------
        features : float32 [shape=(B, T, n_features)]
            Normalised rows, none of them padding.
        language : int64 [shape=(B,)]
            Row of the language embedding.

        Returns
        -------
        float32 [shape=(B, n_labels)]
            Logits.
        """
        features = stack_frames(features, self.frame_stack)
        rows = self.lstm(features)[0]
        query = self._by_head(self.query(rows))
        key = self._by_head(self.key(rows))
        weights = torch.softmax(query @ key.transpose(2, 3), dim=3).mean(dim=2)
        # (B, n_heads, 2 * hidden): what each head would attend to, before its projection.
        mixed = self.value(weights @ rows)
        pooled = (mixed * self.own_columns).sum(dim=1)
        phonetic = torch.relu(self.conv(features.transpose(1, 2))).mean(dim=2)
        hidden = self.fc1(torch.cat([pooled, phonetic], dim=1)) + self.language(language)
        logits: Tensor = self.fc2(torch.relu(self.norm(hidden)))
        return logits

    def _by_head(self, rows: Tensor) -> Tensor:
        """(B, T, width) -> (B, n_heads, T, width / n_heads)."""
        # One length read from the shape: each is four more nodes in an ONNX graph.
        return rows.reshape(rows.shape[0], -1, self.n_heads, self.per_head).transpose(1, 2)
