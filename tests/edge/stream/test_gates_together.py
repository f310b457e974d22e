"""Gates that are asked together tell what each tells alone."""

from __future__ import annotations

import numpy as np
import pytest

from edge.bundled import MODELS, MODELS_DIR
from edge.stream.loading import load
from edge.stream.trained_gate import TrainedSpeechGate, make, push_together


@pytest.mark.parametrize("sizes", [(16, 16, 16), (1, 5, 16, 1, 2)])
def test_gates_together_tell_and_remember_what_each_does_alone(sizes: tuple[int, ...]) -> None:
    manifest = load(
        MODELS_DIR / MODELS["claf-ser-tiny"]["numpy"], backend="numpy"
    ).artifact.manifest
    rng = np.random.default_rng(5)
    alone: list[TrainedSpeechGate] = [make(manifest) for _ in range(4)]
    several = [make(manifest) for _ in range(4)]
    # One has heard something before, and one is asked without the others in between.
    for gate in (alone[1], several[1]):
        gate.push(np.zeros(0, np.float32), manifest.mean + np.zeros((3, 34), np.float32))
    heard = 0
    for n_rows in sizes:
        rows = rng.normal(0.0, 1.0, (4, n_rows, 34)).astype(np.float32) * manifest.std
        rows += manifest.mean
        rows[..., 13] = np.maximum(rows[..., 13], 0.0)
        rows[..., 14] = np.abs(rows[..., 14])
        wanted = [gate.push(np.zeros(0), own) for gate, own in zip(alone, rows, strict=True)]
        told = push_together(several[:3], list(rows[:3]))
        told.append(several[3].push(np.zeros(0), rows[3]))
        for one, other in zip(told, wanted, strict=True):
            assert one.dtype == np.bool_
            assert one.tolist() == other.tolist()
        heard += sum(int(each.sum()) for each in told)
    next_rows = manifest.mean + rng.normal(0.0, 1.0, (4, 34)).astype(np.float32) * manifest.std
    for one, other in zip(several, alone, strict=True):
        np.testing.assert_allclose(one.logits(next_rows), other.logits(next_rows), atol=1e-4)
    assert heard > 0
