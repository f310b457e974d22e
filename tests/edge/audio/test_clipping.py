from __future__ import annotations

import numpy as np
import pytest
from runtime_fakes import fake_classifier, voice

from edge.audio.clipping import ClippingMeter
from edge.audio.resample import resample

SPEECH = voice(48_000, level=1.0)
SPEECH /= np.abs(SPEECH).max()


def sentences(samples: np.ndarray, n_block: int = 512) -> list[str]:
    meter = ClippingMeter()
    said = [meter.push(samples[i : i + n_block]) for i in range(0, samples.size, n_block)]
    return [sentence for sentence in said if sentence]


@pytest.mark.parametrize("gain", [0.01, 1.0])
def test_speech_up_to_full_scale_does_not_clip(gain: float) -> None:
    assert sentences(gain * SPEECH) == []


@pytest.mark.parametrize("n_block", [1, 512, 48_000])
def test_speech_that_is_cut_off_is_told_once(n_block: int) -> None:
    (sentence,) = sentences(np.clip(10 * SPEECH, -1, 1), n_block)
    assert sentence.startswith("the sound clips, ")
    assert "turn the gain down" in sentence


def test_clipping_outlives_resampling() -> None:
    assert sentences(resample(np.clip(10 * SPEECH, -1, 1), 44_100, 16_000))


def test_a_click_does_not_clip() -> None:
    clicks = 0.1 * SPEECH
    clicks[::99] = 1.0  # alone each, 1 % of all
    assert sentences(clicks) == []


def test_the_stream_says_it_with_a_decision_and_once() -> None:
    stream = fake_classifier().stream()
    decisions = stream.push(np.clip(10 * SPEECH, -1, 1)) + stream.flush()
    (sentence,) = stream.warnings()
    assert [d.warning for d in decisions] == [sentence] + [None] * (len(decisions) - 1)
    stream.reset()
    assert stream.warnings() == []
    (gap, *_) = stream.push(SPEECH[:100]) + stream.skip(7)
    assert "missing" in gap.warning
