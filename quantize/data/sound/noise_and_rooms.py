"""Noise, babble and rooms added to a clip: signals alone, the same on every machine.

All chance comes from a generator that the caller seeds by the clip's name.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from edge.errors import ParameterError
from quantize.data.corpora import Clip
from quantize.data.sound import level

__all__ = ["N_VOICES", "VoiceBank", "add_noise", "add_room", "noise_of"]

#: Voices at once in babble.
N_VOICES = 6

#: Speech of every speaker that babble is cut from, in seconds at most.
TRACK_S = 20.0

#: Below this corner pink and brown noise are flat: a microphone hears no more there.
PINK_CORNER_HZ = 50.0


def noise_of(
    kind: str, n_samples: int, sample_rate: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """White, pink or brown noise of any level.

    Parameters
    ----------
    kind : str
        ``"white"``, ``"pink"`` or ``"brown"`` (power falls by 3 and by 6 dB an octave above 50 Hz).
    n_samples, sample_rate : int
        Length, and rate in Hz.
    rng : numpy.random.Generator

    Returns
    -------
    float64 [shape=(n_samples,)]

    Raises
    ------
    ParameterError
        If there is no such noise.
    """
    noise = rng.standard_normal(n_samples)
    if kind == "white":
        return noise
    if kind not in ("pink", "brown"):
        raise ParameterError(f"noise is {kind!r}, 'white', 'pink' or 'brown' is wanted")
    falling = np.maximum(np.fft.rfftfreq(n_samples, 1 / sample_rate), PINK_CORNER_HZ)
    spectrum = np.fft.rfft(noise) / (np.sqrt(falling) if kind == "pink" else falling)
    return np.fft.irfft(spectrum, n=n_samples)


def add_noise(
    samples: NDArray[np.floating], noise: NDArray[np.floating], sample_rate: int, snr_db: float
) -> NDArray[np.float32]:
    """Mix at a signal-to-noise ratio over the speech's own level.

    Parameters
    ----------
    samples, noise : float [shape=(n_samples,)]
        The noise at any level.
    sample_rate : int
        In Hz.
    snr_db : float
        :func:`quantize.data.sound.level.speech_power` of the clip over the mean power of the noise.

    Returns
    -------
    float32 [shape=(n_samples,)]
        Scaled down as a whole where the sum would clip.
    """
    wanted = level.speech_power(samples, sample_rate) * 10 ** (-snr_db / 10)
    power = float((noise.astype(np.float64) ** 2).mean())
    gain = np.sqrt(wanted / power) if power > 0 else 0.0
    return _unclipped(samples + gain * noise)


def add_room(
    samples: NDArray[np.floating],
    sample_rate: int,
    rng: np.random.Generator,
    *,
    reverberation_s: float,
    direct_to_reverberant_db: float,
    delay_s: float,
    gain_db: float,
) -> NDArray[np.float32]:
    """Hear a clip in a room: the direct sound, then an exponentially decaying noise tail.

    Parameters
    ----------
    samples : float [shape=(n_samples,)]
    sample_rate : int
        In Hz.
    rng : numpy.random.Generator
        Draws the tail.
    reverberation_s : float
        Time in which the tail falls by 60 dB.
    direct_to_reverberant_db : float
        Energy of the direct sound over that of the tail.
    delay_s : float
        From the direct sound to the first reflection.
    gain_db : float
        Of the direct sound: a far microphone hears less of it.

    Returns
    -------
    float32 [shape=(n_samples,)]
        As long as the clip; scaled down as a whole where it would clip.

    References
    ----------
    Polack (1988), La transmission de l'énergie sonore dans les salles (the model).
    """
    n_delay, n_tail = round(delay_s * sample_rate), round(reverberation_s * sample_rate)
    tail = rng.standard_normal(n_tail) * 10 ** (-3 * np.arange(n_tail) / n_tail)
    tail *= 10 ** (-direct_to_reverberant_db / 20) / np.sqrt((tail**2).sum())
    response = np.concatenate(([1.0], np.zeros(max(0, n_delay - 1)), tail))
    response *= 10 ** (gain_db / 20)
    n_fft = 1 << (samples.size + response.size - 1).bit_length()
    wet = np.fft.irfft(np.fft.rfft(samples, n_fft) * np.fft.rfft(response, n_fft), n_fft)
    return _unclipped(wet[: samples.size])


def _unclipped(samples: NDArray[np.floating]) -> NDArray[np.float32]:
    return (samples / max(1.0, float(np.abs(samples).max(initial=0.0)))).astype(np.float32)


class VoiceBank:
    """Speech of every speaker, to mix babble from.

    Parameters
    ----------
    clips : sequence of Clip
        The held-out clips: babble is of their speakers alone.
    read : callable
        Clip to its samples, float32 at ``sample_rate``.
    sample_rate : int
        In Hz.

    Attributes
    ----------
    clips : tuple of Clip
        Those that were read: of them alone comes the same babble.

    Raises
    ------
    ParameterError
        If the clips have fewer than two speakers.
    """

    def __init__(
        self,
        clips: Sequence[Clip],
        read: Callable[[Clip], NDArray[np.float32]],
        sample_rate: int,
    ) -> None:
        by_speaker: dict[str, list[Clip]] = defaultdict(list)
        # In an order of names alone, so that no list's order matters.
        for clip in sorted(clips, key=lambda c: hashlib.sha256(c.clip_id.encode()).digest()):
            by_speaker[clip.speaker].append(clip)
        if len(by_speaker) < 2:
            raise ParameterError(
                f"babble needs two speakers or more among the held-out clips, there is "
                f"{len(by_speaker)}: choose other conditions"
            )
        n_track = round(TRACK_S * sample_rate)
        used: list[Clip] = []

        def noted(clip: Clip) -> NDArray[np.float32]:
            used.append(clip)
            return read(clip)

        self._tracks = {
            speaker: _track(by_speaker[speaker], noted, sample_rate, n_track)
            for speaker in sorted(by_speaker)
        }
        self.clips = tuple(used)

    def babble(self, speaker: str, n_samples: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """:data:`N_VOICES` equally loud voices at once, none of them the speaker's own.

        Parameters
        ----------
        speaker : str
            Whose voice to leave out.
        n_samples : int
            Length.
        rng : numpy.random.Generator
            Draws voices and where in their speech to begin.

        Returns
        -------
        float64 [shape=(n_samples,)]

        Notes
        -----
        The voices are of different speakers as far as there are others; after that the
        same ones speak again, from elsewhere in their speech.
        """
        others = [s for s in self._tracks if s != speaker]
        order = rng.permutation(len(others))
        total = np.zeros(n_samples)
        for number in range(N_VOICES):
            track = self._tracks[others[order[number % len(others)]]]
            start = int(rng.integers(track.size))
            total += np.take(track, np.arange(start, start + n_samples), mode="wrap")
        return total


def _track(
    clips: Sequence[Clip],
    read: Callable[[Clip], NDArray[np.float32]],
    sample_rate: int,
    n_track: int,
) -> NDArray[np.float32]:
    """Clips of one speaker one after the other, without silence at their ends, equally loud."""
    parts: list[NDArray[np.float32]] = []
    n_samples = 0
    for clip in clips:
        samples = read(clip)
        power = level.frame_power(samples, sample_rate)
        if not power.max(initial=0.0) > 0:
            continue
        active = level.speech_frames(power, are_power=True)
        span, n_frame = level.span(active), level.n_frame(samples.size, sample_rate)
        speech = samples[span.start * n_frame : span.stop * n_frame]
        parts.append((speech / np.sqrt(power[active].mean())).astype(np.float32))
        n_samples += speech.size
        if n_samples >= n_track:
            break
    if not parts:
        raise ParameterError(
            f"the clips of {clips[0].speaker} are digital silence: leave them out of the corpus"
        )
    return np.concatenate(parts)[:n_track]
