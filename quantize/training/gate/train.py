"""Train a gate: scenes, weights, thresholds."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from edge.artifact import GateColumns, TrainedGate
from edge.artifact.gate import GATE_TYPE
from edge.features.spec import FeatureSpec
from quantize.basics.errors import TrainingError
from quantize.basics.progress import progress_bar, progress_note
from quantize.data.sound.recordings import Recording
from quantize.training.gate.material import Material
from quantize.training.gate.network import GateNetwork, derived
from quantize.training.gate.rows import scene_rows
from quantize.training.gate.scenes import IGNORED, SILENT, SPOKEN
from quantize.training.gate.settings import GateTraining

__all__ = ["pack_gate", "train_gate"]

KERNEL = 3
WIDTHS = (24, 20, 12)
MEMORIES = ((6.0, 30.0), (12.0, 50.0))
FLOOR_RISE_DB = 0.1

#: Crops that a batch is trained on, in frames: a file's first segment is as frequent as the
#: middle of a long evening.
_CROPS = (61, 90, 125, 180, 249)
_SEGMENT_FRAMES = 61
#: Frames of speech that make a segment one that should pass.
_SPOKEN_FRAMES = 16
#: What the thresholds are chosen from.
_OPEN = (0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.93, 0.95)
_CLOSE_SHARE = 0.6
_LEAST_FRAMES = (6, 8, 10, 12)

Scenes = tuple[NDArray[np.float16], NDArray[np.int8], list[str]]


def train_gate(
    voices: Sequence[Recording],
    sounds: Sequence[Recording],
    spec: FeatureSpec,
    settings: GateTraining,
    cache: Path,
    training: dict[str, Any],
) -> TrainedGate:
    """Train a gate on recordings and generated sounds.

    Parameters
    ----------
    voices, sounds : sequence of Recording
        Of all splits; what is for the test is not opened.
    spec : FeatureSpec
        Of the model that the gate is for.
    settings : GateTraining
    cache : Path
        Folder of rows; a run that was interrupted goes on with them.
    training : dict
        What is to be kept in the gate of where it comes from, besides the settings.

    Raises
    ------
    TrainingError
        If a split has no voice or no sound, or no thresholds let enough speech through.
    ArtifactError
        If the spec lacks what a gate needs.
    """
    columns = GateColumns.of(spec)
    sides = {split: Material.of(split, voices, sounds) for split in ("train", "tune")}
    for split, side in sides.items():
        if not side.voices or not side.sounds:
            what = "voices" if not side.voices else "sounds"
            raise TrainingError(
                f"no {what} are left to {split} the gate on: it learns from several speakers and "
                "recordings; give it the folders with all corpora and all sounds"
            )
    fitted, tuned = (
        scene_rows(
            spec,
            sides[split],
            n_scenes=n_scenes,
            n_frames=settings.n_frames,
            seed=10 * settings.seed + offset,
            folder=cache,
            title=f"scenes to {split} on",
        )
        for split, n_scenes, offset in (
            ("train", settings.n_scenes, 1),
            ("tune", settings.n_tune_scenes, 5),
        )
    )
    network = _fit(fitted, columns, settings)
    draft = pack_gate(network, spec, (0.5, 0.3, 0.3), training | settings.to_dict())
    thresholds = _thresholds(network, tuned, columns, spec, settings)
    open_above, close_below, least_speech_s = thresholds
    return TrainedGate.from_dict(
        draft.to_dict()
        | {
            "open_above": open_above,
            "close_below": close_below,
            "least_speech_s": least_speech_s,
        },
        spec,
    )


def pack_gate(
    network: GateNetwork,
    spec: FeatureSpec,
    thresholds: tuple[float, float, float],
    training: dict[str, Any],
) -> TrainedGate:
    """Put weights and thresholds (open, close, seconds of speech) into a gate."""
    numbers = [array.detach().numpy().ravel() for array in network.arrays().values()]
    packed = np.concatenate(numbers).astype("<f2").tobytes()
    open_above, close_below, least_speech_s = thresholds
    return TrainedGate.from_dict(
        {
            "type": GATE_TYPE,
            "feature_fingerprint": spec.fingerprint,
            "floor_rise_db": FLOOR_RISE_DB,
            "kernel": network.kernel,
            "widths": [network.first.out_features, network.second.out_features,
                       network.third.out_features],
            "memories": [list(lengths) for lengths in network.memories],
            "open_above": open_above,
            "close_below": close_below,
            "least_speech_s": least_speech_s,
            "weights": base64.b64encode(packed).decode(),
            "training": training,
        },
        spec,
    )  # fmt: skip


def _fit(scenes: Scenes, columns: GateColumns, settings: GateTraining) -> GateNetwork:
    rows, truth = torch.from_numpy(scenes[0].astype(np.float32)), torch.from_numpy(scenes[1])
    torch.manual_seed(settings.seed)
    rng = np.random.default_rng(settings.seed)
    network = GateNetwork(columns.n_inputs, KERNEL, WIDTHS, MEMORIES)
    network.normalise(derived(rows[:500], columns, FLOOR_RISE_DB))
    optimiser = torch.optim.AdamW(
        network.parameters(), settings.learning_rate, weight_decay=settings.weight_decay
    )
    n_batches = max(1, len(rows) // settings.batch_size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, settings.learning_rate, settings.epochs * n_batches, pct_start=0.1
    )
    weight = torch.tensor(settings.speech_weight)
    for epoch in progress_bar(range(settings.epochs), settings.epochs, "epochs"):
        total = 0.0
        order = rng.permutation(len(rows))
        for batch in np.array_split(order, n_batches):
            length = min(int(rng.choice(_CROPS)), settings.n_frames)
            start = int(rng.integers(0, settings.n_frames - length + 1))
            chosen = torch.from_numpy(batch)
            crop = slice(start, start + length)
            logits = network(derived(rows[chosen, crop], columns, FLOOR_RISE_DB))
            wanted = truth[chosen, crop]
            losses = torch.nn.functional.binary_cross_entropy_with_logits(
                logits, (wanted == SPOKEN).float(), reduction="none", pos_weight=weight
            )
            counts = (wanted != IGNORED).float()
            loss = (losses * counts).sum() / counts.sum().clamp(min=1)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += loss.item()
        if epoch % 10 == 9 or epoch == settings.epochs - 1:
            progress_note(f"epoch {epoch + 1}: loss {total / n_batches:.4f}")
    return network.eval()


def _thresholds(
    network: GateNetwork,
    scenes: Scenes,
    columns: GateColumns,
    spec: FeatureSpec,
    settings: GateTraining,
) -> tuple[float, float, float]:
    """Choose what lets the least through of those that let enough speech through."""
    rows, truth, _ = scenes
    odds, truths = [], []
    # Each segment from nothing, as a file's first, and of long scenes from several places.
    for start in range(0, settings.n_frames - _SEGMENT_FRAMES + 1, _SEGMENT_FRAMES):
        crop = slice(start, start + _SEGMENT_FRAMES)
        part = torch.from_numpy(rows[:, crop].astype(np.float32))
        with torch.inference_mode():
            odds.append(torch.sigmoid(network(derived(part, columns, FLOOR_RISE_DB))).numpy())
        truths.append(truth[:, crop])
    probability, told = np.concatenate(odds), np.concatenate(truths)
    should = (told == SPOKEN).sum(axis=1) >= _SPOKEN_FRAMES
    should_not = (told == SILENT).all(axis=1)
    if not should.any() or not should_not.any():
        raise TrainingError(
            "the scenes that set the thresholds hold no segment of speech, or none without: draw "
            "more with --scenes"
        )
    best: tuple[float, tuple[float, float, float]] | None = None
    for opens in _OPEN:
        counts = _held(probability, opens, _CLOSE_SHARE * opens).sum(axis=1)
        for least in _LEAST_FRAMES:
            passed = counts >= least
            recall, let_through = passed[should].mean(), float(passed[should_not].mean())
            if recall >= settings.wanted_recall and (best is None or let_through < best[0]):
                seconds = round(least * spec.hop_length / spec.sample_rate, 3)
                best = let_through, (opens, round(_CLOSE_SHARE * opens, 3), seconds)
    if best is None:
        raise TrainingError(
            f"no thresholds let {100 * settings.wanted_recall:g} % of the speech through: train on "
            "more scenes or for more epochs"
        )
    progress_note(f"let through of what is no speech, to set the thresholds: {100 * best[0]:.1f} %")
    return best[1]


def _held(probability: NDArray[np.float32], opens: float, closes: float) -> NDArray[np.bool_]:
    """Hysteresis along the second axis, as the device's."""
    marks = np.where(probability >= opens, 1, np.where(probability < closes, -1, 0))
    latest = np.where(marks != 0, np.arange(marks.shape[1]), 0)
    latest = np.maximum.accumulate(latest, axis=1)
    held: NDArray[np.bool_] = np.take_along_axis(marks, latest, axis=1) == 1
    return held
