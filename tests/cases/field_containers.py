"""Cases of other rates, of other containers and codecs, and what soundfile makes."""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
from field_case import NO_LABEL, TELEPHONE, Case, at_rate
from wav_bytes import RATE, chunk, fmt, int16, riff

__all__ = ["by_soundfile", "containers", "rates"]


def rates(voice: np.ndarray) -> Iterator[Case]:
    def file(rate: int) -> bytes:
        return riff(fmt(rate=rate), chunk(b"data", int16(at_rate(voice, rate))))

    for rate in (22_050, 24_000, 32_000, 44_100, 48_000, 96_000, 192_000):
        yield Case(f"rate{rate}.wav", file(rate))
    for rate, band in (
        (2_000, r"1\.0"),
        (4_000, r"2\.0"),
        (6_000, r"3\.\d"),
        (8_000, r"[34]\.\d"),
        (11_025, r"5\.\d"),
        (12_000, r"[56]\.\d"),
    ):
        yield Case(
            f"rate{rate}.wav",
            file(rate),
            within=NO_LABEL,
            warning=f"nothing above {band} kHz (was heard|is in a recording)",
        )
    # Too short to be heard, the rate itself tells.
    for rate in (8_000, 11_025):
        short = at_rate(voice, rate)[: round(0.6 * rate)]
        yield Case(
            f"rate{rate}_short.wav",
            riff(fmt(rate=rate), chunk(b"data", int16(short))),
            within=NO_LABEL,
            warning=f"is in a recording of {rate} Hz",
        )
    # Resampled from there, it lacks as much.
    back = at_rate(at_rate(voice, 8_000)[: voice.size // 2], RATE * 2)[: voice.size]
    yield Case(
        "rate8000to16000.wav",
        riff(fmt(), chunk(b"data", int16(back))),
        within=NO_LABEL,
        warning=TELEPHONE,
    )


def containers(voice: np.ndarray) -> Iterator[Case]:
    """Kinds that nothing here reads: their first bytes are enough to name them."""
    rest = int16(voice[:2000])
    for kind, head, said in (
        ("m4a", b"\0\0\0\x20ftypM4A \0\0\0\0M4A mp42isom", "MP4 or M4A"),
        ("mp4", b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2", "MP4 or M4A"),
        ("3gp", b"\0\0\0\x18ftyp3gp4\0\0\0\0isom3gp4", "3GP"),
        ("webm", b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01", "WebM or Matroska"),
        ("mkv", b"\x1a\x45\xdf\xa3\x01\0\0\0\0\0\0\x23", "WebM or Matroska"),
        ("aac", b"\xff\xf1\x50\x80\x2e\x7f\xfc", "AAC"),
        ("wma", bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c"), "Windows Media Audio"),
        ("amr", b"#!AMR\n<\x91\x17\x16\xbe\x66", "AMR"),
        ("awb", b"#!AMR-WB\n\x04", "AMR"),
        ("ape", b"MAC \x96\x0f\0\0", "Monkey's Audio"),
        ("wv", b"wvpk\x20\0\0\0\x10\x04", "WavPack"),
        ("ac3", b"\x0b\x77\x5e\x2c\x1c\x40", "AC-3"),
    ):
        for name in (f"phone.{kind}", f"phone {kind}'s named.wav"):
            yield Case(
                name, head + rest, error=f"is {said}, which cannot be read here; .*`ffmpeg -i "
            )
    for tag, codec in ((0x0161, "Windows Media Audio"), (0x00FF, "AAC"), (0x7777, "an unknown")):
        yield Case(
            f"coded {tag:04x}.wav",
            riff(fmt(tag), chunk(b"data", rest)),
            error=f"(is coded as {codec}|cannot be decoded).*`ffmpeg -i ",
        )


def by_soundfile(voice: np.ndarray) -> list[Case]:
    """Kinds that soundfile reads, made by it; none where it is not installed."""
    try:
        import soundfile
    except (ImportError, OSError):
        return []
    kinds = soundfile.available_formats()

    def file(kind: str, coding: str, rate: int = RATE) -> bytes:
        samples = at_rate(voice, rate) if rate != RATE else voice
        target = io.BytesIO()
        soundfile.write(target, samples, rate, format=kind, subtype=coding)
        return target.getvalue()

    found = []
    for kind, coding, suffix, within in (
        ("AU", "PCM_16", "au", 0.02),
        ("AIFF", "PCM_16", "aiff", 0.02),
        ("W64", "PCM_16", "w64", 0.02),
        ("CAF", "PCM_16", "caf", 0.02),
        ("FLAC", "PCM_16", "flac", 0.02),
        ("FLAC", "PCM_24", "24.flac", 0.02),
        ("RF64", "PCM_16", "rf64", 0.02),
        ("OGG", "VORBIS", "ogg", 1.0),
        ("OGG", "OPUS", "opus", 1.0),
        ("MP3", "MPEG_LAYER_III", "mp3", 1.0),
    ):
        if kind not in kinds or coding not in soundfile.available_subtypes(kind):
            continue
        content = file(kind, coding)
        # A lossy codec takes from the upper band what it likes: told or not, the label stays.
        warning = None if within < 1 else "|nothing above"
        for name in (f"phone.{suffix}", f"{suffix}_named.wav"):
            found.append(Case(name, content, within, warning=warning))
    for coding, name in (
        ("ALAW", "alaw"), ("ULAW", "ulaw"), ("IMA_ADPCM", "ima"), ("MS_ADPCM", "ms"),
        ("GSM610", "gsm"),
    ):  # fmt: skip
        if coding in soundfile.available_subtypes("WAV"):
            content = file("WAV", coding, 8_000)
            found.append(Case(f"{name}.wav", content, NO_LABEL, warning=TELEPHONE))
    if "G721_32" in soundfile.available_subtypes("AU"):
        found.append(Case("g721.au", file("AU", "G721_32", 8_000), NO_LABEL, warning=TELEPHONE))
    return found
