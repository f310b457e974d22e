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
_FORMATS = ("s16le", "s24le", "s24_32le", "s32le", "f32le")


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
        raw = _draw_options(rng)
        channel = rng.choice(("auto",) * 6 + ("mix", 0, 0, 1, 7))
        content = self._bytes(rng, raw)[:_MAX_BYTES]
        (trial.folder / "stdin.bin").write_bytes(content)
        (trial.folder / "options.txt").write_text(f"{raw} channel={channel}")
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
        return lambda: self._listen(stream, sent, raw, channel)

    def _listen(
        self, stream: BinaryIO, sent: bytes, raw: dict[str, Any], channel: str | int
    ) -> None:
        from edge.errors import AudioFileError
        from edge.pipeline import run_pipeline
        from edge.sources.pipe_decoder import RawSettings
        from edge.sources.stdin import StdinSource

        spec, labels = self._classifier.spec, self._classifier.labels
        settings = RawSettings(**raw)
        at_once, refused = self._at_once(sent, settings, channel)
        with stream:
            sink = _Sink()
            source = StdinSource(
                stream, spec.sample_rate, raw=settings, channel=channel, warn=sink.warn
            )
            try:
                summary = run_pipeline(source, self._classifier.stream(), [sink])
            except AudioFileError as error:
                is_short = at_once.size < spec.win_length
                check(bool(refused) or is_short, f"in pieces: {error}; at once: none")
                raise
        check(not refused, f"at once: {refused}; in pieces: none")
        n_heard = round(summary.audio_s * spec.sample_rate)
        check(n_heard == at_once.size, f"{n_heard} samples, {at_once.size} at once")
        self._check_length(sent, settings, n_heard)
        check(summary.decisions == len(sink.decisions), summary)
        end_s = 0.0
        for decision in sink.decisions:
            check_decision(decision, labels)
            check(decision.end_s >= end_s, f"{decision} after {end_s} s")
            end_s = decision.end_s
        check(abs(end_s - summary.audio_s) < spec.win_length / spec.sample_rate, f"ends at {end_s}")
        check(all(text.strip() and "\n" not in text for text in sink.warnings), sink.warnings)

    def _at_once(self, sent: bytes, settings: Any, channel: str | int) -> tuple[np.ndarray, str]:
        """Decode all bytes as one: no cut may change what is heard."""
        from edge.errors import AudioFileError
        from edge.sources.pipe_decoder import PipeDecoder

        decoder = PipeDecoder(
            self._classifier.spec.sample_rate, "x", settings, channel=channel, warn=lambda _: None
        )
        try:
            parts = [decoder.push(sent)] if sent else []
            return np.concatenate([*parts, decoder.finish()]), ""
        except AudioFileError as error:
            return np.zeros(0, np.float32), str(error)

    def _check_length(self, sent: bytes, settings: Any, n_heard: int) -> None:
        """Of raw samples it is known how many there are."""
        from edge.sources.container_marks import RAW, pipe_kind

        rate = self._classifier.spec.sample_rate
        found = settings.found(rate)
        if pipe_kind(sent, is_all=True) == RAW:
            n_wanted = -(-(len(sent) // found.pcm_frame_bytes) * rate // found.sample_rate)
            check(n_heard == n_wanted, f"{n_heard} samples of {len(sent)} bytes of {settings}")

    def _bytes(self, rng: random.Random, options: dict[str, Any]) -> bytes:
        kind = rng.random()
        n = rng.choice((0, 1, 2, 511, 1024, 1025, 20_000, 20_000, 60_000, 60_000))
        start = rng.randrange(len(self._clip) - n)
        raw = _encode(self._clip[start : start + n], options, rng)
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


def _draw_options(rng: random.Random) -> dict[str, Any]:
    """Draw what is said of raw samples: mostly nothing."""
    if rng.random() < 0.4:
        return {}
    return {
        "input_format": rng.choice(
            (None, "s16le", "s24le", "s24_32le", "s32le", "f32le", "S24_LE")
        ),
        "input_rate": rng.choice((None, 2000, 8000, 16_000, 22_050, 44_101, 48_000, 768_000)),
        "n_channels": rng.choice((None, 1, 2, 2, 3, 8, 256)),
    }


def _encode(samples: np.ndarray, options: dict[str, Any], rng: random.Random) -> bytes:
    """Write samples as the options say, or as they do not."""
    name = options.get("input_format") or "s16le"
    if rng.random() < 0.15:
        name = rng.choice(_FORMATS)
    if name == "f32le":
        values = samples.astype("<f4")
        if values.size and rng.random() < 0.1:
            values[rng.randrange(values.size)] = rng.choice((np.nan, np.inf, 1e30, -40.0))
        return values.tobytes()
    n_bits = {"s16le": 16, "s24le": 24, "s32le": 32}.get(name, 24)
    whole = np.round(samples * (2 ** (n_bits - 1) - 1)).astype("<i8")
    n_bytes = 3 if name == "s24le" else 2 if name == "s16le" else 4
    return whole.reshape(-1, 1).view("u1")[:, :n_bytes].tobytes()


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
