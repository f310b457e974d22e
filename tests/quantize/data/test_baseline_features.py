"""The baseline's rows: every group by its equation, on the frames of CLAF-SER."""

from __future__ import annotations

import numpy as np
import pytest

from edge.errors import ParameterError
from edge.features import FeatureExtractor
from edge.features.families.pitch_classes import pitch_classes
from edge.features.spec import FeatureSpec
from quantize.data.corpora import load_corpora
from quantize.data.features.cache import FeatureCache
from quantize.data.features.simple_rnn import BASELINE_SPEC, N_INPUTS

SPEC = BASELINE_SPEC
NAMES = list(SPEC.feature_names)
N = 1024


@pytest.fixture(scope="module")
def samples():
    rng = np.random.default_rng(0)
    voice = sum(np.sin(2 * np.pi * 140 * k * np.arange(48_000) / 16_000) / k for k in range(1, 20))
    return (0.1 * voice + 0.02 * rng.standard_normal(48_000)).astype(np.float32)


@pytest.fixture(scope="module")
def rows(samples):
    return FeatureExtractor(SPEC).extract(samples)


def frame(samples: np.ndarray, t: int) -> np.ndarray:
    return samples[t * 512 : t * 512 + N].astype(np.float64)


def column(rows: np.ndarray, name: str) -> np.ndarray:
    return rows[:, NAMES.index(name)]


def tone(hz: float, n: int = 4096) -> np.ndarray:
    return (0.3 * np.sin(2 * np.pi * hz * np.arange(n) / 16_000)).astype(np.float32)


def test_a_row_is_51_inputs_and_the_level(rows, samples):
    assert rows.shape == (SPEC.n_frames(samples.size), 52) == (92, SPEC.n_features)
    assert rows.dtype == np.float32
    assert N_INPUTS == 51
    assert len(NAMES) == len(set(NAMES)) == 52
    assert NAMES[-1] == "rms"
    # The paper's figure 1.
    assert 4 * N_INPUTS == 204


def test_mfcc_and_rms_are_those_of_the_device(rows, samples):
    device = FeatureExtractor().extract(samples)
    device_names = list(FeatureSpec().feature_names)
    for name in ("rms", *(f"mfcc_{i}" for i in range(13))):
        theirs = device[:, device_names.index(name)]
        assert column(rows, name) == pytest.approx(theirs, abs=1e-4), name


def test_energy_is_equation_6(rows, samples):
    expected = [np.log((frame(samples, t) ** 2).sum() + 1e-10) for t in range(len(rows))]
    assert column(rows, "log_energy") == pytest.approx(expected, abs=1e-4)


def test_pitch_is_the_lag_of_the_highest_autocorrelation(rows, samples):
    for t in (0, 40, 91):
        x = frame(samples, t)
        by_lag = {lag: (x[: N - lag] * x[lag:]).sum() for lag in range(26, 268)}
        assert column(rows, "pitch_hz")[t] == pytest.approx(
            16_000 / max(by_lag, key=by_lag.__getitem__)
        )


def test_chroma_is_equations_7_to_9(rows, samples):
    for t in (3, 77):
        x = frame(samples, t) * (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(N) / N))
        magnitude = np.abs(np.fft.rfft(x))
        by_class = np.zeros(12)
        for k in range(4, 513):
            semitones_above_c = 12 * np.log2(k * 15.625 / 440) + 9
            by_class[int(np.round(semitones_above_c)) % 12] += magnitude[k]
        chroma = rows[t, NAMES.index("chroma_0") : NAMES.index("chroma_11") + 1]
        assert chroma == pytest.approx(by_class / by_class.sum(), abs=1e-5)
        assert chroma.sum() == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize(("hz", "pitch_class"), [(261.63, 0), (440.0, 9), (1760.0, 9), (987.8, 11)])
def test_a_note_lands_in_its_class(hz, pitch_class):
    rows = FeatureExtractor(SPEC).extract(tone(hz))
    first = NAMES.index("chroma_0")
    assert (rows[:, first : first + 12].argmax(axis=1) == pitch_class).all()


