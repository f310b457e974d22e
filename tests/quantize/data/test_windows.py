"""Windows are of seconds, whatever the rate and the hop of a spec."""

from __future__ import annotations

import pytest

from edge.features.spec import FeatureSpec
from quantize.data.features.simple_rnn import BASELINE_SPEC
from quantize.data.features.windows import WINDOW_FRAMES, WINDOW_HOP, window_of


def spec_at(rate: int, hop_length: int, win_length: int = 1024) -> FeatureSpec:
    return FeatureSpec().with_settings(
        sample_rate=rate,
        hop_length=hop_length,
        win_length=win_length,
        n_fft=1024,
        fmax_hz=3900.0,
        n_contrast_bands=4,
    )


def test_the_devices_windows_are_what_they_were():
    assert window_of(FeatureSpec()) == window_of(BASELINE_SPEC) == (WINDOW_FRAMES, WINDOW_HOP)
    assert window_of(FeatureSpec().with_settings(hop_length=1024)) == (31, 8)


@pytest.mark.parametrize(
    ("rate", "hop_length", "expected"),
    [(8_000, 512, (31, 8)), (8_000, 256, (61, 16)), (12_000, 384, (61, 16)), (11_025, 512, None)],
)
def test_a_window_is_2_s_at_any_rate(rate, hop_length, expected):
    spec = spec_at(rate, hop_length)
    window_frames, window_hop = window_of(spec)
    assert expected in ((window_frames, window_hop), None)
    usual_s = (WINDOW_FRAMES - 1) * 512 / 16_000
    assert usual_s - hop_length / rate < (window_frames - 1) * hop_length / rate <= usual_s
    assert window_hop * hop_length / rate == pytest.approx(0.512, abs=hop_length / rate / 2)
