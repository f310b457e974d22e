"""Settings of a gate's training."""

from __future__ import annotations

from typing import Annotated

from quantize.basics.settings import Above0, Seed, Settings, Share, whole

__all__ = ["GateTraining"]

_Count = Annotated[int, whole(1, 1_000_000)]


class GateTraining(Settings, frozen=True):
    """How a gate is trained; the defaults made the bundled one.

    Parameters
    ----------
    seed : int
        Of scenes, weights and batches.
    n_scenes, n_tune_scenes : int
        Scenes that fit the weights, and that set the thresholds.
    n_frames : int
        Of a scene.
    epochs, batch_size : int
    learning_rate, weight_decay : float
        Of AdamW; the rate at its peak.
    speech_weight : float
        What missing a frame of speech costs, where letting another one through costs 1.
    wanted_recall : float
        Share of the segments with speech that must pass, of scenes down to 0 dB of speech over
        noise; the thresholds that then let the least through are taken.
    """

    seed: Seed = 0
    n_scenes: _Count = 7500
    n_tune_scenes: _Count = 750
    n_frames: Annotated[int, whole(61, 100_000)] = 249
    epochs: _Count = 40
    batch_size: _Count = 64
    learning_rate: Above0 = 4e-3
    weight_decay: Share = 1e-3
    speech_weight: Above0 = 2.0
    wanted_recall: Share = 0.97
