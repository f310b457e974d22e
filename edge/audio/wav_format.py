"""What the fmt chunk of a WAV file says, whatever of it is wrong."""

from __future__ import annotations

import dataclasses
import struct

from edge.audio.pcm_format import FLOAT, MOST_CHANNELS, PCM, PcmFormat
from edge.audio.rates import RANGE_HZ, is_recorders
from edge.audio.wav_codecs import coded
from edge.errors import AudioFileError, how_many

__all__ = ["WavFormat", "parse_format"]

_EXTENSIBLE = 0xFFFE
# The last 14 bytes of a sub-format GUID whose first two bytes are a format tag.
_TAG_GUID = bytes.fromhex("000000001000800000aa00389b71")


@dataclasses.dataclass(frozen=True, slots=True)
class WavFormat:
    """What a fmt chunk says.

    Parameters
    ----------
    form : PcmFormat
        How a sample is written.
    n_channels, sample_rate : int
    warnings : tuple of str
        What it says wrong.
    is_extensible : bool
        Whether it is WAVE_FORMAT_EXTENSIBLE, which arecord never writes.
    """

    form: PcmFormat
    n_channels: int
    sample_rate: int
    warnings: tuple[str, ...]
    is_extensible: bool = False

    @property
    def pcm_frame_bytes(self) -> int:
        """Bytes of a PCM frame, one sample of every channel."""
        return self.n_channels * self.form.container

    @property
    def bytes_per_s(self) -> int:
        """Bytes of a second of sound."""
        return self.sample_rate * self.pcm_frame_bytes

    def how_long(self, n_bytes: int) -> str:
        """Say how long so many bytes of samples last."""
        return f"{n_bytes / self.bytes_per_s:.1f} s"


def parse_format(body: bytes, name: str, mend: str) -> WavFormat:
    """Read a fmt chunk.

    Parameters
    ----------
    body : bytes
        Of the chunk; the first 64 bytes are enough.
    name : str
        What errors call the file.
    mend : str
        How it is converted where it is coded: the end of a sentence.

    Raises
    ------
    CodedWavError
        If the samples are neither integer PCM nor IEEE float.
    AudioFileError
        If the chunk is damaged, or holds what cannot be used.
    """
    if len(body) < 16:
        raise AudioFileError(
            f"{name} is a damaged WAV file: its fmt chunk has {how_many(len(body), 'byte')}, "
            "at least 16 are wanted"
        )
    tag, n_channels, rate, byte_rate, block, n_bits = struct.unpack_from("<HHIIHH", body)
    is_extensible = tag == _EXTENSIBLE
    if is_extensible:
        tag = _sub_format(body, name, mend)
    if tag not in (PCM, FLOAT):
        raise coded(name, tag, mend)
    if not is_recorders(rate):
        raise AudioFileError(
            f"{name} has a sample rate of {rate} Hz, {RANGE_HZ} are wanted: its header is damaged, "
            "or it holds no speech"
        )
    if not 1 <= n_channels <= MOST_CHANNELS:
        raise AudioFileError(f"{name} has {n_channels} channels, 1 to {MOST_CHANNELS} are wanted")
    # 12 or 20 bits sit at the top of the next whole byte count, so the width is all that matters.
    width = (n_bits + 7) // 8
    if width not in ((4, 8) if tag == FLOAT else (1, 2, 3, 4)):
        kind, wanted = ("float", "32 or 64") if tag == FLOAT else ("integer", "8, 16, 24 or 32")
        raise AudioFileError(
            f"{name} has {kind} samples of {how_many(n_bits, 'bit')}, {wanted} are wanted"
        )
    container = 4 if width == 3 and block == 4 * n_channels else width
    warnings = []
    right = n_channels * container
    if block != right:
        warnings.append(
            f"its header says that {how_many(n_channels, 'channel')} of "
            f"{how_many(n_bits, 'bit')} take {how_many(block, 'byte')}, {right} "
            f"{'was' if right == 1 else 'were'} taken"
        )
    elif byte_rate != min(rate * block, 2**32 - 1):
        warnings.append(
            f"its header says that a second takes {how_many(byte_rate, 'byte')}, {rate * block} "
            "were taken"
        )
    return WavFormat(
        PcmFormat(tag, width, container), n_channels, rate, tuple(warnings), is_extensible
    )


def _sub_format(body: bytes, name: str, mend: str) -> int:
    if len(body) < 40:
        raise AudioFileError(
            f"{name} is a damaged WAV file: its extensible fmt chunk has {len(body)} bytes, "
            "at least 40 are wanted"
        )
    if body[26:40] != _TAG_GUID:
        raise AudioFileError(f"{name} has an unknown sub-format {body[24:40].hex()}; {mend}")
    tag: int = struct.unpack_from("<H", body, 24)[0]
    return tag
