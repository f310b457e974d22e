"""What is heard is kept where that was asked for, within its bounds, and nothing ends by it."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.audio.file import read_audio, write_wav
from edge.errors import AudioFileError, ParameterError
from edge.sources import Block, Gap
from edge.stream.status import Status
from edge.taps import SaveAudio
from edge.taps.recordings import HEADER_BYTES, Recordings

RATE = 16_000
#: 2026-03-01 12:00:00 UTC.
NOON_S = 1_772_366_400.0


class Clock:
    def __init__(self) -> None:
        self.now_s = NOON_S

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "kept"


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def saver(folder: Path, clock: Clock, said: list[str]) -> Callable[..., SaveAudio]:
    def make(max_mb: float = 100) -> SaveAudio:
        return SaveAudio(folder, RATE, max_mb, warn=said.append, now=clock)

    return make


def sound(n_samples: int, seed: int = 0) -> np.ndarray:
    values = np.random.default_rng(seed).integers(-(2**15), 2**15, n_samples)
    return (values / 32768).astype(np.float32)


def push(tap: SaveAudio, samples: np.ndarray, clock: Clock, n_block: int = 512) -> None:
    for start in range(0, samples.size, n_block):
        block = samples[start : start + n_block]
        clock.now_s += block.size / RATE
        tap(Block(block))


def names(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))


def test_what_was_heard_is_there_to_the_bit(
    saver: Callable[..., SaveAudio], folder: Path, clock: Clock
) -> None:
    samples = sound(40_000)
    with saver() as tap:
        push(tap, samples, clock, 1023)
    assert names(folder) == ["edge-ser-20260301T120000.000Z.wav"]
    kept, rate = read_audio(folder / names(folder)[0])
    assert rate == RATE
    np.testing.assert_array_equal(kept, samples)


def test_nobody_else_may_read_it(
    saver: Callable[..., SaveAudio], folder: Path, clock: Clock
) -> None:
    before = os.umask(0)
    try:
        with saver() as tap:
            push(tap, sound(1000), clock)
            (part,) = folder.iterdir()
            assert stat.S_IMODE(part.stat().st_mode) == 0o600
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    (kept,) = folder.iterdir()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_a_gap_and_a_source_that_was_away_begin_a_new_file(
    saver: Callable[..., SaveAudio], folder: Path, clock: Clock
) -> None:
    breaks: list[Gap | Status] = [Gap(16_000), Status("lost", "x"), Status("stalled", "x")]
    with saver() as tap:
        push(tap, sound(8000, 0), clock)
        tap(Status("channel", "channel 1 is listened to"))
        push(tap, sound(8000, 1), clock)
        for number, item in enumerate(breaks):
            tap(item)
            tap(Status("back", "x", away_s=1.0))
            clock.now_s += 1
            push(tap, sound(8000, 2 + number), clock)
    assert names(folder) == [
        "edge-ser-20260301T120000.000Z.wav",
        "edge-ser-20260301T120002.000Z.wav",
        "edge-ser-20260301T120003.500Z.wav",
        "edge-ser-20260301T120005.000Z.wav",
    ]
    assert [read_audio(folder / name)[0].size for name in names(folder)] == [16_000, *[8000] * 3]


def test_the_oldest_goes_and_the_bound_holds_at_any_time(
    saver: Callable[..., SaveAudio], folder: Path, clock: Clock
) -> None:
    samples = sound(RATE * 60)
    with saver(1) as tap:
        for start in range(0, samples.size, 4000):
            push(tap, samples[start : start + 4000], clock, 4000)
            assert sum(path.stat().st_size for path in folder.iterdir()) <= 1e6
    kept = np.concatenate([read_audio(folder / name)[0] for name in names(folder)])
    assert kept.size > 0.7 * 1e6 / 2
    np.testing.assert_array_equal(kept, samples[-kept.size :])


def test_a_clock_that_is_set_back_makes_nothing_new_the_oldest(
    saver: Callable[..., SaveAudio], folder: Path, clock: Clock
) -> None:
    with saver(1) as tap:
        push(tap, sound(RATE * 30, 0), clock, 4000)
        clock.now_s = NOON_S - 1e6
        late = sound(RATE * 20, 1)
        push(tap, late, clock, 4000)
        tap(Gap(1))
    late_names = [name for name in names(folder) if "202602" in name]
    kept = np.concatenate([read_audio(folder / name)[0] for name in late_names])
    # The piece that was being written has the first of it.
    assert kept.size > 0.9 * late.size
    np.testing.assert_array_equal(kept, late[-kept.size :])


def test_two_pieces_of_the_same_moment_are_two_files(
    saver: Callable[..., SaveAudio], folder: Path
) -> None:
    with saver() as tap:
        for _ in range(3):
            tap(Block(sound(1600)))
            tap(Gap(1))
    assert len(names(folder)) == 3


def test_only_what_it_wrote_itself_is_counted_and_deleted(
    saver: Callable[..., SaveAudio], folder: Path, clock: Clock, tmp_path: Path
) -> None:
    folder.mkdir()
    strangers = {
        "mine.wav": bytes(900_000),
        # Of the right name, but without the mark.
        "edge-ser-20200101T000000.000Z.wav": b"RIFF" + bytes(900_000),
        ".edge-ser-20200101T000000.000Z.wav.part": b"RIFF" + bytes(900_000),
        "edge-ser-20200101T000000.000Z.wav.txt": b"x",
    }
    for name, content in strangers.items():
        (folder / name).write_bytes(content)
    outside = tmp_path / "outside.wav"
    write_wav(outside, sound(1000), RATE)
    before = outside.read_bytes()
    (folder / "edge-ser-20200101T000001.000Z.wav").symlink_to(outside)
    (folder / ".edge-ser-20200101T000002.000Z.wav.part").symlink_to(outside)
    (folder / "edge-ser-20200101T000003.000Z.wav").mkdir()
    os.mkfifo(folder / "edge-ser-20200101T000004.000Z.wav")
    os.mkfifo(folder / ".edge-ser-20200101T000005.000Z.wav.part")
    with saver(1) as tap:
        push(tap, sound(RATE * 60), clock, 4000)
    for name, content in strangers.items():
        assert (folder / name).read_bytes() == content
    assert outside.read_bytes() == before
    assert (folder / "edge-ser-20200101T000001.000Z.wav").is_symlink()
    own = [name for name in names(folder) if name.startswith("edge-ser-2026")]
    assert 3 <= len(own) <= 4


def test_a_name_that_is_a_link_is_not_written_through(
    saver: Callable[..., SaveAudio], folder: Path, clock: Clock, tmp_path: Path
) -> None:
    folder.mkdir()
    target = tmp_path / "target"
    (folder / ".edge-ser-20260301T120000.000Z.wav.part").symlink_to(target)
    (folder / "edge-ser-20260301T120000.001Z.wav").symlink_to(target)
    with saver() as tap:
        push(tap, sound(1000), clock)
    assert not target.exists()
    assert "edge-ser-20260301T120000.002Z.wav" in names(folder)


def test_what_was_being_written_is_right_to_the_second_and_finished_by_the_next_start(
    saver: Callable[..., SaveAudio], folder: Path, clock: Clock
) -> None:
    samples = sound(RATE * 5 // 2)
    tap = saver()
    push(tap, samples, clock, 4000)
    (part,) = folder.iterdir()
    content = part.read_bytes()
    tap.close()
    for path in folder.iterdir():
        path.unlink()
    # As a power cut leaves it, in the middle of a sample.
    part.write_bytes(content + b"\1")
    warnings: list[str] = []
    as_is, _ = read_audio(part, warnings.append)
    np.testing.assert_array_equal(as_is, samples[: as_is.size])
    assert as_is.size >= 2 * RATE
    saver().close()
    assert names(folder) == ["edge-ser-20260301T120000.000Z.wav"]
    warnings = []
    kept, _ = read_audio(folder / names(folder)[0], warnings.append)
    assert warnings == []
    assert kept.size >= as_is.size
    np.testing.assert_array_equal(kept, samples[: kept.size])


def test_a_process_that_is_killed_leaves_a_file_that_the_next_one_finishes(folder: Path) -> None:
    code = (
        "import os, sys, numpy as np\n"
        "from edge.taps import SaveAudio\n"
        "from edge.sources import Block\n"
        "tap = SaveAudio(sys.argv[1], 16000)\n"
        "[tap(Block(np.full(4000, 0.25, np.float32))) for _ in range(9)]\n"
        "os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, folder], check=False, timeout=60)
    assert done.returncode == -9
    (part,) = names(folder)
    assert part.endswith(".part")
    SaveAudio(folder, RATE).close()
    (name,) = names(folder)
    kept, _ = read_audio(folder / name)
    assert kept.size >= 2 * RATE
    assert (kept == 0.25).all()


def test_what_another_process_is_writing_is_left_to_it(
    saver: Callable[..., SaveAudio], folder: Path, clock: Clock
) -> None:
    first = saver()
    push(first, sound(20_000), clock)
    second = saver()
    push(second, sound(20_000, 1), clock)
    assert len(names(folder)) == 2
    first.close()
    second.close()
    kept = [read_audio(folder / name)[0] for name in names(folder)]
    np.testing.assert_array_equal(kept[0], sound(20_000))
    np.testing.assert_array_equal(kept[1], sound(20_000, 1))


class FullDisk:
    """A file on a disk that is full after so many bytes."""

    def __init__(self, file: Any, n_left: int) -> None:
        self._file, self.n_left = file, n_left

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def write(self, data: bytes) -> int:
        if len(data) > self.n_left:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.n_left -= len(data)
        written: int = self._file.write(data)
        return written


@pytest.mark.parametrize("n_left", [0, HEADER_BYTES, 50_000])
def test_a_full_disk_is_one_sentence_and_what_is_there_stays(
    n_left: int,
    saver: Callable[..., SaveAudio],
    folder: Path,
    clock: Clock,
    said: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begin = Recordings.begin

    def full(self: Recordings, time_s: float) -> tuple[str, Any]:
        name, file = begin(self, time_s)
        return name, FullDisk(file, n_left)

    monkeypatch.setattr(Recordings, "begin", full)
    samples = sound(RATE * 10)
    with saver() as tap:
        push(tap, samples, clock)
        (sentence,) = said
        assert "is not saved in" in sentence
        assert "No space left on device" in sentence
        assert "listening goes on" in sentence
        assert tap.has_failed
        # A minute later there is room again.
        monkeypatch.setattr(Recordings, "begin", begin)
        monkeypatch.setattr("edge.taps.save_audio._AGAIN_S", 0.0)
        push(tap, samples, clock)
        assert said[1:] == ["what is heard is saved again"]
        assert not tap.has_failed
    kept = [read_audio(folder / name)[0] for name in names(folder)]
    np.testing.assert_array_equal(kept[-1], samples)
    assert len(kept) == (2 if n_left == 50_000 else 1)
    if len(kept) == 2:
        assert kept[0].size >= RATE
        np.testing.assert_array_equal(kept[0], samples[: kept[0].size])


@pytest.mark.parametrize("kind", ["file", "link", "below a file", "empty", "link/"])
def test_a_folder_that_cannot_be_used_is_one_sentence(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "x"
    if "file" in kind:
        path.write_text("")
    if "link" in kind:
        (tmp_path / "real").mkdir()
        path.symlink_to(tmp_path / "real")
    given = {"below a file": str(path / "y"), "empty": "", "link/": f"{path}/"}.get(kind, str(path))
    with pytest.raises((AudioFileError, ParameterError)) as told:
        SaveAudio(given, RATE)
    assert "\n" not in str(told.value)
    if kind == "link":
        assert "it is a link" in str(told.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="everything may be written to by root")
def test_a_folder_without_rights_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir(mode=0o500)
    with pytest.raises(AudioFileError, match="Permission denied"):
        SaveAudio(tmp_path / "x", RATE)


@pytest.mark.parametrize("max_mb", [0, -1, float("nan"), 1e10, True])
def test_a_bound_that_is_none_is_refused(max_mb: float, folder: Path) -> None:
    with pytest.raises(ParameterError, match="max_mb is"):
        SaveAudio(folder, RATE, max_mb)
    assert not folder.exists()
