"""Measure the band meter: false alarms on native clips, misses on clips that lost their upper band.

    python -m benchmarks.stream.band --data CORPORA [--clips 400] [--altered 24] [--out FILE.json]

Needs soundfile; sox and ffmpeg for the altered clips, kinds that one of them cannot make are left
out and named.  The corpora are searched for .flac, .wav and .ogg files.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import numpy as np
import soundfile

from edge import EdgeSerError, ParameterError
from edge.audio import band
from edge.audio.resample import resample

RATE = 16_000
BLOCK = 4096

_SOX_8 = "sox {i} -r 8000 -b 16 {o}a.wav"
_FF_8 = "ffmpeg -v error -y -i {i} -ar 8000 {o}a.wav"
#: Commands that write {o}.wav from {i}.
ALTERED = {
    "8 kHz, sox": "sox {i} -r 8000 -b 16 {o}.wav",
    "8 kHz, sox without dither": "sox -D {i} -r 8000 -b 16 {o}.wav",
    "8 kHz, ffmpeg": "ffmpeg -v error -y -i {i} -ar 8000 {o}.wav",
    "11.025 kHz, sox": "sox {i} -r 11025 -b 16 {o}.wav",
    "12 kHz, ffmpeg": "ffmpeg -v error -y -i {i} -ar 12000 {o}.wav",
    "8 to 16 kHz, sox": f"{_SOX_8}; sox {{o}}a.wav -r 16000 -b 16 {{o}}.wav",
    "8 to 44.1 kHz, sox": f"{_SOX_8}; sox {{o}}a.wav -r 44100 -b 16 {{o}}.wav",
    "8 to 16 kHz, sox -q (cubic)": f"{_SOX_8}; sox {{o}}a.wav -b 16 {{o}}.wav rate -q 16000",
    "8 to 48 kHz, sox -l": f"{_SOX_8}; sox {{o}}a.wav -b 16 {{o}}.wav rate -l 48000",
    "11.025 to 44.1 kHz, sox -q": (
        "sox {i} -r 11025 -b 16 {o}a.wav; sox {o}a.wav -b 16 {o}.wav rate -q 44100"
    ),
    "11.025 to 16 kHz, sox": (
        "sox {i} -r 11025 -b 16 {o}a.wav; sox {o}a.wav -r 16000 -b 16 {o}.wav"
    ),
    "8 to 48 kHz, ffmpeg": f"{_FF_8}; ffmpeg -v error -y -i {{o}}a.wav -ar 48000 {{o}}.wav",
    "8 to 16 kHz, ffmpeg, linear": (
        f"{_FF_8}; ffmpeg -v error -y -i {{o}}a.wav "
        "-af aresample=16000:filter_size=4:phase_shift=0:linear_interp=1 {o}.wav"
    ),
    "11.025 to 44.1 kHz, ffmpeg": (
        "ffmpeg -v error -y -i {i} -ar 11025 {o}a.wav; "
        "ffmpeg -v error -y -i {o}a.wav -ar 44100 {o}.wav"
    ),
    "telephone, 300 to 3400 Hz": "sox {i} -r 8000 -b 16 {o}.wav sinc 300-3400",
    "A-law": "sox {i} -r 8000 -e a-law {o}a.wav; sox {o}a.wav -b 16 -e signed {o}.wav",
    "mu-law to 16 kHz": (
        "sox {i} -r 8000 -e mu-law {o}a.wav; sox {o}a.wav -r 16000 -b 16 -e signed {o}.wav"
    ),
    "GSM to 16 kHz": "sox {i} -r 8000 {o}a.gsm; sox {o}a.gsm -r 16000 -b 16 {o}.wav",
    "G.726": (
        "ffmpeg -v error -y -i {i} -ar 8000 -c:a g726 {o}a.wav; "
        "ffmpeg -v error -y -i {o}a.wav -c:a pcm_s16le {o}.wav"
    ),
    "G.723.1 (as AMR)": (
        "ffmpeg -v error -y -i {i} -ar 8000 -b:a 6300 -c:a g723_1 {o}a.wav; "
        "ffmpeg -v error -y -i {o}a.wav -c:a pcm_s16le {o}.wav"
    ),
    "Speex, narrow band": (
        "ffmpeg -v error -y -i {i} -ar 8000 -c:a libspeex {o}a.ogg; "
        "ffmpeg -v error -y -i {o}a.ogg -ar 16000 {o}.wav"
    ),
    "Opus, 6 kbit/s": (
        "ffmpeg -v error -y -i {i} -c:a libopus -b:a 6k {o}a.ogg; "
        "ffmpeg -v error -y -i {o}a.ogg -ar 16000 {o}.wav"
    ),
    **{
        f"MP3, {kbit} kbit/s": (
            f"ffmpeg -v error -y -i {{i}} -ar 16000 -b:a {kbit}k {{o}}a.mp3; "
            "ffmpeg -v error -y -i {o}a.mp3 {o}.wav"
        )
        for kbit in (8, 16, 24)
    },
    **{f"low-pass, {hz} Hz": f"sox {{i}} -b 16 {{o}}.wav sinc -{hz}" for hz in (5000, 6000, 6500)},
    "8 to 16 kHz, 30 dB too soft": (
        "sox {i} -r 8000 -b 16 {o}a.wav gain -30; sox {o}a.wav -r 16000 -b 16 {o}.wav"
    ),
    "wide: 44.1 kHz": "sox {i} -r 44100 -b 16 {o}.wav",
    "wide: 48 kHz, sox -q": "sox {i} -b 16 {o}.wav rate -q 48000",
    "wide: Opus, 24 kbit/s": (
        "ffmpeg -v error -y -i {i} -c:a libopus -b:a 24k {o}a.ogg; "
        "ffmpeg -v error -y -i {o}a.ogg -ar 16000 {o}.wav"
    ),
    "wide: AAC, 32 kbit/s": (
        "ffmpeg -v error -y -i {i} -ar 16000 -b:a 32k {o}a.m4a; "
        "ffmpeg -v error -y -i {o}a.m4a {o}.wav"
    ),
    "wide: MP3, 64 kbit/s": (
        "ffmpeg -v error -y -i {i} -ar 44100 -b:a 64k {o}a.mp3; "
        "ffmpeg -v error -y -i {o}a.mp3 {o}.wav"
    ),
}


def read(path: Path) -> np.ndarray:
    """Samples of the first channel, at the model's rate as a device makes it."""
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return resample(samples[:, 0], int(rate), RATE)


