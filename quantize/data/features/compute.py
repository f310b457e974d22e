"""Feature rows of clips, computed in whatever process: what a worker is handed and gives back."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge.errors import AudioFileError, ParameterError, how_many
from edge.features import FeatureExtractor
from edge.features.hum import hum_filter
from edge.features.spec import FeatureSpec
from quantize.data.corpora import Clip
from quantize.data.corpora.contents import file_digest
from quantize.data.features.degraded import degraded
from quantize.data.sound.augment import AugmentSettings, augment
from quantize.data.sound.codecs import codecs_here
from quantize.data.sound.noise_and_rooms import VoiceBank
from quantize.data.sound.reading import clip_rng, read_clip, session_of
from quantize.data.sound.recordings import Recording
from quantize.data.sound.sound_bank import SoundBank

__all__ = ["EXTRACTOR_VERSION", "Heard", "Making", "compute_rows", "voice_bank"]

#: What cached rows were made by, beside the settings: raise it when reading a file, resampling or
#: a feature gives other numbers than before.
EXTRACTOR_VERSION = 1


@dataclasses.dataclass(frozen=True, slots=True)
class Heard:
    """A clip, and the SHA-256 of the file that its rows are to be of."""

    clip: Clip
    sha256: str


@dataclasses.dataclass(frozen=True, slots=True)
class Making:
    """How rows are made of a clip.

    Parameters
    ----------
    spec : FeatureSpec
    variant : int
        0 for clips as they are.
    settings : AugmentSettings, optional
        Of variants from 1 up.
    seed : int
        Of the variant's chance.
    condition : str, optional
        What the clip is heard under instead.
    voices : tuple of Heard
        Whom babble is mixed from.
    sounds : tuple of (Recording, str)
        Everyday sounds, and the SHA-256 of their files.
    codecs : tuple of str
        What :func:`quantize.data.sound.codecs.codecs_here` says where the rows are asked for, if
        codecs have a say in them.
    """

    spec: FeatureSpec
    variant: int = 0
    settings: AugmentSettings | None = None
    seed: int = 0
    condition: str | None = None
    voices: tuple[Heard, ...] = ()
    sounds: tuple[tuple[Recording, str], ...] = ()
    codecs: tuple[str, ...] = ()

    @property
    def dtype(self) -> type[np.floating]:
        """Clean rows are what the device computes, the others are kept at half the size."""
        return np.float16 if self.variant or self.condition else np.float32


def compute_rows(making: Making, clips: Sequence[Heard]) -> list[NDArray[np.floating]]:
    """Rows of some clips.

    Parameters
    ----------
    making : Making
    clips : sequence of Heard

    Returns
    -------
    list of float32 or float16 [shape=(n_frames, n_features)]
        One a clip.

    Raises
    ------
    AudioFileError
        If a clip or a sound cannot be read, a clip is shorter than one frame, or either is not
        the file that it was when its digest was taken.
    ParameterError
        If babble has fewer than two speakers, or this machine of a cluster has other codecs.
    """
    _check_codecs(making)
    # Of its own: a cluster's worker may call from several threads.
    extractor = FeatureExtractor(making.spec)
    voices = voice_bank(making) if making.voices else None
    sounds = SoundBank(making.sounds)
    computed = []
    for heard in clips:
        samples = _samples(heard.clip, making, voices, sounds)
        rows = extractor.extract(samples).astype(making.dtype)
        computed.append(rows)
    # After they were read, so that no change in between is missed; a long recording that several
    # clips are cut from once.
    for heard in {heard.clip.path: heard for heard in clips}.values():
        _check_content(heard)
    return computed


def _samples(
    clip: Clip, making: Making, voices: VoiceBank | None, sounds: SoundBank
) -> NDArray[np.float32]:
    spec = making.spec
    samples = read_clip(clip, spec.sample_rate)
    if making.variant:
        rng = clip_rng(clip.clip_id, making.variant, making.seed)
        session = clip_rng(f"session of {session_of(clip)}", making.variant, making.seed)
        samples = augment(
            samples, spec.sample_rate, rng, making.settings, session=session, sounds=sounds
        )
    if samples.size < spec.win_length:
        raise AudioFileError(
            f"{clip.path} has {how_many(samples.size, 'sample')} at {spec.sample_rate} Hz, one "
            f"frame needs {spec.win_length}: leave the file out of the corpus"
        )
    if making.condition:
        samples = degraded(samples, clip, making.condition, spec.sample_rate, voices, sounds)
        # As a device does, which training hears nothing of: it takes nothing from a clean clip.
        hum = hum_filter(spec.sample_rate)
        samples = samples if hum is None else hum.process_checked(samples)
    return samples


def voice_bank(making: Making) -> VoiceBank:
    """The voices of babble, read once a process.

    Raises
    ------
    ParameterError
        If there are fewer than two speakers.
    AudioFileError
        If a clip cannot be read or is not the file that it was.
    """
    with _ONE_BANK:
        key = (making.spec.sample_rate, making.voices)
        if key not in _BANKS:
            contents = {heard.clip.clip_id: heard for heard in making.voices}

            def read(clip: Clip) -> NDArray[np.float32]:
                samples = read_clip(clip, making.spec.sample_rate)
                _check_content(contents[clip.clip_id])
                return samples

            clips = [heard.clip for heard in making.voices]
            bank = VoiceBank(clips, read, making.spec.sample_rate)
            _BANKS.clear()
            _BANKS[key] = bank
            # Workers are told of no more clips than these, and mix the same of them.
            used = {clip.clip_id for clip in bank.clips}
            few = tuple(heard for heard in making.voices if heard.clip.clip_id in used)
            _BANKS[making.spec.sample_rate, few] = bank
        return _BANKS[key]


def _check_codecs(making: Making) -> None:
    """Rows are the same wherever they are computed, and found again as if they were."""
    if making.codecs and making.codecs != (here := codecs_here()):
        raise ParameterError(
            f"codecs here are libsndfile {', '.join(here)}, those of {', '.join(making.codecs)} "
            "are wanted: install the same version of soundfile on all machines of the cluster"
        )


def _check_content(heard: Heard) -> None:
    if file_digest(heard.clip.path) != heard.sha256:
        raise AudioFileError(
            f"{heard.clip.path} was changed while its features were computed, or is another file "
            "on this machine: run the command again once it stays as it is"
        )


#: The bank of the last condition: the next one mixes the same voices.
_BANKS: dict[tuple[int, tuple[Heard, ...]], VoiceBank] = {}
_ONE_BANK = threading.Lock()
