"""A recursive filter as matrix products of one size: what it is made of, and its buffers."""

from __future__ import annotations

import dataclasses
import functools
import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.scratch import Scratch

__all__ = ["UNIT", "Section", "Sections", "sections"]

#: Samples of a row and rows of a unit.  All products are of whole units, from the first sample on,
#: so that no split into blocks shows in the last bit.
_ROW, _ROWS = 32, 32
UNIT = _ROW * _ROWS
#: Units that are filtered together at most: 2 s at 16 kHz, in 140 kB.
_AT_ONCE = 32


class Section(NamedTuple):
    """One pole, ``s[n] = p s[n-1] + x[n]``.

    Parameters
    ----------
    pole : complex
        One of a conjugate pair.
    from_row : float32 [shape=(_ROW, 2)]
        Times a row, what it adds by its end: real part and imaginary one.
    scan : complex64 [shape=(_ROWS, _ROWS + 1)]
        Times what the rows of a unit add, the section at the beginning of each and at their end.
    decay : complex64 [shape=(_ROWS,)]
        What is left, at the beginning of each row, of the section at the beginning of the unit.
    over_unit : complex
        And at the end of the unit.
    """

    pole: complex
    from_row: NDArray[np.float32]
    scan: NDArray[np.complex64]
    decay: NDArray[np.complex64]
    over_unit: complex

    def steady(self, sample: float) -> complex:
        """Give the section when this sample has been there for ever."""
        return sample / (1 - self.pole)


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Sections:
    """A Butterworth high-pass as a sum of sections of one pole each.

    Parameters
    ----------
    each : tuple of Section
    out : float32 [shape=(_ROW + 2 * n_sections, _ROW)]
        Times a row and the sections at its beginning, the filtered row.
    """

    each: tuple[Section, ...]
    out: NDArray[np.float32]
    #: Lent for the length of a call.
    buffers: Scratch[_Products] = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "buffers", Scratch(functools.partial(_Products, self)))

    def filter(
        self,
        samples: NDArray[np.float32],
        n_whole: int,
        offset: float,
        states: list[complex],
        out: NDArray[np.float32],
    ) -> None:
        """Filter samples that fill units.

        Parameters
        ----------
        samples, out : float32 [shape=(n_units * UNIT,)]
            Contiguous.
        n_whole : int
            Units that are heard to their end: all, or all but one, which is filtered again.
        offset : float
            Is taken from the samples first.
        states : list of complex
            The sections at the beginning; they are moved on to the end of the last whole unit.
        """
        units, filtered = samples.reshape(-1, _ROWS, _ROW), out.reshape(-1, _ROWS, _ROW)
        products = self.buffers.take()
        for at in range(0, len(units), _AT_ONCE):
            end = at + _AT_ONCE
            products.filter(units[at:end], n_whole - at, offset, states, filtered[at:end])
        self.buffers.give(products)


class _Products:
    """Filters units; nothing of what it computed matters to the next call."""

    def __init__(self, of: Sections) -> None:
        self._of = of
        self._rows = np.zeros((_AT_ONCE, _ROWS, len(of.out)), np.float32)
        self._samples = self._rows[..., :_ROW]
        # Cut once for each number of units.
        self._scans: list[list[_Scan]] = [[] for _ in range(_AT_ONCE + 1)]

    def filter(
        self,
        units: NDArray[np.float32],
        n_whole: int,
        offset: float,
        states: list[complex],
        out: NDArray[np.float32],
    ) -> None:
        """Filter up to `_AT_ONCE` units, see :meth:`Sections.filter`."""
        n_units = len(units)
        scans = self._scans[n_units] or self._cut(n_units)
        samples = self._samples[:n_units]
        np.subtract(units, offset, out=samples)
        for k, scan in enumerate(scans):
            states[k] = scan.fill(samples, n_whole, states[k])
        np.matmul(self._rows[:n_units], self._of.out, out=out)

    def _cut(self, n_units: int) -> list[_Scan]:
        # Real and imaginary parts side by side are complex numbers.
        states = self._rows[:n_units, :, _ROW:].view(np.complex64)
        scans = [_Scan(section, states[..., k]) for k, section in enumerate(self._of.each)]
        self._scans[n_units] = scans
        return scans


