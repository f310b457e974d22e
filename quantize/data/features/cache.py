"""Feature rows of every clip, cached by what they were made of.

The cache is one folder a (FeatureSpec, augmentation, seed) with one file a variant, and one a
FeatureSpec for the clips themselves; training reads rows, never audio.  Variant 0 is the clip
itself in float32, as the device would see it; the others are augmented and kept in float16, and
so are the baseline's.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.audio.file import read_audio
from edge.audio.full_band import resample_full_band
from edge.errors import AudioFileError, how_many
from edge.features import FeatureExtractor
from edge.features.spec import FeatureSpec
from quantize.basics.files import atomic_path
from quantize.basics.progress import progress_bar
from quantize.data.corpora import Clip
from quantize.data.sound.augment import AugmentSettings, augment

__all__ = ["FeatureCache", "clip_rng", "read_clip"]


def read_clip(clip: Clip, sample_rate: int) -> NDArray[np.float32]:
    """Samples of a clip at ``sample_rate``.

    Raises
    ------
    AudioFileError
        If the file cannot be read.
    """
    samples, native_rate = read_audio(clip.path)
    if native_rate == sample_rate:
        return samples
    return resample_full_band(samples, native_rate, sample_rate)


def clip_rng(clip_id: str, variant: int, seed: int) -> np.random.Generator:
    """Chance that depends on the clip's name and not on its place in a list."""
    digest = hashlib.sha256(f"{seed}/{variant}/{clip_id}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "little"))


class FeatureCache:
    """Feature rows of clips and of their augmented variants.

    Parameters
    ----------
    folder : path
        Where caches live; each combination of settings has its own folder below, and all
        share that of the clips as they are.
    spec : FeatureSpec, optional
    settings : AugmentSettings, optional
    seed : int
        Seed of the augmentation.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        spec: FeatureSpec | None = None,
        settings: AugmentSettings | None = None,
        seed: int = 0,
    ) -> None:
        self.spec = spec or FeatureSpec()
        self.settings = settings or AugmentSettings()
        self.seed = seed
        recipe = {"features": self.spec.fingerprint}
        self._clean_folder = Path(folder) / _digest(recipe)[:16]
        self.fingerprint = _digest({**recipe, "augment": asdict(self.settings), "seed": seed})
        self.folder = Path(folder) / self.fingerprint[:16]

    def load(
        self, clips: Sequence[Clip], variant: int = 0, n_workers: int = 1
    ) -> dict[str, NDArray[Any]]:
        """Rows of one variant of every clip, computing what is not cached yet.

        Parameters
        ----------
        clips : sequence of Clip
        variant : int
            0 for the clips themselves, 1 and up for augmented ones.
        n_workers : int
            Processes that compute features.

        Returns
        -------
        dict of str to float32 or float16 [shape=(n_frames, n_features)]
            By clip id; variant 0 is float32.

        Raises
        ------
        AudioFileError
            If a clip cannot be read or is shorter than one frame.
        """
        # The clips' ids are in the name: another choice of clips is another file.
        ids = hashlib.sha256("\n".join(sorted(c.clip_id for c in clips)).encode()).hexdigest()
        folder = self.folder if variant else self._clean_folder
        path = folder / f"variant-{variant:03d}-{ids[:12]}.npz"
        if not path.exists():
            self._write(path, clips, variant, n_workers)
        with np.load(path, allow_pickle=False) as stored:
            rows, ends = stored["rows"], stored["ends"]
            names = [str(name) for name in stored["clip_ids"]]
        starts = np.concatenate(([0], ends[:-1]))
        return {n: rows[a:b] for n, a, b in zip(names, starts, ends, strict=True)}

    def _write(self, path: Path, clips: Sequence[Clip], variant: int, n_workers: int) -> None:
        jobs = ((clip, variant, self.spec, self.settings, self.seed) for clip in clips)
        title = f"features, variant {variant}"
        if n_workers > 1:
            with ProcessPoolExecutor(n_workers) as pool:
                results = pool.map(_clip_rows, jobs, chunksize=16)
                computed = list(progress_bar(results, total=len(clips), title=title))
        else:
            computed = list(progress_bar(map(_clip_rows, jobs), total=len(clips), title=title))
        dtype = np.float16 if variant else np.float32
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(path) as temporary, open(temporary, "wb") as file:
            np.savez(
                file,
                rows=np.concatenate(computed).astype(dtype),
                ends=np.cumsum([len(rows) for rows in computed]),
                clip_ids=np.array([clip.clip_id for clip in clips]),
            )


def _digest(recipe: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()


_EXTRACTORS: dict[str, FeatureExtractor] = {}


def _clip_rows(
    job: tuple[Clip, int, FeatureSpec, AugmentSettings, int],
) -> NDArray[np.float32]:
    """Rows of one clip; a module function so that worker processes can run it."""
    clip, variant, spec, settings, seed = job
    if spec.fingerprint not in _EXTRACTORS:
        _EXTRACTORS[spec.fingerprint] = FeatureExtractor(spec)
    extractor = _EXTRACTORS[spec.fingerprint]
    samples = read_clip(clip, spec.sample_rate)
    if variant:
        samples = augment(
            samples, spec.sample_rate, clip_rng(clip.clip_id, variant, seed), settings
        )
    if samples.size < spec.win_length:
        raise AudioFileError(
            f"{clip.path} has {how_many(samples.size, 'sample')} at {spec.sample_rate} Hz, one "
            f"frame needs {spec.win_length}: leave the file out of the corpus"
        )
    return extractor.extract(samples)


def normalisation(rows: Iterable[NDArray[Any]]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean and standard deviation of every feature over training rows.

    Parameters
    ----------
    rows : iterable of float [shape=(n_frames, n_features)]
        Of training clips only.

    Returns
    -------
    mean, std : float32 [shape=(n_features,)]
        A constant feature has std 1, so that dividing by it is safe.
    """
    total: NDArray[np.float64] | None = None
    squares: NDArray[np.float64] | None = None
    n_frames = 0
    for block in rows:
        wide = block.astype(np.float64)
        total = wide.sum(axis=0) if total is None else total + wide.sum(axis=0)
        squares = (wide**2).sum(axis=0) if squares is None else squares + (wide**2).sum(axis=0)
        n_frames += len(block)
    if total is None or squares is None:
        raise AudioFileError("no feature rows to normalise by: the training side has no clip")
    mean = total / n_frames
    std = np.sqrt(np.maximum(squares / n_frames - mean**2, 0.0))
    return mean.astype(np.float32), np.where(std < 1e-8, 1.0, std).astype(np.float32)
