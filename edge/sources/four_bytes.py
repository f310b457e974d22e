"""Samples in four bytes whose header does not say where 24 bits lie in them: arecord's S24_LE."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from edge.audio.pcm_checks import LOW_24, holds_floats, is_low_24
from edge.audio.pcm_format import FLOAT, PcmFormat
from edge.audio.wav_format import WavFormat
from edge.errors import AudioFileError

__all__ = ["FourBytes"]

#: Seconds with sound that are kept back until it is clear; a header of 32 bits says less.
_HELD_S = {3: 0.25, 4: 1.0}


class FourBytes:
    """Tells 24 bits in the low three bytes from 24 or 32 bits at the top.

    A file is looked at from end to end, a stream is not: the first stretch with sound decides, and
    a sample that cannot be one of 24 bits decides anew.

    Parameters
    ----------
    found : WavFormat
        What the header says.
    name : str
        What errors call the stream.
    warn : callable
        Takes what was found.
    """

    def __init__(self, found: WavFormat, name: str, warn: Callable[[str], None]) -> None:
        self._form = form = found.form
        self._name, self._warn = name, warn
        self._held = b""
        self._n_stretch = 0
        # arecord writes the plain header, others the extensible one where 24 of 32 bits hold sound.
        if form.container == 4 and form.tag != FLOAT:
            self._n_stretch = round(_HELD_S[form.width] * found.sample_rate) * 4 * found.n_channels
        self._may_be_low = form.width == 3 or not found.is_extensible

    def push(self, raw: bytes) -> list[tuple[PcmFormat, bytes]]:
        """Take whole samples and give those of which is known how they are written.

        Raises
        ------
        AudioFileError
            If they are floats.
        """
        if not self._n_stretch:
            return self._known(raw)
        self._held += raw
        ready: list[tuple[PcmFormat, bytes]] = []
        while self._n_stretch and len(self._held) >= self._n_stretch:
            ready += self._settle(self._n_stretch)
        return ready

    def flush(self) -> list[tuple[PcmFormat, bytes]]:
        """End the stream: what was kept back."""
        return self._settle(len(self._held)) if self._held else []

    def _settle(self, n_bytes: int) -> list[tuple[PcmFormat, bytes]]:
        """Decide on a stretch, unless it is silence, and let go of it and all behind it."""
        values = np.frombuffer(self._held[:n_bytes], dtype="<i4")
        if not values.any():
            stretch, self._held = self._held[:n_bytes], self._held[n_bytes:]
            return [(self._form, stretch)]
        if holds_floats(values):
            raise AudioFileError(
                f"{self._name} says that its samples are whole numbers of 32 bits and holds "
                "floats: write 16-bit PCM into the pipe"
            )
        if self._may_be_low and self._is_low(values):
            self._form = dataclasses.replace(self._form, is_low_24=True)
            self._warn(f"{self._name}: {LOW_24}")
        self._n_stretch = 0
        held, self._held = self._held, b""
        return self._known(held)

    def _is_low(self, values: np.ndarray) -> bool:
        if self._form.width == 4 and not (values & 0xFF).any():
            # A microphone of 24 bits at the top in a room where nobody speaks yet.
            return False
        return is_low_24(values, self._form.width)

    def _known(self, raw: bytes) -> list[tuple[PcmFormat, bytes]]:
        if not self._form.is_low_24 or not raw:
            return [(self._form, raw)]
        beyond = np.flatnonzero(np.abs((np.frombuffer(raw, dtype="<i4") >> 24) + 0.5) > 1)
        if not beyond.size:
            return [(self._form, raw)]
        first = 4 * int(beyond[0])
        parts = [(self._form, raw[:first])]
        self._form = dataclasses.replace(self._form, is_low_24=False)
        self._warn(
            f"{self._name}: its samples turned out to be larger than 24 bits and are taken as 32 "
            "bits from here on"
        )
        return [*parts, (self._form, raw[first:])]