class _Scan:
    """A section at the beginning of every row, of what the rows before have added to it."""

    def __init__(self, of: Section, states: NDArray[np.complex64]) -> None:
        n_units = len(states)
        self._of, self._states = of, states
        self._added = np.empty((n_units, _ROWS, 2), np.float32)
        self._as_vectors = self._added.view(np.complex64).reshape(n_units, 1, _ROWS)
        self._scanned = np.empty((n_units, 1, _ROWS + 1), np.complex64)
        self._of_units, self._totals = self._scanned[:, 0, :-1], self._scanned[:, 0, -1]
        self._begun = np.empty((n_units, 1), np.complex64)
        self._left = np.empty((n_units, _ROWS), np.complex64)

    def fill(self, samples: NDArray[np.float32], n_whole: int, state: complex) -> complex:
        """Compute it from its state at the beginning; its state at the end of the whole units."""
        of = self._of
        np.matmul(samples, of.from_row, out=self._added)
        np.matmul(self._as_vectors, of.scan, out=self._scanned)
        over, begun = of.over_unit, []
        # Unit by unit: the one recursion that is left.
        for total in self._totals.tolist():
            begun.append(state)
            state = over * state + total
        self._begun[:, 0] = begun
        np.multiply(self._begun, of.decay, out=self._left)
        np.add(self._of_units, self._left, out=self._states)
        return state if n_whole >= len(begun) else begun[n_whole]


@functools.lru_cache(maxsize=4)
def sections(sample_rate: int, cutoff_hz: float, order: int) -> Sections:
    """Make what filters with a cutoff in Hz, 3 dB down; once for all streams."""
    # Poles of the analogue prototype, by the bilinear transform with the cutoff kept.
    angles = math.pi * (2 * np.arange(order) + 1 + order) / (2 * order)
    warped = math.tan(math.pi * cutoff_hz / sample_rate) / np.exp(1j * angles)
    poles = (1 + warped) / (1 - warped)
    gain = np.prod((1 + poles) / 2).real
    kept, weights = [], []
    for one in np.flatnonzero(poles.imag > -1e-12):
        others = np.delete(poles, one)
        residue = gain * (1 - 1 / poles[one]) ** order / np.prod(1 - others / poles[one])
        is_single = abs(poles[one].imag) < 1e-12
        # The conjugate section gives the conjugate: twice the real part of one.
        kept.append(complex(poles[one].real) if is_single else complex(poles[one]))
        weights.append(complex(residue.real) if is_single else complex(2 * residue))
    at, rows = np.arange(_ROW), np.arange(_ROWS + 1)
    # What the sample itself is weighed with.
    out = np.zeros((_ROW + 2 * len(kept), _ROW))
    out[:_ROW] = np.eye(_ROW) * (gain / np.prod(poles)).real
    each = []
    since, rows_since = at - at[:, None], rows - rows[:-1, None] - 1
    for k, (pole, weight) in enumerate(zip(kept, weights, strict=True)):
        over = pole**_ROW
        from_row = (pole ** (_ROW - 1 - at))[:, np.newaxis].view(np.float64)
        scan = np.where(rows_since >= 0, over ** np.maximum(rows_since, 0), 0)
        section = Section(
            pole,
            from_row.astype(np.float32),
            scan.astype(np.complex64),
            (over ** rows[:-1]).astype(np.complex64),
            over**_ROWS,
        )
        each.append(section)
        out[:_ROW] += np.where(since >= 0, (weight * pole ** np.maximum(since, 0)).real, 0)
        begun = weight * pole ** (at + 1)
        out[_ROW + 2 * k], out[_ROW + 2 * k + 1] = begun.real, -begun.imag
    return Sections(tuple(each), out.astype(np.float32))
