"""Segments to calibrate with and to compare on stand evenly for corpora, speakers and emotions."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from edge.errors import ParameterError
from edge.features.spec import FeatureSpec
from quantize.basics.errors import CorpusError
from quantize.data.corpora import LABELS, Clip, load_corpora
from quantize.data.corpora.synthetic import synthetic_speech
from quantize.data.features.cache import FeatureCache
from quantize.data.features.segments import corpus_segments, generated_segments
from quantize.data.features.windows import window_of


@pytest.fixture(scope="module")
def corpus(
    synthetic_root: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[list[Clip], FeatureCache]:
    clips, _ = load_corpora(synthetic_root)
    return clips, FeatureCache(tmp_path_factory.mktemp("cache"))


def test_segments_come_evenly_from_corpora_speakers_and_emotions(
    corpus: tuple[list[Clip], FeatureCache],
) -> None:
    clips, cache = corpus
    found = corpus_segments(clips, cache, clips, 56, window_frames=21, window_hop=8)
    assert found.rows.shape == (56, 21, 34)
    assert found.rows.dtype == np.float32
    assert set(Counter(found.corpora).values()) == {14}
    # 14 of 2 speakers with 7 or 8 emotions each: nobody is heard far more often.
    assert max(Counter(found.speakers).values()) <= 8
    assert set(found.labels) == set(LABELS)
    assert len({row.tobytes() for row in found.rows}) == 56


def test_a_seed_gives_the_same_segments_and_another_others(
    corpus: tuple[list[Clip], FeatureCache],
) -> None:
    clips, cache = corpus
    one, same, other = (
        corpus_segments(clips, cache, clips, 20, seed=seed, window_frames=21) for seed in (1, 1, 2)
    )
    assert one.fingerprint == same.fingerprint
    assert one.fingerprint != other.fingerprint


def test_there_are_no_more_segments_than_windows(
    corpus: tuple[list[Clip], FeatureCache],
) -> None:
    clips, cache = corpus
    few = clips[:3]
    found = corpus_segments(few, cache, clips, 10_000, window_frames=21, window_hop=8)
    assert 3 <= len(found) < 30
    assert set(found.speakers) == {c.speaker for c in few}


def test_bad_wishes_are_refused(corpus: tuple[list[Clip], FeatureCache]) -> None:
    clips, cache = corpus
    with pytest.raises(CorpusError, match="there is no clip to pick segments from"):
        corpus_segments([], cache, clips, 5)
    for pick in (
        lambda: corpus_segments(clips, cache, clips, 0),
        lambda: generated_segments(0),
    ):
        with pytest.raises(ParameterError, match="n_segments is 0"):
            pick()


def test_clips_shorter_than_a_window_give_the_windows_that_they_fill(
    corpus: tuple[list[Clip], FeatureCache], capsys: pytest.CaptureFixture[str]
) -> None:
    """All of the synthetic corpus are: on a device each would be one short window."""
    clips, cache = corpus
    rows = cache.load(clips)
    found = corpus_segments(clips, cache, clips, 20)
    n_frames = found.rows.shape[1]
    assert len(found) == 20
    assert 0.7 < np.mean([len(each) >= n_frames for each in rows.values()]) < 1
    assert f"windows of {n_frames} frames are taken" in capsys.readouterr().err
    assert set(found.corpora) == {c.corpus for c in clips}
    longest = max(len(each) for each in rows.values())
    whole = corpus_segments(clips, cache, clips, 20, window_frames=longest)
    assert whole.rows.shape[1] == longest
    assert "windows of" not in capsys.readouterr().err


@pytest.mark.parametrize("rate", [8_000, 11_025])
def test_generated_speech_is_no_faster_at_another_rate(rate: int) -> None:
    spec = FeatureSpec().with_settings(sample_rate=rate, fmax_hz=3900.0, n_contrast_bands=4)
    window_frames, _ = window_of(spec)
    found = generated_segments(8, spec=spec, seed=1, window_frames=window_frames)
    usual = generated_segments(8, seed=1)
    assert found.rows.shape == (8, window_frames, spec.n_features)
    column = spec.feature_names.index("pitch_hz")
    one, other = (r[r > 0].mean() for r in (x.rows[..., column] for x in (found, usual)))
    assert one == pytest.approx(other, rel=0.1)


def test_generated_segments_need_no_corpora() -> None:
    found = generated_segments(24, seed=3, window_frames=31)
    assert found.rows.shape == (24, 31, 34)
    assert np.isfinite(found.rows).all()
    assert set(found.labels) == set(LABELS)
    assert found.fingerprint == generated_segments(24, seed=3, window_frames=31).fingerprint
    assert found.fingerprint != generated_segments(24, seed=4, window_frames=31).fingerprint


def test_synthetic_speech_is_as_long_as_asked() -> None:
    speech = synthetic_speech("angry", "female", 1, 2.5, 0)
    assert speech.shape == (40_000,)
    assert speech.dtype == np.float32
    assert 0.01 < np.abs(speech).max() <= 1
    calm = synthetic_speech("calm", "female", 1, 2.5, 0)
    assert np.square(calm).mean() < np.square(speech).mean()
