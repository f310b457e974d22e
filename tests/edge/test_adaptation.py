"""Getting used to a speaker: what is corrected, by how much, and from when on."""

from __future__ import annotations

import numpy as np
import pytest
from artifact_fakes import manifest_fields

from edge.adaptation import Adaptation, AdaptedColumns
from edge.artifact import read_artifact
from edge.backends import open_backend
from edge.classifier import Classifier
from edge.errors import ArtifactError, ParameterError
from edge.feature_spec import FeatureSpec
from edge.features import FeatureExtractor
from edge.manifest import AdaptationSpec, Manifest

SPEC = FeatureSpec()
NAMES = SPEC.feature_names
RMS, PITCH = NAMES.index("rms"), NAMES.index("pitch_hz")
CHROMA = [i for i, name in enumerate(NAMES) if name.startswith("chroma")]


def speech(
    seconds: float = 2.0, f0_hz: float = 150.0, gain: float = 1.0, seed: int = 0
) -> np.ndarray:
    """Syllables of a voice with some noise in it."""
    rng = np.random.default_rng(seed)
    t = np.arange(int(seconds * SPEC.sample_rate)) / SPEC.sample_rate
    voice = sum(np.sin(2 * np.pi * k * f0_hz * t) / k for k in range(1, 12))
    voice = voice * (0.55 + 0.45 * np.sin(2 * np.pi * 3 * t)) + 0.02 * rng.standard_normal(t.size)
    return (0.05 * gain * voice).astype(np.float32)


def rows_of(**kwargs: float) -> np.ndarray:
    return FeatureExtractor(SPEC).extract(speech(**kwargs))


def settings(prior_frames: int = 50, memory_frames: int = 1000) -> AdaptationSpec:
    reference = AdaptedColumns(SPEC).statistics(rows_of()).means
    return AdaptationSpec(tuple(reference), prior_frames, memory_frames)


def test_nothing_is_corrected_before_anything_was_heard():
    adaptation = Adaptation(SPEC, settings())
    rows = rows_of(f0_hz=220.0)
    assert np.array_equal(adaptation.correct(rows), rows)
    adaptation.hear(np.zeros_like(rows))
    assert np.array_equal(adaptation.correct(rows), rows)


def test_a_gain_and_a_higher_voice_are_undone_in_the_long_run():
    adaptation = Adaptation(SPEC, settings())
    other = rows_of(f0_hz=225.0, gain=0.1)
    for _ in range(60):
        adaptation.hear(other)
    corrected, wanted = adaptation.correct(other), rows_of()
    voiced = other[:, PITCH] > 0
    assert np.median(corrected[voiced, PITCH]) == pytest.approx(150.0, rel=0.02)
    assert np.array_equal(corrected[:, PITCH] > 0, voiced)
    level_db = 20 * np.log10(corrected[:, RMS].mean() / wanted[:, RMS].mean())
    assert abs(level_db) < 1.5
    before = np.abs(other - wanted)[:, :13].mean(axis=0)
    after = np.abs(corrected - wanted)[:, :13].mean(axis=0)
    assert after[0] < 0.2 * before[0]
    assert np.array_equal(corrected[:, CHROMA], other[:, CHROMA])


def test_the_correction_grows_with_what_was_heard():
    adaptation = Adaptation(SPEC, settings(prior_frames=100))
    other = rows_of(gain=0.1)
    shares = []
    for _ in range(4):
        adaptation.hear(other)
        shares.append(-adaptation.offset[RMS] / 20.0)
    n = AdaptedColumns(SPEC).statistics(other).counts[RMS]
    assert shares == pytest.approx([k * n / (k * n + 100) for k in (1, 2, 3, 4)], rel=0.02)


def test_another_speaker_replaces_the_first_one():
    adaptation = Adaptation(SPEC, settings(memory_frames=200))
    for gain in (0.1, 1.0):
        for _ in range(40):
            adaptation.hear(rows_of(gain=gain))
    assert adaptation.n_frames == pytest.approx(200)
    assert abs(adaptation.offset[RMS]) < 0.5
    adaptation.reset()
    assert adaptation.n_frames == 0
    assert not adaptation.offset.any()


def test_silence_between_words_does_not_count():
    adaptation = Adaptation(SPEC, settings())
    rows = rows_of()
    padded = np.concatenate([np.full_like(rows, 1e-4), rows])
    adaptation.hear(padded)
    heard = adaptation.offset
    adaptation.reset()
    adaptation.hear(rows)
    assert heard == pytest.approx(adaptation.offset)


