"""An input device that comes back when it was away."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING

from edge.audio.portaudio import AwayError
from edge.audio.presence import boot_s
from edge.audio.recording import StalledError
from edge.errors import AudioDeviceError, ParameterError, how_many
from edge.sources.base import (
    BLOCK_SAMPLES,
    LISTEN_S,
    Block,
    Gap,
    SourceSettings,
    Status,
    Stop,
    do_nothing,
    say_nothing,
)
from edge.sources.opening import Opening
from edge.sources.outage import Outage
from edge.sources.stream_time import StreamTime

if TYPE_CHECKING:
    from edge.audio.capture import Recorded

__all__ = ["MicrophoneSource", "open_source"]

Said = Generator[Block | Gap | Status, None, None]

#: A machine that slept longer than this has lost sound.
_ASLEEP_S = 1.0


class MicrophoneSource:
    """An input device.

    Parameters
    ----------
    device : str or int, optional
        Identity, name or part of it, or index; None: the default input.
    sample_rate : int
        Rate of the blocks, in Hz.
    channel : int or str
        From 0, ``"mix"`` or ``"auto"``.
    capture_rate : int, optional
        Rate to open the device at, in Hz; None: its own.
    gain_db : float
        By how much the sound is made louder.
    give_up_after_s : float, optional
        Seconds without a microphone after which it is an error; None: it is waited for.
    opened : callable, optional
        Called with a description of the device once it records.
    attempted : callable, optional
        Called every few seconds while it is waited for.

    Notes
    -----
    Everything that PortAudio may be held up with is done in a thread, so that a stop ends it.
    """

    def __init__(
        self,
        device: str | int | None,
        sample_rate: int,
        *,
        channel: int | str = "auto",
        capture_rate: int | None = None,
        gain_db: float = 0.0,
        give_up_after_s: float | None = None,
        opened: Callable[[str], None] = say_nothing,
        attempted: Callable[[], None] = do_nothing,
    ) -> None:
        from edge.audio.microphone import Microphone

        if give_up_after_s is not None and not give_up_after_s >= 0:
            raise ParameterError(f"give_up_after_s is {give_up_after_s}, 0 or more is wanted")
        self.name = "the microphone"
        self.waited_s = 0.0
        self._sample_rate = sample_rate
        self._give_up_after_s = give_up_after_s
        self._opened = opened
        self._attempted = attempted
        self._microphone = Microphone(
            device, sample_rate, channel=channel, capture_rate=capture_rate, gain_db=gain_db
        )
        self._time = StreamTime(sample_rate)
        self._n_wanted = BLOCK_SAMPLES
        self._slept_s = 0.0

    def want(self, n_samples: int) -> None:
        """Take note of how many samples the next block is to have."""
        self._n_wanted = max(1, n_samples)

    def blocks(self, stop: Stop) -> Said:
        """Open the device and yield what it records; what it misses while it is away is a gap.

        Raises
        ------
        AudioDeviceError
            If several devices fit, it has no such rate or channel, PortAudio is missing, or it
            stayed away for ``give_up_after_s``.
        MissingDependencyError
            If sounddevice is not installed.
        """
        opening = Opening(self._microphone)
        self._slept_s = _slept_s()
        try:
            yield from self._until_heard(None, opening, stop)
            while not stop.requested:
                try:
                    recorded = self._take()
                except AwayError as error:
                    yield from self._until_heard(error, opening, stop)
                    continue
                yield from self._came(recorded)
            # What was there by now, and less than was wanted.
            with contextlib.suppress(AudioDeviceError):
                yield from self._came(self._microphone.take(0.0))
        finally:
            opening.leave()

    def _until_heard(self, error: AwayError | None, opening: Opening, stop: Stop) -> Said:
        """Open it, again and again, until it sends something; say what keeps it, once."""
        outage, limit_s = Outage(self._microphone, opening, error), self._give_up_after_s
        is_new, has_said = error is None, False
        while not stop.requested:
            reason = outage.reason
            if reason is not None and limit_s is not None and outage.away_s >= limit_s:
                raise AudioDeviceError(f"{reason}: given up after {limit_s:g} s")
            if reason is not None and not has_said:
                has_said = True
                kind = "waiting" if error is None else "lost"
                yield Status(kind, f"{reason}; listening goes on when it is there")
            if outage.is_alive:
                self._attempted()
            before_s = time.perf_counter()
            recorded = outage.step(stop)
            self.waited_s += time.perf_counter() - before_s
            if outage.is_open and is_new and not has_said:
                is_new = False
                self._opened(self._description())
            if recorded is not None:
                n_missing = self._time.resume(recorded.samples.size, _boot_time_s(recorded))
                away_s = n_missing / self._sample_rate if n_missing else outage.away_s
                if has_said:
                    sentence = f"listening to {self._description()} again after {_spoken(away_s)}"
                    yield Status("back", sentence, away_s)
                if n_missing:
                    yield Gap(n_missing, "the microphone was away", is_said=has_said)
                yield from self._heard(recorded)
                return

    def _take(self) -> Recorded:
        """Take what came; a machine that was asleep has lost the rest."""
        before_s = self._microphone.waited_s
        recorded = self._microphone.take(LISTEN_S, self._n_wanted)
        self.waited_s += self._microphone.waited_s - before_s
        slept_s = _slept_s()
        if slept_s - self._slept_s > _ASLEEP_S:
            self._slept_s = slept_s
            raise StalledError("the microphone was lost while this machine was asleep")
        return recorded

    def _came(self, recorded: Recorded) -> Said:
        """What was lost, and what was heard."""
        if recorded.n_lost:
            self._time.lost(recorded.n_lost)
            yield Gap(recorded.n_lost, recorded.reason)
        yield from self._heard(recorded)

    def _heard(self, recorded: Recorded) -> Said:
        """Blocks no longer than wanted, each with its own arrival: a backlog shows as latency."""
        samples = recorded.samples
        self._time.heard(samples.size, _boot_time_s(recorded))
        while samples.size:
            block, samples = samples[: self._n_wanted], samples[self._n_wanted :]
            arrived_s = recorded.arrived_s - samples.size / self._sample_rate
            # Nobody speaks more slowly because we do not keep up.
            yield Block(block, arrived_s, waits=False)
        for kind, sentence in self._microphone.news():
            yield Status(kind, sentence)

    def _description(self) -> str:
        """Name the device that is open, and how."""
        microphone = self._microphone
        if microphone.device is not None:
            self.name = microphone.device.name
        channels = how_many(microphone.n_channels, "channel")
        return f"{self.name} ({microphone.capture_rate} Hz, {channels})"


def _slept_s() -> float:
    """Seconds that this machine was asleep since it was started, and something constant."""
    return boot_s() - time.monotonic()


def _boot_time_s(recorded: Recorded) -> float:
    """When the last sample was there, by the clock that does not stop asleep."""
    return boot_s() - (time.perf_counter() - recorded.arrived_s)


def _spoken(away_s: float) -> str:
    """Write a length of time for a person."""
    if away_s < 100:
        return f"{away_s:.1f} s"
    minutes, seconds = divmod(round(away_s), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s"


def open_source(settings: SourceSettings) -> MicrophoneSource:
    """Name the microphone; it is opened when the first block is asked for."""
    return MicrophoneSource(
        settings.device,
        settings.sample_rate,
        channel=settings.channel,
        capture_rate=settings.capture_rate,
        gain_db=settings.gain_db,
        give_up_after_s=settings.give_up_after_s,
        opened=settings.opened,
        attempted=settings.attempted,
    )
