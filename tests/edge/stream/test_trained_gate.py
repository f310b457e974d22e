"""The artifact's own gate: what it hears, and that it computes what was trained."""

from __future__ import annotations

import base64
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import edge
from edge.artifact import GateColumns, TrainedGate
from edge.artifact.gate import GATE_TYPE, N_MADE
from edge.audio.file import read_audio
from edge.bundled import DEMO_CLIP, MODELS_DIR
from edge.errors import ParameterError
from edge.features import FeatureExtractor
from edge.features.spec import FeatureSpec
from edge.stream.batches import listen
from edge.stream.frame_gate import enough_speech
from edge.stream.gate_network import MAX_ABOVE_DB
from edge.stream.trained_gate import TrainedSpeechGate

SPEC = FeatureSpec()
NOTHING = np.zeros(0, dtype=np.float32)


def gate_fields(seed: int = 0, **changes: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "type": GATE_TYPE,
        "feature_fingerprint": SPEC.fingerprint,
        "floor_rise_db": 0.1,
        "kernel": 3,
        "widths": [6, 5, 4],
        "memories": [[4.0, 20.0], [9.0]],
        "open_above": 0.6,
        "close_below": 0.4,
        "least_speech_s": 0.3,
        "weights": "",
        "training": {},
        **changes,
    }
    draft = TrainedGate(**fields)
    n_inputs = GateColumns.of(SPEC).n_inputs
    n_weights = sum(math.prod(shape) for shape in draft.shapes(n_inputs).values())
    weights = np.random.default_rng(seed).normal(0, 0.2, n_weights).astype("<f2")
    return fields | {"weights": base64.b64encode(weights.tobytes()).decode()}


