"""Networks that others published, in torch and with random weights: their time and size, no answer.

=================  ===============================================================================
Wav2Small          Kounadis-Bastian et al., arXiv:2408.13920: samples at 16 kHz, a 64-point STFT
                   every 32 samples inside the network, 26 mel bands, seven 3 x 3 convolutions of 13
                   channels with one pooling, and weighted by attention over time a row of 13 x 13
                   numbers, for which two square layers make up most of the 72k; three outputs
ResLSTM-SA-h64     Krasnoproshin and Vashkevich, arXiv:2606.03359: 34 MFCC and 12 chroma every 2048
                   samples of 48 kHz, an LSTM 46 -> 46 beside a skip connection, one 46 -> 64, soft
                   attention, eight outputs: 46,772 parameters
wake word          the size of openWakeWord's shared embedding (Lin et al., arXiv:2002.01322): 76 x
                   32 mel frames to 96 numbers, five blocks of narrow convolutions, every 80 ms
=================  ===============================================================================

Batch norms are left out where they can be folded into the layer before them.
"""

from __future__ import annotations

import io
import warnings
from typing import Any, cast

import torch
from torch import Tensor, nn

__all__ = ["ResLstm", "WakeWord", "Wav2Small", "n_parameters", "onnx_file", "rounded_onnx"]

_OPSET = 17
_N_FFT, _STFT_HOP, _N_MELS, _CHANNELS = 64, 32, 26, 13


class Wav2Small(nn.Module):
    """Samples at 16 kHz, (B, n), to arousal, dominance and valence, (B, 3)."""

    def __init__(self) -> None:
        super().__init__()
        self.real = nn.Conv1d(1, _N_FFT // 2 + 1, _N_FFT, stride=_STFT_HOP, bias=False)
        self.imaginary = nn.Conv1d(1, _N_FFT // 2 + 1, _N_FFT, stride=_STFT_HOP, bias=False)
        self.register_buffer("mel", torch.rand(_N_FFT // 2 + 1, _N_MELS))

        def layers(*n_in: int) -> nn.Sequential:
            convolutions = [nn.Conv2d(n, _CHANNELS, 3, padding=1) for n in n_in]
            return nn.Sequential(*(part for c in convolutions for part in (c, nn.ReLU())))

        self.first, self.second = layers(1, 13, 13), layers(13, 13, 13, 13)
        self.pool = nn.MaxPool2d(3, stride=2, padding=1)
        width = _CHANNELS * _N_MELS // 2
        self.values, self.scores = nn.Linear(width, width), nn.Linear(width, width)
        self.answer = nn.Linear(width, 3)

    def forward(self, samples: Tensor) -> Tensor:
        """Run the network."""
        centred = (samples - samples.mean(1, keepdim=True))[:, None]
        power = self.real(centred) ** 2 + self.imaginary(centred) ** 2
        mel = torch.log10(torch.clamp(power.transpose(1, 2) @ cast("Tensor", self.mel), min=1e-10))
        heard = self.second(self.pool(self.first(mel[:, None])))
        rows = heard.permute(0, 2, 1, 3).flatten(2)
        answer: Tensor = self.answer((self.values(rows) * self.scores(rows).softmax(1)).sum(1))
        return answer


class ResLstm(nn.Module):
    """Rows of MFCC and chroma, (B, T, 46), to logits of eight emotions."""

    def __init__(self, width: int = 46, hidden: int = 64) -> None:
        super().__init__()
        self.first = nn.LSTM(width, width, batch_first=True)
        self.second = nn.LSTM(width, hidden, batch_first=True)
        self.norm, self.last_norm = nn.BatchNorm1d(width), nn.BatchNorm1d(hidden)
        self.attention = nn.Linear(hidden, 1, bias=False)
        self.answer = nn.Linear(hidden, 8)

    def forward(self, rows: Tensor) -> Tensor:
        """Run the network."""
        heard = self.norm((self.first(rows)[0] + rows).transpose(1, 2)).transpose(1, 2)
        heard = self.second(heard)[0]
        weighted = (heard * self.attention(heard).softmax(1)).sum(1)
        answer: Tensor = self.answer(self.last_norm(weighted))
        return answer


class WakeWord(nn.Module):
    """Mel frames, (B, 1, 76, 32), to an embedding, (B, 96)."""

    def __init__(self) -> None:
        super().__init__()
        parts: list[nn.Module] = [nn.Conv2d(1, 24, 3), nn.ReLU()]
        n_in = 24
        for n_out, pool in ((24, (2, 2)), (48, (1, 2)), (72, (2, 2)), (96, (1, 2)), (96, (2, 1))):
            for at in range(4 if n_out > 24 else 2):
                kernel, padding = ((1, 3), (0, 1)) if at % 2 == 0 else ((3, 1), (0, 0))
                parts += [nn.Conv2d(n_in, n_out, kernel, padding=padding), nn.LeakyReLU(0.2)]
                n_in = n_out
            parts.append(nn.MaxPool2d(pool))
        self.layers = nn.Sequential(*parts)

    def forward(self, frames: Tensor) -> Tensor:
        """Run the network."""
        heard: Tensor = self.layers(frames)
        return heard.mean((2, 3))


def n_parameters(network: nn.Module) -> int:
    """Trained numbers."""
    return sum(part.numel() for part in network.parameters())


def onnx_file(network: nn.Module, example: Tensor) -> bytes:
    """Export a network for inputs of one shape, in float32."""
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # Of the exporter that the newer one replaces, and of LSTMs with any batch size.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network.eval(),
            (example,),
            cast("Any", buffer),
            dynamo=False,
            opset_version=_OPSET,
            input_names=["x"],
            output_names=["y"],
        )
    return buffer.getvalue()


def rounded_onnx(content: bytes) -> bytes:
    """Round a file's weights to 8 bits with onnxruntime's own tool, as its documents advise."""
    import logging
    import tempfile
    from pathlib import Path

    from onnxruntime.quantization import QuantType, quantize_dynamic

    logging.getLogger().setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as folder:
        exact, rounded = Path(folder, "a.onnx"), Path(folder, "b.onnx")
        exact.write_bytes(content)
        # Of convolutions its processor kernels take unsigned weights alone.
        quantize_dynamic(exact, rounded, weight_type=QuantType.QUInt8)
        return rounded.read_bytes()
