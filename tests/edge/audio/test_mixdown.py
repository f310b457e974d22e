"""Which channel is listened to while it is not known yet which one is good."""

from __future__ import annotations

import numpy as np
import pytest

from edge.audio.mixdown import Mixdown, check_channel
from edge.errors import ParameterError

RATE = 48_000
N = 1536


def voices(seconds: float, *gains: float, seed: int = 1) -> np.ndarray:
    """One sound on several channels, each as loud as is said."""
    sound = np.random.default_rng(seed).uniform(-0.3, 0.3, round(seconds * RATE))
    return np.stack([gain * sound for gain in gains], axis=1).astype(np.float32)


def blocks(pcm: np.ndarray) -> list[np.ndarray]:
    return [pcm[start : start + N] for start in range(0, len(pcm), N)]


def test_a_dead_channel_costs_nothing_from_the_first_block_on() -> None:
    pcm = voices(0.5, 0.0, 1.0)
    mixdown = Mixdown("auto", 2, RATE)
    for block in blocks(pcm):
        np.testing.assert_array_equal(mixdown.push(block), block[:, 1])


def test_an_inverted_pair_does_not_cancel_and_is_told() -> None:
    mixdown = Mixdown("auto", 2, RATE)
    for block in blocks(voices(11.0, 1.0, -1.0)):
        np.testing.assert_array_equal(mixdown.push(block), block[:, 0])
    assert mixdown.is_new
    assert "channel 2 is channel 1 turned upside down" in mixdown.warning


def test_what_was_picked_stays_after_ten_seconds() -> None:
    mixdown = Mixdown("auto", 2, RATE)
    for block in blocks(voices(9.0, 0.2, 1.0)):
        mixdown.push(block)
    assert not mixdown.is_new
    for block in blocks(voices(2.0, 0.2, 1.0)):
        mixdown.push(block)
    assert mixdown.is_new
    for block in blocks(voices(30.0, 1.0, 0.0)):
        assert np.array_equal(mixdown.push(block), block[:, 1])


def test_silence_decides_nothing_however_long() -> None:
    mixdown = Mixdown("auto", 2, RATE)
    for block in blocks(np.zeros((150 * RATE, 2), np.float32)):
        mixdown.push(block)
    assert not mixdown.is_new
    block = voices(0.032, 0.1, 1.0)
    np.testing.assert_array_equal(mixdown.push(block), block[:, 1])


def test_one_that_was_picked_before_is_kept() -> None:
    mixdown = Mixdown("auto", 2, RATE, picked=1)
    for block in blocks(voices(11.0, 1.0, 0.0)):
        np.testing.assert_array_equal(mixdown.push(block), block[:, 1])
    assert not mixdown.is_new
    # Not on a device that has fewer.
    assert Mixdown("auto", 2, RATE, picked=3).picked == 0


def test_a_number_and_the_mean() -> None:
    pcm = voices(0.032, 0.5, 1.0, 0.25)
    np.testing.assert_array_equal(Mixdown(2, 3, RATE).push(pcm), pcm[:, 2])
    np.testing.assert_array_equal(
        Mixdown("mix", 3, RATE).push(pcm), pcm.mean(axis=1, dtype=np.float32)
    )
    mono = voices(0.032, 1.0)
    for channel in ("auto", "mix", 0):
        np.testing.assert_array_equal(Mixdown(channel, 1, RATE).push(mono), mono[:, 0])


def test_gain_is_applied_behind_what_watches_for_clipping() -> None:
    pcm = voices(12.0, 1.0)
    mixdown = Mixdown("auto", 1, RATE, gain_db=20.0)
    for block in blocks(pcm):
        np.testing.assert_allclose(mixdown.push(block), 10 * block[:, 0], rtol=1e-6)
    assert mixdown.watch.news() == []
    np.testing.assert_allclose(
        Mixdown("auto", 1, RATE, gain_db=-6.0).push(pcm), 10 ** (-6 / 20) * pcm[:, 0], rtol=1e-6
    )


@pytest.mark.parametrize("channel", [-1, True, 1.0, None, "left", ""])
def test_what_is_no_channel(channel: object) -> None:
    with pytest.raises(ParameterError, match=r"channel is .*a number"):
        check_channel(channel)
