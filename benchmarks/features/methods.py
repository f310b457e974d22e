"""What `benchmarks/features/speed.py` times: one callable a method, samples of one segment in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from benchmarks.shared.librosa_reference import arguments
from edge import FeatureExtractor, FeatureSpec
from edge.features.decibels import power_to_db
from edge.features.families.mfcc import dct_matrix, log_mel_to_mfcc, mel_filters
from edge.features.spectrum import Spectrum

__all__ = ["Method", "installed", "methods", "peers", "push_length"]

#: A hop of 0.5 s in whole frames: what the runtime pushes for one decision.
HOP_FRAMES = 16


@dataclass(frozen=True)
class Method:
    """One row of the result."""

    name: str
    title: str
    call: Callable[[np.ndarray], Any]
    #: False for the slow ones: a call is not preceded by an untimed one.
    twice: bool = True


def installed(package: str) -> str | None:
    """Version of a package, or None."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def push_length(spec: FeatureSpec) -> int:
    """Samples of one decision."""
    return HOP_FRAMES * spec.hop_length


def methods(spec: FeatureSpec) -> list[Method]:
    """Every method that this environment can run; packages are imported by their own."""
    return [
        *_ours(spec),
        *_bare_transforms(spec),
        *_librosa_same(spec),
        *_librosa_defaults(spec),
        *_python_speech_features(spec),
        *_opensmile(spec),
    ]


def peers(spec: FeatureSpec) -> list[Method]:
    """Ours, and what others compute with their own defaults, as far as they are installed."""
    return [
        *(method for method in _ours(spec) if method.name in ("ours", "ours_push")),
        *(_librosa_defaults(spec) if installed("librosa") else []),
        *_python_speech_features(spec),
        *_opensmile(spec),
        *_kaldi_native_fbank(spec),
        *_torchaudio(spec),
    ]


def _ours(spec: FeatureSpec) -> list[Method]:
    extractor, streaming, length = FeatureExtractor(spec), FeatureExtractor(spec), push_length(spec)
    # As of here it has a past: every push gives as many rows as the next.
    streaming.push(np.zeros(spec.n_samples(1), np.float32))
    spectrum = Spectrum(spec.n_fft, spec.hop_length, 1)
    mel = mel_filters(
        spec.sample_rate, spec.n_fft, spec.mfcc.n_mels, spec.mfcc.fmin_hz, spec.mfcc.fmax_hz
    )
    mel = (mel / spectrum.POWER_SCALE).astype(np.float32)
    dct = dct_matrix(spec.mfcc.n_mels, spec.mfcc.n_mfcc)

    def mfcc(samples: np.ndarray) -> np.ndarray:
        n_frames = spec.n_frames(samples.size)
        power = spectrum(samples, n_frames).power[:n_frames, : spectrum.n_bins]
        return log_mel_to_mfcc(power_to_db(power @ mel), dct)

    return [
        Method("ours", "ours, 2 s", extractor.extract),
        Method("ours_push", "ours, 0.5 s more", lambda samples: streaming.push(samples[:length])),
        Method("ours_mfcc", "ours, MFCC alone", mfcc),
    ]


def _bare_transforms(spec: FeatureSpec) -> list[Method]:
    n_frames = spec.n_frames(2 * spec.sample_rate)
    frames = {dtype: np.empty((n_frames, spec.n_fft), dtype) for dtype in (np.float32, np.float64)}

    def rfft(samples: np.ndarray, dtype: type) -> np.ndarray:
        return np.fft.rfft(frames[dtype], axis=1)

    rng = np.random.default_rng(0)
    for array in frames.values():
        array[:] = 0.1 * rng.standard_normal(array.shape)
    return [
        Method("rfft_float32", "bare rfft, float32", lambda samples: rfft(samples, np.float32)),
        Method("rfft_float64", "bare rfft, float64", lambda samples: rfft(samples, np.float64)),
    ]


def _librosa_same(spec: FeatureSpec) -> list[Method]:
    import librosa
    from librosa.feature import spectral

    use = arguments(spec)
    stft = use["feature.melspectrogram"]
    transform = {k: stft[k] for k in ("n_fft", "hop_length", "win_length", "window", "center")}
    offered = spectral.power_to_db

    def causal(power: np.ndarray, **_: Any) -> np.ndarray:
        return librosa.power_to_db(power, **use["power_to_db"])

    def contrast(**given: Any) -> np.ndarray:
        # It offers no argument for top_db: see benchmarks/shared/librosa_reference.py.
        spectral.power_to_db = causal
        try:
            return librosa.feature.spectral_contrast(**given, **use["feature.spectral_contrast"])
        finally:
            spectral.power_to_db = offered

    def mfcc(mel: np.ndarray) -> np.ndarray:
        decibels = librosa.power_to_db(mel, **use["power_to_db"])
        return librosa.feature.mfcc(S=decibels, **use["feature.mfcc"])

    def one_spectrum(samples: np.ndarray) -> tuple[np.ndarray, ...]:
        magnitude = np.abs(librosa.stft(samples, **transform))
        power = magnitude**2
        mel = use["feature.melspectrogram"]
        return (
            mfcc(librosa.feature.melspectrogram(S=power, **mel)),
            librosa.yin(samples, **use["yin"]),
            librosa.feature.rms(y=samples, **use["feature.rms"]),
            librosa.feature.chroma_stft(S=power, **use["feature.chroma_stft"]),
            contrast(S=magnitude),
        )

    parts: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "mfcc": lambda y: mfcc(
            librosa.feature.melspectrogram(y=y, **use["feature.melspectrogram"])
        ),
        "pitch": lambda y: librosa.yin(y, **use["yin"]),
        "rms": lambda y: librosa.feature.rms(y=y, **use["feature.rms"]),
        "chroma": lambda y: librosa.feature.chroma_stft(y=y, **use["feature.chroma_stft"]),
        "spectral_contrast": lambda y: contrast(y=y),
    }
    return [
        Method("librosa_same", "librosa, same numbers, one STFT", one_spectrum),
        Method(
            "librosa_same_by_feature",
            "librosa, same numbers, STFT each",
            lambda samples: [part(samples) for part in parts.values()],
        ),
        *(
            Method(f"librosa_{name}", f"librosa, same, {name} alone", part)
            for name, part in parts.items()
        ),
    ]


