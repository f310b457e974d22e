from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.gate import __main__ as speech_gate
from edge.artifact import read_artifact
from edge.bundled import MODELS_DIR
from edge.errors import EdgeSerError
from quantize.training.gate.measure import CONDITIONS, Sound, segment_frames, spoken_segments, under
from quantize.training.gate.scenes import SILENT, SPOKEN

RATE = 16_000


def judges() -> speech_gate.Judges:
    manifest = read_artifact(MODELS_DIR / "claf-ser-tiny").manifest
    assert manifest.gate is not None
    return speech_gate.Judges(manifest.gate, manifest.feature_spec, None)


def test_a_segment_is_that_of_a_stream() -> None:
    manifest = read_artifact(MODELS_DIR / "claf-ser-tiny").manifest
    assert segment_frames(manifest.feature_spec) == manifest.window_frames


def test_what_has_some_speech_but_little_is_left_out() -> None:
    truth = np.full(8 * RATE, SILENT, dtype=np.int8)
    truth[4 * RATE : 4 * RATE + RATE // 4] = SPOKEN
    truth[6 * RATE : 7 * RATE] = SPOKEN
    spec = judges().spec
    sound = Sound("voice", np.zeros(truth.size, np.float32), -20, truth)
    n_frames = (truth.size - spec.win_length) // spec.hop_length + 1
    ends, spoken = spoken_segments(sound, spec, n_frames)
    ends_s = ends * spec.hop_length / RATE
    assert set(np.round(ends_s[spoken])) <= {6.0, 7.0, 8.0}
    assert (ends_s[~spoken] < 4.1).all()
    assert ends.size < spoken_segments(Sound("x", sound.samples, -20), spec, n_frames)[0].size


def test_noise_is_counted_where_it_passes() -> None:
    noise = np.random.default_rng(0).normal(0, 0.02, 4 * RATE).astype(np.float32)
    judged = [judges().judge("white noise", Sound("white noise", noise, -30))]
    assert speech_gate.shares(judged, "energy")["white noise"]["share"] == 1.0
    assert speech_gate.shares(judged, "gate")["white noise"]["by_level"] == {"-30": 0.0}
    groups = speech_gate.grouped(judged, [judged[0].passed["gate"]])
    assert groups == {"noise": 0.0}


def test_hysteresis_is_the_streams() -> None:
    odds = np.log(np.array([0.5, 0.9, 0.5, 0.2, 0.5]) / (1 - np.array([0.5, 0.9, 0.5, 0.2, 0.5])))
    held = speech_gate.held_frames(odds.astype(np.float32), 0.8, 0.4)
    assert held.tolist() == [False, True, True, False, False]


@pytest.mark.parametrize("condition", CONDITIONS)
def test_a_condition_keeps_length_and_truth(condition: str) -> None:
    rng = np.random.default_rng(0)
    voice = Sound("v", rng.normal(0, 0.05, RATE).astype(np.float32), -26, np.ones(RATE, np.int8))
    (changed,) = under(condition, iter([voice]), RATE, 3)
    assert changed.samples.shape == voice.samples.shape
    assert changed.truth is voice.truth
    assert not np.array_equal(changed.samples, voice.samples)


def result(gate: float) -> dict[str, Any]:
    row = {"share": gate, "n": 10, "by_level": {"-50": gate}}
    return {
        "gates": {"gate": {"speech": row}, "energy": {"speech": row}},
        "groups": {"gate": {"speech": gate, "noise": 0.0, "music and everyday sounds": 0.04}},
        "us": {"gate": {"16 rows": {"p50": 25.0, "p10": 20.0}}},
        "equal_recall": None,
        "commit": "abc",
    }


def test_bars_are_told(tmp_path: Path) -> None:
    assert "NOT MET" not in speech_gate.verdict(result(0.99))
    assert "96.0 % of speech passes (at least 97 wanted, NOT MET)" in speech_gate.verdict(
        result(0.96)
    )
    file = tmp_path / "README.md"
    file.write_text("a\n<!-- speech-gate:begin -->\nold\n<!-- speech-gate:end -->\nb\n")
    speech_gate.render(file, result(0.99))
    assert "| speech | 10 | 99.0 | 99.0 | 99.0 |" in file.read_text()
    assert "old" not in file.read_text()
    file.write_text("nothing")
    with pytest.raises(EdgeSerError, match="lacks the marks"):
        speech_gate.render(file, result(0.99))
