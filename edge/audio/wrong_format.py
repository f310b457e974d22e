"""Samples that are noise as what they are said to be and sound as something else."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from edge.audio.pcm import decode
from edge.audio.pcm_checks import holds_floats
from edge.audio.pcm_format import FLOAT, PcmFormat
from edge.audio.raw_formats import RAW_FORMATS

__all__ = ["STRETCH_BYTES", "WrongFormat", "wrong_header"]

#: Bytes a channel that are looked at together, a second of 16 kHz in 16 bits: whole samples of two,
#: three and four bytes.
STRETCH_BYTES = 2730 * 12
#: Stretches with sound that are looked at.
_N_LOOKS = 3
#: Mean difference of neighbours by root-mean-square: white noise has 1.41, speech at 8 kHz 0.8 at
#: most over a second, at 48 kHz 0.1.
_ROUGH, _SMOOTH = 1.15, 0.85
#: Noise of a wrong format is loud; what is softer may be a room's.
_LOUD = 0.2
#: Samples of 16 bits whose bytes stand the other way round, or that begin in the middle of one.
TURNED = "turned"
TURNED_WORDS = (
    "the two bytes of its samples stand the other way round, or its first one was half a sample"
)
#: Sound in another reading: above -74 dBFS, and no tone of a generator.
_LEAST, _N_DIFFERENT = 2e-4, 500


class WrongFormat:
    """Says once that samples of a pipe are of another format, where that is beyond doubt.

    Parameters
    ----------
    form : PcmFormat
        As they are said to be.
    n_channels : int
    has_header : bool
        Whether a WAV header says so, rather than a person.
    """

    def __init__(self, form: PcmFormat, n_channels: int, *, has_header: bool = False) -> None:
        self._form, self._n_channels, self._has_header = form, n_channels, has_header
        self._n_stretch = STRETCH_BYTES * n_channels
        self._stretch = b""
        self._n_left = _N_LOOKS

    def push(self, raw: bytes) -> str | None:
        """Listen to whole PCM frames as they come; the sentence, once."""
        while self._n_left and raw:
            n = self._n_stretch - len(self._stretch)
            self._stretch, raw = self._stretch + raw[:n], raw[n:]
            if len(self._stretch) < self._n_stretch:
                return None
            stretch, self._stretch = self._stretch, b""
            if not any(stretch):
                continue
            self._n_left -= 1
            said = self.look(stretch)
            if said is not None:
                self._n_left = 0
                return said
        return None

    def look(self, raw: bytes) -> str | None:
        """Say what bytes from the middle of a stream are, where they are not as is said.

        Too few of them are as is said.
        """
        if self._has_header:
            return wrong_header(raw, self._form, self._n_channels)
        given = _read(raw, self._form)
        if self._n_channels == 1 and _is_doubled(given):
            return (
                "every sample comes twice: give --channels 2 if they are two channels alike, or "
                "half the rate"
            )
        if self._form == RAW_FORMATS["s32le"] and holds_floats(np.frombuffer(raw, dtype="<i4")):
            return _mend(self._form, "f32le")
        right = other_reading(raw, self._form, self._n_channels)
        if right == TURNED:
            return f"{TURNED_WORDS}: begin it anew, or write s16le instead of s16be"
        return None if right is None else _mend(self._form, right)


def wrong_header(raw: bytes, form: PcmFormat, n_channels: int) -> str | None:
    """Say that a WAV header makes noise of sound, where :func:`other_reading` has another one.

    Of whole numbers alone: floats that are none are refused elsewhere.
    """
    if form.tag == FLOAT or form not in RAW_FORMATS.values():
        return None
    other = other_reading(raw, form, n_channels)
    if other is None:
        return None
    noise = f"its samples are noise as its header has them and sound as {other}"
    what = TURNED_WORDS if other == TURNED else noise
    return f"{what}: nothing said of it is right, write it again"


def other_reading(raw: bytes, form: PcmFormat, n_channels: int) -> str | None:
    """Say what bytes of samples are, where they are not as is said and that is beyond doubt.

    Parameters
    ----------
    raw : bytes
        :data:`STRETCH_BYTES` a channel or so, from the middle of a recording.
    form : PcmFormat
        As they are said to be.
    n_channels : int

    Returns
    -------
    str or None
        A name of ``RAW_FORMATS``, or :data:`TURNED`.
    """
    given = _read(raw, form)
    if _is_in_scale(given) and (_rms(given) < _LOUD or _roughness(given, n_channels) < _ROUGH):
        return None
    best: tuple[float, str | None] = (_SMOOTH, None)
    for name, values in _readings(raw, form):
        if _is_in_scale(values) and _is_sound(values):
            roughness = _roughness(values, n_channels)
            best = (roughness, name) if roughness < best[0] else best
    return best[1]


def _roughness(values: NDArray[np.float64], n_channels: int) -> float:
    """How much neighbours of a channel differ, in the smoothest of them."""
    # A channel may be noise, beside one that somebody speaks into.
    channels = values[: values.size // n_channels * n_channels].reshape(-1, n_channels).T
    return min(_rms(np.diff(each)) / max(_rms(each), 1e-12) for each in channels)


def _readings(raw: bytes, form: PcmFormat) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """What else the bytes may be."""
    four = np.frombuffer(raw[: len(raw) // 4 * 4], dtype="<i4")
    # The bits of floats look much like whole numbers.
    left_out = (form, RAW_FORMATS["s32le"] if holds_floats(four) else None)
    for name, other in RAW_FORMATS.items():
        if other not in left_out:
            yield name, _read(raw, other)
    if form == RAW_FORMATS["s16le"]:
        yield TURNED, np.frombuffer(raw[: len(raw) // 2 * 2], dtype=">i2") / 32768.0


def _read(raw: bytes, form: PcmFormat) -> NDArray[np.float64]:
    n_whole = len(raw) // form.container * form.container
    with np.errstate(invalid="ignore"):  # a float of another reading may be no number
        return decode(raw[:n_whole], form).astype(np.float64)


def _mend(given: PcmFormat, right: str) -> str:
    name = next(name for name, form in RAW_FORMATS.items() if form == given)
    return f"its samples are noise as {name} and sound as {right}: give --format {right}"


def _is_in_scale(values: NDArray[np.float64]) -> bool:
    """Whether numbers are samples within full scale."""
    return bool(np.isfinite(values).all()) and float(np.abs(values).max(initial=0.0)) < 1.5


def _is_sound(values: NDArray[np.float64]) -> bool:
    """Whether samples are louder than nothing and many different ones."""
    return _rms(values - values.mean()) > _LEAST and np.unique(values).size > _N_DIFFERENT


def _is_doubled(values: NDArray[np.float64]) -> bool:
    """Whether every sample stands beside its like, and not beside the next pair's."""
    pairs = values[: values.size // 2 * 2].reshape(-1, 2)
    if len(pairs) < _N_DIFFERENT:
        return False
    same = pairs[:, 0] == pairs[:, 1]
    moves = pairs[1:, 0] != pairs[:-1, 1]
    return bool(same.all()) and float(moves.mean()) > 0.5


def _rms(values: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.mean(values**2))) if values.size else 0.0