def _librosa_defaults(spec: FeatureSpec) -> list[Method]:
    import librosa

    rate = spec.sample_rate
    span = {"fmin": spec.pitch.fmin_hz, "fmax": spec.pitch.fmax_hz, "sr": rate}

    def spectral(samples: np.ndarray) -> tuple[np.ndarray, ...]:
        return (
            librosa.feature.mfcc(y=samples, sr=rate, n_mfcc=spec.mfcc.n_mfcc),
            librosa.feature.rms(y=samples),
            librosa.feature.chroma_stft(y=samples, sr=rate),
            librosa.feature.spectral_contrast(y=samples, sr=rate),
        )

    def one_spectrum(samples: np.ndarray) -> tuple[np.ndarray, ...]:
        magnitude = np.abs(librosa.stft(samples))
        power = magnitude**2
        mel = librosa.feature.melspectrogram(S=power, sr=rate)
        return (
            librosa.feature.mfcc(S=librosa.power_to_db(mel), n_mfcc=spec.mfcc.n_mfcc),
            librosa.yin(samples, **span),
            librosa.feature.rms(y=samples),
            librosa.feature.chroma_stft(S=power, sr=rate),
            librosa.feature.spectral_contrast(S=magnitude, sr=rate),
        )

    def with_yin(samples: np.ndarray) -> tuple[Any, ...]:
        return (*spectral(samples), librosa.yin(samples, **span))

    def with_pyin(samples: np.ndarray) -> tuple[Any, ...]:
        return (*spectral(samples), librosa.pyin(samples, **span))

    return [
        Method("librosa_defaults_shared", "librosa, defaults, one STFT", one_spectrum),
        Method("librosa_defaults", "librosa, defaults", with_yin),
        Method("librosa_pyin", "librosa, defaults, pYIN", with_pyin, twice=False),
    ]


def _python_speech_features(spec: FeatureSpec) -> list[Method]:
    if installed("python_speech_features") is None:
        return []
    from python_speech_features import mfcc

    settings = {
        "samplerate": spec.sample_rate,
        "winlen": spec.win_length / spec.sample_rate,
        "winstep": spec.hop_length / spec.sample_rate,
        "numcep": spec.mfcc.n_mfcc,
        "nfilt": spec.mfcc.n_mels,
        "nfft": spec.n_fft,
        "lowfreq": spec.mfcc.fmin_hz,
        "highfreq": spec.mfcc.fmax_hz,
        "winfunc": np.hanning,
    }
    return [
        Method(
            "python_speech_features",
            "python_speech_features, MFCC alone",
            lambda samples: mfcc(samples, **settings),
        )
    ]


def _opensmile(spec: FeatureSpec) -> list[Method]:
    if installed("opensmile") is None:
        return []
    import opensmile

    found = []
    for name in ("eGeMAPSv02", "ComParE_2016"):
        smile = opensmile.Smile(
            feature_set=opensmile.FeatureSet[name],
            feature_level=opensmile.FeatureLevel.LowLevelDescriptors,
            num_workers=1,
        )

        def process(samples: np.ndarray, smile: Any = smile) -> Any:
            return smile.process_signal(samples, spec.sample_rate)

        found.append(
            Method(f"opensmile_{name}", f"opensmile {name} descriptors", process, twice=False)
        )
    return found


def _kaldi_native_fbank(spec: FeatureSpec) -> list[Method]:
    if installed("kaldi-native-fbank") is None:
        return []
    import kaldi_native_fbank

    options = kaldi_native_fbank.MfccOptions()
    options.num_ceps = spec.mfcc.n_mfcc
    options.mel_opts.num_bins = spec.mfcc.n_mels
    frames = options.frame_opts
    frames.samp_freq = spec.sample_rate
    frames.frame_length_ms = 1000 * spec.win_length / spec.sample_rate
    frames.frame_shift_ms = 1000 * spec.hop_length / spec.sample_rate
    frames.dither = 0.0

    def process(samples: np.ndarray) -> list[Any]:
        extractor = kaldi_native_fbank.OnlineMfcc(options)
        extractor.accept_waveform(spec.sample_rate, samples)
        extractor.input_finished()
        return [extractor.get_frame(i) for i in range(extractor.num_frames_ready)]

    return [Method("kaldi_native_fbank", "kaldi-native-fbank, MFCC alone", process)]


def _torchaudio(spec: FeatureSpec) -> list[Method]:
    if installed("torchaudio") is None:
        return []
    try:
        import torch
        from torchaudio.transforms import MFCC
    except (ImportError, OSError, AttributeError):
        # A build for another torch than the one that is here.
        return []
    torch.set_num_threads(1)
    mel = {"n_fft": spec.n_fft, "hop_length": spec.hop_length, "n_mels": spec.mfcc.n_mels}
    transform = MFCC(spec.sample_rate, spec.mfcc.n_mfcc, melkwargs={**mel, "center": False})

    def process(samples: np.ndarray) -> Any:
        with torch.inference_mode():
            return transform(torch.from_numpy(samples))

    return [Method("torchaudio", "torchaudio, MFCC alone", process)]
