"""A PulseAudio server of a test's own, without a sound card."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

PROGRAMS = ("pulseaudio", "pacat", "pactl")
#: A microphone at 48 kHz stereo, which hears what is played to `speaker`.
CONFIG = """\
load-module module-native-protocol-unix auth-anonymous=1
load-module module-null-sink sink_name=speaker rate=48000 channels=2 format=s16le
load-module module-remap-source master=speaker.monitor source_name=microphone
set-default-sink speaker
set-default-source microphone
"""


def is_there() -> bool:
    plugin = any(Path("/usr/lib").glob("*/alsa-lib/libasound_module_pcm_pulse.so"))
    return plugin and all(map(shutil.which, PROGRAMS))


class PulseServer:
    """A running server."""

    def __init__(self, process: subprocess.Popen[bytes], runtime: Path) -> None:
        self.process, self.runtime = process, runtime

    @property
    def environ(self) -> dict[str, str]:
        """What leads a program to it and to no other."""
        ours = {k: v for k, v in os.environ.items() if not k.startswith(("PULSE", "PIPEWIRE"))}
        # A client writes a cookie and a link into the folder of configuration.
        return {**ours, "XDG_RUNTIME_DIR": str(self.runtime), "XDG_CONFIG_HOME": str(self.runtime)}

    def freeze(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    @contextlib.contextmanager
    def playing(self, samples: bytes) -> Iterator[None]:
        """Play 48 kHz stereo, 16 bits, to its end or to that of the block."""
        command = ["pacat", "--playback", "--device=speaker", "--raw", "--rate=48000",
                   "--channels=2", "--format=s16le", "--latency-msec=100"]  # fmt: skip
        file = self.runtime / "played.raw"
        file.write_bytes(samples)
        with file.open("rb") as pcm:
            player = subprocess.Popen(
                command, env=self.environ, stdin=pcm, stderr=subprocess.DEVNULL
            )
        try:
            yield
        finally:
            player.kill()
            player.wait()


@contextlib.contextmanager
def pulse_server() -> Iterator[PulseServer]:
    # A short path: that of a socket has 107 letters.
    with tempfile.TemporaryDirectory(prefix="pa-") as name:
        runtime = Path(name)
        (runtime / "pulse").mkdir(mode=0o700)
        (runtime / "server.pa").write_text(CONFIG)
        environ = {k: v for k, v in os.environ.items() if not k.startswith("PULSE")}
        environ |= {"XDG_RUNTIME_DIR": name, "XDG_CONFIG_HOME": name, "HOME": name}
        process = subprocess.Popen(
            ["pulseaudio", "-n", "-F", str(runtime / "server.pa"), "--daemonize=no",
             "--exit-idle-time=-1", "--use-pid-file=no"],
            env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        server = PulseServer(process, runtime)
        try:
            deadline_s = time.monotonic() + 10
            while subprocess.run(
                ["pactl", "info"], env=server.environ, capture_output=True, check=False
            ).returncode:
                assert time.monotonic() < deadline_s, "pulseaudio does not start"
                time.sleep(0.05)
            yield server
        finally:
            process.kill()
            process.wait()
