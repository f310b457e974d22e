"""Check the microphone sample by sample against a private PulseAudio server.

    python -m benchmarks.microphone.loopback [--output FILE]

No sound card is needed: the server has two null sinks (16 kHz mono and 48 kHz
stereo), known sound is played into each, and `edge.audio.microphone` records the
sink's monitor. Then the sink is suspended, which loses sound and must be told to the
length, and server and listener are frozen for a moment, which loses nothing; at last the
server is frozen and killed, which must end in an error.
Needs, on Debian: pulseaudio pulseaudio-utils libasound2-plugins libportaudio2.
Exit status 0: all as wanted, or skipped because PulseAudio is not there; 1: not.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np

from edge.audio.file import write_wav
from edge.audio.microphone import Microphone
from edge.audio.resample import resample
from edge.errors import AudioDeviceError

RATE = 16_000
CLIP_S, MARGIN_S = 4.0, 0.3
PROGRAMS = ("pulseaudio", "pacat", "paplay", "pactl")
SINKS = {"mono16": (16_000, 1), "stereo48": (48_000, 2)}
# Sink, rate asked for (None: the microphone's own), channel ("mix": all), SNR in dB that is wanted.
# Infinite: bit-exact. A server that mixes to mono rounds to 16 bits, hence 85; one channel picked
# out of two is as exact as our resampler. Where the server resamples, it is shown and not judged.
CASES = (
    ("mono16", 16_000, "mix", np.inf),
    ("stereo48", None, "mix", 85.0),
    ("stereo48", None, 1, 100.0),
    ("stereo48", 16_000, "mix", None),
    ("stereo48", 44_100, "mix", None),
    ("mono16", None, "mix", None),
)


def make_sound(sample_rate: int, n_channels: int) -> np.ndarray:
    """A logarithmic sweep from 60 Hz to 7 kHz and a tone that tells the channels apart."""
    time_s = np.arange(round(CLIP_S * sample_rate)) / sample_rate
    growth = np.log(7000 / 60)
    sweep = 0.4 * np.sin(2 * np.pi * 60 * CLIP_S / growth * (np.exp(time_s / CLIP_S * growth) - 1))
    fade = np.minimum(1.0, np.minimum(time_s, CLIP_S - time_s) / 0.02)
    channels = [
        fade * (sweep + 0.2 * np.sin(2 * np.pi * 440 * (1 + index) * time_s))
        for index in range(n_channels)
    ]
    margin = round(MARGIN_S * sample_rate)
    sound = np.pad(np.stack(channels, axis=1), ((margin, margin), (0, 0)))
    return np.round(sound * 32768) / 32768


@contextmanager
def server(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A PulseAudio server of our own, and the environment that leads to it."""
    run = folder / f"run-{time.monotonic_ns()}"
    run.mkdir(mode=0o700)
    config = ["load-module module-native-protocol-unix auth-anonymous=1"]
    config += [
        f"load-module module-null-sink sink_name={name} rate={rate} channels={n} format=s16le"
        for name, (rate, n) in SINKS.items()
    ]
    (run / "server.pa").write_text("\n".join(config) + "\n")
    os.environ.update(
        XDG_RUNTIME_DIR=str(run), PULSE_RUNTIME_PATH=str(run), PULSE_SERVER=f"unix:{run}/native"
    )
    private = {key: value for key, value in os.environ.items() if key != "PULSE_SERVER"}
    command = ["pulseaudio", "-n", "-F", str(run / "server.pa"), "--daemonize=no"]
    command += ["--exit-idle-time=-1", "--use-pid-file=no"]
    with ExitStack() as stack:
        process = start(stack, command, env={**private, "HOME": str(run)})
        wait_for(run / "native", process)
        for name in SINKS:
            # Without a player the sink sleeps and the first callback is late.
            start(stack, ["pacat", "--playback", f"--device={name}", "--raw", "/dev/zero"])
        yield process


def start(
    stack: ExitStack, command: list[str], env: dict[str, str] | None = None
) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        command,
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    stack.callback(process.wait)
    stack.callback(process.kill)
    return process


