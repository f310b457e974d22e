"""What is said of a pipe that brings what cannot be listened to, with the line that would work."""

from __future__ import annotations

__all__ = ["refusal", "through_ffmpeg"]

#: Told by their marks: no sound is in them.
_NO_SOUND = ("(a picture)", "(a document)", "(a program)", "(MIDI)")
_PACKED = ("(a compressed file)", "(a zip archive)", "(an archive)")
_UNPACK = {
    "gzip": "gzip -dc FILE",
    "BZh": "bzip2 -dc FILE",
    "xz": "xz -dc FILE",
    "zstd": "zstd -dc FILE",
    "PK": "unzip -p FILE",
    "7z": "7z x -so FILE",
    "Rar!": "unrar p -inul FILE",
}
#: Kinds whose index may lie at their end, which no pipe can reach before the sound is over.
_INDEXED = ("ftyp",)


def through_ffmpeg(name: str, n_channels: int, sample_rate: int, source: str = "-") -> str:
    """Write the line that makes raw samples of anything that ffmpeg reads.

    Parameters
    ----------
    name : str
        Format of the samples, which ffmpeg and ``--format`` call the same.
    n_channels, sample_rate : int
    source : str
        Of ffmpeg; ``-`` is its standard input.
    """
    # 24 bits in four bytes ffmpeg cannot write; a header says the rest.
    if name == "s24_32le":
        return f"`ffmpeg -loglevel error -i {source} -f wav -`"
    return f"`ffmpeg -loglevel error -i {source} -f {name} -ac {n_channels} -ar {sample_rate} -`"


def refusal(mark: str, name: str, n_channels: int, sample_rate: int) -> str:
    """Say that a pipe cannot be listened to, and what to do.

    Parameters
    ----------
    mark : str
        As :func:`edge.sources.container_marks.pipe_kind` gives it.
    name : str
        The format of raw samples that is wanted.
    n_channels, sample_rate : int
        Of those.

    Returns
    -------
    str
        One sentence.
    """
    channels = "mono" if n_channels == 1 else f"{n_channels} channels"
    kind = "raw 16-bit" if name == "s16le" else f"raw {name}"
    wanted = f"{kind} {channels} samples at {sample_rate} Hz or a WAV stream are wanted"
    if mark == "text":
        return (
            f"standard input is text, no sound; {wanted}: see whether what writes into the pipe "
            "says what failed"
        )
    begins = f"standard input starts with {mark}"
    if mark.endswith(_NO_SOUND):
        return f"{begins}, which holds no sound; {wanted}: see what writes into the pipe"
    if mark.endswith(_PACKED):
        line = _UNPACK[mark.split(maxsplit=1)[0]]
        return f"{begins}; {wanted}: unpack it first, such as with `{line}`"
    begins = f"{begins}, the mark of an audio file; {wanted}"
    if mark.startswith(_INDEXED):
        line = through_ffmpeg(name, n_channels, sample_rate, "FILE")
        return (
            f"{begins}: name the file instead of piping it, for its index may lie at its end, or "
            f"pipe in what comes from {line}"
        )
    line = through_ffmpeg(name, n_channels, sample_rate)
    return f"{begins}: name the file instead of piping it, or pipe it through {line}"
