"""Raw samples on standard input, in any pieces, and what is not raw samples."""

from __future__ import annotations

import io
import itertools
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from runtime_fakes import complaint

from edge.cli.main import main
from edge.errors import AudioFileError
from edge.sources import Block, Stop
from edge.sources.container_marks import container_mark
from edge.sources.stdin import StdinSource


def read_back(pieces: Iterable[bytes]) -> np.ndarray:
    """Through a pipe, a piece at a time."""
    read_end, write_end = os.pipe()

    def write() -> None:
        with os.fdopen(write_end, "wb", buffering=0) as writer:
            for piece in pieces:
                try:
                    writer.write(piece)
                except BrokenPipeError:
                    return

    writer = threading.Thread(target=write)
    writer.start()
    try:
        with os.fdopen(read_end, "rb") as reader:
            blocks = list(StdinSource(reader, 16_000).blocks(Stop()))
    finally:
        writer.join()
    assert all(isinstance(block, Block) for block in blocks)
    return np.concatenate([block.samples for block in blocks])


@settings(deadline=None, max_examples=40)
@given(
    n_samples=st.integers(1, 9000),
    cuts=st.lists(st.integers(1, 17_999), max_size=8),
    seed=st.integers(0, 99),
)
def test_any_cut_gives_the_same_samples(n_samples: int, cuts: list[int], seed: int) -> None:
    whole = np.random.default_rng(seed).integers(-(2**15), 2**15, n_samples).astype("<i2")
    data = whole.tobytes()
    places = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
    got = read_back(data[a:b] for a, b in itertools.pairwise(places))
    np.testing.assert_array_equal(got, whole / 32768)


def adts(n_bytes: int, n_frames: int = 6) -> bytes:
    head = bytearray(b"\xff\xf1\x50\x80\x00\x1f\xfc")
    head[3] |= n_bytes >> 11
    head[4] = n_bytes >> 3 & 255
    head[5] |= (n_bytes & 7) << 5
    return (bytes(head) + bytes(n_bytes - 7)) * n_frames


def mp3(third: int, n_bytes: int, n_frames: int = 6) -> bytes:
    return (bytes([0xFF, 0xFB, third, 0]) + bytes(n_bytes - 4)) * n_frames


CONTAINERS = {
    "RIFF": b"RIFF\x24\x00\x00\x00RMIDdata",
    "RF64": b"RF64\xff\xff\xff\xffAIFF",
    "Wave64": b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb",
    "fLaC": b"fLaC\x00\x00\x00\x22",
    "OggS": b"OggS\x00\x02",
    "ftyp": b"\x00\x00\x00\x20ftypM4A \x00",
    "WebM": b"\x1a\x45\xdf\xa3\x9f\x42",
    "ID3": b"ID3\x04\x00\x00\x00\x00\x02\x01",
    "frames of AAC": adts(371),
    "frames of AAC ": adts(2999),
    "frames of MP3": mp3(0x90, 417),
    "frames of MP3 ": mp3(0xE4, 960),
    "caff": b"caff\x00\x01\x00\x00desc",
    "FORM": b"FORM\x00\x00\x10\x00AIFF",
    ".snd": b".snd\x00\x00\x00\x18",
    "#!AMR": b"#!AMR-WB\n",
    "ASF": b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9",
}


@pytest.mark.parametrize("n_at_a_time", [1, 3, 100_000])
@pytest.mark.parametrize("mark", CONTAINERS)
def test_an_audio_file_is_refused_however_it_comes(mark: str, n_at_a_time: int) -> None:
    # Longer than the frames that are judged, for those kinds that are judged by frames.
    data = CONTAINERS[mark] + (bytes(5000) if "frames" not in mark else b"")
    pieces = (data[at : at + n_at_a_time] for at in range(0, len(data), n_at_a_time))
    with pytest.raises(AudioFileError, match=r"starts with .* -f s16le -ac 1 -ar 16000 -`") as told:
        read_back(pieces)
    assert mark.strip() in str(told.value)


def test_a_tag_of_id3_is_told_from_samples() -> None:
    assert container_mark(b"ID3\x04\x00\x00\x00\x00\x02\x01") == "ID3 (MP3)"
    assert container_mark(b"ID3\x04\x00\x00\x00\x00\xf2\x01") is None
    assert container_mark(b"ID3") is None


def test_samples_are_never_taken_for_a_file() -> None:
    rng = np.random.default_rng(4)
    for level in (1, 10, 300, 32_000):
        for _ in range(200):
            samples = rng.integers(-level, level, 6000).astype("<i2")
            assert container_mark(samples.tobytes()) is None
    # Constant levels, which sound cards give: every one.
    for value in range(-32_768, 32_768, 7):
        assert container_mark(np.full(600, value, "<i2").tobytes()) is None
    # One header of a frame, by chance.
    for header in (b"\xff\xf1\x50\x80\x2e\x7f\xfc", b"\xff\xfb\x90\x00"):
        assert container_mark(header + rng.bytes(9000)) is None


def test_what_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    for stream in (io.BytesIO(b"ab"), open(tmp_path / "closed", "wb+")):  # noqa: SIM115
        if not isinstance(stream, io.BytesIO):
            stream.close()
        with pytest.raises(AudioFileError, match="standard input cannot be read"):
            list(StdinSource(stream, 16_000).blocks(Stop()))


def test_waiting_for_a_pipe_is_no_work() -> None:
    def pieces() -> Iterable[bytes]:
        for _ in range(3):
            time.sleep(0.05)
            yield bytes(64)

    read_end, write_end = os.pipe()

    def write() -> None:
        with os.fdopen(write_end, "wb", buffering=0) as writer:
            for piece in pieces():
                writer.write(piece)

    thread = threading.Thread(target=write)
    with os.fdopen(read_end, "rb") as reader:
        source = StdinSource(reader, 16_000)
        thread.start()
        started_s = time.perf_counter()
        arrivals = []
        for block in source.blocks(Stop()):
            arrivals.append(block.arrived_s)
            time.sleep(0.02)  # work
        elapsed_s = time.perf_counter() - started_s
    thread.join()
    assert len(arrivals) == 3
    assert np.diff(arrivals).min() > 0.02
    assert source.waited_s == pytest.approx(elapsed_s - 3 * 0.02, abs=0.03)


@pytest.mark.parametrize("where", ["<&-"])
def test_no_standard_input_is_one_sentence(where: str, model: list[str]) -> None:
    command = f'"{sys.executable}" -m edge.cli.main listen --source - {" ".join(model)} {where}'
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 2
    last = done.stderr.splitlines()[-1]
    assert last.startswith("edge-ser: error: ")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("option", "match"),
    [
        ("--source", "source is empty"),
        ("--artifact", "empty"),
        ("--device", "--device is empty"),
        ("--backend", "backend is '', auto or one of"),
    ],
)
def test_an_empty_word_is_not_the_current_folder(
    option: str, match: str, model: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["listen", *(model if option != "--artifact" else []), option, ""]) == 2
    assert match in complaint(capsys.readouterr().err)
