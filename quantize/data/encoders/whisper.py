"""The encoder of Whisper, as Hugging Face's transformers run it, on a clip as long as it is.

Whisper pads what it hears to 30 s.  For a clip of 2 s that is fifteen times the work, and the mean
over frames would be that of silence.  So the layers are gone through here, one after the other,
with the first of the positions that it learnt.

References
----------
A. Radford et al., "Robust Speech Recognition via Large-Scale Weak Supervision", 2022.
"""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.errors import MissingDependencyError, ParameterError, how_many, shown
from quantize.basics.errors import EncoderError
from quantize.data.encoders.weights import read_config, read_tensors, tensors_digest

__all__ = ["open_encoder"]

#: The first whose layers take a state and a mask, and no more.
_LEAST_MAJOR = 5

#: How the names of its tensors begin, of a model with a decoder and of the bare one.
_PREFIXES = ("model.encoder.", "encoder.")

#: Samples of one step of the log-mel spectrogram, and of the slice that a step looks at.
_HOP, _N_FFT = 160, 400
_SAMPLE_RATE = 16_000


class WhisperEncoder:
    """Means over the frames of one layer.

    Parameters
    ----------
    network : transformers' WhisperEncoder
        With its weights, in float32.
    log_mel : transformers' WhisperFeatureExtractor
    layer : int
        Which layer's output is read, from 1; the network has no more.
    n_layers : int
        How many the whole encoder has.
    digest : str
    """

    sample_rate = _SAMPLE_RATE
    n_least = _N_FFT

    def __init__(self, network: Any, log_mel: Any, layer: int, n_layers: int, digest: str) -> None:
        self.layer = layer
        self.n_layers = n_layers
        self.width = int(network.config.d_model)
        self.digest = digest
        self._network = network
        self._log_mel = log_mel
        strides = network.conv1.stride[0] * network.conv2.stride[0]
        #: Samples for which there are positions: 30 s.
        self.n_most = int(network.config.max_source_positions) * strides * _HOP

    def embed(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """The mean over a clip's frames.

        Parameters
        ----------
        samples : float32 [shape=(n_samples,)]
            400 or more, at 16 kHz. Beyond 30 s they are heard in pieces of equal length.

        Returns
        -------
        float32 [shape=(width,)]
        """
        pieces = np.array_split(samples, math.ceil(samples.size / self.n_most))
        frames = [self._frames(piece) for piece in pieces]
        mean: NDArray[np.float64] = np.concatenate(frames).mean(axis=0, dtype=np.float64)
        return mean.astype(np.float32)

    def _frames(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Output of the layer: float32 [shape=(n_frames, width)], a frame every 20 ms."""
        import torch
        from torch.nn.functional import gelu

        network = self._network
        heard = self._log_mel(
            samples,
            sampling_rate=_SAMPLE_RATE,
            padding="do_not_pad",
            truncation=False,
            return_tensors="pt",
        )
        with torch.inference_mode():
            states = gelu(network.conv2(gelu(network.conv1(heard["input_features"]))))
            states = states.permute(0, 2, 1)
            states = states + network.embed_positions.weight[: states.shape[1]]
            for layer in network.layers:
                given = layer(states, None)
                # Early ones of version 5 give attention weights beside it.
                states = given[0] if isinstance(given, tuple) else given
            if self.layer == self.n_layers:
                # By its own definition this belongs to the output of the last one alone.
                states = network.layer_norm(states)
        frames: NDArray[np.float32] = states[0].numpy()
        return frames


def open_encoder(folder: Path, layer: int | None = None) -> WhisperEncoder:
    """Read the encoder of a Whisper that lies on this machine, up to a layer.

    Parameters
    ----------
    folder : Path
        As Hugging Face publishes it: ``config.json`` and weights.
    layer : int, optional
        Which layer's output is read, from 1; None: the middle one, since the first know the sound,
        the last the words, and the manner lies between.

    Raises
    ------
    EncoderError
        If the folder holds no Whisper, or weights that do not fit its sizes.
    ParameterError
        If it has no such layer.
    MissingDependencyError
        If transformers is not installed.
    """
    config = read_config(folder, "whisper")
    n_layers = config.get("encoder_layers")
    if not isinstance(n_layers, int) or n_layers < 1:
        raise _misfit(folder, f"encoder_layers is {shown(n_layers)}")
    chosen = math.ceil(n_layers / 2) if layer is None else layer
    if not 1 <= chosen <= n_layers:
        raise ParameterError(
            f"the encoder in {folder} has {how_many(n_layers, 'layer')}, and layer {layer} is "
            f"asked for: one from 1 to {n_layers} is wanted"
        )
    library = _library()
    names = _Names(chosen)
    tensors = read_tensors(folder, names)
    if len(names.layers) != n_layers:
        raise _misfit(folder, f"encoder_layers is {n_layers}, {len(names.layers)} are there")
    network = _network(folder, library, {**config, "encoder_layers": chosen}, tensors)
    log_mel = library.WhisperFeatureExtractor(
        feature_size=network.config.num_mel_bins,
        sampling_rate=_SAMPLE_RATE,
        hop_length=_HOP,
        n_fft=_N_FFT,
    )
    sizes = (n_layers, network.config.encoder_attention_heads, network.config.activation_function)
    return WhisperEncoder(
        network, log_mel, chosen, n_layers, tensors_digest(tensors, f"whisper {sizes}")
    )


class _Names:
    """Chooses the encoder's tensors up to a layer, and remembers which layers there are."""

    def __init__(self, layer: int) -> None:
        self.layers: set[int] = set()
        self._layer = layer

    def __call__(self, name: str) -> str | None:
        """Name of a tensor in the encoder; None for one that is not wanted."""
        own = next((name[len(p) :] for p in _PREFIXES if name.startswith(p)), None)
        if own is None or not own.startswith("layers."):
            return own
        at = int(own.split(".")[1])
        self.layers.add(at)
        return own if at < self._layer else None


def _network(folder: Path, library: _Library, config: dict[str, Any], tensors: Any) -> Any:
    """Build the encoder without a number in it, then give it those of the file."""
    import torch

    try:
        with torch.device("meta"):
            network = library.WhisperEncoder(library.WhisperConfig.from_dict(config))
        # Strict, and shapes are compared before anything is taken over.
        network.load_state_dict(tensors, strict=True, assign=True)
    except Exception as error:
        # The library checks the sizes that it is given with errors of many types, also its own.
        raise _misfit(folder, " ".join(str(error).split())[:160]) from error
    return network.eval().requires_grad_(False)


def _misfit(folder: Path, reason: str) -> EncoderError:
    return EncoderError(
        f"the weights in {folder} are not those of a Whisper with the sizes of its config.json "
        f"({reason}): a folder as it was published is wanted"
    )


class _Library(NamedTuple):
    """What is used of transformers."""

    WhisperConfig: Any
    WhisperFeatureExtractor: Any
    WhisperEncoder: Any


def _library() -> _Library:
    """The package, told before it comes that it is to ask nobody anything."""
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_DISABLE_TELEMETRY"):
        os.environ[name] = "1"
    wanted = f'pip install "transformers>={_LEAST_MAJOR}"'
    try:
        import transformers
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            f"{error.name} is not installed, the encoder whisper needs it: {wanted}"
        ) from error
    if int(transformers.__version__.split(".")[0]) < _LEAST_MAJOR:
        raise MissingDependencyError(
            f"transformers {transformers.__version__} is installed, the encoder whisper needs "
            f"{_LEAST_MAJOR} or newer: {wanted}"
        )
    try:
        from transformers.models.whisper.modeling_whisper import WhisperEncoder as Encoder

        return _Library(transformers.WhisperConfig, transformers.WhisperFeatureExtractor, Encoder)
    except (ImportError, RuntimeError) as error:
        # It refuses a torch that is too old, or another package of the same environment.
        raise MissingDependencyError(
            f"transformers {transformers.__version__} cannot be used here "
            f"({' '.join(str(error).split())[:160]}): {wanted}"
        ) from error
