"""Hold minutes of a 48 kHz stereo microphone against the file that was played into it.

    python -m benchmarks.microphone.minutes [--minutes 10] [--output FILE]

A private PulseAudio server with a null sink stands for the sound card, as for
`loopback.py`, which says what it needs. The right channel has noise that never repeats,
so that every second of the recording has one right place in the file: where that place moves,
samples were lost or invented.
Exit status 0: none were and no gap was told, or skipped without PulseAudio; 1: not.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from benchmarks.microphone.loopback import PROGRAMS, RATE, server, start
from edge.audio.microphone import Microphone
from edge.audio.resample import resample
from edge.files import atomic_path

SINK, SINK_RATE = "stereo48", 48_000
#: Longest error of a place that is looked for.
REACH = RATE


def make_noise(n_samples: int) -> np.ndarray:
    """Noise up to 6 kHz on the right, its half on the left, as 16 bits [shape=(n_samples, 2)]."""
    spectrum = np.fft.rfft(np.random.default_rng(0).normal(0.0, 0.2, n_samples))
    spectrum[round(6_000 / SINK_RATE * n_samples) :] = 0
    right = np.fft.irfft(spectrum, n_samples)
    return np.round(np.stack([right / 2, right], axis=1).clip(-1, 1) * 32767).astype("<i2")


def places(got: np.ndarray, want: np.ndarray) -> tuple[list[int], float]:
    """Give how far every second lies from its place in the file, and the worst SNR in dB.

    The first place is looked for everywhere in the first five seconds, the others around it.
    """
    first = got[2 * RATE : 3 * RATE]
    head = want[: 5 * RATE]
    size = 1 << (len(head) + len(first)).bit_length()
    product = np.fft.rfft(head, size) * np.conj(np.fft.rfft(first, size))
    offset = int(np.argmax(np.fft.irfft(product, size)[: len(head)])) - 2 * RATE
    moved, worst_db = [], np.inf
    for at in range(2 * RATE, len(got) - RATE, RATE):
        begin = at + offset
        if begin < 0 or begin + RATE > len(want):
            break
        piece, near = got[at : at + RATE], want[max(0, begin - REACH) : begin + RATE + REACH]
        size = 1 << (len(near) + RATE).bit_length()
        product = np.fft.rfft(near, size) * np.conj(np.fft.rfft(piece, size))
        place = int(np.argmax(np.fft.irfft(product, size)[: len(near) - RATE + 1]))
        moved.append(place - min(begin, REACH))
        error = piece - near[place : place + RATE]
        worst_db = min(
            worst_db, float(10 * np.log10(np.sum(piece**2) / max(1e-12, np.sum(error**2))))
        )
    return moved, worst_db


def run(minutes: float, folder: Path) -> dict[str, object]:
    """Play, record and compare."""
    n_samples = round(60 * minutes * SINK_RATE)
    sound = make_noise(n_samples)
    (folder / "noise.raw").write_bytes(sound.tobytes())
    right = sound[:, 1].astype(np.float32) / 32768.0
    del sound
    with ExitStack() as stack:
        stack.enter_context(server(folder))
        os.environ["PULSE_SOURCE"] = f"{SINK}.monitor"
        microphone = stack.enter_context(Microphone("pulse", RATE, channel=1))
        microphone.read(5.0)
        command = ["pacat", "--playback", f"--device={SINK}", "--raw", "--format=s16le"]
        command += [f"--rate={SINK_RATE}", "--channels=2", str(folder / "noise.raw")]
        start(stack, command)
        blocks, n_gaps, n_lost = [], 0, 0
        deadline_s = time.monotonic() + 60 * minutes + 3
        while time.monotonic() < deadline_s:
            recorded = microphone.take(0.5)
            n_gaps += recorded.n_lost > 0
            n_lost += recorded.n_lost
            blocks.append(recorded.samples)
        facts = {"capture_rate": microphone.capture_rate, "n_channels": microphone.n_channels}
        dropped = microphone.dropped_samples
    got = np.concatenate(blocks).astype(np.float64)
    heard = np.flatnonzero(np.abs(got) > 0.01)
    got = got[heard[0] : heard[-1] + 1]
    # Recording starts at any sample of the source: of the three grids the best is the right one.
    tried = [
        places(got, resample(right[lead:], SINK_RATE, RATE).astype(np.float64))
        for lead in range(SINK_RATE // RATE)
    ]
    moved, worst_db = max(tried, key=lambda one: one[1])
    return {
        "minutes": minutes, **facts, "seconds_compared": len(moved),
        "samples_lost_or_invented": max(map(abs, moved), default=-1),
        "gaps": n_gaps, "samples_in_gaps": n_lost, "dropped_samples": dropped,
        "worst_second_snr_db": round(worst_db, 1),
    }  # fmt: skip


def main() -> int:
    """Print the result; see the module."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if missing:
        print(f"skipped: {', '.join(missing)} not installed")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        result = run(arguments.minutes, Path(folder))
    text = json.dumps(result, indent=1) + "\n"
    if arguments.output is not None:
        with atomic_path(arguments.output) as temporary:
            temporary.write_text(text, "utf-8")
    print(text, end="")
    n_wanted = int(60 * arguments.minutes) - 5
    is_right = (
        result["samples_lost_or_invented"] == 0
        and result["gaps"] == 0
        and int(str(result["seconds_compared"])) >= n_wanted
    )
    return 0 if is_right else 1


if __name__ == "__main__":
    sys.exit(main())
