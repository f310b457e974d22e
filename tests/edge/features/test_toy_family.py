"""A family of features is one module and one row of the registry, and nothing else."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

from edge import FeatureExtractor, FeatureSpec, ParameterError
from edge.features.families import FAMILIES
from edge.features.families.base import Columns, Family, FrameGeometry, Kernel, count
from edge.features.spectrum import FrameSpectra


@dataclasses.dataclass(frozen=True, slots=True)
class Tilt(Family):
    """Level of ``n_tilts`` bins of each end of the spectrum, and whether a sample is above 0."""

    NAME: ClassVar[str] = "tilt"

    n_tilts: int = count(4, 64, "n_tilts")

    @property
    def feature_names(self) -> tuple[str, ...]:
        return ("tilt_low_db", "tilt_high_db", "begins_above_0")

    def check(self, frames: FrameGeometry) -> None:
        if self.n_tilts > frames.n_fft // 4:
            raise ParameterError(f"n_tilts is {self.n_tilts}, a quarter of the frame at most")

    def kernel(self, frames: FrameGeometry) -> Kernel:
        return TiltKernel(self, frames)


class TiltKernel(Kernel):
    filters_in_db = True

    def __init__(self, settings: Tilt, frames: FrameGeometry) -> None:
        self.filters = np.zeros((1 + frames.n_fft // 2, 2))
        self.filters[: settings.n_tilts, 0] = self.filters[-settings.n_tilts :, 1] = 1.0
        self._hop = frames.hop_length

    def fill(self, out: NDArray[np.float32], spectra: FrameSpectra, columns: Columns) -> None:
        out[:, :2] = columns.filtered
        out[:, 2] = spectra.samples[: len(out) * self._hop : self._hop] > 0


@pytest.fixture
def spec(monkeypatch: pytest.MonkeyPatch) -> FeatureSpec:
    monkeypatch.setitem(FAMILIES, "tilt", Tilt)
    return FeatureSpec(families=(*FeatureSpec().families, Tilt(n_tilts=3)))


def samples() -> NDArray[np.float32]:
    return (0.1 * np.random.default_rng(0).standard_normal(50_000)).astype(np.float32)


def test_its_settings_are_read_written_and_hashed_like_any_others(spec: FeatureSpec) -> None:
    assert spec.to_dict()["n_tilts"] == 3
    assert spec.family(Tilt).n_tilts == 3
    assert FeatureSpec.from_dict(spec.to_dict()) == spec
    assert spec.with_settings(n_tilts=5).family(Tilt) == Tilt(5)
    assert spec.fingerprint != FeatureSpec().fingerprint
    assert "tilt" not in FeatureSpec().canonical_json()
    with pytest.raises(ParameterError, match=r"^n_tilts is 0, a whole number from 1 to 64 is want"):
        spec.with_settings(n_tilts=0)
    with pytest.raises(ParameterError, match=r"a quarter of the frame at most$"):
        FeatureSpec(n_fft=128, win_length=128, hop_length=64, families=(Tilt(64),))


def test_its_columns_stream_as_they_extract_beside_the_others(spec: FeatureSpec) -> None:
    extractor = FeatureExtractor(spec)
    rows = extractor.extract(samples())
    assert rows.shape[1] == len(spec.feature_names) == 37
    parts = [extractor.push(block) for block in np.split(samples(), [1024, 1600, 1700, 40_000])]
    assert np.concatenate(parts).tobytes() == rows.tobytes()
    assert rows[:, :34] == pytest.approx(FeatureExtractor().extract(samples()), rel=1e-5, abs=1e-4)
    taper = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(1024) / 1024)
    power = np.abs(np.fft.rfft(samples()[512 : 512 + 1024] * taper)) ** 2
    assert rows[1, 34:36] == pytest.approx(10 * np.log10([power[:3].sum(), power[-3:].sum()]), 1e-4)
    assert set(rows[:, 36]) == {0.0, 1.0}