def test_no_bin_belongs_to_two_classes():
    classes = pitch_classes(16_000, 1024, 50.0)
    assert classes.shape == (513,)
    assert (classes[:4] == -1).all()
    assert set(classes[4:]) == set(range(12))


def test_lpcc_describes_the_envelope(samples):
    """The envelope that 24 coefficients give follows the all-pole one of the tapered frame."""
    from edge.features.families.lpcc import autocorrelation, cepstrum, levinson_durbin

    rows = FeatureExtractor(SPEC).extract(samples)
    taper = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(N) / N)
    frames = np.stack([frame(samples, t) * taper for t in range(len(rows))])
    expected = cepstrum(levinson_durbin(autocorrelation(frames, 16)), 24)
    assert rows[:, :24] == pytest.approx(expected, abs=1e-6)


def test_silence_is_finite_and_its_level_none():
    rows = FeatureExtractor(SPEC).extract(np.zeros(5000, np.float32))
    assert np.isfinite(rows).all()
    assert not rows[:, [i for i, n in enumerate(NAMES) if n.startswith(("lpcc", "chroma"))]].any()
    assert not column(rows, "pitch_hz").any()
    assert not column(rows, "rms").any()
    assert column(rows, "log_energy") == pytest.approx(np.log(1e-10))


def test_a_row_depends_on_its_own_frame_alone(samples, rows):
    extractor = FeatureExtractor(SPEC)
    # Across the border of the tiles that frames are computed in.
    for t in (0, 63, 64, 91):
        alone = extractor.extract(samples[t * 512 : t * 512 + N])
        assert alone.tobytes() == rows[t : t + 1].tobytes()


@pytest.mark.parametrize("split", [[1024, 1536], [5000, 5512, 20_000, 20_001], [40_000]])
def test_rows_stream_as_they_extract(samples, rows, split):
    extractor = FeatureExtractor(SPEC)
    pushed = [extractor.push(block) for block in np.split(samples, split)]
    assert np.concatenate(pushed).tobytes() == rows.tobytes()


@pytest.mark.parametrize(
    "bad", [np.zeros(1023, "f4"), np.full(2000, np.nan, "f4"), np.zeros((2, 9))]
)
def test_what_is_no_signal_is_refused(bad):
    with pytest.raises(ParameterError):
        FeatureExtractor(SPEC).extract(bad)


def test_spec_round_trip_and_fingerprint():
    spec = SPEC.with_settings(lpc_order=12)
    assert FeatureSpec.from_dict(spec.to_dict()) == spec
    assert len({s.fingerprint for s in (spec, SPEC, FeatureSpec())}) == 3


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"lpc_order": 0}, "^lpc_order is 0"),
        ({"lpc_order": 512, "n_fft": 512, "win_length": 512}, r"^lpc_order is 512, .* below win_l"),
        ({"n_lpcc": True}, "^n_lpcc is True"),
        ({"energy_floor": 0.0}, r"^energy_floor is 0\.0"),
        ({"energy_floor": 1.5}, r"^energy_floor is 1\.5"),
        ({"chroma_fmin_hz": 9000.0}, r"^chroma_fmin_hz is 9000\.0"),
        (
            {"correlation_pitch_fmin_hz": 20},
            r"^correlation_pitch_fmin_hz 20\.0 needs a frame of at",
        ),
        (
            {"order": ["pitch", "correlation_pitch"]},
            r"^two of the families .* have a column 'pitch_",
        ),
    ],
)
def test_impossible_settings_are_refused(settings, message):
    with pytest.raises(ParameterError, match=message):
        SPEC.with_settings(**settings)


def test_the_cache_keeps_them_beside_the_others(synthetic_root, tmp_path):
    clips = load_corpora(synthetic_root)[0][::40]
    cache, other = FeatureCache(tmp_path, SPEC), FeatureCache(tmp_path)
    rows = cache.load(clips)
    frames = other.load(clips)
    assert len(list((tmp_path / "rows").iterdir())) == 2
    for clip_id, each in rows.items():
        assert each.dtype == np.float32
        assert np.isfinite(each).all()
        assert len(each) == len(frames[clip_id])
