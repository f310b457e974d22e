"""What ``--format`` calls the samples of a pipe that has no header."""

from __future__ import annotations

from edge.audio.pcm_format import FLOAT, PCM, PcmFormat
from edge.errors import ParameterError

__all__ = ["DEFAULT_FORMAT", "RAW_FORMATS", "canonical_format"]

#: By the names of ffmpeg, which GStreamer, PulseAudio and PipeWire share: ``s24le`` is 24 bits in
#: three bytes there.
RAW_FORMATS = {
    "s16le": PcmFormat(PCM, 2, 2),
    "s24le": PcmFormat(PCM, 3, 3),
    "s24_32le": PcmFormat(PCM, 3, 4, is_low_24=True),
    "s32le": PcmFormat(PCM, 4, 4),
    "f32le": PcmFormat(FLOAT, 4, 4),
}
DEFAULT_FORMAT = "s16le"

#: By ALSA's names, which arecord takes: its S24_LE is 24 bits in the low three bytes of four.
_ALSA = {
    "S16_LE": "s16le",
    "S24_3LE": "s24le",
    "S24_LE": "s24_32le",
    "S32_LE": "s32le",
    "FLOAT_LE": "f32le",
}


def canonical_format(text: str) -> str:
    """Give the name in :data:`RAW_FORMATS` for one that a person wrote, ALSA's among them.

    Raises
    ------
    ParameterError
        If there is no such format.
    """
    name = _ALSA.get(text, text)
    if name not in RAW_FORMATS:
        raise ParameterError(
            f"format is {text!r:.40}, one of {', '.join(RAW_FORMATS)} is wanted, or arecord's "
            f"{', '.join(_ALSA)}: others become s16le through ffmpeg"
        )
    return name
