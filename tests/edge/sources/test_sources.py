from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest
from runtime_fakes import voice

from edge.audio.file import write_wav
from edge.audio.full_band import resample_full_band
from edge.errors import AudioFileError
from edge.sources import Block, Gap, Stop
from edge.sources.file import FileSource
from edge.sources.stdin import StdinSource

CLIP = voice(8000)


def collect(source: object, stop: Stop | None = None) -> list[Block | Gap]:
    return list(source.blocks(stop or Stop()))


def joined(blocks: list[Block]) -> np.ndarray:
    return np.concatenate([block.samples for block in blocks if isinstance(block, Block)])


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.wav"
    write_wav(path, CLIP, 16_000)
    return path


@pytest.fixture
def pipe() -> Iterator[tuple[BinaryIO, BinaryIO]]:
    read_end, write_end = os.pipe()
    with os.fdopen(read_end, "rb") as reader, os.fdopen(write_end, "wb", buffering=0) as writer:
        yield reader, writer


def test_fast_file_gives_every_sample_and_never_waits(clip: Path) -> None:
    source = FileSource(clip, 16_000, fast=True)
    np.testing.assert_allclose(joined(collect(source)), CLIP, atol=1 / 32768)
    # Reading counts as waiting, and nothing else is.
    assert source.waited_s < 0.5 * CLIP.size / 16_000
    assert source.name == str(clip)


def test_paced_file_takes_as_long_as_it_lasts(clip: Path) -> None:
    source = FileSource(clip, 16_000)
    started_s = time.perf_counter()
    blocks = collect(source)
    elapsed_s = time.perf_counter() - started_s
    assert elapsed_s >= 0.49
    assert 0 < source.waited_s <= elapsed_s
    assert {block.samples.size for block in blocks[:-2]} == {512}
    assert np.array_equal(joined(blocks), joined(collect(FileSource(clip, 16_000, fast=True))))


def test_late_reader_loses_nothing_and_the_arrivals_tell(clip: Path) -> None:
    blocks = []
    for block in FileSource(clip, 16_000).blocks(Stop()):
        if not blocks:
            time.sleep(0.3)
            # The next blocks have been due all the while.
        elif len(blocks) == 1:
            assert time.perf_counter() - block.arrived_s > 0.2
        blocks.append(block)
    assert joined(blocks).size == 8000


@pytest.mark.parametrize("sample_rate", [8000, 44_100, 48_000])
@pytest.mark.parametrize("fast", [True, False])
def test_other_rates_arrive_resampled(tmp_path: Path, sample_rate: int, fast: bool) -> None:
    samples = voice(round(0.2 * sample_rate))
    write_wav(tmp_path / "clip.wav", samples, sample_rate)
    out = joined(collect(FileSource(tmp_path / "clip.wav", 16_000, fast=fast)))
    wanted = resample_full_band(samples, sample_rate, 16_000)
    assert out.size == wanted.size
    np.testing.assert_allclose(out, wanted, atol=2e-4)


def test_stop_ends_a_wait_at_once(clip: Path) -> None:
    stop = Stop()
    blocks = FileSource(clip, 16_000).blocks(stop)
    next(blocks)
    stop.request()
    assert list(blocks) == []


def test_missing_file_is_an_audio_file_error(tmp_path: Path) -> None:
    with pytest.raises(AudioFileError, match=r"none\.wav does not exist"):
        collect(FileSource(tmp_path / "none.wav", 16_000))


def test_raw_samples_come_back_from_a_pipe(pipe: tuple[BinaryIO, BinaryIO]) -> None:
    reader, writer = pipe
    whole = np.array([0, 1, -1, 32767, -32768], dtype="<i2")
    writer.write(whole.tobytes())
    writer.close()
    np.testing.assert_array_equal(joined(collect(StdinSource(reader, 16_000))), whole / 32768)


def test_half_a_sample_waits_for_its_other_half(
    pipe: tuple[BinaryIO, BinaryIO], monkeypatch: pytest.MonkeyPatch
) -> None:
    # The first to come is the word that nothing does.
    monkeypatch.setattr("edge.sources.stdin._STALLED_S", 0.1)
    reader, writer = pipe
    data = np.arange(1, 5, dtype="<i2").tobytes()
    source = StdinSource(reader, 16_000)
    blocks = source.blocks(Stop())
    writer.write(data[:3])
    first = next(blocks)
    writer.write(data[3:])
    writer.close()
    np.testing.assert_array_equal(joined([first, *blocks]) * 32768, [1, 2, 3, 4])


def test_odd_byte_at_the_end_is_reported(pipe: tuple[BinaryIO, BinaryIO]) -> None:
    reader, writer = pipe
    writer.write(b"\x01\x00\x02")
    writer.close()
    warnings: list[str] = []
    blocks = collect(StdinSource(reader, 16_000, warn=warnings.append))
    assert joined(blocks).tolist() == [1 / 32768]
    assert warnings == ["standard input ended with half a sample: its last byte was left out"]


def test_audio_file_on_a_pipe_is_refused(pipe: tuple[BinaryIO, BinaryIO], clip: Path) -> None:
    reader, writer = pipe
    writer.write(b"fLaC" + clip.read_bytes()[4:4000])
    with pytest.raises(AudioFileError, match="starts with fLaC"):
        collect(StdinSource(reader, 16_000))


def test_terminal_on_standard_input_is_refused() -> None:
    leader, follower = os.openpty()
    with os.fdopen(leader, "rb"), os.fdopen(follower, "rb") as terminal:  # noqa: SIM117
        with pytest.raises(AudioFileError, match="standard input is a terminal"):
            collect(StdinSource(terminal, 16_000))


def test_stop_ends_the_wait_for_a_silent_pipe(pipe: tuple[BinaryIO, BinaryIO]) -> None:
    reader, _ = pipe
    stop = Stop()
    timer = threading.Timer(0.1, stop.request)
    timer.start()
    source = StdinSource(reader, 16_000)
    assert collect(source, stop) == []
    assert source.waited_s > 0.05
    timer.join()
