"""A microphone's constant offset: neither a label nor the level follows it."""

from __future__ import annotations

import numpy as np
import pytest
from runtime_fakes import fake_classifier, voice

from edge.features.front_end import DcBlocker

CLIP = voice(70_000)


@pytest.mark.parametrize("offset", [0.001, 0.01, -0.5])
def test_silence_with_an_offset_is_quiet(offset: float) -> None:
    silence = np.full(70_000, offset, np.float32)
    for decision in fake_classifier().classify(silence, 16_000):
        assert decision.state == "quiet"
        assert decision.level_db == pytest.approx(-120, abs=1)


def test_an_empty_room_with_an_offset_is_quiet() -> None:
    noise = np.random.default_rng(0).normal(0, 10 ** (-66 / 20), 70_000)
    for decision in fake_classifier().classify((0.01 + noise).astype(np.float32), 16_000):
        assert decision.state == "quiet"
        assert decision.level_db == pytest.approx(-66, abs=0.3)


@pytest.mark.parametrize("offset", [0.005, 0.02, -0.1])
def test_speech_with_an_offset_is_decided_as_without(offset: float) -> None:
    classifier = fake_classifier()
    plain = classifier.classify(CLIP, 16_000)
    moved = classifier.classify(CLIP + np.float32(offset), 16_000)
    for ours, theirs in zip(moved, plain, strict=True):
        assert ours.label == theirs.label
        assert ours.level_db == pytest.approx(theirs.level_db, abs=0.01)
        for label, share in theirs.posterior.items():
            assert ours.posterior[label] == pytest.approx(share, abs=0.02)


def test_behind_a_gap_the_offset_is_found_anew() -> None:
    stream = fake_classifier().stream()
    stream.push(CLIP)
    stream.skip(1000)
    (decision,) = stream.push(np.full(31_744, 0.1, np.float32))
    assert decision.state == "quiet"


def test_without_the_blocker_the_model_sees_what_it_saw_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(DcBlocker, "process_checked", lambda _, samples: samples)
    classifier = fake_classifier()
    classifier.classify(CLIP, 16_000, hop_s=0.512)
    rows = classifier.model.seen[0][0]
    from edge.features import FeatureExtractor

    wanted = FeatureExtractor(classifier.spec).extract(CLIP)[:61] - classifier.mean
    np.testing.assert_array_equal(rows, wanted / classifier.std)
