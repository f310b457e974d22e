"""The protocol ``noise``: held-out utterances in noise, babble and rooms.

Each condition's feature rows are cached in a file of their own, so that a measurement
that was interrupted goes on with the condition it was at, and another artifact of the
same split is measured without computing them again.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import AudioFileError, ParameterError, how_many
from edge.features import FeatureExtractor
from edge.features.spec import FeatureSpec
from quantize.basics.files import atomic_path
from quantize.basics.progress import progress_bar
from quantize.data.corpora import Clip
from quantize.data.features.cache import clip_rng, read_clip
from quantize.data.sound import noise_and_rooms
from quantize.measure.evaluate import Runner, language_ids
from quantize.measure.protocols.conditions import CONDITIONS, ROOMS
from quantize.measure.protocols.trials import Trials
from quantize.measure.scoring import score_utterances

__all__ = ["NoiseCache", "degraded", "utterance_trials"]

# In the name of the cache: raise it when a condition sounds otherwise than before.
_VERSION = 1


class NoiseCache:
    """Feature rows of held-out clips under the conditions of this protocol.

    Parameters
    ----------
    folder : path
        Where caches live.
    spec : FeatureSpec
    clips : sequence of Clip
        The held-out clips; babble is mixed from their speakers.
    n_workers : int
        Processes that compute features.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        spec: FeatureSpec,
        clips: Sequence[Clip],
        n_workers: int = 1,
    ) -> None:
        self.spec, self.clips, self.n_workers = spec, tuple(clips), n_workers
        recipe = {
            "version": _VERSION,
            "features": spec.fingerprint,
            "rooms": ROOMS,
            "voices": [noise_and_rooms.N_VOICES, noise_and_rooms.TRACK_S],
            "range_db": noise_and_rooms.ACTIVE_RANGE_DB,
            "pink_corner_hz": noise_and_rooms.PINK_CORNER_HZ,
        }
        digest = hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()
        self.folder = Path(folder) / f"noise-{digest[:16]}"
        ids = "\n".join(sorted(c.clip_id for c in clips))
        self._ids = hashlib.sha256(ids.encode()).hexdigest()[:12]
        self._voices: noise_and_rooms.VoiceBank | None = None

    def load(self, condition: str) -> dict[str, NDArray[np.float16]]:
        """Rows of every clip under a condition, computing what is not cached yet.

        Parameters
        ----------
        condition : str
            One of :data:`CONDITIONS`.

        Returns
        -------
        dict of str to float16 [shape=(n_frames, n_features)]
            By clip id.

        Raises
        ------
        ParameterError
            If the condition is not known, or babble has fewer than two speakers.
        AudioFileError
            If a clip cannot be read or is shorter than one frame.
        """
        if condition not in CONDITIONS:
            raise ParameterError(
                f"the condition is {condition!r}, one of {', '.join(CONDITIONS)} is wanted"
            )
        # The clips' ids are in the name: babble depends on all of them.
        path = self.folder / f"{condition}-{self._ids}.npz"
        if not path.exists():
            self._write(path, condition)
        with np.load(path, allow_pickle=False) as stored:
            rows, ends = stored["rows"], stored["ends"]
            names = [str(name) for name in stored["clip_ids"]]
        starts = np.concatenate(([0], ends[:-1]))
        return {n: rows[a:b] for n, a, b in zip(names, starts, ends, strict=True)}

    def _write(self, path: Path, condition: str) -> None:
        voices = None
        if condition.startswith("babble"):
            voices = self._voices = self._voices or noise_and_rooms.VoiceBank(
                self.clips, lambda c: read_clip(c, self.spec.sample_rate), self.spec.sample_rate
            )
        jobs = ((clip, condition) for clip in self.clips)
        shared = (self.spec, voices)
        n_clips, title = len(self.clips), f"features, {condition}"
        if self.n_workers > 1:
            with ProcessPoolExecutor(self.n_workers, initializer=_share, initargs=shared) as pool:
                found = pool.map(_rows, jobs, chunksize=16)
                computed = list(progress_bar(found, n_clips, title))
        else:
            _share(*shared)
            computed = list(progress_bar(map(_rows, jobs), n_clips, title))
        with atomic_path(path) as temporary, open(temporary, "wb") as file:
            np.savez(
                file,
                rows=np.concatenate(computed),
                ends=np.cumsum([len(rows) for rows in computed]),
                clip_ids=np.array([clip.clip_id for clip in self.clips]),
            )


