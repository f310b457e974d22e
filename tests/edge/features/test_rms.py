"""Level: analytic truths."""

from __future__ import annotations

import numpy as np
import pytest

from edge.features.families.rms import frame_rms
from edge.features.spectrum import Spectrum

N = 1024


def one(samples: np.ndarray) -> float:
    spectra = Spectrum(N, hop_length=N, n_lags=1)(samples.astype(np.float32), 1)
    rms = frame_rms(spectra.energy, N)
    assert rms.shape == (1,)
    assert rms.dtype == np.float32
    return float(rms[0])


def test_silence_is_0() -> None:
    assert one(np.zeros(N)) == 0


@pytest.mark.parametrize("amplitude", [1.0, 0.3, 1e-4])
@pytest.mark.parametrize("n_periods", [1, 7, 100])
def test_a_sine_of_whole_periods_is_a_over_root_2(amplitude: float, n_periods: int) -> None:
    wave = amplitude * np.sin(2 * np.pi * n_periods * np.arange(N) / N + 0.4)
    assert one(wave) == pytest.approx(amplitude / np.sqrt(2), rel=1e-6)


def test_a_constant_is_its_magnitude() -> None:
    assert one(np.full(N, -0.25)) == pytest.approx(0.25, rel=1e-6)


def test_an_impulse_is_spread_over_the_frame() -> None:
    assert one(np.eye(1, N, 17)[0]) == pytest.approx(1 / 32, rel=1e-6)


def test_small_samples_beside_large_ones_count() -> None:
    # In float32 sums, a million of 1e-4 squared vanish beside the one.
    wave = np.full(N, 1e-4)
    wave[0] = 1.0
    assert one(wave) == pytest.approx(np.sqrt((1 + 1023e-8) / N), rel=1e-6)


def test_what_no_converter_can_tell_from_silence_is_0() -> None:
    # Squares below float32's range, 440 dB under full scale.
    assert one(np.full(N, 1e-40)) == 0
    assert one(np.full(N, 1e-20)) == pytest.approx(1e-20, rel=1e-3)
