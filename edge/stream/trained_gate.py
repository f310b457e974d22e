"""The artifact's own speech gate: what it has heard, and when speech begins and ends."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge.artifact import Manifest, TrainedGate
from edge.errors import ParameterError
from edge.features.spec import FeatureSpec
from edge.stream.gate_memory import BATCH, MOST_ROWS
from edge.stream.gate_network import gate_networks
from edge.stream.gates_together import raw_together

__all__ = ["TrainedSpeechGate", "make", "push_together"]


def make(manifest: Manifest) -> TrainedSpeechGate:
    """Make the gate that a manifest brings along.

    Raises
    ------
    ParameterError
        If it brings none.
    """
    if manifest.gate is None:
        raise ParameterError(
            f"the artifact {manifest.name!r} has no speech gate: use --vad energy, or give it one "
            "with edge-ser-quantize train-gate --into"
        )
    return TrainedSpeechGate(manifest.gate, manifest.feature_spec)


class TrainedSpeechGate:
    """Tells which frames hold speech, from their feature rows and those before.

    It holds what it remembers; the network is lent for the length of a call.

    Parameters
    ----------
    gate : TrainedGate
        Checked.
    spec : FeatureSpec
        Of the rows.
    """

    def __init__(self, gate: TrainedGate, spec: FeatureSpec) -> None:
        self.least_speech_s = gate.least_speech_s
        self._networks = gate_networks(gate, spec)
        network = self._networks.take()
        self._bias = bias = network.bias
        self._state = network.state()
        self._networks.give(network)
        self._open, self._close = (
            math.log(share / (1 - share)) - bias for share in (gate.open_above, gate.close_below)
        )
        self._is_open = False

    def reset(self) -> None:
        """Forget what was heard; the same as a fresh object."""
        self._state.forget()
        self._is_open = False

    def push(self, samples: NDArray[np.float32], rows: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Judge rows, see :class:`edge.stream.frame_gate.FrameGate`; samples are not looked at."""
        return self.push_batches(rows, BATCH)

    def push_batches(self, rows: NDArray[np.float32], n_first: int) -> NDArray[np.bool_]:
        """Judge the rows of some batches, to the last bit as if each had come alone.

        Parameters
        ----------
        rows : float32 [shape=(n_rows, n_features)]
            Not normalised.
        n_first : int
            Rows of the first batch, 0 to 16; every other one has 16 but the last, which has what
            is left.

        Returns
        -------
        bool [shape=(n_rows,)]
        """
        spoken: list[bool] = []
        start, first = 0, n_first or BATCH
        while start < len(rows):
            part = rows[start : start + first + MOST_ROWS - BATCH]
            ends = [*range(first, len(part), BATCH), len(part)]
            spoken += self._hold(self._raw(part, ends))
            start, first = start + len(part), BATCH
        return np.array(spoken, dtype=np.bool_)

    def logits(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Log odds of speech of the next rows.

        Parameters
        ----------
        rows : float32 [shape=(n_rows, n_features)]
            Not normalised; 1 to 16.

        Returns
        -------
        float32 [shape=(n_rows,)]
        """
        return self._raw(rows, [len(rows)]) + np.float32(self._bias)

    def _raw(self, rows: NDArray[np.float32], ends: Sequence[int]) -> NDArray[np.float32]:
        network = self._networks.take()
        raw = network.raw(rows, self._state, ends)
        self._networks.give(network)
        return raw

    def _hold(self, logits: NDArray[np.float32]) -> list[bool]:
        """Hysteresis: it takes more to begin to be speech than to go on."""
        is_open, opens, closes = self._is_open, self._open, self._close
        spoken = []
        for logit in logits.tolist():
            is_open = logit >= (closes if is_open else opens)
            spoken.append(is_open)
        self._is_open = is_open
        return spoken


def push_together(
    gates: Sequence[TrainedSpeechGate], rows: Sequence[NDArray[np.float32]]
) -> list[NDArray[np.bool_]]:
    """Let each gate judge its own rows, as :meth:`TrainedSpeechGate.push` does.

    Parameters
    ----------
    gates : sequence of TrainedSpeechGate
        Each once, all of one artifact.
    rows : sequence of float32 [shape=(n_rows, n_features)]
        One for each, of one length: 1 to 16.

    Returns
    -------
    list of bool [shape=(n_rows,)]
    """
    networks = gates[0]._networks
    network = networks.take()
    raw = raw_together(network, np.stack(rows), [gate._state for gate in gates])
    networks.give(network)
    return [np.array(gate._hold(own), dtype=np.bool_) for gate, own in zip(gates, raw, strict=True)]