@dataclasses.dataclass
class _Shared:
    """What every job of a process needs; set once, not sent with each clip."""

    extractor: FeatureExtractor | None = None
    voices: noise_and_rooms.VoiceBank | None = None


_SHARED = _Shared()


def _share(spec: FeatureSpec, voices: noise_and_rooms.VoiceBank | None) -> None:
    _SHARED.extractor, _SHARED.voices = FeatureExtractor(spec), voices


def _rows(job: tuple[Clip, str]) -> NDArray[np.float16]:
    """Rows of one clip; a module function so that worker processes can run it."""
    clip, condition = job
    assert _SHARED.extractor is not None
    spec = _SHARED.extractor.spec
    samples = read_clip(clip, spec.sample_rate)
    if samples.size < spec.win_length:
        raise AudioFileError(
            f"{clip.path} has {how_many(samples.size, 'sample')} at {spec.sample_rate} Hz, one "
            f"frame needs {spec.win_length}: leave the file out of the corpus"
        )
    heard = degraded(samples, clip, condition, spec.sample_rate, _SHARED.voices)
    return _SHARED.extractor.extract(heard).astype(np.float16)


def degraded(
    samples: NDArray[np.float32],
    clip: Clip,
    condition: str,
    sample_rate: int,
    voices: noise_and_rooms.VoiceBank | None = None,
) -> NDArray[np.float32]:
    """A clip as it is heard under a condition.

    Parameters
    ----------
    samples : float32 [shape=(n_samples,)]
        Of the clip.
    clip : Clip
        Its name seeds all chance: the same noise at every SNR, whatever else is measured.
    condition : str
        One of :data:`CONDITIONS`.
    sample_rate : int
        In Hz.
    voices : VoiceBank, optional
        For babble.

    Returns
    -------
    float32 [shape=(n_samples,)]
    """
    kind, _, snr = condition.partition("-")
    rng = clip_rng(f"{condition if condition in ROOMS else kind}/{clip.clip_id}", 0, 0)
    if condition in ROOMS:
        return noise_and_rooms.add_room(samples, sample_rate, rng, **ROOMS[condition])
    if kind == "babble":
        if voices is None:
            raise ParameterError("babble needs the voices that it is mixed from")
        noise = voices.babble(clip.speaker, samples.size, rng)
    else:
        noise = noise_and_rooms.noise_of(kind, samples.size, sample_rate, rng)
    return noise_and_rooms.add_noise(samples, noise, sample_rate, float(snr.removesuffix("dB")))


def utterance_trials(
    runner: Runner,
    clips: Sequence[Clip],
    rows: Mapping[str, NDArray[Any]],
    *,
    language: str = "unknown",
    labels: Sequence[str] | None = None,
) -> Trials:
    """Judge whole utterances: one trial each, the mean posterior of its segments.

    Parameters
    ----------
    runner : Runner
    clips : sequence of Clip
        The utterances.
    rows : mapping of str to float [shape=(n_frames, n_features)]
        Feature rows by clip id.
    language, labels
        As for :func:`quantize.measure.evaluate.evaluate`.

    Returns
    -------
    Trials
    """
    posteriors = score_utterances(
        runner.infer,
        [rows[c.clip_id] for c in clips],
        language_ids(clips, language, runner),
        window_frames=runner.window_frames,
        **runner.scoring(labels),
    )
    return Trials(tuple(clips), np.arange(len(clips)), posteriors, runner.labels)
