"""A model and everything around it: clips and streams in, decisions out."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from edge.arrays import as_samples
from edge.artifact import Artifact, read_artifact
from edge.bundled import MODELS, MODELS_DIR
from edge.errors import ParameterError
from edge.features.spec import FeatureSpec
from edge.runtimes.base import Model
from edge.runtimes.choice import Choice, choose_backend, find_artifacts
from edge.runtimes.open import open_model
from edge.runtimes.registry import AUTO
from edge.stream.decision import Decision, SmootherSettings, file_hop
from edge.stream.speech_gate import GateSettings
from edge.stream.stream import Stream

__all__ = ["Classifier", "choose", "load"]

#: Longest feature window, in seconds.  The models are trained on 1-3 s; far
#: beyond it a window is a slip of the pen, and attention grows with its square.
_LONGEST_WINDOW_S = 60.0


class Classifier:
    """A model and everything around it.

    Parameters
    ----------
    artifact : edge.artifact.Artifact
        Verified artifact; its manifest fixes features, labels and window.
    model : edge.runtimes.base.Model
        The artifact's, opened; every stream has a session of its own.
    """

    def __init__(self, artifact: Artifact, model: Model) -> None:
        manifest = artifact.manifest
        self.artifact = artifact
        self.model = model
        self.spec: FeatureSpec = manifest.feature_spec
        self.labels: tuple[str, ...] = tuple(manifest.labels)
        self.languages: tuple[str, ...] = tuple(manifest.languages)
        self.default_language: str = manifest.default_language
        self.window_frames: int = manifest.window_frames
        self.window_hop: int = manifest.window_hop
        self.temperature: float = manifest.temperature
        self.mean = manifest.mean
        self.std = manifest.std

    @property
    def file_hop_s(self) -> float:
        """Seconds between the segments that ``edge-ser classify`` averages over a file."""
        return file_hop(self.window_hop) * self.spec.hop_length / self.spec.sample_rate

    def stream(
        self,
        window_s: float | None = None,
        hop_s: float | None = None,
        *,
        smooth: bool | SmootherSettings = True,
        gate: GateSettings | None = None,
        language: str | None = None,
    ) -> Stream:
        """Open a stream that takes blocks and hands out decisions.

        Parameters
        ----------
        window_s : float, optional
            Length of a segment in seconds; None: the artifact's.
        hop_s : float, optional
            From one decision to the next, in seconds, rounded to whole frames
            (0.5 s gives 16 frames, 0.512 s); None: the artifact's.
        smooth : bool or SmootherSettings
            False: every decision stands alone.
        gate : GateSettings, optional
            When a segment is too quiet to be judged.
        language : str, optional
            One of :attr:`languages`; None: the artifact's default, "unknown".

        Returns
        -------
        Stream

        Raises
        ------
        ParameterError
            If a length cannot be used or the language is not known.
        """
        window_frames, window_hop = self._window(window_s), self._hop(hop_s)
        if window_s is not None and hop_s is not None and hop_s <= window_s:
            # A window is rounded down to whole frames, a hop to the nearest; equal lengths
            # must stay side by side.
            n_hops = self.spec.n_samples(window_frames) // self.spec.hop_length
            window_hop = min(window_hop, n_hops)
        return Stream(
            self,
            window_frames=window_frames,
            window_hop=window_hop,
            smooth=smooth,
            gate=gate,
            language=language,
        )

    def classify(
        self,
        samples: ArrayLike,
        sample_rate: int,
        *,
        window_s: float | None = None,
        hop_s: float | None = None,
        language: str | None = None,
    ) -> list[Decision]:
        """Decide on every segment of a clip, unsmoothed.

        Parameters
        ----------
        samples : float [shape=(n_samples,)]
            Mono, full scale 1.
        sample_rate : int
            Of ``samples``, in Hz; another rate than the model's is resampled.
        window_s, hop_s, language
            As in :meth:`stream`.

        Returns
        -------
        list of Decision
            At least one.  A clip shorter than a window gives one decision on
            what there is.

        Raises
        ------
        ParameterError
            If the samples are not 1-D finite floats or hold less than one frame.

        Notes
        -----
        A stream that is pushed the same samples in any blocks, and flushed, gives
        the same numbers.
        """
        clip = self.at_model_rate(samples, sample_rate)
        stream = self.stream(window_s, hop_s, smooth=False, language=language)
        # In pieces of one hop: memory stays flat, and each decision has its own latency.
        step = stream.window_hop * self.spec.hop_length
        decisions = []
        for start in range(0, clip.size, step):
            decisions += stream.push(clip[start : start + step])
        return decisions + stream.flush()

    def at_model_rate(self, samples: ArrayLike, sample_rate: int) -> NDArray[np.float32]:
        """Check a clip and resample it to the model's rate.

        Parameters
        ----------
        samples, sample_rate
            As in :meth:`classify`.

        Returns
        -------
        float32 [shape=(n_samples,)]
            At ``spec.sample_rate``, one frame or more.

        Raises
        ------
        ParameterError
            As :meth:`classify`.
        """
        clip = as_samples(samples)
        if isinstance(sample_rate, bool) or not isinstance(sample_rate, int) or sample_rate < 1:
            raise ParameterError(
                f"sample_rate is {sample_rate!r}, a whole number of at least 1 Hz is wanted"
            )
        if clip.size and sample_rate != self.spec.sample_rate:
            from edge.audio.resample import resample

            clip = resample(clip, sample_rate, self.spec.sample_rate)
        if clip.size < self.spec.win_length:
            raise ParameterError(
                f"the clip has {clip.size} samples at {self.spec.sample_rate} Hz, "
                f"{self.spec.win_length} or more "
                f"({1000 * self.spec.win_length / self.spec.sample_rate:.0f} ms) are wanted"
            )
        return clip

    def _window(self, window_s: float | None) -> int:
        if window_s is None:
            return self.window_frames
        shortest_s = self.spec.win_length / self.spec.sample_rate
        if not (math.isfinite(window_s) and shortest_s <= window_s <= _LONGEST_WINDOW_S):
            raise ParameterError(
                f"window_s is {window_s}, {shortest_s} to {_LONGEST_WINDOW_S} s are wanted"
            )
        return self.spec.n_frames(round(window_s * self.spec.sample_rate))

    def _hop(self, hop_s: float | None) -> int:
        if hop_s is None:
            return self.window_hop
        frame_s = self.spec.hop_length / self.spec.sample_rate
        if not (math.isfinite(hop_s) and 0 < hop_s <= _LONGEST_WINDOW_S):
            raise ParameterError(
                f"hop_s is {hop_s}, above 0 and up to {_LONGEST_WINDOW_S} s is wanted"
            )
        return max(1, round(hop_s / frame_s))


def load(artifact_dir: str | Path | None = None, backend: str | None = None) -> Classifier:
    """Load an artifact, verify it and open its model.

    Parameters
    ----------
    artifact_dir : path, optional
        Folder with ``manifest.json``, or ``"claf-ser-tiny"``, the smaller one of the bundled
        models; None: the bundled default.
    backend : str, optional
        One of :data:`edge.runtimes.registry.RUNTIMES`; None: the one the artifact was made for;
        ``"auto"``: the fastest that works here, of the bundled artifacts or of those that lie in
        the folder, see :func:`choose`, which also tells why.

    Returns
    -------
    Classifier

    Raises
    ------
    ArtifactError
        If the artifact is missing, incomplete or tampered with.
    BackendError
        If the backend is not known or cannot run this artifact.
    MissingDependencyError
        If the backend's package is not installed.
    """
    if backend == AUTO:
        choice = choose(artifact_dir)
        return Classifier(choice.artifact, choice.model)
    bundled = _bundled(artifact_dir)
    if bundled is not None:
        # A name that is not known meets open_model's list of those that are.
        artifact_dir = MODELS_DIR / bundled.get(backend or "numpy", bundled["numpy"])
    artifact = read_artifact(Path(artifact_dir or ""))
    return Classifier(artifact, open_model(artifact, backend))


def choose(
    artifact_dir: str | Path | None = None, backend: str = AUTO, *, attentive: bool = False
) -> Choice:
    """Pick the artifact that this device runs best, open it and tell why.

    Parameters
    ----------
    artifact_dir : path, optional
        An artifact, or a folder of artifacts of one model, or the name of a bundled one; None:
        those of the bundled default.
    backend : str
        ``"auto"``, or the one backend that may be picked.
    attentive : bool
        Prefer a backend that tells what it attends to.

    Returns
    -------
    Choice
        ``Classifier(choice.artifact, choice.model)`` runs it.

    Raises
    ------
    EdgeSerError
        As :func:`edge.runtimes.choice.choose_backend`.
    """
    bundled = _bundled(artifact_dir)
    if bundled is None:
        folders = find_artifacts(Path(artifact_dir or ""))
    elif backend in bundled:
        folders = [MODELS_DIR / bundled[backend]]
    else:
        folders = [MODELS_DIR / name for name in bundled.values()]
    return choose_backend(folders, backend, attentive=attentive)


def _bundled(artifact_dir: str | Path | None) -> dict[str, str] | None:
    """Artifacts of a bundled model, by backend; None where a folder is named.

    A folder that is there comes before a bundled model of its name.
    """
    if artifact_dir is None:
        return next(iter(MODELS.values()))
    return None if Path(artifact_dir).exists() else MODELS.get(str(artifact_dir))