def random_rows(n_rows: int, seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    rows = rng.normal(0, 1, (n_rows, 34)).astype(np.float32)
    rows[:, 0] *= 100
    rows[:, 13] = np.where(rng.random(n_rows) < 0.5, 0, 150)
    return rows


def slow_logits(gate: TrainedGate, rows: np.ndarray) -> list[float]:
    """The same, frame by frame and as it is described."""
    columns = GateColumns.of(SPEC)
    arrays = gate.arrays(columns.n_inputs)
    floor_db, past, logits = np.inf, [], []
    memories = [
        [np.zeros(width) for _ in lengths]
        for width, lengths in zip(gate.widths, gate.memories, strict=False)
    ]
    before = rows[0]
    for row in rows.astype(np.float64):
        level_db = row[columns.level] * columns.level_scale
        floor_db = min(level_db, floor_db + gate.floor_rise_db)
        made = [
            min(level_db - floor_db, MAX_ABOVE_DB),
            float(row[columns.pitch] > 0),
            row[columns.pitch],
            row[columns.chroma].mean(),
            np.abs(row[columns.chroma] - before[columns.chroma]).mean(),
        ]
        assert len(made) == N_MADE
        before = row
        past.insert(0, np.concatenate([made, row[columns.shape], row[columns.contrast]]))
        seen = [past[min(delay, len(past) - 1)] for delay in range(gate.kernel)]
        hidden = np.maximum(np.concatenate(seen) @ arrays["first"] + arrays["first_bias"], 0)
        for index, name in enumerate(("second", "third")):
            kept = memories[index]
            for at, length in enumerate(gate.memories[index]):
                kept[at] = kept[at] + (hidden - kept[at]) / length
            told = np.concatenate([hidden, *kept])
            hidden = np.maximum(told @ arrays[name] + arrays[f"{name}_bias"], 0)
        logits.append(float(hidden @ arrays["last"] + arrays["last_bias"][0]))
    return logits


def trained() -> TrainedSpeechGate:
    gate = edge.artifact.read_artifact(MODELS_DIR / "claf-ser-int8").manifest.gate
    assert gate is not None
    return TrainedSpeechGate(gate, SPEC)


def share_of_speech(gate: TrainedSpeechGate, samples: np.ndarray) -> float:
    gate.reset()
    rows = FeatureExtractor(SPEC).push(samples.astype(np.float32))
    return float(gate.push(NOTHING, rows)[8:].mean())


@pytest.mark.parametrize("n_together", [1, 5, 16])
def test_it_computes_what_is_described_however_the_rows_come(n_together: int) -> None:
    gate = TrainedGate.from_dict(gate_fields(), SPEC)
    rows = random_rows(60)
    computed = TrainedSpeechGate(gate, SPEC)
    parts = [computed.logits(rows[at : at + n_together]) for at in range(0, 60, n_together)]
    assert np.concatenate(parts) == pytest.approx(slow_logits(gate, rows), abs=2e-3)


def test_it_is_causal_and_forgets_on_reset() -> None:
    gate = TrainedSpeechGate(TrainedGate.from_dict(gate_fields(), SPEC), SPEC)
    rows = random_rows(16)
    first = gate.logits(rows).copy()
    other = rows.copy()
    other[9:] = random_rows(7, seed=5)
    gate.reset()
    assert gate.logits(other)[:9] == pytest.approx(first[:9], abs=1e-4)
    gate.reset()
    assert np.array_equal(gate.logits(rows), first)


def test_rows_of_a_long_batch_are_judged_as_in_short_ones() -> None:
    gate = TrainedSpeechGate(TrainedGate.from_dict(gate_fields(seed=3), SPEC), SPEC)
    rows = random_rows(70)
    together = gate.push(NOTHING, rows)
    gate.reset()
    parts = [gate.push(NOTHING, rows[at : at + 16]) for at in range(0, 70, 16)]
    assert np.array_equal(together, np.concatenate(parts))
    assert gate.push(NOTHING, rows[:0]).size == 0


@pytest.mark.parametrize("sizes", [(15, 16, 16, 14), (16, 16, 1), (1, 16, 2), (16,), (3,)])
@pytest.mark.parametrize("changes", [{}, {"kernel": 1, "memories": [[], [9.0]]}])
def test_batches_in_one_give_the_last_bit_of_batch_by_batch(
    sizes: tuple[int, ...], changes: dict[str, Any]
) -> None:
    gate = TrainedGate.from_dict(gate_fields(seed=2, **changes), SPEC)
    alone, together = TrainedSpeechGate(gate, SPEC), TrainedSpeechGate(gate, SPEC)
    for seed in (1, 2):
        rows = random_rows(sum(sizes), seed)
        ends = np.cumsum(sizes).tolist()
        parts = [alone._raw(part, [len(part)]) for part in np.split(rows, ends[:-1])]
        # What another stream left in the shared buffers is nothing to it.
        TrainedSpeechGate(gate, SPEC).push(NOTHING, np.full((64, 34), np.nan, np.float32))
        assert together._raw(rows, ends).tobytes() == np.concatenate(parts).tobytes()


def test_a_first_batch_may_be_short_or_empty() -> None:
    gate = TrainedGate.from_dict(gate_fields(seed=3), SPEC)
    rows = random_rows(130)
    for n_first in (0, 5, 15, 16):
        alone, together = TrainedSpeechGate(gate, SPEC), TrainedSpeechGate(gate, SPEC)
        parts = np.split(rows, range(n_first, 130, 16))
        wanted = np.concatenate([alone.push(NOTHING, part) for part in parts])
        assert together.push_batches(rows, n_first).tolist() == wanted.tolist()
        assert 0 < wanted.sum() < 130
        assert together.logits(rows[:3]).tobytes() == alone.logits(rows[:3]).tobytes()


def test_a_block_of_batches_goes_on_to_the_last_bit_as_batches_do() -> None:
    gate = TrainedGate.from_dict(gate_fields(seed=3), SPEC)
    alone, together = TrainedSpeechGate(gate, SPEC), TrainedSpeechGate(gate, SPEC)
    rows, samples, heard = random_rows(63), np.zeros(4 * 8192, np.float32), []
    parts = np.split(rows, [15, 31, 47])
    wanted = np.concatenate([alone.push(NOTHING, part) for part in parts])
    spoken = listen(samples, rows, 8192, 16, 15, lambda batch: heard.append(batch.size), together)
    assert spoken is not None
    assert spoken.tolist() == wanted.tolist()
    assert heard == [8192] * 4
    for n_rows in (1, 16):
        new = random_rows(n_rows, seed=n_rows)
        assert together.logits(new).tobytes() == alone.logits(new).tobytes()


def test_what_opened_it_need_not_keep_it_open() -> None:
    gate = TrainedSpeechGate(
        TrainedGate.from_dict(gate_fields(open_above=0.8, close_below=0.3), SPEC), SPEC
    )
    odds = np.log(np.array([0.5, 0.85, 0.5, 0.31, 0.29, 0.5, 0.79, 0.81])) - np.log1p(
        -np.array([0.5, 0.85, 0.5, 0.31, 0.29, 0.5, 0.79, 0.81])
    )
    held = gate._hold((odds - gate._bias).astype(np.float32))
    assert held == [False, True, True, True, False, False, False, True]


def test_the_level_is_nothing_to_it() -> None:
    samples, _ = read_audio(DEMO_CLIP)
    loud, gate = samples[:64_000] * 0.5, trained()
    shares = [share_of_speech(gate, loud * 10 ** (-db / 20)) for db in (0, 15, 30)]
    assert min(shares) > 0.4
    assert max(shares) - min(shares) < 0.05


@pytest.mark.parametrize("level_db", [-50, -30, -15])
@pytest.mark.parametrize("kind", ["white", "brown", "hum", "chord", "clicks"])
def test_noise_hum_chords_and_clicks_are_no_speech(kind: str, level_db: float) -> None:
    rng, time_s = np.random.default_rng(4), np.arange(64_000) / 16_000
    samples = {
        "white": lambda: rng.standard_normal(64_000),
        "brown": lambda: np.cumsum(rng.standard_normal(64_000)) - 0.0,
        "hum": lambda: sum(np.sin(2 * np.pi * 50 * k * time_s + k) / k for k in range(1, 12)),
        "chord": lambda: sum(
            np.sin(2 * np.pi * hz * k * time_s) / k for hz in (220, 277, 330) for k in range(1, 6)
        ),
        "clicks": lambda: (np.arange(64_000) % 4000 == 0) * 1.0,
    }[kind]()
    samples = samples - samples.mean()
    at_level = np.clip(samples / samples.std() * 10 ** (level_db / 20), -1, 1)
    assert share_of_speech(trained(), at_level) < 0.1


def test_a_window_holds_speech_by_its_seconds_or_half_of_itself() -> None:
    assert not enough_speech(9, 61, 0.32, 0.032)
    assert enough_speech(10, 61, 0.32, 0.032)
    assert enough_speech(2, 4, 0.32, 0.032)
    assert not enough_speech(1, 4, 0.32, 0.032)
    assert not enough_speech(0, 3, 0.0, 0.032)


def test_an_artifact_without_one_says_what_to_do(tmp_path: Path) -> None:
    classifier = without_gate(tmp_path)
    with pytest.raises(ParameterError, match="no speech gate: use --vad energy, or give it one"):
        classifier.stream(vad="gate")
    noise = np.random.default_rng(0).normal(0, 0.1, 48_000).astype(np.float32)
    assert {d.state for d in classifier.classify(noise, 16_000)} <= {"speech", "uncertain"}


def without_gate(folder: Path) -> edge.Classifier:
    artifact = edge.artifact.read_artifact(MODELS_DIR / "claf-ser-tiny")
    fields = artifact.manifest.to_dict()
    del fields["gate"]
    edge.artifact.write_artifact(folder / "model", fields, artifact.read_model())
    return edge.load(folder / "model", backend="numpy")


@pytest.mark.parametrize("vad", ["silence", "", 3, True])
def test_a_gate_that_is_none_is_refused(vad: Any) -> None:
    classifier = edge.load("claf-ser-tiny", backend="numpy")
    with pytest.raises(ParameterError, match=r"vad is .*, one of gate, silero, energy, off"):
        classifier.stream(vad=vad)


def test_the_model_is_asked_about_speech_alone() -> None:
    classifier = edge.load("claf-ser-tiny", backend="numpy")
    voice, _ = read_audio(DEMO_CLIP)
    noise = np.random.default_rng(1).normal(0, 0.02, 4 * 16_000).astype(np.float32)
    stream = classifier.stream()
    decisions = stream.push(np.concatenate([noise, voice[: 4 * 16_000], noise, noise * 0]))
    states = [decision.state for decision in decisions]
    assert states[0] == "no-speech"
    assert {"speech", "uncertain"} & set(states)
    assert states[-1] == "quiet"
    for decision in decisions:
        assert (decision.timing.model_ms > 0) == decision.speech
        assert (decision.posterior is not None) == decision.speech


def test_off_judges_even_silence_and_energy_every_loud_sound() -> None:
    classifier = edge.load("claf-ser-tiny", backend="numpy")
    silence = np.zeros(40_000, dtype=np.float32)
    noise = np.random.default_rng(1).normal(0, 0.02, 40_000).astype(np.float32)

    def states(samples: np.ndarray, vad: str | None) -> set[bool]:
        return {d.speech for d in classifier.classify(samples, 16_000, vad=vad)}

    assert states(silence, "off") == {True}
    assert states(silence, "energy") == {False}
    assert states(noise, "energy") == {True}
    assert states(noise, None) == {False}


def test_a_file_of_other_sounds_has_no_label(tmp_path: Path) -> None:
    import wave

    noise = np.random.default_rng(1).normal(0, 2000, 48_000).astype("<i2")
    with wave.open(str(tmp_path / "noise.wav"), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(noise.tobytes())
    classifier = edge.load("claf-ser-tiny", backend="numpy")
    answer = classifier.classify_file(tmp_path / "noise.wav")
    assert (answer.state, answer.label, answer.n_speech_segments) == ("no-speech", None, 0)
    assert classifier.classify_file(tmp_path / "noise.wav", vad="energy").n_speech_segments > 0