def test_a_batch_of_offsets_is_each_of_them():
    rows = np.stack([rows_of(), rows_of(f0_hz=200.0)])
    offsets = np.random.default_rng(0).normal(0, 0.3, (2, len(NAMES)))
    columns = AdaptedColumns(SPEC)
    together = columns.corrected(rows, offsets)
    for one, offset, alone in zip(together, offsets, rows, strict=True):
        assert one == pytest.approx(columns.corrected(alone, offset), abs=1e-6)


def test_the_settings_must_fit_the_features():
    with pytest.raises(ParameterError, match="adaptation has 3 means, 34 are wanted"):
        Adaptation(SPEC, AdaptationSpec((0.0,) * 3, 10, 10))


@pytest.fixture
def classifier(tiny_artifact):
    made = Classifier(tiny_artifact, open_backend(tiny_artifact))
    made.adaptation = settings()
    return made


def run(stream, samples):
    return stream.push(samples) + stream.flush()


def test_a_stream_adapts_from_the_second_decision_on_and_forgets_on_reset(classifier):
    samples = speech(6.0, f0_hz=230.0, gain=0.05)
    plain = run(classifier.stream(smooth=False), samples)
    stream = classifier.stream(smooth=False, adapt=True)
    adapted = run(stream, samples)
    assert len(adapted) == len(plain) > 5
    assert adapted[0].posterior == plain[0].posterior
    assert all(a.posterior != p.posterior for a, p in zip(adapted[1:], plain[1:], strict=True))
    stream.reset()
    again = run(stream, samples)
    assert [d.posterior for d in again] == [d.posterior for d in adapted]


@pytest.mark.parametrize("size", [160, 1024, 5000])
def test_blocks_of_any_size_adapt_alike(classifier, size):
    samples = speech(5.0, f0_hz=230.0, gain=0.05)
    whole = run(classifier.stream(smooth=False, adapt=True), samples)
    stream = classifier.stream(smooth=False, adapt=True)
    pieces = [
        d for at in range(0, samples.size, size) for d in stream.push(samples[at : at + size])
    ]
    pieces += stream.flush()
    assert [d.posterior for d in pieces] == [d.posterior for d in whole]


def test_silence_teaches_nothing(classifier):
    stream = classifier.stream(smooth=False, adapt=True)
    quiet = 1e-5 * np.random.default_rng(0).standard_normal(3 * SPEC.sample_rate)
    first = stream.push(quiet.astype(np.float32))
    assert not any(d.speech for d in first)
    assert stream._adaptation.n_frames == 0


def test_a_model_without_adaptation_runs_as_before(tiny_artifact):
    classifier = Classifier(tiny_artifact, open_backend(tiny_artifact))
    assert classifier.adaptation is None
    samples = speech(4.0)
    plain, adapted = (
        run(classifier.stream(smooth=False, adapt=adapt), samples) for adapt in (False, True)
    )
    assert [d.posterior for d in plain] == [d.posterior for d in adapted]


def test_the_manifest_keeps_it_and_older_manifests_have_none():
    fields = manifest_fields()
    assert Manifest.from_dict(fields).adaptation is None
    fields["adaptation"] = {"reference": [0.5] * 34, "prior_frames": 100, "memory_frames": 900}
    manifest = Manifest.from_dict(fields)
    assert manifest.adaptation == AdaptationSpec((0.5,) * 34, 100, 900)
    assert Manifest.from_dict(manifest.to_dict()) == manifest


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"reference": [0.0] * 3}, "adaptation.reference"),
        ({"prior_frames": 0}, "adaptation.prior_frames"),
        ({"memory_frames": 1.5}, "adaptation.memory_frames"),
        ({"speed": 1}, "adaptation has unknown keys: speed"),
    ],
)
def test_a_damaged_adaptation_is_refused(change, message):
    fields = manifest_fields()
    good = {"reference": [0.5] * 34, "prior_frames": 100, "memory_frames": 900}
    with pytest.raises(ArtifactError, match=message):
        Manifest.from_dict({**fields, "adaptation": {**good, **change}})


def test_bundled_artifacts_can_be_read():
    from edge.classifier import MODELS_DIR

    assert read_artifact(MODELS_DIR / "claf-ser-int8").manifest.name
