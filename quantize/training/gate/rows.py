"""Scenes to feature rows, kept on disk in half precision."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.features import FeatureExtractor
from edge.features.front_end import DcBlocker
from edge.features.spec import FeatureSpec
from quantize.basics.files import atomic_path
from quantize.basics.progress import progress_bar
from quantize.training.gate.material import Material
from quantize.training.gate.scenes import IGNORED, SILENT, SPOKEN, draw_scene

__all__ = ["frame_truth", "scene_rows", "stream_rows"]

#: In the name of every cache: raise it when a scene is drawn otherwise than before.
_VERSION = 2
#: Scenes of one file: an interrupted run goes on with the file it was at.
_N_TOGETHER = 250


def stream_rows(samples: NDArray[np.float32], spec: FeatureSpec) -> NDArray[np.float32]:
    """Feature rows as a stream computes them, not normalised."""
    if spec.front_end is None:
        samples = DcBlocker(spec.sample_rate).process_checked(samples)
    return FeatureExtractor(spec).push(samples)


def frame_truth(truth: NDArray[np.int8], spec: FeatureSpec, n_frames: int) -> NDArray[np.int8]:
    """Truth of frames from that of samples: spoken where half of it is."""
    frames = np.lib.stride_tricks.sliding_window_view(truth, spec.win_length)
    frames = frames[:: spec.hop_length][:n_frames]
    spoken = (frames == SPOKEN).mean(axis=1)
    out = np.full(n_frames, IGNORED, dtype=np.int8)
    out[spoken >= 0.5] = SPOKEN
    out[(frames == SILENT).all(axis=1)] = SILENT
    return out


def scene_rows(
    spec: FeatureSpec,
    material: Material,
    *,
    n_scenes: int,
    n_frames: int,
    seed: int,
    folder: Path,
    title: str,
) -> tuple[NDArray[np.float16], NDArray[np.int8], list[str]]:
    """Draw scenes and compute their rows, or read what an earlier run computed.

    Returns
    -------
    rows : float16 [shape=(n_scenes, n_frames, n_features)]
    truth : int8 [shape=(n_scenes, n_frames)]
    kinds : list of str
        Of every scene.
    """
    drawn_from = [str(one.path) for one in (*material.voices, *material.sounds)]
    settings = [_VERSION, spec.fingerprint, seed, n_frames, drawn_from]
    key = hashlib.sha256(json.dumps(settings).encode()).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    parts = []
    for first in progress_bar(range(0, n_scenes, _N_TOGETHER), -(-n_scenes // _N_TOGETHER), title):
        path = folder / f"scenes-{key}-{first:06d}.npz"
        if not path.exists():
            _compute(path, spec, material, (seed, first), n_frames)
        with np.load(path) as arrays:
            parts.append((arrays["rows"], arrays["truth"], arrays["kinds"]))
    rows, truth, kinds = (np.concatenate(column)[:n_scenes] for column in zip(*parts, strict=True))
    return rows, truth, kinds.tolist()


def _compute(
    path: Path, spec: FeatureSpec, material: Material, seed: tuple[int, int], n_frames: int
) -> None:
    n_samples = spec.n_samples(n_frames)
    rows = np.empty((_N_TOGETHER, n_frames, spec.n_features), dtype=np.float16)
    truth = np.empty((_N_TOGETHER, n_frames), dtype=np.int8)
    kinds = []
    for index in range(_N_TOGETHER):
        rng = np.random.default_rng([*seed, index])
        scene = draw_scene(rng, material, n_samples, spec.sample_rate)
        rows[index] = stream_rows(scene.samples, spec)
        truth[index] = frame_truth(scene.truth, spec, n_frames)
        kinds.append(scene.kind)
    with atomic_path(path) as temporary, open(temporary, "wb") as file:
        np.savez(file, rows=rows, truth=truth, kinds=np.array(kinds))
