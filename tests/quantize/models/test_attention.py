"""The attention that a device shows is the one that torch computes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from edge.features.spec import FeatureSpec
from edge.runtimes.base import AttentiveSession
from edge.runtimes.open import open_model
from quantize.data.corpora import DOMAINS, LABELS
from quantize.export import ExportFacts, export_artifact
from quantize.models.claf_ser import CLAFSER, ClafSerConfig, stack_frames

SIZES = {
    "default": ClafSerConfig(),
    "small": ClafSerConfig(hidden=32, n_heads=2, conv_channels=8, conv_kernel=5, classifier=24),
    "stacked": ClafSerConfig(frame_stack=3, hidden=8, n_heads=2, conv_channels=2, classifier=3),
    "one head": ClafSerConfig(hidden=5, n_heads=1, conv_channels=1, conv_kernel=1, classifier=3),
}


@pytest.fixture(scope="module", params=SIZES)
def model(request: pytest.FixtureRequest) -> CLAFSER:
    """Weights large enough that attention is far from even."""
    torch.manual_seed(1)
    model = CLAFSER(SIZES[request.param]).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.startswith(("lstm", "attention")):
                parameter.mul_(2.5)
        model.attention.in_proj_bias.normal_(std=0.5)
    return model


@pytest.fixture(scope="module")
def backend(model: CLAFSER, tmp_path_factory: pytest.TempPathFactory) -> AttentiveSession:
    facts = ExportFacts(
        name="a model",
        spec=FeatureSpec(),
        mean=np.zeros(34, np.float32),
        std=np.ones(34, np.float32),
        training={"corpora": ["tess"], "split": "paper", "seed": 0, "commit": "abc"},
        licence="CC0-1.0",
        labels=LABELS,
        domains=DOMAINS,
    )
    folder = tmp_path_factory.mktemp("attention") / "artifact"
    backend = open_model(export_artifact("numpy-fp32", model, facts, folder)).session()
    assert isinstance(backend, AttentiveSession)
    return backend


@pytest.mark.parametrize("n_frames", [1, 2, 16, 61])
@pytest.mark.parametrize("n_batch", [1, 18])
def test_attention_is_that_of_torch(
    model: CLAFSER, backend: AttentiveSession, n_batch: int, n_frames: int
) -> None:
    generator = np.random.default_rng(n_frames)
    features = generator.standard_normal((n_batch, n_frames, 34)).astype(np.float32)
    attention: nn.MultiheadAttention = model.attention
    with torch.inference_mode():
        n_stacked = model.config.frame_stack
        rows = model.lstm(stack_frames(torch.from_numpy(features), n_stacked))[0]
        # torch's own weights by head and query; the model pools with their mean over queries.
        weights = attention(rows, rows, rows, need_weights=True, average_attn_weights=False)[1]
        averaged = attention(rows, rows, rows, need_weights=True)[1]
    found = backend.infer_with_attention(features, 4)[1]
    assert found.shape == (n_batch, model.config.n_heads, n_frames)
    # The frames of a step share its attention alike.
    first = np.arange(0, n_frames, n_stacked)
    steps = np.add.reduceat(found, first, axis=2)
    np.testing.assert_allclose(steps, weights.mean(dim=2), atol=1e-6, rtol=0)
    np.testing.assert_allclose(steps.mean(axis=1), averaged.mean(dim=1), atol=1e-6, rtol=0)
    assert all(np.ptp(found[..., i : i + n_stacked], axis=2).max() == 0 for i in first)
    np.testing.assert_allclose(found.sum(axis=2), 1, atol=1e-6)
    if n_frames == 61:
        assert np.ptp(found) * n_frames > 0.5, "else every model would pass"
