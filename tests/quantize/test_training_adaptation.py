"""Adaptation in training and measuring: causal, by speaker, and carried to the device."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from run_commands import evaluate, train

from edge.adaptation import AdaptedColumns
from edge.artifact import read_artifact
from edge.feature_spec import FeatureSpec
from quantize.adaptation import Past, adaptation_spec, adapted_rows
from quantize.batches import BatchSettings, CropSampler, examples_of
from quantize.checkpoint import load_checkpoint
from quantize.cli import main
from quantize.corpora import Clip

SPEC = FeatureSpec()
NAMES = SPEC.feature_names
RMS, PITCH = NAMES.index("rms"), NAMES.index("pitch_hz")


def clips_and_rows(n_clips: int = 6) -> tuple[list[Clip], dict[str, np.ndarray]]:
    """Two speakers 20 dB and an octave apart."""
    rng = np.random.default_rng(0)
    clips, rows = [], {}
    for speaker, (gain, pitch_hz) in {"a": (0.1, 100.0), "b": (0.01, 200.0)}.items():
        for at in range(n_clips):
            clip = Clip(
                f"savee/{speaker}{at}",
                Path("x.wav"),
                "savee",
                speaker,
                "male",
                "happy",
                "h",
                "en",
                "s",
            )
            each = rng.standard_normal((60, len(NAMES))).astype(np.float32)
            each[:, RMS] = gain * rng.uniform(0.5, 1.0, 60)
            each[:, PITCH] = pitch_hz * rng.uniform(0.9, 1.1, 60)
            clips.append(clip)
            rows[clip.clip_id] = each
    return clips, rows


def test_the_reference_is_the_mean_of_the_speakers():
    clips, rows = clips_and_rows()
    # One clip more of a speaker must not move it towards them by much.
    spec = adaptation_spec(clips, rows, SPEC)
    assert np.exp(spec.reference[PITCH]) == pytest.approx(np.sqrt(100 * 200), rel=0.02)
    fewer = adaptation_spec(clips[:-3], rows, SPEC)
    assert np.exp(fewer.reference[PITCH]) == pytest.approx(np.sqrt(100 * 200), rel=0.02)


def test_a_clip_is_corrected_by_those_before_it_alone():
    clips, rows = clips_and_rows()
    spec = adaptation_spec(clips, rows, SPEC)
    adapted = adapted_rows(clips, rows, SPEC, spec)
    assert set(adapted) == set(rows)
    for speaker in "ab":
        own = [c.clip_id for c in clips if c.speaker == speaker]
        untouched = [name for name in own if np.array_equal(adapted[name], rows[name])]
        assert len(untouched) == 1
        # What is heard later changes nothing before it: the order is fixed by the names.
        last = max(own, key=lambda n: np.abs(adapted[n] - rows[n])[:, PITCH].mean())
        changed = {**rows, last: rows[last] * 2}
        again = adapted_rows(clips, changed, SPEC, spec)
        assert all(np.array_equal(again[n], adapted[n]) for n in own if n != last)


def test_other_speakers_and_labels_play_no_part():
    clips, rows = clips_and_rows()
    spec = adaptation_spec(clips, rows, SPEC)
    alone = [c for c in clips if c.speaker == "b"]
    together = adapted_rows(clips, rows, SPEC, spec)
    other = {n: r * 3 if n.startswith("savee/a") else r for n, r in rows.items()}
    again = adapted_rows(clips, other, SPEC, spec)
    assert all(np.array_equal(together[c.clip_id], again[c.clip_id]) for c in alone)


def test_training_offsets_are_those_of_a_device_that_heard_the_speaker():
    clips, rows = clips_and_rows()
    spec = adaptation_spec(clips, rows, SPEC)
    past = Past(SPEC, spec, max_history=20)
    louder = {n: AdaptedColumns(SPEC).corrected(r, _gain(-6.0)) for n, r in rows.items()}
    past.listen([c.speaker for c in clips], [[rows[c.clip_id], louder[c.clip_id]] for c in clips])
    rng = np.random.default_rng(0)
    plain = [past.offset(0, 0, rng) for _ in range(200)]
    varied = [past.offset(0, 1, rng) for _ in range(200)]
    shares = np.array([weight for _, weight in plain])
    assert shares.min() == pytest.approx(60 / 160, abs=0.01)
    assert shares.max() == pytest.approx(1200 / 1300, abs=0.01)
    level_db = np.median([offset[RMS] / weight for offset, weight in plain])
    assert level_db == pytest.approx(10.0, abs=1.0)
    # The variant is 6 dB louder, and so is everything that was heard before it.
    assert np.median([o[RMS] / w for o, w in varied]) == pytest.approx(level_db + 6.0, abs=0.5)


def _gain(db: float) -> np.ndarray:
    offset = np.zeros(len(NAMES))
    offset[RMS] = db
    return offset


def test_crops_of_different_speakers_come_closer():
    clips, rows = clips_and_rows(12)
    spec = adaptation_spec(clips, rows, SPEC)
    plain = {"level_db": 0.0, "noise": 0.0, "n_time_masks": 0, "group_mask_share": 0.0}
    gaps = []
    for share in (0.0, 1.0):
        settings = BatchSettings(batch_size=24, corpus_share={}, adapt_share=share, **plain)
        mean, std = np.zeros(34, np.float32), np.ones(34, np.float32)
        sampler = CropSampler(examples_of(clips), [rows], mean, std, SPEC, 4, settings, spec)
        batch = next(sampler.epoch(np.random.default_rng(0)))
        medians_hz = np.median(batch.rows[:, :, PITCH], axis=1)
        gaps.append(np.log2(medians_hz.max() / medians_hz.min()))
    assert gaps[1] < 0.75 * gaps[0]


@pytest.fixture(scope="module")
def adapted_run(data, runs, tmp_path_factory):
    """A fold trained with adaptation; the cache is the others'."""
    recipe = tmp_path_factory.mktemp("adapted") / "run"
    command = train(
        data, runs / "cache", recipe, "--split", "speaker", "--fold", "0", "--adapt-share", "0.5"
    )
    assert main(command) == 0
    return recipe


def test_it_reaches_checkpoint_artifact_and_report(data, runs, adapted_run, tmp_path, capsys):
    saved = load_checkpoint(adapted_run / "checkpoint.safetensors")
    assert saved.adaptation is not None
    report = tmp_path / "report.json"
    for kind in ("torch", "numpy-int8"):
        words = ["--adapt", "--kind", kind, "--json", str(report)]
        assert main(evaluate(data, runs, str(adapted_run), *words)) == 0
        assert json.loads(report.read_text())["adapted"] is True
        assert "--adapt" in json.loads(report.read_text())["command"]
        assert (adapted_run / f"evaluation-{kind}-unknown-adapted.json").exists()
    artifact = read_artifact(adapted_run / "artifacts" / "numpy-int8")
    assert artifact.manifest.adaptation == saved.adaptation
    words = ["--adapt", "--protocol", "segments"]
    assert main(evaluate(data, runs, str(adapted_run), *words)) == 0
    assert (adapted_run / "segments-torch-unknown-adapted.json").exists()


def test_a_model_trained_without_cannot_be_measured_with_it(data, runs, capsys):
    assert main(evaluate(data, runs, str(runs / "f0"), "--adapt")) == 2
    assert "trained without adaptation" in capsys.readouterr().err
