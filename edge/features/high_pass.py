"""A recursive filter as matrix products of one size: what it is made of, and its buffers."""

from __future__ import annotations

import dataclasses
import functools
import math

import numpy as np
from numpy.typing import NDArray

from edge.scratch import Scratch

__all__ = ["AT_ONCE", "UNIT", "Products", "Sections", "sections"]

#: Samples of a row and rows of a unit.  All products are of whole units, from the first sample on,
#: so that no split into blocks shows in the last bit.
_ROW, _ROWS = 32, 32
UNIT = _ROW * _ROWS
#: Samples that are filtered together at most: 2 s at 16 kHz, and half a megabyte.
AT_ONCE = 32 * UNIT


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Sections:
    """A Butterworth high-pass as a sum of sections of one pole each, ``s[n] = p s[n-1] + x[n]``.

    Parameters
    ----------
    poles : tuple of complex
        One of each conjugate pair.
    from_row : float64 [shape=(_ROW, 2 * n_sections)]
        Times a row, what it adds to every section by its end: real parts and imaginary ones.
    scans : tuple of complex128 [shape=(_ROWS, _ROWS + 1)]
        Times what the rows of a unit add, a section at the beginning of each and at their end.
    decays : complex128 [shape=(n_sections, _ROWS + 1)]
        What is left there of a section at the beginning of the unit.
    out : float64 [shape=(_ROW + 2 * n_sections, _ROW)]
        Times a row and the sections at its beginning, the filtered row.
    """

    poles: tuple[complex, ...]
    from_row: NDArray[np.float64]
    scans: tuple[NDArray[np.complex128], ...]
    decays: NDArray[np.complex128]
    out: NDArray[np.float64]
    #: Lent for the length of a call.
    buffers: Scratch[Products] = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "buffers", Scratch(functools.partial(Products, self)))

    def steady(self, sample: float) -> list[complex]:
        """Sections when this sample has been there for ever."""
        return [sample / (1 - pole) for pole in self.poles]


class Products:
    """Filters samples; nothing of what it computed matters to the next call.

    Parameters
    ----------
    of : Sections
    """

    def __init__(self, of: Sections) -> None:
        n_units, n_states = AT_ONCE // UNIT, 2 * len(of.poles)
        self._of = of
        self._rows = np.zeros((n_units, _ROWS, _ROW + n_states))
        self._samples = self._rows[..., :_ROW]
        # Real and imaginary parts side by side are complex numbers.
        self._states = self._rows[..., _ROW:].view(np.complex128)
        self._added = np.empty((n_units, _ROWS, n_states))
        self._filtered = np.empty((n_units, _ROWS, _ROW))

    def filter(
        self, samples: NDArray[np.float32], states: list[complex], out: NDArray[np.float32]
    ) -> list[complex]:
        """Filter samples from the beginning of a unit on.

        Parameters
        ----------
        samples : float32 [shape=(n_samples,)]
            1 to `AT_ONCE`.
        states : list of complex
            The sections there.
        out : float32 [shape=(n_samples,)]

        Returns
        -------
        list of complex
            The sections at the end of the last whole unit.
        """
        of = self._of
        n_whole, n_rest = divmod(samples.size, UNIT)
        n_units = n_whole + (n_rest > 0)
        self._samples[:n_whole] = samples[: n_whole * UNIT].reshape(n_whole, _ROWS, _ROW)
        if n_rest:
            last = np.zeros(UNIT, np.float32)
            last[:n_rest] = samples[n_whole * UNIT :]
            self._samples[n_whole] = last.reshape(_ROWS, _ROW)
        added = self._added[:n_units]
        np.matmul(self._samples[:n_units], of.from_row, out=added)
        ends = []
        for k, (scan, decay) in enumerate(zip(of.scans, of.decays, strict=True)):
            own = np.ascontiguousarray(added.view(np.complex128)[..., k])
            of_units = np.matmul(own[:, None, :], scan)[:, 0]
            # Unit by unit: the one recursion that is left.
            state, over, begun = states[k], complex(decay[-1]), []
            for total in of_units[:, -1].tolist():
                begun.append(state)
                state = over * state + total
            ends.append(begun[n_whole] if n_rest else state)
            of_units += np.array(begun)[:, None] * decay
            self._states[:n_units, :, k] = of_units[:, :-1]
        np.matmul(self._rows[:n_units], of.out, out=self._filtered[:n_units])
        out[:] = self._filtered.reshape(-1)[: samples.size]
        return ends


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
    n_kept, at, rows = len(kept), np.arange(_ROW), np.arange(_ROWS + 1)
    from_row = np.zeros((_ROW, n_kept), np.complex128)
    decays = np.zeros((n_kept, _ROWS + 1), np.complex128)
    # What the sample itself is weighed with.
    out = np.zeros((_ROW + 2 * n_kept, _ROW))
    out[:_ROW] = np.eye(_ROW) * (gain / np.prod(poles)).real
    scans = []
    since, rows_since = at - at[:, None], rows - rows[:-1, None] - 1
    for k, (pole, weight) in enumerate(zip(kept, weights, strict=True)):
        over = pole**_ROW
        from_row[:, k] = pole ** (_ROW - 1 - at)
        decays[k] = over**rows
        scans.append(np.where(rows_since >= 0, over ** np.maximum(rows_since, 0), 0))
        out[:_ROW] += np.where(since >= 0, (weight * pole ** np.maximum(since, 0)).real, 0)
        begun = weight * pole ** (at + 1)
        out[_ROW + 2 * k], out[_ROW + 2 * k + 1] = begun.real, -begun.imag
    return Sections(tuple(kept), from_row.view(np.float64), tuple(scans), decays, out)