def wait_for(socket: Path, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 10
    while not socket.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit("pulseaudio did not start: run it by hand to see why")
        time.sleep(0.05)
    time.sleep(0.5)


def record(sink: str, rate: int | None, channel: int | str, clip: Path) -> dict[str, object]:
    """Play the clip into a sink while the microphone listens."""
    os.environ["PULSE_SOURCE"] = f"{sink}.monitor"
    blocks: list[np.ndarray] = []
    with ExitStack() as stack:
        microphone = stack.enter_context(
            Microphone("pulse", RATE, capture_rate=rate, channel=channel)
        )
        blocks.append(microphone.read(5.0))
        begin = time.monotonic()
        n_first = sum(map(len, blocks))
        player = None
        while time.monotonic() - begin < CLIP_S + 2 * MARGIN_S + 1.5:
            blocks.append(microphone.read(0.5))
            if player is None:
                player = start(stack, ["paplay", f"--device={sink}", str(clip)])
        took_s = time.monotonic() - begin
        samples = np.concatenate(blocks)
        return {
            "samples": samples,
            "capture_rate": microphone.capture_rate,
            "n_channels": microphone.n_channels,
            "n_blocks": len(blocks),
            "pace": round((len(samples) - n_first) / RATE / took_s, 4),
            "overflows": microphone.overflows,
            "dropped_samples": microphone.dropped_samples,
        }


def compare(got: np.ndarray, sound: np.ndarray, sample_rate: int) -> dict[str, float]:
    """Best agreement over whole samples of the source's rate.

    Recording starts at any sample of the source, so at 48 kHz there are three
    right answers at 16 kHz.
    """
    results = []
    for lead in range(max(1, sample_rate // RATE)):
        want = resample(sound[lead:].astype(np.float32), sample_rate, RATE).astype(np.float64)
        size = 1 << (len(got) + len(want)).bit_length()
        product = np.fft.rfft(got, size) * np.conj(np.fft.rfft(want, size))
        place = int(np.argmax(np.fft.irfft(product, size)[: len(got)]))
        piece = got[place : place + len(want)]
        if len(piece) < len(want):
            continue
        error = piece - want
        results.append(
            {
                "snr_db": float(
                    10 * np.log10(np.sum(want**2) / np.sum(error**2)) if error.any() else np.inf
                ),
                "aligned_snr_db": aligned_snr_db(piece, want),
                "correlation": float(np.corrcoef(piece, want)[0, 1]),
                "max_difference": float(np.abs(error).max()),
                "n_different": int(np.count_nonzero(error)),
                "n_samples": len(want),
            }
        )
    return max(results, key=lambda one: one["snr_db"]) if results else {"snr_db": -np.inf}


def aligned_snr_db(got: np.ndarray, want: np.ndarray) -> float:
    """SNR after the best gain and delay by a fraction of a sample: what a resampler costs."""
    spectrum, turn = np.fft.rfft(want), -2j * np.pi * np.fft.rfftfreq(len(want))
    best_db, centre, width = -np.inf, 0.0, 1.0
    for _ in range(6):
        for delay in centre + np.linspace(-width, width, 11):
            shifted = np.fft.irfft(spectrum * np.exp(turn * delay), len(want))
            fitted = shifted * (shifted @ got) / (shifted @ shifted)
            error = np.sum((got - fitted) ** 2)
            snr_db = 10 * np.log10(np.sum(fitted**2) / max(error, 1e-30))
            if snr_db > best_db:
                best_db, centre = snr_db, delay
        width /= 5
    return round(float(best_db), 1)


def holding_up(seconds: float, what: str) -> dict[str, object]:
    """Suspend the sink, which loses sound, or freeze the server or ourselves, which do not."""
    os.environ["PULSE_SOURCE"] = "mono16.monitor"
    with tempfile.TemporaryDirectory(prefix="edge-ser-") as name, server(Path(name)) as process:
        held_up = threading.Timer(3.0, _hold_up, (seconds, what, process.pid))
        held_up.start()
        lost: list[int] = []
        n_heard = 0
        with Microphone("pulse", RATE) as microphone:
            n_heard += len(microphone.read(5.0))
            begin = time.monotonic()
            while time.monotonic() - begin < 7.0 + seconds:
                recorded = microphone.take(0.5)
                n_heard += len(recorded.samples)
                lost += [recorded.n_lost] if recorded.n_lost else []
            took_s = time.monotonic() - begin
        held_up.join()
        wanted = [seconds] if what == "suspended" else []
        found = [n_lost / RATE for n_lost in lost]
        return {
            "event": what,
            "seconds": seconds,
            "lost_s": [round(one, 3) for one in found],
            "clock_off_s": round((n_heard + sum(lost)) / RATE - took_s, 3),
            "passed": len(found) == len(wanted)
            and all(abs(a - b) < 0.2 for a, b in zip(found, wanted, strict=True)),
        }


def _hold_up(seconds: float, what: str, server_pid: int) -> None:
    if what == "suspended":
        subprocess.run(["pactl", "suspend-sink", "mono16", "1"], check=True)
        time.sleep(seconds)
        subprocess.run(["pactl", "suspend-sink", "mono16", "0"], check=True)
    elif what == "server frozen":
        os.kill(server_pid, signal.SIGSTOP)
        time.sleep(seconds)
        os.kill(server_pid, signal.SIGCONT)
    else:
        command = "kill -STOP $0; sleep $1; kill -CONT $0"
        subprocess.run(["sh", "-c", command, str(os.getpid()), str(seconds)], check=True)


def losing_the_server(folder: Path, kill: int) -> dict[str, object]:
    """Freeze or kill the server under an open microphone."""
    os.environ["PULSE_SOURCE"] = "mono16.monitor"
    with server(folder) as process:
        microphone = Microphone("pulse", RATE)
        microphone.open()
        n_before = sum(len(microphone.read(0.5)) for _ in range(20))
        os.kill(process.pid, kill)
        begin = time.monotonic()
        message = ""
        while not message and time.monotonic() - begin < 10:
            try:
                microphone.read(0.5)
            except AudioDeviceError as error:
                message = str(error)
        noticed_s = time.monotonic() - begin
        begin = time.monotonic()
        microphone.close()
        closed_s = time.monotonic() - begin
        return {
            "event": signal.Signals(kill).name,
            "n_before": n_before,
            "error": message,
            "noticed_s": round(noticed_s, 3),
            "closed_s": round(closed_s, 3),
            "passed": bool(message) and n_before > 0 and noticed_s < 4 and closed_s < 2,
        }


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, help="write the figures to this file too")
    arguments = parser.parse_args(argv)
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        print(
            f"skipped: {', '.join(missing)} not installed: sudo apt-get install "
            "pulseaudio pulseaudio-utils libasound2-plugins libportaudio2"
        )
        return 0
    rows: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory(prefix="edge-ser-") as name:
        folder = Path(name)
        with server(folder):
            for sink, rate, channel, wanted_snr_db in CASES:
                source_rate, n_channels = SINKS[sink]
                sound = make_sound(source_rate, n_channels)
                clip = folder / f"{sink}.wav"
                write_wav(clip, sound, source_rate)
                row = record(sink, rate, channel, clip)
                mono = sound[:, channel] if isinstance(channel, int) else sound.mean(axis=1)
                row.update(compare(row.pop("samples"), mono, source_rate))
                row = {"sink": sink, "asked_rate": rate, "channel": channel, **row}
                row["passed"] = wanted_snr_db is None or bool(row["snr_db"] >= wanted_snr_db)
                row["judged"] = wanted_snr_db is not None
                rows.append(row)
                print(" ".join(f"{key}={value}" for key, value in row.items()), flush=True)
        for what in ("suspended", "server frozen", "listener frozen"):
            rows.append(holding_up(1.5, what))
            print(" ".join(f"{key}={value}" for key, value in rows[-1].items()), flush=True)
        for kill in (signal.SIGSTOP, signal.SIGKILL):
            rows.append(losing_the_server(folder, kill))
            print(" ".join(f"{key}={value}" for key, value in rows[-1].items()), flush=True)
    if arguments.output:
        # JSON has no infinity: bit-exact is null, with n_different 0.
        plain = [
            {key: None if value == np.inf else value for key, value in row.items()} for row in rows
        ]
        temporary = arguments.output.with_name(f".{arguments.output.name}.part")
        temporary.write_text(json.dumps(plain, indent=1, default=str) + "\n")
        os.replace(temporary, arguments.output)
    passed = all(row["passed"] for row in rows)
    print("all as wanted" if passed else "NOT as wanted")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
