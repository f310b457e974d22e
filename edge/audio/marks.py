"""The bytes that kinds of audio files begin with: for a file, and for a pipe that should be raw."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["MARKS", "Mark", "marked"]


class Mark(NamedTuple):
    """Bytes at the beginning of files of one kind."""

    at: int
    content: bytes
    #: What such a file is; None where :func:`edge.audio.wav_header.is_wav` has the say.
    kind: str | None
    #: What is said of a pipe that begins so; None where raw samples do as well, once in a while:
    #: with fewer than four bytes.
    in_a_pipe: str | None


#: The longer ones before those that they begin with.
MARKS = (
    Mark(8, b"AVI ", "AVI", "RIFF (AVI)"),
    Mark(0, b"RIFF", None, "RIFF"),
    Mark(0, b"RF64", None, "RF64"),
    Mark(0, b"BW64", None, "BW64"),
    Mark(0, b"RIFX", "RIFX", "RIFX"),
    Mark(0, b"riff\x2e\x91\xcf\x11", "Wave64", "riff (Wave64)"),
    Mark(0, b"fLaC", "FLAC", "fLaC"),
    Mark(0, b"OggS", "Ogg", "OggS"),
    Mark(0, b"FORM", "AIFF", "FORM (AIFF)"),
    Mark(0, b"caff", "CAF", "caff"),
    Mark(0, b".snd", "AU", ".snd (AU)"),
    Mark(0, b"NIST_1A", "SPHERE", "NIST_1A (SPHERE)"),
    Mark(0, b"ID3", "MP3", None),
    Mark(4, b"ftyp3g", "3GP", "ftyp (3GP)"),
    Mark(4, b"ftyp", "MP4 or M4A", "ftyp (MP4 or M4A)"),
    Mark(0, b"\x1a\x45\xdf\xa3", "WebM or Matroska", "EBML (WebM or Matroska)"),
    Mark(
        0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "Windows Media Audio", "ASF (Windows Media Audio)"
    ),
    Mark(0, b"#!AMR", "AMR", "#!AMR"),
    Mark(0, b"ADIF", "AAC", "ADIF (AAC)"),
    Mark(0, b"FLV\x01", "FLV", "FLV"),
    Mark(0, b"wvpk", "WavPack", "wvpk (WavPack)"),
    Mark(0, b"MAC ", "Monkey's Audio", "MAC (Monkey's Audio)"),
    Mark(0, b"TTA1", "True Audio", "TTA1"),
    Mark(0, b".RMF", "RealAudio", ".RMF (RealAudio)"),
    Mark(0, b"\x0b\x77", "AC-3", None),
)


def marked(head: bytes) -> list[Mark]:
    """Marks that a beginning bears, the most telling first."""
    return [each for each in MARKS if head[each.at : each.at + len(each.content)] == each.content]
