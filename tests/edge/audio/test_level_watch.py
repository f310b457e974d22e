"""A muted microphone, and one that is too loud."""

from __future__ import annotations

import numpy as np
import pytest

from edge.audio.level_watch import LevelWatch

RATE = 16_000
N = 512


def heard(watch: LevelWatch, samples: np.ndarray) -> list[tuple[float, str]]:
    """When something is said, in seconds."""
    said = []
    for start in range(0, samples.size, N):
        watch.push(samples[start : start + N])
        said += [((start + N) / RATE, kind) for kind in watch.news()]
    return said


def noise(seconds: float, peak: float) -> np.ndarray:
    rng = np.random.default_rng(3)
    return rng.uniform(-peak, peak, round(seconds * RATE)).astype(np.float32)


def clipped(seconds: float) -> np.ndarray:
    return np.clip(noise(seconds, 1.5), -1, 1)


def constant(seconds: float, value: float = 0.0) -> np.ndarray:
    return np.full(round(seconds * RATE), value, np.float32)


@pytest.mark.parametrize("value", [0.0, 0.01])
def test_digital_zeros_are_said_once(value: float) -> None:
    ((at_s, kind),) = heard(LevelWatch(RATE), constant(60, value))
    assert kind == "muted"
    assert 10.0 <= at_s <= 10.6


def test_a_quiet_room_is_not_muted() -> None:
    # The last bit of 16 is all that moves, now and then.
    samples = constant(60)
    samples[:: RATE // 3] = 1 / 32_768
    assert heard(LevelWatch(RATE), samples) == []


def test_it_is_said_again_only_when_it_was_well_in_between() -> None:
    watch = LevelWatch(RATE)
    kinds = [kind for _, kind in heard(watch, constant(12))]
    kinds += [kind for _, kind in heard(watch, np.concatenate([noise(3, 0.1), constant(12)]))]
    assert kinds == ["muted"]
    kinds += [kind for _, kind in heard(watch, np.concatenate([noise(12, 0.1), constant(12)]))]
    assert kinds == ["muted", "muted"]


def test_clipping_is_said_once() -> None:
    ((at_s, kind),) = heard(LevelWatch(RATE), clipped(60))
    assert kind == "loud"
    assert 10.0 <= at_s <= 10.6


def test_speech_that_clips_pauses() -> None:
    talk = np.concatenate([clipped(1.5), noise(1.0, 0.01)])
    ((at_s, kind),) = heard(LevelWatch(RATE), np.tile(talk, 12))
    assert kind == "loud"
    assert 10.0 <= at_s <= 13.0


def test_a_door_that_slams_is_not_too_loud() -> None:
    samples = np.tile(np.concatenate([clipped(1.0), noise(6.0, 0.01)]), 8)
    assert heard(LevelWatch(RATE), samples) == []


def test_peaks_at_full_scale_are_not_clipping() -> None:
    samples = noise(60, 0.5)
    samples[:: RATE // 10] = 1.0
    assert heard(LevelWatch(RATE), samples) == []


def test_full_scale_that_never_moves_is_muted_and_not_loud() -> None:
    assert [kind for _, kind in heard(LevelWatch(RATE), constant(30, 1.0))] == ["muted"]


def test_blocks_of_any_size() -> None:
    watch, samples = LevelWatch(RATE), constant(12)
    for block in (samples[:0], samples[:1], samples[1:40_000], samples[40_000:]):
        watch.push(block)
    assert watch.news() == ["muted"] or watch.news() == []
    watch.push(constant(30))
    watch.push(constant(0.5))
