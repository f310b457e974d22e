"""What somebody would write first: librosa's features, recomputed for every segment, and torch.

The features of the paper (13 MFCC, pitch, RMS, 12 chroma, 7 bands of spectral contrast) as
librosa 0.11 gives them by default, each from the samples, and CLAF-SER in float32. Its weights
are random: they change no time.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge import FeatureSpec

__all__ = ["librosa_rows", "torch_model"]

Samples = NDArray[np.float32]


def librosa_rows(spec: FeatureSpec, pitch: str) -> Callable[[Samples], NDArray[np.float32]]:
    """Give what turns samples into 34 columns, time-major; ``pitch`` is "yin" or "pyin"."""
    import librosa

    rate = spec.sample_rate
    span = {"fmin": spec.pitch.fmin_hz, "fmax": spec.pitch.fmax_hz, "sr": rate}
    # librosa pads a segment that is shorter than pYIN's frames, and says so.
    warnings.filterwarnings("ignore", module="librosa")

    def f0(samples: Samples) -> NDArray[Any]:
        if pitch == "yin":
            return np.asarray(librosa.yin(samples, **span))
        return np.nan_to_num(librosa.pyin(samples, **span)[0])

    def rows(samples: Samples) -> NDArray[np.float32]:
        parts = (
            librosa.feature.mfcc(y=samples, sr=rate, n_mfcc=spec.mfcc.n_mfcc),
            f0(samples)[None],
            librosa.feature.rms(y=samples),
            librosa.feature.chroma_stft(y=samples, sr=rate),
            librosa.feature.spectral_contrast(y=samples, sr=rate),
        )
        return np.vstack(parts).T.astype(np.float32)

    return rows


def torch_model(sizes: dict[str, int] | None = None) -> Callable[[NDArray[np.float32]], Any]:
    """Give what turns feature rows into a posterior; None: the sizes of the paper."""
    import torch

    from quantize.models.claf_ser import CLAFSER
    from quantize.models.config import ClafSerConfig

    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = CLAFSER(ClafSerConfig(**(sizes or {}))).eval()
    language = torch.tensor([model.config.unknown_language])

    def posterior(rows: NDArray[np.float32]) -> Any:
        with torch.inference_mode():
            normalised = (rows - rows.mean(axis=0)) / (rows.std(axis=0) + 1e-5)
            return model(torch.from_numpy(normalised)[None], language).logits.softmax(1).numpy()

    return posterior
