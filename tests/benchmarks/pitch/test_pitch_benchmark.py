"""The pitch benchmark counts right, makes the pitch it says, and says what it lacks."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from run_benchmark import RESULTS, ROOT

from edge import FeatureSpec


def answer(pitch_hz, voiced=None):
    from benchmarks.pitch.metrics import Answer

    found = None if voiced is None else np.array(voiced, dtype=bool)
    return Answer(np.array(pitch_hz, dtype=float), found)


def scored(truth_hz, *args):
    from benchmarks.pitch.metrics import score

    return score([np.array(truth_hz, dtype=float)], [answer(*args)])


def test_gross_errors_are_more_than_a_fifth_and_told_apart():
    result = scored([100, 100, 100, 100, 0], [119, 81, 121, 50, 300])
    assert result["gross_all"] == 0.5
    assert result["too_high"] == result["too_low"] == 0.25


def test_fine_error_is_the_median_in_cents_of_the_rest():
    half, two = 2 ** (0.5 / 12), 2 ** (-2 / 12)
    result = scored([100, 100, 100, 100], [100, 100 * half, 100 * two, 200])
    assert result["fine_cents"] == pytest.approx(50)


def test_decisions_are_counted_apart_from_the_pitch():
    # found and right, found and an octave low, missed; rightly silent, wrongly voiced
    result = scored([200, 200, 200, 0, 0], [201, 100, 50, 90, 90], [1, 1, 0, 0, 1])
    assert result["gross"] == 0.5
    assert result["gross_all"] == pytest.approx(2 / 3)
    assert result["missed"] == pytest.approx(1 / 3)
    assert result["false_voiced"] == 0.5
    assert result["voicing_error"] == pytest.approx(2 / 5)
    assert result["frame_error"] == pytest.approx(3 / 5)


def test_what_is_not_decided_is_not_scored():
    result = scored([200, 0], [200, 90])
    assert result["gross_all"] == 0
    assert {result[k] for k in ("gross", "voicing_error", "missed", "frame_error")} == {None}


def test_nothing_voiced_gives_no_share():
    result = scored([0, 0], [100, 100], [0, 1])
    assert result["gross_all"] is None
    assert result["gross"] is None
    assert result["fine_cents"] is None
    assert result["voicing_error"] == 0.5


def test_recordings_are_pooled_by_frames():
    from benchmarks.pitch.metrics import score

    truths = [np.full(3, 100.0), np.full(1, 100.0)]
    assert score(truths, [answer([100] * 3), answer([200])])["gross_all"] == 0.25


def test_the_difference_of_two_methods_has_an_interval_around_it():
    from benchmarks.pitch.metrics import gross_difference

    truths = [np.full(4, 100.0)] * 2
    ours, theirs = [answer([200, 100, 100, 100])] * 2, [answer([100] * 4)] * 2
    found = gross_difference(truths, ours, theirs, seed=0)
    assert found == {"difference": 0.25, "interval_95": [0.25, 0.25]}


def test_made_recordings_have_the_pitch_they_claim_and_repeat_by_seed():
    from benchmarks.pitch.methods import ours
    from benchmarks.pitch.metrics import score
    from benchmarks.pitch.truth import synthesise

    spec = FeatureSpec()
    first, again = (synthesise(spec, 2, 1.0, seed=3) for _ in range(2))
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one.samples, other.samples)
        assert one.truth_hz.shape == (spec.n_frames(one.samples.size),)
    method = ours(spec)
    result = score([r.truth_hz for r in first], [method(r.samples) for r in first])
    assert result["gross"] < 0.05
    assert result["fine_cents"] < 20


def test_noise_is_set_against_what_is_voiced():
    from benchmarks.pitch.truth import Recording, add_noise

    recording = Recording(np.zeros(100_000, dtype=np.float32), np.zeros(0), level=0.1)
    noise = add_noise(recording, 20.0, seed=1).samples
    assert noise.std() == pytest.approx(0.01, rel=0.02)
    assert add_noise(recording, None, seed=1) is recording
    np.testing.assert_allclose(add_noise(recording, 0.0, seed=1).samples, 10 * noise, rtol=1e-5)


def test_the_paper_s_autocorrelation_finds_a_pulse_train():
    from benchmarks.pitch.methods import autocorrelation

    samples = np.zeros(4096, dtype=np.float32)
    samples[::100] = 1.0
    found = autocorrelation(FeatureSpec())(samples)
    np.testing.assert_array_equal(found.pitch_hz, 160.0)
    assert found.voiced is None


@pytest.mark.parametrize("period", [40, 100, 250])
def test_the_shorter_lag_is_taken_of_equal_troughs(period):
    from benchmarks.pitch.methods import ours

    rng = np.random.default_rng(0)
    samples = np.tile(rng.standard_normal(period), 4096 // period)
    samples += 0.6 * rng.standard_normal(samples.size)
    found = ours(FeatureSpec().with_settings(pitch_trough_margin=0.1))(samples.astype(np.float32))
    np.testing.assert_allclose(found.pitch_hz, 16000 / period, rtol=0.01)
    assert found.voiced.all()


@pytest.mark.parametrize(
    ("blocked", "args", "message"),
    [
        ("librosa", [], 'librosa is not installed: pip install "librosa==0.11.*"'),
        ("-", ["--clips", "0"], "--clips is 0, at least 1 is wanted"),
        ("-", ["--synthetic", "0"], "--synthetic is 0, at least 1 is wanted"),
    ],
)
def test_what_is_missing_is_one_sentence(tmp_path, blocked, args, message):
    code = (
        "import runpy, sys; sys.modules[sys.argv[1]] = None; sys.argv = sys.argv[1:]; "
        "runpy.run_module('benchmarks.pitch', run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, blocked, *args],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'quantize'}"},
        check=False,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == f"edge-ser: error: {message}\n"


def test_a_missing_praat_is_named(monkeypatch):
    from benchmarks.pitch.truth import require_parselmouth
    from edge import MissingDependencyError

    monkeypatch.setitem(sys.modules, "parselmouth", None)
    with pytest.raises(MissingDependencyError, match="pip install praat-parselmouth"):
        require_parselmouth()


def test_the_committed_result_is_of_this_pitch():
    result = json.loads((RESULTS / "pitch.json").read_text())
    assert result["fingerprint"] == FeatureSpec().fingerprint
    assert result["modified"] is False
    assert result["real"]["n_clips"] >= 100
