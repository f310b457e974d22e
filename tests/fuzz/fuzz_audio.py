# A draw is a row of cases, each with its own way out.
# ruff: noqa: PLR0911
"""Audio files of every other kind, real ones and what only looks like one."""

from __future__ import annotations

import io
import os
import random
import struct
from collections.abc import Callable
from pathlib import Path

from edge.errors import MissingDependencyError
from fuzz.fuzz_wav import demo_samples, draw_wav
from fuzz.judge import judge_file, tiny
from fuzz.mutate import EDGES, mutate_bytes
from fuzz.target import HUGE_BYTES, Trial, UnsoundError

__all__ = ["MAGICS", "AudioTarget"]

_KINDS = (
    ("FLAC", "PCM_16"), ("FLAC", "PCM_24"), ("OGG", "VORBIS"), ("OGG", "OPUS"), ("MP3", None),
    ("AIFF", "PCM_16"), ("AIFF", "FLOAT"), ("AU", "PCM_16"), ("AU", "ULAW"), ("CAF", "PCM_16"),
    ("CAF", "ALAC_16"), ("W64", "PCM_16"), ("WAV", "ULAW"), ("WAV", "ALAW"), ("WAV", "IMA_ADPCM"),
    ("WAV", "MS_ADPCM"), ("WAV", "GSM610"), ("RF64", "PCM_16"), ("NIST", "PCM_16"),
    ("VOC", "PCM_16"), ("IRCAM", "PCM_16"), ("SVX", "PCM_16"), ("PAF", "PCM_16"),
)  # fmt: skip
_SUFFIXES = (
    ".wav", ".flac", ".ogg", ".opus", ".mp3", ".aif", ".aiff", ".au", ".caf", ".w64", ".m4a",
    ".aac", ".webm", ".wma", ".amr", ".3gp", ".mp4", ".mkv", ".raw", ".txt", "", ".WAV", ".npz",
    ".sph",
)  # fmt: skip
MAGICS = (
    b"\0\0\0\x20ftypM4A \0\0\0\0M4A mp42isom", b"\0\0\0\x18ftyp3gp4", b"\0\0\0\x14ftypqt  ",
    b"\x1aE\xdf\xa3\x01\0\0\0\0\0\0\x1fB\x86\x81\x01webm", b"#!AMR\n", b"#!AMR-WB\n",
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\0\xaa\0\x62\xce\x6c", b"\xff\xf1\x50\x80",
    b"\xff\xf9", b"\xff\xfb\x90\x64", b"\xff\xf3\x40\xc0", b"ID3\x04\0\0\0\0\x0f\x76",
    b"ID3\x03\0\0\x7f\x7f\x7f\x7f", b"OggS\0\x02", b"fLaC\0\0\0\x22", b"FORM\0\0\0\0AIFF",
    b"FORM\xff\xff\xff\xffAIFC", b".snd", b"caff\0\1\0\0desc",
    b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\0\0", b"RIFF\0\0\0\0AVI ", b"RIFF\0\0\0\0WEBP",
    b"RIFX\0\0\0\0WAVE", b"NIST_1A\n   1024\n", b"MThd\0\0\0\6", b"%PDF-1.7\n", b"\x7fELF",
    b"PK\3\4", b"\x1f\x8b\x08", b"\x89PNG\r\n\x1a\n", b"<html>", b"#!/bin/sh\n",
    b"Creative Voice File\x1a", b"wvpk", b"MAC ", b"TTA1", b"MPCK", b".RMF", b"\x0bw",
)  # fmt: skip


