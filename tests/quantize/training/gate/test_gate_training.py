"""A gate is trained on small corpora of our own, and put into artifacts."""

from __future__ import annotations

import shutil
import wave
from pathlib import Path

import numpy as np
import pytest

from edge.artifact import TrainedGate, read_artifact
from edge.bundled import MODELS_DIR
from edge.features.spec import FeatureSpec
from quantize.commands.main import main
from quantize.data.sound.recordings import find_sounds
from quantize.export.gate import DEFAULT_GATES, read_default_gate, read_gate
from quantize.training.gate.material import Material, find_voices
from quantize.training.gate.scenes import GENERATED, SILENT, SPOKEN, activity, draw_scene

RATE = 16_000
SPEC = FeatureSpec()
#: Of the bundled models.
THEIRS = read_artifact(MODELS_DIR / "claf-ser-tiny").manifest.feature_spec


def write(path: Path, samples: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())


def spoken(rng: np.random.Generator) -> np.ndarray:
    time_s = np.arange(RATE) / RATE
    hz = rng.uniform(100, 220)
    tone = sum(np.sin(2 * np.pi * hz * k * time_s) / k for k in range(1, 15))
    syllables = np.maximum(0, np.sin(2 * np.pi * 4 * time_s))
    pause = np.zeros(RATE // 2)
    return np.concatenate([pause, 0.1 * tone * syllables + 1e-4, pause])


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    rng = np.random.default_rng(0)
    corpora, sounds = tmp_path / "corpora", tmp_path / "sounds"
    for actor in (1, 2, 17, 19):
        for take in range(2):
            write(corpora / "RAVDESS" / f"Actor_{actor:02d}" / f"{take}.wav", spoken(rng))
    for fold, source in ((1, 100), (1, 102), (2, 101), (3, 100)):
        write(sounds / "esc" / "rain" / f"{fold}-{source}-A.wav", rng.normal(0, 0.1, RATE))
    for number in range(9):
        write(sounds / "rooms" / "house" / f"{number:03d}.wav", rng.normal(0, 0.01, RATE))
    return corpora, sounds


def test_nobody_is_on_two_sides(folders: tuple[Path, Path]) -> None:
    voices, sounds = find_voices(folders[0]), find_sounds(folders[1])
    for found in (voices, sounds):
        sides: dict[str, set[str]] = {}
        for one in found:
            sides.setdefault(one.source, set()).add(one.split)
        assert all(len(splits) == 1 for splits in sides.values())
    assert {one.source: one.split for one in voices} == {
        "RAVDESS/01": "train", "RAVDESS/02": "train", "RAVDESS/17": "tune", "RAVDESS/19": "test",
    }  # fmt: skip
    of = {one.path.name: one.split for one in sounds}
    assert (of["3-100-A.wav"], of["2-101-A.wav"], of["1-102-A.wav"]) == ("test", "train", "tune")
    assert [of[f"{number:03d}.wav"] for number in range(9)] == (
        ["train"] * 5 + ["tune"] + ["test"] * 3
    )


def test_speech_is_where_the_clip_is_loud() -> None:
    truth = activity(spoken(np.random.default_rng(1)), RATE)
    assert (truth[: RATE // 3] == SILENT).all()
    assert (truth[RATE // 2 + 2000 : 3 * RATE // 2 - 3000] == SPOKEN).mean() > 0.9


@pytest.mark.parametrize("kind", GENERATED)
def test_every_generated_sound_is_sound_and_the_same_again(kind: str) -> None:
    make = GENERATED[kind][0]
    for seed in range(3):
        samples = make(np.random.default_rng(seed), 2 * RATE, RATE)
        assert samples.shape == (2 * RATE,)
        assert np.isfinite(samples).all()
        assert samples.std() > 0
        assert np.array_equal(samples, make(np.random.default_rng(seed), 2 * RATE, RATE))


def test_a_scene_tells_where_somebody_speaks(folders: tuple[Path, Path]) -> None:
    material = Material.of("train", find_voices(folders[0]), find_sounds(folders[1]))
    scenes = [
        draw_scene(np.random.default_rng(seed), material, 2 * RATE, RATE) for seed in range(20)
    ]
    assert {(scene.truth == SPOKEN).any() for scene in scenes} == {True, False}
    for scene in scenes:
        assert scene.samples.dtype == np.float32
        assert np.abs(scene.samples).max() <= 1
        assert scene.kind == "voice" or (scene.truth == SILENT).all()


def test_train_and_put_into_an_artifact(
    folders: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("quantize.training.gate.rows._N_TOGETHER", 12)
    artifact = tmp_path / "model"
    shutil.copytree(MODELS_DIR / "claf-ser-tiny", artifact)
    before = read_artifact(artifact)
    words = ["train-gate", "--data", str(folders[0]), "--sounds", str(folders[1])]
    words += ["--cache", str(tmp_path / "cache"), "--scenes", "60", "--epochs", "6"]
    words += ["--recall", "0", "--out", str(tmp_path / "gate.json"), "--into", str(artifact)]
    assert main(words) == 0
    after = read_artifact(artifact)
    gate = read_gate(tmp_path / "gate.json", THEIRS)
    assert after.manifest.gate == gate
    assert after.digest != before.digest
    assert after.manifest.model_sha256 == before.manifest.model_sha256
    assert after.digest[:12] in (artifact / "MODEL_CARD.md").read_text()
    assert gate.training["held_out"] == ["RAVDESS/19"]
    # Drawn scenes are not drawn again, and the same seed gives the same gate.
    monkeypatch.setattr("quantize.training.gate.rows.draw_scene", None)
    assert main(words) == 0
    assert read_gate(tmp_path / "gate.json", THEIRS) == gate


def test_too_few_scenes_are_said(
    folders: tuple[Path, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("quantize.training.gate.rows._N_TOGETHER", 1)
    words = ["train-gate", "--data", str(folders[0]), "--sounds", str(folders[1]), "--epochs", "1"]
    words += ["--scenes", "1", "--out", str(tmp_path / "gate.json")]
    assert main([*words, "--cache", str(tmp_path / "cache")]) == 2
    assert "draw more with --scenes" in capsys.readouterr().err
    assert not (tmp_path / "gate.json").exists()


def test_a_gate_from_a_file(tmp_path: Path) -> None:
    artifact = tmp_path / "model"
    shutil.copytree(MODELS_DIR / "claf-ser-tiny", artifact)
    assert main(["train-gate", "--gate", str(DEFAULT_GATES[1]), "--into", str(artifact)]) == 0
    assert read_artifact(artifact).manifest.gate == read_default_gate(THEIRS)


@pytest.mark.parametrize(
    ("words", "match"),
    [
        ([], "--data and --sounds is wanted to train a gate"),
        (["--data", "x", "--sounds", "y"], "--out or --into is wanted"),
        (["--gate", "g", "--out", "o"], "--gate is for --into, and not with --out"),
        (["--data", "none", "--sounds", "none", "--out", "o"], "no recording of RAVDESS"),
    ],
)
def test_what_is_missing_is_said(
    words: list[str], match: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train-gate", *words]) == 2
    assert match in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ("{", "is no gate of edge-ser-quantize train-gate"),
        ("{}", "cannot be used: gate lacks"),
        (None, "cannot be read"),
    ],
)
def test_a_file_that_is_no_gate(
    content: str | None, match: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, artifact = tmp_path / "gate.json", tmp_path / "model"
    shutil.copytree(MODELS_DIR / "claf-ser-tiny", artifact)
    if content is not None:
        file.write_text(content)
    before = (artifact / "manifest.json").read_bytes()
    assert main(["train-gate", "--gate", str(file), "--into", str(artifact)]) == 2
    assert match in capsys.readouterr().err
    assert (artifact / "manifest.json").read_bytes() == before


def test_the_default_gate_is_for_the_default_features_alone() -> None:
    gate = read_default_gate(SPEC)
    assert isinstance(gate, TrainedGate)
    assert read_default_gate(SPEC.with_settings(n_mels=32)) is None
    bundled = read_artifact(MODELS_DIR / "claf-ser-int8").manifest
    assert bundled.gate == read_default_gate(bundled.feature_spec) != gate


@pytest.mark.parametrize("spec", [SPEC, SPEC.with_settings(high_pass_hz=60.0)])
def test_a_gate_comes_along_for_the_features_of_every_recipe(spec: FeatureSpec) -> None:
    gate = read_default_gate(spec)
    assert gate is not None
    assert gate.feature_fingerprint == spec.fingerprint
