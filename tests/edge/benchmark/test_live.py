"""What the real `listen` costs, watched from outside."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from pulse_server import is_there, pulse_server
from system_fakes import fake_system

from edge.artifact import Artifact
from edge.audio.file import read_audio
from edge.audio.resample import resample
from edge.benchmark.live import listen_live
from edge.bundled import DEMO_CLIP
from edge.errors import EdgeSerError, ParameterError
from edge.machine.process import read_process
from edge.machine.programs import Programs
from edge.machine.system import System, this_system

needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="no /proc")


@pytest.fixture
def system() -> System:
    return this_system(Programs())


@needs_proc
def test_a_file_is_heard_at_the_pace_of_speech(tiny_artifact: Artifact, system: System) -> None:
    told = listen_live(tiny_artifact.path, "numpy", system, duration_s=1.5, source="demo")
    assert told["source"] == "bundled dialogue, at the pace of speech"
    assert told["source_reason"] is None
    assert 1.5 <= told["duration_s"] < 20
    # Two decisions a second, and no core that is kept busy.
    assert 1 <= told["decisions"] <= 2.1 * told["duration_s"] + 2
    assert sum(told["states"].values()) == told["decisions"] == told["latency_ms"]["n"]
    assert 0 < told["core_share"] < 1
    assert told["wakeups_per_s"] > 1
    assert told["involuntary_per_s"] >= 0
    slices = told["slices"]
    assert [len(slices[key]) for key in ("core_share", "wakeups_per_s", "pace_ms")] == [10] * 3
    assert min(slices["pace_ms"]) > 0
    assert 10 < told["rss_mb"] <= told["peak_rss_mb"] < 300
    assert (told["skipped_hops"], told["dropped_samples"]) == (0, 0)


@pytest.mark.skipif(not is_there(), reason="no pulseaudio")
def test_a_microphone_is_heard_where_there_is_one(tiny_artifact: Artifact, system: System) -> None:
    samples, sample_rate = read_audio(DEMO_CLIP)
    sound = resample(samples, sample_rate, 48_000)
    pcm = np.repeat((sound * 32767).astype("<i2")[:, None], 2, axis=1).tobytes()
    with pulse_server() as server, server.playing(pcm):
        told = listen_live(
            tiny_artifact.path, "numpy", system, duration_s=1.0, environ=server.environ
        )
    assert (told["source"], told["source_reason"]) == ("microphone", None)
    assert told["decisions"] >= 1


def test_without_a_microphone_the_reason_is_told(
    tiny_artifact: Artifact, system: System, tmp_path: Path
) -> None:
    (tmp_path / "sounddevice.py").write_text("raise OSError('PortAudio library not found')")
    paths = filter(None, [str(tmp_path), os.environ.get("PYTHONPATH")])
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    with pytest.raises(EdgeSerError, match=r"does not listen: .*PortAudio"):
        listen_live(tiny_artifact.path, "numpy", system, source="mic", environ=environ)


def test_what_cannot_be_watched_is_one_sentence(tiny_artifact: Artifact, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"watched for 0.5 s, 1 s or more is wanted"):
        listen_live(tiny_artifact.path, "numpy", fake_system(tmp_path), duration_s=0.5)
    with pytest.raises(EdgeSerError, match="watched through /proc, which is not there"):
        listen_live(tiny_artifact.path, "numpy", fake_system(tmp_path), source="demo")


STAT = "7 (edge (ser) 1) S 1 7 7 0 -1 4194304 99 0 0 0 {} {} 0 0 20 0 2 0 1 2 3\n"


def test_processor_time_and_wake_ups_are_those_of_all_threads(tmp_path: Path) -> None:
    def read(user: int, system: int, tasks: dict[int, tuple[int, int, int]]) -> object:
        files = {
            "/proc/7/stat": STAT.format(user, system),
            "/proc/7/status": "Name:\tedge\nVmHWM:\t   60000 kB\nVmRSS:\t   50000 kB\n",
        }
        for task, (ran_ns, voluntary, involuntary) in tasks.items():
            files[f"/proc/7/task/{task}/schedstat"] = f"{ran_ns} 5 9"
            files[f"/proc/7/task/{task}/status"] = (
                f"voluntary_ctxt_switches:\t{voluntary}\n"
                f"nonvoluntary_ctxt_switches:\t{involuntary}\n"
            )
        use = read_process(fake_system(tmp_path, files), 7)
        assert use is not None
        return use

    before = read(100, 50, {7: (10**9, 100, 10)})
    after = read(130, 60, {7: (13 * 10**8, 160, 12), 8: (10**8, 40, 1)})
    assert after.used_s(before) == pytest.approx(0.4)
    assert after.switches(before) == (100, 3)
    assert (after.rss_mb, after.peak_rss_mb) == (51.2, 61.44)
    # A thread that has ended took its nanoseconds with it: the process's own steps count.
    gone = read(100, 50, {7: (10**9, 100, 10), 9: (1, 1, 1)})
    assert after.used_s(gone) == pytest.approx(40 / os.sysconf("SC_CLK_TCK"))


@needs_proc
def test_this_process_can_be_read_and_one_that_has_ended_cannot(system: System) -> None:
    use = read_process(system, os.getpid())
    assert use is not None
    assert use.user_s + use.system_s > 0
    assert use.rss_mb > 10
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    assert read_process(system, child.pid) is None
