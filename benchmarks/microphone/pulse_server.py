"""A PulseAudio server of our own, for measuring what becomes of a microphone without one.

sudo apt-get install pulseaudio pulseaudio-utils libasound2-plugins libportaudio2
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

import numpy as np

__all__ = ["MONITOR", "PIPE", "PROGRAMS", "PulseServer", "missing_programs"]

PROGRAMS = ("pulseaudio", "pactl", "pacat", "paplay")

#: What is recorded from: a source that is fed by a thread at the pace of sound, or the monitor of a
#: sink, into which clips can be played.  A null sink renders two seconds ahead when it is made, and
#: its monitor sends nothing before these are over, whoever listens.
PIPE, MONITOR = "vmic", "vspk.monitor"

_LIMIT_S = 10.0
_RATE, _N_CHANNELS = 48_000, 2


class PulseServer:
    """Started, frozen, killed and started again; alone in a folder of its own.

    Parameters
    ----------
    folder : Path
        Is made; its path is short enough for a socket.
    source : str
        What programs record from.
    """

    def __init__(self, folder: Path, source: str = PIPE) -> None:
        self._folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._pipe = folder / "vmic.pipe"
        lines = [
            f"load-module module-null-sink sink_name=vspk rate={_RATE} channels={_N_CHANNELS} "
            "format=s16le",
            f"load-module module-pipe-source source_name={PIPE} file={self._pipe} format=s16le "
            f"rate={_RATE} channels={_N_CHANNELS}",
            # Last, so that a server that answers has the others.
            "load-module module-native-protocol-unix auth-anonymous=1",
        ]
        (folder / "server.pa").write_text("\n".join(lines) + "\n")
        #: What a program needs to find it.
        self.environment = {
            **os.environ,
            "XDG_RUNTIME_DIR": str(folder),
            "PULSE_RUNTIME_PATH": str(folder),
            "PULSE_SERVER": f"unix:{folder}/native",
            "PULSE_SOURCE": source,
        }
        self._source = source
        self._processes: list[subprocess.Popen[bytes]] = []
        self._feeder: _Feeder | None = None

    @property
    def pid(self) -> int:
        """Of the server that runs."""
        return self._processes[0].pid

    def start(self) -> float:
        """Start it; gives ``time.monotonic()`` when it answered."""
        # What a killed server left behind keeps the source from being made.
        self._pipe.unlink(missing_ok=True)
        private = {key: value for key, value in self.environment.items() if key != "PULSE_SERVER"}
        command = ["pulseaudio", "-n", "-F", str(self._folder / "server.pa"), "--daemonize=no"]
        command += ["--exit-idle-time=-1", "--use-pid-file=no"]
        self._begin(command, {**private, "HOME": str(self._folder)})
        deadline_s = time.monotonic() + _LIMIT_S
        while self.ask("info").returncode:
            if self._processes[0].poll() is not None or time.monotonic() > deadline_s:
                raise SystemExit("pulseaudio did not start: run it by hand to see why")
            time.sleep(0.02)
        answered_s = time.monotonic()
        if self._source == MONITOR:
            # Without one the sink sleeps, and its monitor with it.
            player = ["pacat", "--playback", "--device=vspk", "--raw", "--latency-msec=20"]
            self._begin([*player, "/dev/zero"], self.environment)
        else:
            self._feeder = _Feeder(self._pipe)
        return answered_s

    def kill(self, number: int = signal.SIGKILL) -> None:
        """End it, and what plays into it."""
        if self._feeder is not None:
            self._feeder.end()
            self._feeder = None
        if not self._processes:
            return
        server, *players = self._processes
        self._processes = []
        server.send_signal(number)
        server.send_signal(signal.SIGCONT)
        server.wait(_LIMIT_S)
        for player in players:
            player.kill()
            player.wait(_LIMIT_S)

    def freeze(self, seconds: float) -> float:
        """Stop it for so long; gives ``time.monotonic()`` when it went on."""
        os.kill(self.pid, signal.SIGSTOP)
        time.sleep(seconds)
        os.kill(self.pid, signal.SIGCONT)
        return time.monotonic()

    def ask(self, *words: str) -> subprocess.CompletedProcess[bytes]:
        """Run pactl."""
        return subprocess.run(
            ["pactl", *words], env=self.environment, capture_output=True, check=False
        )

    def _begin(self, command: list[str], environment: dict[str, str]) -> None:
        self._processes.append(
            subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        )


class _Feeder:
    """Writes a hum into a source at the pace of sound; what is not taken at once is lost."""

    _PERIOD_S = 0.01

    def __init__(self, pipe: Path) -> None:
        n_samples = round(self._PERIOD_S * _RATE)
        # A whole number of waves fits, so that each block follows the one before.
        wave = 0.25 * np.sin(2 * np.pi * 400 * np.arange(n_samples) / _RATE)
        self._block = np.repeat((32767 * wave).astype("<i2"), _N_CHANNELS).tobytes()
        self._descriptor = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        self._has_ended = False
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        due_s = time.monotonic()
        while not self._has_ended:
            due_s += self._PERIOD_S
            time.sleep(max(0.0, due_s - time.monotonic()))
            try:
                os.write(self._descriptor, self._block)
            except OSError as error:
                if error.errno != errno.EAGAIN:
                    return

    def end(self) -> None:
        """Stop writing."""
        self._has_ended = True
        self._thread.join()
        with contextlib.suppress(OSError):
            os.close(self._descriptor)


def missing_programs() -> list[str]:
    """Those that are not installed."""
    return [program for program in PROGRAMS if shutil.which(program) is None]
