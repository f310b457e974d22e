"""A decision is weighed by the speech in its segment, in a stream and in a file."""

from __future__ import annotations

import numpy as np
import pytest

import edge
from edge.audio.file import read_audio
from edge.bundled import DEMO_CLIP, MODELS_DIR
from edge.stream.classifier import Classifier
from edge.stream.decision import Decision
from edge.stream.posterior import average_posterior
from edge.stream.smoothing import Smoother
from edge.stream.trained_gate import make

RATE = 16_000


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return edge.load(MODELS_DIR / "claf-ser-tiny", backend="numpy")


@pytest.fixture(scope="module")
def samples() -> np.ndarray:
    """Speech with a pause of 0.6 s every 1.5 s."""
    samples = read_audio(DEMO_CLIP)[0][: 8 * RATE].copy()
    for start in range(RATE, samples.size, 24_000):
        samples[start : start + 9_600] *= 1e-3
    return samples


def decided(classifier: Classifier, samples: np.ndarray, **asked: object) -> list[Decision]:
    stream = classifier.stream(segment_s=1.0, **asked)
    return stream.push(samples) + stream.flush()


def test_a_decision_tells_its_share_of_speech(classifier: Classifier, samples: np.ndarray) -> None:
    decisions = decided(classifier, samples)
    spec = classifier.spec
    # The front end is part of the features.
    assert spec.front_end is not None
    rows = edge.FeatureExtractor(spec).extract(samples)
    spoken = make(classifier.artifact.manifest).push(samples, rows)
    shares = [each.speech_share for each in decisions]
    firsts = [round(each.start_s * RATE / spec.hop_length) for each in decisions]
    assert shares == [spoken[first : first + 30].mean() for first in firsts]
    assert min(shares) < 0.7 < max(shares)


@pytest.mark.parametrize("vad", ["energy", "off"])
def test_nothing_tells_pauses_without_a_gate(
    classifier: Classifier, samples: np.ndarray, vad: str
) -> None:
    assert {each.speech_share for each in decided(classifier, samples, vad=vad)} == {None}


def test_a_stream_weighs_what_it_smooths(classifier: Classifier, samples: np.ndarray) -> None:
    smooth = decided(classifier, samples)
    alone = decided(classifier, samples, smooth=False)
    smoother = Smoother(classifier.labels)
    end_s = 0.0
    for steady, raw in zip(smooth, alone, strict=True):
        assert steady.speech_share == raw.speech_share
        elapsed_s, end_s = raw.end_s - end_s, raw.end_s
        if raw.posterior is None:
            smoother.rest(elapsed_s)
            continue
        share = raw.speech_share
        assert share is not None
        label, mean = smoother.update(list(raw.posterior.values()), elapsed_s, share)
        assert steady.posterior is not None
        np.testing.assert_allclose(list(steady.posterior.values()), mean, atol=1e-9)
        assert steady.label in (label, None)


def test_a_file_weighs_what_it_averages(classifier: Classifier, samples: np.ndarray) -> None:
    answer = classifier.classify_file(DEMO_CLIP, segment_s=1.0)
    decisions = classifier.classify(read_audio(DEMO_CLIP)[0], RATE, segment_s=1.0)
    rows = [list(d.posterior.values()) if d.posterior else [0.0] * 8 for d in decisions]
    heard = [d.level_db for d in decisions], [d.speech for d in decisions]
    weighed = average_posterior(rows, *heard, [d.speech_share for d in decisions])
    plain = average_posterior(rows, *heard)
    assert answer.posterior is not None
    np.testing.assert_allclose(list(answer.posterior.values()), weighed, atol=1e-6)
    assert weighed is not None
    assert plain is not None
    assert np.abs(weighed - plain).max() > 1e-4
