"""A block that holds several batches is computed in one, and decides as many small ones do."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import pytest

import edge
from edge.audio.file import read_audio
from edge.bundled import DEMO_CLIP, MODELS_DIR
from edge.features import FeatureExtractor
from edge.features.spec import FeatureSpec
from edge.stream.classifier import Classifier
from edge.stream.decision import Decision, Timing
from edge.stream.sound_check import SoundCheck

RATE = 16_000
CLIP = read_audio(DEMO_CLIP)[0][: 8 * RATE]


def telephone(samples: np.ndarray, gain: float) -> np.ndarray:
    spectrum = np.fft.rfft(samples)
    spectrum[np.arange(spectrum.size) * RATE / samples.size > 3400] = 0
    narrow = np.fft.irfft(spectrum, samples.size)
    return np.clip(gain * narrow / np.abs(narrow).max(), -1, 1).astype(np.float32)


@pytest.fixture(scope="module")
def tiny() -> Classifier:
    return edge.load(MODELS_DIR / "claf-ser-tiny", backend="numpy")


def decided(classifier: Classifier, blocks: Sequence[np.ndarray]) -> list[Decision]:
    stream = classifier.stream()
    decisions = [decision for block in blocks for decision in stream.push(block)]
    decisions += stream.flush()
    return [dataclasses.replace(each, timing=Timing(0.0, 0.0, 0.0)) for each in decisions]


@pytest.mark.parametrize("n_block", [512, 20_000, 31_744])
@pytest.mark.parametrize(("gain", "start"), [(0.9, "nothing above 3."), (6.0, "the sound clips")])
def test_every_block_size_gives_the_same_bits_gate_and_warnings(
    tiny: Classifier, n_block: int, gain: float, start: str
) -> None:
    samples = telephone(CLIP, gain)
    at_once = decided(tiny, [samples])
    parts = decided(tiny, np.split(samples, range(n_block, samples.size, n_block)))
    assert parts == at_once
    assert len({each.speech_share for each in at_once}) > 3
    (said,) = [each.warning for each in at_once if each.warning]
    assert said.startswith(start)


@pytest.mark.parametrize("spec", [FeatureSpec(), FeatureSpec(hop_length=256)])
def test_the_band_is_told_from_the_spectra_of_the_rows_where_they_fit(spec: FeatureSpec) -> None:
    check = SoundCheck(spec)
    # Frames of 64 ms with half of one between; others are not what the meter was measured with.
    assert (check.seen is not None) == (spec.hop_length == 512)
    extractor, samples = FeatureExtractor(spec), telephone(CLIP, 0.1)
    for at in range(0, samples.size, 8192):
        check.push(samples[at : at + 8192])
        extractor.push_checked(samples[at : at + 8192], check.seen)
    (sentence,) = check.sentences
    assert sentence.startswith("nothing above 3.")


def test_in_a_group_every_stream_sees_the_spectra_of_its_own_sound(tiny: Classifier) -> None:
    group = edge.StreamGroup(tiny)
    # More streams than a tile has rows for, one of them behind a telephone.
    sounds = [
        telephone(CLIP, 0.9) if which == 5 else np.roll(CLIP, 999 * which) for which in range(6)
    ]
    streams = [tiny.stream() for _ in sounds]
    for at in range(0, CLIP.size, 8192):
        group.push([(s, x[at : at + 8192], None) for s, x in zip(streams, sounds, strict=True)])
    said = [stream.warnings() for stream in streams]
    assert [which for which, each in enumerate(said) if each] == [5]
    alone = tiny.stream()
    for at in range(0, CLIP.size, 8192):
        alone.push(sounds[5][at : at + 8192])
    assert said[5] == alone.warnings()
