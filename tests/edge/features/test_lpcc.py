"""LPCC against definitions that share no step with the recursions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.features.families.lpcc import autocorrelation, cepstrum, levinson_durbin


def all_pole_noise(seed: int, n_frames: int = 5, length: int = 800) -> np.ndarray:
    """Noise through two resonances: frames with an envelope to find."""
    rng = np.random.default_rng(seed)
    spectrum = np.fft.rfft(rng.standard_normal((n_frames, length)), axis=1)
    omega = np.linspace(0, np.pi, spectrum.shape[1])
    z = np.exp(-1j * omega)
    for pole in (0.95 * np.exp(0.4j), 0.9 * np.exp(1.7j)):
        spectrum /= (1 - pole * z) * (1 - pole.conjugate() * z)
    return np.fft.irfft(spectrum, n=length, axis=1) * np.hanning(length)


def by_solving(correlation: np.ndarray) -> np.ndarray:
    """The normal equations, one frame at a time."""
    order = correlation.shape[1] - 1
    at = np.abs(np.arange(order)[:, None] - np.arange(order))
    return np.stack([np.linalg.solve(r[at], r[1:]) for r in correlation])


def by_fourier(predictor: np.ndarray, n: int, n_fft: int = 1 << 14) -> np.ndarray:
    """Cepstrum by its name: inverse transform of the log spectrum of 1 / (1 - sum a z^-k).

    Twice the real cepstrum is that of a minimum-phase model, c[0] apart.
    """
    polynomial = np.concatenate((np.ones((len(predictor), 1)), -predictor), axis=1)
    log_magnitude = -np.log(np.abs(np.fft.rfft(polynomial, n_fft, axis=1)))
    return 2 * np.fft.irfft(log_magnitude, axis=1)[:, 1 : n + 1]


def test_autocorrelation_is_the_sum_over_pairs():
    frames = np.random.default_rng(0).standard_normal((3, 20))
    expected = [np.correlate(f, f, "full")[19:24] for f in frames]
    assert autocorrelation(frames, 4) == pytest.approx(np.array(expected))


@pytest.mark.parametrize("order", [1, 2, 16])
def test_levinson_durbin_solves_the_normal_equations(order):
    correlation = autocorrelation(all_pole_noise(order), order)
    assert levinson_durbin(correlation) == pytest.approx(by_solving(correlation), abs=1e-5)


def test_the_poles_of_a_known_process_are_found():
    pole = 0.9 * np.exp(0.8j)
    true = np.array([2 * pole.real, -(abs(pole) ** 2)])
    impulse = np.zeros(2000)
    for n in range(2000):
        impulse[n] = (n == 0) + sum(true[k] * impulse[n - 1 - k] for k in range(min(n, 2)))
    found = levinson_durbin(autocorrelation(impulse[None], 2))
    assert found[0] == pytest.approx(true, abs=1e-6)


@pytest.mark.parametrize("n", [1, 8, 16, 40])
def test_the_recursion_is_the_fourier_cepstrum(n):
    predictor = levinson_durbin(autocorrelation(all_pole_noise(7), 16))
    assert cepstrum(predictor, n) == pytest.approx(by_fourier(predictor, n), abs=1e-7)


def test_one_pole_has_a_cepstrum_in_closed_form():
    m = np.arange(1, 11)
    assert cepstrum(np.array([[0.7]]), 10)[0] == pytest.approx(0.7**m / m)


def test_equation_2_as_it_is_printed():
    a = np.array([0.5, -0.3, 0.2])
    c = cepstrum(a[None], 3)[0]
    assert c[0] == pytest.approx(a[0])
    assert c[1] == pytest.approx(a[1] + 1 / 2 * c[0] * a[0])
    assert c[2] == pytest.approx(a[2] + 1 / 3 * c[0] * a[1] + 2 / 3 * c[1] * a[0])


def test_silence_predicts_nothing():
    predictor = levinson_durbin(np.zeros((2, 17)))
    assert not predictor.any()
    assert not cepstrum(predictor, 24).any()


@settings(deadline=None, max_examples=40)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from(["noise", "tone", "constant", "click", "square"]),
    st.floats(-120, 0),
)
def test_all_sounds_have_finite_bounded_coefficients(seed, sound, level_db):
    rng = np.random.default_rng(seed)
    n = np.arange(1024)
    wave = {
        "noise": rng.standard_normal(1024),
        "tone": np.sin(rng.uniform(0.001, 3.0) * n),
        "constant": np.ones(1024),
        "click": (n == 512).astype(float),
        "square": np.sign(np.sin(0.1 * n)),
    }[sound]
    frames = (10 ** (level_db / 20) * wave * np.hanning(1024))[None]
    cepstra = cepstrum(levinson_durbin(autocorrelation(frames, 16)), 24)
    # p poles within the unit circle: |c[m]| <= p / m.
    assert (np.abs(cepstra) <= 16 / np.arange(1, 25) + 1e-6).all()


def test_level_changes_no_coefficient():
    frames = all_pole_noise(3)
    loud, soft = (
        cepstrum(levinson_durbin(autocorrelation(gain * frames, 16)), 24) for gain in (1.0, 1e-3)
    )
    assert loud == pytest.approx(soft, abs=1e-9)
