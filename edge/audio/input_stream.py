"""An input of PortAudio's, opened with what it offers and closed whatever became of it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from edge.audio.identity import InputDevice
from edge.audio.mixdown import AUTO, Channel
from edge.audio.portaudio import AwayError, Call, hush, portaudio_reason, turn, unhush
from edge.errors import AudioDeviceError, how_many

__all__ = ["InputStream", "candidates", "open_input"]

# More channels than any microphone array sold for speech: a sound server that takes whatever
# is asked for (32 with PulseAudio, 64 or 128 with PipeWire) and mixes and resamples by itself.
_MAX_CHANNELS = 16
# The rate such a server is asked for, since PortAudio cannot see what it runs at: that of most
# microphones, so that our resampler does the work. The server's is a quick one: recorded from a
# 48 kHz source, 16 kHz is 25 dB above its error there, 95 dB here (microphone_loopback.py).
_SERVER_RATE = 48_000
# Left to itself PortAudio calls 115 to 600 times a second (PulseAudio, measured with
# benchmarks/microphone/loopback.py's server); a feature hop's worth is all that anybody needs.
_BLOCK_S = 0.032
_CLOSE_LIMIT_S = 1.0

#: PortAudio's number for a rate that a device does not have.
_INVALID_RATE = -9997


class InputStream:
    """A stream that runs.

    Parameters
    ----------
    stream : sounddevice.RawInputStream
        Started.
    rate, n_channels : int
        As it was opened, in Hz and channels.
    """

    def __init__(self, stream: Any, rate: int, n_channels: int) -> None:
        self._stream = stream
        self.rate, self.n_channels = rate, n_channels

    def begin_close(self) -> Call:
        """Stop and close it in a thread: with a frozen server each of the two takes 30 s."""
        return Call(self._close)

    def close(self) -> None:
        """Stop and close it, within a second; what takes longer is left behind."""
        closing = self.begin_close()
        if not closing.wait(_CLOSE_LIMIT_S):
            closing.leave()

    def _close(self) -> None:
        # However long the turn takes: closing is never given up.
        try:
            with turn(-1):
                _end(self._stream)
        finally:
            unhush()


def candidates(
    device: InputDevice, channel: Channel, wanted_rate: int | None
) -> list[tuple[int, int]]:
    """Rates and channel counts to try: the device's own first.

    Parameters
    ----------
    device : InputDevice
    channel : int or str
        That is to be among them.
    wanted_rate : int or None
        In Hz; no other is tried then.
    """
    n_own, own_rate = device.n_channels, device.sample_rate
    least = channel + 1 if isinstance(channel, int) else 1
    if n_own <= _MAX_CHANNELS:
        counts, rates = [n_own, least], [own_rate, _SERVER_RATE]
    else:
        # A server mixes down what is not asked for, and what cancels is gone then.
        counts, rates = [2, 1] if channel == AUTO else [least], [_SERVER_RATE, own_rate]
        counts.append(n_own)
    if wanted_rate is not None:
        rates = [wanted_rate]
    return list(dict.fromkeys((rate, count) for rate in rates for count in counts))


def open_input(
    sd: Any,
    device: InputDevice,
    channel: Channel,
    wanted_rate: int | None,
    prepare: Callable[[int, int], tuple[Callable[..., None], Callable[[], None]]],
) -> InputStream:
    """Open and start a device; to be called hushed and in one's turn.

    Parameters
    ----------
    sd : module
        sounddevice.
    device : InputDevice
    channel, wanted_rate
        As for :func:`candidates`.
    prepare : callable
        Takes the rate and the number of channels that are tried now and gives the callback for
        blocks and the one for the end.

    Raises
    ------
    AudioDeviceError
        If it does not have the rate that was asked for.
    AwayError
        If it refuses for another reason.
    """
    failures: list[tuple[str, int | None]] = []
    for rate, n_channels in candidates(device, channel, wanted_rate):
        callback, finished = prepare(rate, n_channels)
        stream = None
        try:
            stream = sd.RawInputStream(
                samplerate=rate,
                channels=n_channels,
                device=device.index,
                dtype="float32",
                blocksize=max(1, round(rate * _BLOCK_S)),
                callback=callback,
                finished_callback=finished,
            )
            stream.start()
        except sd.PortAudioError as error:
            tried = f"at {rate} Hz, {how_many(n_channels, 'channel')}"
            number = error.args[1] if len(error.args) > 1 else None
            failures.append((f"{portaudio_reason(error)} {tried}", number))
            if stream is not None:
                _end(stream)
            continue
        # For as long as it is open: its thread prints when the device goes.
        hush()
        return InputStream(stream, rate, n_channels)
    reason = f"{device.name} refuses to open ({failures[0][0]}): "
    if wanted_rate is not None and all(number == _INVALID_RATE for _, number in failures):
        raise AudioDeviceError(
            f"{reason}its own rate is {device.sample_rate} Hz, leave the rate to it"
        )
    raise AwayError(f"{reason}close other programs that record from it, or name another device")


def _end(stream: Any) -> None:
    for end in (stream.abort, stream.close):
        # A device that is gone cannot be closed properly, and nobody needs to know.
        with contextlib.suppress(Exception):
            end()
