"""Settings of a gate's training."""

from __future__ import annotations

import dataclasses

from quantize.basics.bounds import ABOVE_0, SEED, SHARE, Bounds, check_numbers

__all__ = ["GateTraining"]

_COUNT = Bounds.whole(1, 1_000_000)
_BOUNDS = {
    "seed": SEED,
    "n_scenes": _COUNT,
    "n_tune_scenes": _COUNT,
    "n_frames": Bounds.whole(61, 100_000),
    "epochs": _COUNT,
    "batch_size": _COUNT,
    "learning_rate": ABOVE_0,
    "weight_decay": SHARE,
    "speech_weight": ABOVE_0,
    "wanted_recall": SHARE,
}


@dataclasses.dataclass(frozen=True)
class GateTraining:
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

    seed: int = 0
    n_scenes: int = 7500
    n_tune_scenes: int = 750
    n_frames: int = 249
    epochs: int = 40
    batch_size: int = 64
    learning_rate: float = 4e-3
    weight_decay: float = 1e-3
    speech_weight: float = 2.0
    wanted_recall: float = 0.97

    def __post_init__(self) -> None:
        check_numbers(self, _BOUNDS)
