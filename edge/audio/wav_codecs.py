"""Codecs that stand in WAV files, by their format tags, and what is raised at one."""

from __future__ import annotations

from edge.errors import AudioFileError

__all__ = ["CodedWavError", "coded"]

_CODECS = {
    0x0002: "Microsoft ADPCM",
    0x0006: "A-law",
    0x0007: "mu-law",
    0x0011: "IMA ADPCM",
    0x0031: "GSM 6.10",
    0x0050: "MPEG audio",
    0x0055: "MP3",
    0x00FF: "AAC",
    0x0161: "Windows Media Audio",
    0x2000: "AC-3",
    0x674F: "Ogg Vorbis",
}
#: What libsndfile is known to decode.
_DECODABLE = frozenset({0x0002, 0x0006, 0x0007, 0x0011, 0x0031})


class CodedWavError(AudioFileError):
    """The samples are coded: another reader may know how."""

    #: Whether libsndfile is known to.
    is_decodable = False


def coded(name: str, tag: int, mend: str) -> CodedWavError:
    """Make the error that names a file's codec; ``mend`` says how the file is converted."""
    codec = _CODECS.get(tag, "an unknown codec")
    error = CodedWavError(f"{name} is coded as {codec} (format tag {tag}); {mend}")
    error.is_decodable = tag in _DECODABLE
    return error
