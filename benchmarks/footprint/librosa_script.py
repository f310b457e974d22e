"""Start, decide once, go on for a while: librosa's defaults and torch, or onnxruntime.

What somebody would write first, with a network of the paper's sizes; torch's weights are random.
Run by the environment's own Python.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import librosa
import numpy as np

RATE = 16_000


def rows(samples: np.ndarray) -> np.ndarray:
    parts = (
        librosa.feature.mfcc(y=samples, sr=RATE, n_mfcc=13),
        librosa.yin(samples, fmin=65, fmax=500, sr=RATE)[None],
        librosa.feature.rms(y=samples),
        librosa.feature.chroma_stft(y=samples, sr=RATE),
        librosa.feature.spectral_contrast(y=samples, sr=RATE),
    )
    found = np.vstack(parts).T.astype(np.float32)
    return (found - found.mean(axis=0)) / (found.std(axis=0) + np.float32(1e-5))


def with_torch() -> Callable[[np.ndarray], Any]:
    import torch
    from torch import nn

    torch.set_num_threads(1)

    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm = nn.LSTM(34, 128, batch_first=True, bidirectional=True)
            self.attention = nn.MultiheadAttention(256, 4, batch_first=True)
            self.conv = nn.Conv1d(34, 16, 3, padding=1)
            self.answer = nn.Sequential(nn.Linear(272, 128), nn.ReLU(), nn.Linear(128, 8))

        def forward(self, x: Any) -> Any:
            heard = self.lstm(x)[0]
            pooled = self.attention(heard, heard, heard)[0].mean(1)
            phonetic = torch.relu(self.conv(x.transpose(1, 2))).mean(2)
            return self.answer(torch.cat([pooled, phonetic], 1))

    network = Network().eval()

    def decide(features: np.ndarray) -> Any:
        with torch.inference_mode():
            return int(network(torch.from_numpy(features)[None]).argmax())

    return decide


def with_onnxruntime(path: str) -> Callable[[np.ndarray], Any]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    width = session.get_inputs()[0].shape[2]

    def decide(features: np.ndarray) -> Any:
        wide = np.zeros((1, len(features), width), np.float32)
        wide[0, :, : features.shape[1]] = features
        return int(session.run(None, {"features": wide, "language": np.array([6])})[0].argmax())

    return decide


def main() -> None:
    clip, model, n_more = sys.argv[1], sys.argv[2], int(sys.argv[3])
    decide = with_torch() if model == "torch" else with_onnxruntime(model)
    samples, _ = librosa.load(clip, sr=RATE)
    label = decide(rows(samples))
    at = {"at_s": time.monotonic(), "cpu_s": time.process_time()}
    for _ in range(n_more):
        decide(rows(samples))
    print(json.dumps({**at, "label": label, **memory_mb()}))


def memory_mb() -> dict[str, float]:
    with open("/proc/self/status", encoding="ascii", errors="replace") as status:
        lines = dict(line.split(":", 1) for line in status if ":" in line)
    return {key: int(lines[key].split()[0]) * 1024 / 1e6 for key in ("VmRSS", "VmHWM")}


if __name__ == "__main__":
    main()
