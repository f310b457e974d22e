"""Rows under a condition are those of a device: without the hum of the mains."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from edge.audio.file import write_wav
from edge.features import FeatureExtractor
from edge.features.spec import FeatureSpec
from quantize.data.corpora import Clip
from quantize.data.corpora.contents import file_digest
from quantize.data.features.compute import Heard, Making, compute_rows
from quantize.data.features.degraded import degraded
from quantize.data.sound.reading import read_clip


def test_rows_are_without_the_hum_and_clean_ones_as_they_were(tmp_path: Path) -> None:
    rng, times_s = np.random.default_rng(0), np.arange(48_000) / 16_000
    said = 0.1 * np.sin(2 * np.pi * 30 * np.sin(2 * np.pi * times_s) + 1000 * times_s)
    said[:16_000] = 0
    path = tmp_path / "clip.wav"
    write_wav(path, (said + 1e-3 * rng.standard_normal(said.size)).astype(np.float32), 16_000)
    clip = Clip("own/clip", path, "own", "own/one", "unknown", "happy", "happy", "unknown", "one")
    spec = FeatureSpec()
    making, heard = Making(spec), [Heard(clip, file_digest(path))]
    samples = read_clip(clip, spec.sample_rate)
    (clean,) = compute_rows(making, heard)
    assert np.array_equal(clean, FeatureExtractor(spec).extract(samples))
    (rows,) = compute_rows(dataclasses.replace(making, condition="hum-120Hz"), heard)
    hummed = FeatureExtractor(spec).extract(degraded(samples, clip, "hum-120Hz", 16_000))
    later = slice(20, None)
    left = np.abs(rows.astype(np.float32) - clean)[later].mean()
    assert left < 0.3 * np.abs(hummed - clean)[later].mean()