class AudioTarget:
    """Through ``classify_file``; what cannot be decoded must say so."""

    may_probe = False
    needs = ("soundfile",)
    has_short_road = False

    def prepare(self, seeds: Path) -> None:
        """Encode the clip in every way that libsndfile knows."""
        import soundfile

        self._classifier = tiny(seeds)
        self._clip = demo_samples()
        self._files: list[bytes] = []
        for kind, subtype in _KINDS:
            rate = 8000 if subtype == "GSM610" else 16_000
            file = io.BytesIO()
            try:
                soundfile.write(file, self._clip[20_000:29_000], rate, subtype, format=kind)
            except (soundfile.LibsndfileError, ValueError, TypeError):
                continue  # This libsndfile cannot write it.
            self._files.append(file.getvalue())

    def draw(self, trial: Trial) -> Callable[[], None]:
        """Draw a file of some kind, to ask for its answer."""
        rng = trial.rng
        path = trial.folder / f"x{rng.choice(_SUFFIXES)}"
        if rng.random() < 0.02:
            _make_special(rng, path)
        else:
            path.write_bytes(self._draw(rng))
        return lambda: self._judge(path)

    def _judge(self, path: Path) -> None:
        try:
            judge_file(self._classifier, path)
        except MissingDependencyError as error:
            raise UnsoundError("soundfile is installed") from error

    def _draw(self, rng: random.Random) -> bytes:
        kind = rng.random()
        content = rng.choice(self._files)
        if kind < 0.5:
            return mutate_bytes(rng, content, rng.choice(self._files))
        if kind < 0.6:
            return content[: rng.randrange(len(content))]
        if kind < 0.68:
            return _promising(rng, content)
        if kind < 0.78:
            return rng.choice(MAGICS) + rng.randbytes(rng.choice((0, 1, 20, 60, 1000, 40_000)))
        if kind < 0.84:
            return mutate_bytes(rng, rng.choice(MAGICS) + content)
        if kind < 0.88:
            return rng.randbytes(rng.choice((0, 1, 2, 4, 11, 12, 44, 1000, 100_000)))
        if kind < 0.91:
            letters = "".join(
                rng.choice("abc é\n\0\x1b") for _ in range(rng.choice((1, 63, 64, 65, 999)))
            )
            return letters.encode()
        if kind < 0.94:
            return content + rng.choice(self._files)
        return draw_wav(rng, self._clip)


def _promising(rng: random.Random, content: bytes) -> bytes:
    """A header that promises hours, days, or many channels."""
    data = bytearray(content)
    if content[:4] == b"fLaC":
        # STREAMINFO: 20 bits of rate, 3 of channels, 5 of bits, 36 of samples.
        rate, channels, bits = (
            rng.choice((1, 16_000, 655_350)),
            rng.randrange(8),
            rng.choice((7, 15, 31)),
        )
        samples = rng.choice((0, 1, 2**36 - 1, 10**9))
        packed = rate << 44 | channels << 41 | bits << 36 | samples
        data[18:26] = struct.pack(">Q", packed)
    elif content[:4] in (b"FORM", b".snd", b"caff", b"riff", b"RF64"):
        for _ in range(rng.choice((1, 2))):
            at = rng.randrange(4, min(len(data), 120) - 8)
            data[at : at + 4] = struct.pack(rng.choice(("<I", ">I")), rng.choice(EDGES) % 2**32)
    else:
        # An MP3's Xing header that promises many frames, before what is there.
        frame = b"\xff\xfb\x90\x64" + bytes(32) + b"Xing\0\0\0\x0f"
        frame += struct.pack(
            ">II", rng.choice((10**9, 2**32 - 1, 1)), rng.choice((10**9, 2**32 - 1, 0))
        )
        return frame + bytes(417 - len(frame)) + content
    return bytes(data)


def _make_special(rng: random.Random, path: Path) -> None:
    """A path that is no file: a pipe, a device, a folder, a link to nowhere or to itself."""
    kind = rng.randrange(6)
    if kind == 0:
        os.mkfifo(path)
    elif kind == 1:
        path.symlink_to(rng.choice(("/dev/zero", "/dev/null", "/dev/urandom")))
    elif kind == 2:
        path.mkdir()
    elif kind == 3:
        path.symlink_to(path)
    elif kind == 4:
        path.symlink_to(path.parent / "nowhere")
    else:
        path.write_bytes(b"")
        os.truncate(path, HUGE_BYTES)