def listen(samples: np.ndarray) -> tuple[str | None, list[tuple[int, float]]]:
    """What the meter says, and at every look the loud frames and the steepest fall in dB."""
    meter, said = band.BandMeter(RATE), None
    falls: list[tuple[int, float]] = []
    plain = meter._look

    def noted(least_fall_db: float) -> str | None:
        falls.append((meter.n_loud, round(meter.steepest_fall()[0], 1)))
        return plain(least_fall_db)

    meter._look = noted  # type: ignore[method-assign]
    for at in range(0, samples.size, BLOCK):
        said = meter.push(samples[at : at + BLOCK]) or said
    return said, falls


def alter(clip: Path, command: str, folder: Path) -> Path | None:
    """Make an altered clip; None where the tools cannot."""
    for old in folder.iterdir():
        old.unlink()
    soundfile.write(folder / "in.wav", read(clip), RATE, subtype="PCM_16")
    places = {"i": folder / "in.wav", "o": folder / "out"}
    done = subprocess.run(command.format(**places), shell=True, capture_output=True, check=False)
    made = folder / "out.wav"
    return made if done.returncode == 0 and made.exists() else None


def clips(data: Path) -> dict[str, list[Path]]:
    """Audio files by corpus, in an order of their own."""
    found: dict[str, list[Path]] = {}
    for path in sorted(data.rglob("*")):
        if path.suffix in (".flac", ".wav", ".ogg"):
            found.setdefault(path.relative_to(data).parts[0], []).append(path)
    for paths in found.values():
        random.Random(1).shuffle(paths)
    return found


def native(found: dict[str, list[Path]], n_clips: int, data: Path) -> Iterator[dict[str, object]]:
    """False alarms and steepest falls of every corpus."""
    for corpus, paths in found.items():
        heard = {path: listen(read(path)) for path in paths[:n_clips]}
        looked = [falls for _, falls in heard.values() if falls]
        steepest: dict[int, float] = {}
        for n_loud, fall in (each for falls in looked for each in falls):
            step = max(n for n, _ in band.LOOKS if n <= n_loud)
            steepest[step] = max(fall, steepest.get(step, 0.0))
        yield {
            "corpus": corpus,
            "clips": len(heard),
            "looked_at": len(looked),
            "steepest_db_by_loud_frames": dict(sorted(steepest.items())),
            "told": {str(p.relative_to(data)): said for p, (said, _) in heard.items() if said},
        }


def altered(found: dict[str, list[Path]], n_clips: int) -> Iterator[dict[str, object]]:
    """How many of every kind are told, and what edge."""
    mixed = [paths[i] for i in range(n_clips) for paths in found.values() if i < len(paths)]
    with tempfile.TemporaryDirectory() as name:
        for kind, command in ALTERED.items():
            said, falls, n_made = [], [], 0
            for clip in mixed[:n_clips]:
                path = alter(clip, command, Path(name))
                if path is None:
                    continue
                n_made += 1
                sentence, seen = listen(read(path))
                said.append(sentence)
                falls.append(max((fall for _, fall in seen), default=0.0))
            if not n_made:
                continue
            yield {
                "kind": kind,
                "clips": n_made,
                "told": sum(each is not None for each in said),
                "least_fall_db": min(falls, default=None),
                "sentences": sorted({each[:50] for each in said if each})[:4],
            }


def main() -> int:
    """Run both and print them, one JSON object a line."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--data", type=Path, required=True, help="folder of corpora")
    parser.add_argument("--clips", type=int, default=400, help="native clips a corpus (400)")
    parser.add_argument("--altered", type=int, default=24, help="clips of every kind (24)")
    parser.add_argument("--out", type=Path, help="write all of it as JSON, too")
    args = parser.parse_args()
    try:
        found = clips(args.data)
        if not found:
            raise ParameterError(f"{args.data} holds no .flac, .wav or .ogg file")
        if args.altered and not (shutil.which("sox") and shutil.which("ffmpeg")):
            raise ParameterError("sox and ffmpeg make the altered clips: install both")
        lines = []
        for line in chain(native(found, args.clips, args.data), altered(found, args.altered)):
            print(json.dumps(line), flush=True)
            lines.append(line)
        if args.out:
            args.out.write_text(json.dumps(lines, indent=2) + "\n", encoding="utf-8")
    except EdgeSerError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
