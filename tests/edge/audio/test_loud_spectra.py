"""Spectra of loud frames are given out when there are enough, whatever blocks they came in."""

from __future__ import annotations

import numpy as np
import pytest

from edge.audio.loud_spectra import LoudSpectra

N_BINS = 5


def frames(levels: np.ndarray) -> np.ndarray:
    """Spectra that say which frame each is."""
    return np.repeat(np.arange(levels.size, dtype=np.float32), N_BINS).reshape(-1, N_BINS)


def given_out(
    levels: np.ndarray, n_wanted: int, n_block: int = 1000, scale: float = 1.0
) -> list[list[int]]:
    """Numbers of the frames that are loud, each time that some are given out."""
    held, loud, found = LoudSpectra(scale), np.empty(0), []
    levels = (levels * scale).astype(np.float32)
    numbered = frames(levels)
    for at in range(0, levels.size, n_block):
        block = numbered[at : at + n_block].copy()
        held.add(block, levels[at : at + n_block])
        while (given := held.give(n_wanted)) is not None:
            still, power = given
            loud = np.concatenate((loud[still], power[:, 0]))
            found.append(loud.astype(int).tolist())
            n_wanted = loud.size + 16
        held.hold()
        block[:] = -1
    return found


@pytest.mark.parametrize("n_block", [1, 5, 8, 1000])
def test_they_are_given_out_with_the_group_that_makes_them_enough(n_block: int) -> None:
    levels = np.full(40, 0.01)
    levels[[3, 9, 21]] = 1e-5
    # Of every eight: 7, 7, 7, 8, 8.
    assert given_out(levels, 20, n_block) == [
        [t for t in range(24) if t not in (3, 9, 21)],
        [t for t in range(40) if t not in (3, 9, 21)],
    ]


@pytest.mark.parametrize("n_block", [1, 7, 1000])
def test_what_is_soft_beside_what_follows_was_not_loud(n_block: int) -> None:
    levels = np.full(56, 1e-4)
    levels[20:] = 0.1
    assert given_out(levels, 16, n_block) == [list(range(16)), list(range(20, 56))]


@pytest.mark.parametrize("n_block", [1, 7, 1000])
def test_what_is_soft_beside_what_came_before_is_not_loud(n_block: int) -> None:
    levels = np.full(64, 1e-4)
    levels[:8] = 0.1
    levels[50:] = 0.01
    assert given_out(levels, 16, n_block) == [[*range(8), *range(50, 64)]]


@pytest.mark.parametrize("scale", [1.0, 4e6])
def test_near_silence_is_never_loud(scale: float) -> None:
    levels = np.full(64, 0.9e-6)
    assert given_out(levels, 1, scale=scale) == []
    levels[::2] = 1.1e-6
    assert given_out(levels, 32, scale=scale) == [list(range(0, 64, 2))]


@pytest.mark.parametrize("n_block", [16, 1000])
def test_no_more_are_held_than_fit(n_block: int) -> None:
    (first,) = given_out(np.full(72, 0.1), 64, n_block)[:1]
    assert first == list(range(40))
