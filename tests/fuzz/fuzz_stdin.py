"""Bytes on standard input: raw samples, containers, and any cut into pieces."""

from __future__ import annotations

import os
import random
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from fuzz.fuzz_audio import MAGICS
from fuzz.fuzz_wav import demo_samples, draw_wav
from fuzz.judge import check, check_decision, tiny
from fuzz.mutate import mutate_bytes
from fuzz.target import Trial

__all__ = ["StdinTarget"]

_MAX_BYTES = 150_000


class _Sink:
    """Keeps what a pipeline hands out: what it raised itself, the pipeline would bear with."""

    name = "fuzz"

    def __init__(self) -> None:
        self.decisions: list[Any] = []
        self.warnings: list[str] = []
        self.n_summaries = 0

    def open(self) -> None:
        return None

    def emit(self, decision: Any) -> None:
        self.decisions.append(decision)

    def warn(self, sentence: str) -> None:
        self.warnings.append(sentence)

    def summary(self, _: Any) -> None:
        self.n_summaries += 1

    def close(self) -> None:
        return None


class StdinTarget:
    """Through the source, a stream and a pipeline, as ``listen --source -``."""

    may_probe = False
    needs = ()
    has_short_road = False

    def prepare(self, seeds: Path) -> None:
        """Open the small model and read the clip."""
        self._classifier = tiny(seeds)
        self._clip = demo_samples()

    def draw(self, trial: Trial) -> Callable[[], None]:
        """Draw bytes and their pieces, and put them in a pipe."""
        rng = trial.rng
        content = self._bytes(rng)[:_MAX_BYTES]
        (trial.folder / "stdin.bin").write_bytes(content)
        # Message by message: what one side sends at once is what the other reads at once.
        mouth, ear = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        mouth.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 21)
        mouth.setblocking(False)
        pieces = list(_pieces(rng, content))
        (trial.folder / "pieces.txt").write_text(" ".join(str(len(piece)) for piece in pieces))
        sent = b""
        for piece in pieces:
            try:
                sent += piece[: mouth.send(piece)]
            except BlockingIOError:
                break
        mouth.close()
        stream = os.fdopen(ear.detach(), "rb", buffering=0)
        return lambda: self._listen(stream, sent)

    def _listen(self, stream: BinaryIO, sent: bytes) -> None:
        from edge.pipeline import run_pipeline
        from edge.sources.stdin import StdinSource

        spec, labels = self._classifier.spec, self._classifier.labels
        with stream:
            sink = _Sink()
            source = StdinSource(stream, spec.sample_rate, warn=sink.warn)
            summary = run_pipeline(source, self._classifier.stream(), [sink])
        n_heard = round(summary.audio_s * spec.sample_rate)
        check(n_heard == len(sent) // 2, f"{n_heard} samples of {len(sent)} bytes")
        check(summary.decisions == len(sink.decisions), summary)
        end_s = 0.0
        for decision in sink.decisions:
            check_decision(decision, labels)
            check(decision.end_s >= end_s, f"{decision} after {end_s} s")
            end_s = decision.end_s
        check(abs(end_s - summary.audio_s) < spec.win_length / spec.sample_rate, f"ends at {end_s}")
        check(all(text.strip() and "\n" not in text for text in sink.warnings), sink.warnings)

    def _bytes(self, rng: random.Random) -> bytes:
        kind = rng.random()
        n = rng.choice((0, 1, 2, 511, 1024, 1025, 20_000, 60_000))
        start = rng.randrange(len(self._clip) - n)
        raw = np.round(self._clip[start : start + n] * 32767).astype("<i2").tobytes()
        if kind < 0.4:
            return raw + bytes(rng.randrange(2))
        if kind < 0.55:
            return mutate_bytes(rng, raw)
        if kind < 0.75:
            return rng.choice(MAGICS) + raw
        if kind < 0.85:
            return draw_wav(rng, self._clip)
        if kind < 0.95:
            return rng.randbytes(rng.choice((1, 3, 2048, 2049, 50_000)))
        return bytes([rng.randrange(256)]) * rng.choice((1, 2, 3, 4, 1000, 50_001))


def _pieces(rng: random.Random, content: bytes) -> Any:
    """Cut: mostly small and odd at the start, where a container is told from samples."""
    # A read that is smaller than a message would lose the rest of it.
    sizes = rng.choice(((1,), (1, 2, 3), (1, 7, 512, 1023), (1024,), (3, 1021)))
    at = 0
    for _ in range(60):
        size = rng.choice(sizes)
        if at < len(content):
            yield content[at : at + size]
        at += size
    while at < len(content):
        yield content[at : at + 1024]
        at += 1024
