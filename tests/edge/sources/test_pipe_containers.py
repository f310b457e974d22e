"""What is neither WAV nor raw samples is refused by name, with a line that works."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pytest
from pipe_bytes import RATE, VOICE, heard, int16

from edge.audio.file import write_wav
from edge.errors import AudioFileError

#: Suffix, what ffmpeg is told beside it, and what the pipe is called.
KINDS = {
    "ogg": ((), "OggS"),
    "opus": ((), "OggS"),
    "flac": ((), "fLaC"),
    "mp3": ((), r"ID3 \(MP3\)"),
    "noid3.mp3": (("-id3v2_version", "0", "-write_xing", "0"), "frames of MP3"),
    "m4a": ((), r"ftyp \(MP4 or M4A\)"),
    "fast.m4a": (("-movflags", "faststart"), r"ftyp \(MP4 or M4A\)"),
    "mov": ((), r"ftyp \(MP4 or M4A\)"),
    "webm": ((), r"EBML \(WebM or Matroska\)"),
    "mka": ((), r"EBML \(WebM or Matroska\)"),
    "aiff": ((), r"FORM \(AIFF\)"),
    "caf": ((), "caff"),
    "au": ((), r"\.snd \(AU\)"),
    "w64": ((), r"riff \(Wave64\)"),
    "avi": (("-c:a", "pcm_s16le"), r"RIFF \(AVI\)"),
    "aac": ((), "frames of AAC"),
    "ac3": ((), "frames of AC-3"),
    "ts": ((), "packets of an MPEG transport stream"),
    "wma": ((), r"ASF \(Windows Media Audio\)"),
    "flv": (("-ar", "44100"), "FLV"),
    "wv": ((), r"wvpk \(WavPack\)"),
    "tta": ((), "TTA1"),
}


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clip") / "clip.wav"
    write_wav(path, np.tile(VOICE, 2), RATE)
    return path


@pytest.fixture(scope="module")
def containers(clip: Path) -> Path:
    """The folder of all that this ffmpeg writes, by one of it where it writes them all."""
    folder = clip.parent

    def write(*suffixes: str) -> int:
        words = ["ffmpeg", "-y", "-loglevel", "error", "-i", str(clip)]
        for suffix in suffixes:
            words += [*KINDS[suffix][0], str(folder / f"x.{suffix}")]
        return subprocess.run(words, check=False, capture_output=True, timeout=60).returncode

    if write(*KINDS):
        for suffix in KINDS:
            if write(suffix):
                (folder / f"x.{suffix}").unlink(missing_ok=True)
    return folder


def refused(data: bytes) -> str:
    """Give what is said of bytes, however they come, and before any of them is heard."""
    said = set()
    for cuts in ((), range(1, 2000), range(1, len(data), 4096)):
        with pytest.raises(AudioFileError) as told:
            heard(data, cuts)
        said.add(str(told.value))
    (sentence,) = said
    assert "\n" not in sentence
    return sentence


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
@pytest.mark.parametrize("suffix", KINDS)
def test_a_container_is_refused_by_name_and_the_line_works(suffix: str, containers: Path) -> None:
    _, mark = KINDS[suffix]
    path = containers / f"x.{suffix}"
    if not path.exists():
        pytest.skip("this ffmpeg does not write it")
    sentence = refused(path.read_bytes())
    assert re.search(f"starts with {mark}, the mark of an audio file", sentence) or (
        f"starts with {mark}, the mark" in sentence
    )
    (line,) = re.findall("`(.*)`", sentence)
    assert line.startswith("ffmpeg ")
    words = [str(path) if word == "FILE" else word for word in shlex.split(line)]
    with path.open("rb") as file:
        done = subprocess.run(words, stdin=file, stdout=subprocess.PIPE, check=True, timeout=60)
    samples, said = heard(done.stdout)
    assert samples.size == pytest.approx(2 * VOICE.size, abs=0.2 * RATE)
    assert float(np.abs(samples).max()) > 0.1
    assert said == []


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(100), r"PNG \(a picture\), which holds no sound"),
        (b"GIF89a" + bytes(100), r"GIF \(a picture\), which holds no sound"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(100), "JPEG"),
        (b"%PDF-1.7\n" + bytes(100), "PDF"),
        (b"MThd\0\0\0\6" + bytes(100), "MIDI"),
        (b"\x7fELF\2\1\1" + bytes(100), "ELF"),
        (b"\x28\xb5\x2f\xfd" + bytes(100), "unpack it first, such as with `zstd -dc FILE`"),
        (b"\xfd7zXZ\0" + bytes(100), "unpack it first, such as with `xz -dc FILE`"),
        (b"RIFF\x24\0\0\0RMIDdata" + bytes(100), "starts with RIFF"),
    ],
)
def test_what_holds_no_sound_is_named(data: bytes, match: str) -> None:
    assert re.search(match, refused(data))


@pytest.mark.parametrize(
    "text",
    [
        "usage: arecord [OPTION]... [FILE]...\n\n-h, --help              help\n" * 3,
        '<html><head><title>404 Not Found</title></head><body>no such stream</body></html>\n',
        "0.00312 0.00211 -0.00123 0.00013 0.00001\n" * 50,
        "Füße, Grüße, Straße: so viele Wörter, und keines davon ist zu hören, nicht eines\n",
        "no such file\n",
    ],
)  # fmt: skip
def test_text_is_no_sound(text: str) -> None:
    assert "is text, no sound" in refused(text.encode())


def test_a_packed_file_is_unpacked_first(clip: Path, tmp_path: Path) -> None:
    import bz2
    import gzip

    packed = {"gzip -dc": gzip.compress(clip.read_bytes()), "bzip2 -dc": bz2.compress(b"x" * 99)}
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.write(clip, "clip.wav")
    packed["unzip -p"] = (tmp_path / "x.zip").read_bytes()
    for command, data in packed.items():
        assert f"`{command} FILE`" in refused(data)


def test_the_line_is_that_of_the_options() -> None:
    data = b"fLaC" + bytes(100)
    with pytest.raises(AudioFileError, match=r"`ffmpeg .* -f f32le -ac 2 -ar 48000 -`"):
        heard(data, input_format="f32le", input_rate=48_000, n_channels=2)
    with pytest.raises(AudioFileError, match=r"`ffmpeg -loglevel error -i - -f wav -`"):
        heard(data, input_format="S24_LE")


def test_sound_is_never_kept_back_for_long() -> None:
    # Every beginning that a sound may have: letters, headers of frames, a level that stands still.
    for head in (
        b"ABCDEFGH" * 4,
        b"\xff\xfb\x90\x00",
        b"\xff\xf1\x50\x80\x2e\x7f\xfc\0",
        b"\x47\x40\x11\x10",
    ):
        data = head + int16().tobytes()
        samples, _ = heard(data, range(0, len(data), 512))
        np.testing.assert_array_equal(samples, np.frombuffer(data, "<i2") / np.float32(32768))
