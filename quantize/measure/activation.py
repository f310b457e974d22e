"""Calm or aroused: the logistic calibration of a posterior's two sides, and what it is worth."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.artifact import ActivationScale
from edge.errors import ParameterError
from edge.stream.activation import AROUSED, CALM, activation
from quantize.measure.answers import Answers
from quantize.measure.bootstrap import (
    accuracy,
    calibration_error,
    drawn_speakers,
    spread,
    uar,
)

__all__ = ["Activations", "fit_activation", "log_odds"]

#: A model that tells the sides apart the wrong way round, or not at all, says nothing of them.
_MIN_SLOPE, _MAX_SLOPE = 0.01, 100.0

#: Pull towards the uncalibrated odds: in a set that is told apart without a fault the slope
#: would grow for ever.
_RIDGE = 1e-3

_N_STEPS = 50


def log_odds(posteriors: NDArray[np.floating], labels: Sequence[str]) -> NDArray[np.float64]:
    """Log odds of the device's activation, float64 [shape=(n,)] of float [shape=(n, n_labels)].

    Raises
    ------
    ParameterError
        If the labels hold none of an aroused voice, or none of a calm one.
    """
    shares = activation(posteriors, labels)
    if shares is None:
        raise ParameterError(
            f"of {', '.join(labels)} none tells an aroused voice from a calm one: one of "
            f"{', '.join(AROUSED)} and one of {', '.join(CALM)} are wanted"
        )
    odds: NDArray[np.float64] = np.log(shares) - np.log1p(-shares)
    return odds


@dataclasses.dataclass(frozen=True)
class Activations:
    """Windows whose label has a side, with the log odds that they are aroused.

    Parameters
    ----------
    corpora : int64 [shape=(n_windows,)]
        Places in `domains`.
    speakers : str [shape=(n_windows,)]
    aroused : bool [shape=(n_windows,)]
        The truth.
    odds : float64 [shape=(n_windows,)]
        Log odds, calibrated or not.
    domains : tuple of str
        Names of the corpora.
    """

    corpora: NDArray[np.int64]
    speakers: NDArray[np.str_]
    aroused: NDArray[np.bool_]
    odds: NDArray[np.float64]
    domains: tuple[str, ...]

    @classmethod
    def of(
        cls, windows: Answers, temperature: float, scale: ActivationScale | None = None
    ) -> Activations:
        """Those of some windows at a temperature; disgust has no side and is left out."""
        scale = scale or ActivationScale()
        aroused, calm = (
            [at for at, label in enumerate(windows.labels) if label in side]
            for side in (AROUSED, CALM)
        )
        sided = np.isin(windows.truth, [*aroused, *calm])
        odds = log_odds(windows.tempered(temperature).posteriors[sided], windows.labels)
        return cls(
            windows.corpora[sided],
            windows.speakers[sided],
            np.isin(windows.truth[sided], aroused),
            scale.slope * odds + scale.offset,
            windows.domains,
        )

    @classmethod
    def pooled(cls, parts: Sequence[Activations]) -> Activations:
        """Windows of several folds together, each by its own scale."""
        names = ("corpora", "speakers", "aroused", "odds")
        joined: dict[str, Any] = {
            name: np.concatenate([getattr(p, name) for p in parts]) for name in names
        }
        return dataclasses.replace(parts[0], **joined)

    @property
    def weights(self) -> NDArray[np.float64]:
        """Each corpus counts alike, and in it both sides: they sum to 1."""
        _, group, sizes = np.unique(
            2 * self.corpora + self.aroused, return_inverse=True, return_counts=True
        )
        sides = np.bincount(np.unique(2 * self.corpora + self.aroused) // 2)[self.corpora]
        weights: NDArray[np.float64] = 1.0 / sizes[group] / sides / len(np.unique(self.corpora))
        return weights

    def figures(self) -> dict[str, Any]:
        """How well the sides are told apart.

        Returns
        -------
        dict
            ``mean`` (over the corpora) and ``by_corpus``; each has ``n_speakers``, ``n``,
            ``uar`` and ``accuracy`` at an activation of 0.5 with their ``…_ci95`` over
            speakers, ``auc`` (the chance that of two windows the aroused one has more) and
            ``ece``, the two sides counting alike.
        """
        right = (self.odds >= 0) == self.aroused
        counts = np.stack(
            [self.aroused, self.aroused & right, ~self.aroused, ~self.aroused & right], axis=1
        )
        present, n_speakers, table = drawn_speakers(
            counts.astype(float), self.corpora, self.speakers
        )
        rates = _rates(table)
        parts = []
        for at, corpus in enumerate(present):
            chosen = self.corpora == corpus
            parts.append(
                {
                    "n_speakers": n_speakers[at],
                    "n": int(chosen.sum()),
                    **spread("uar", rates["uar"][:, at]),
                    **spread("accuracy", rates["accuracy"][:, at]),
                    "auc": _auc(self.odds[chosen], self.aroused[chosen]),
                    "ece": self._chosen(chosen)._calibration_error(),
                }
            )
        mean: dict[str, Any] = {key: sum(p[key] for p in parts) for key in ("n_speakers", "n")}
        for key, values in rates.items():
            mean |= spread(key, values.mean(axis=1))
        for key in ("auc", "ece"):
            known = [p[key] for p in parts if p[key] is not None]
            mean[key] = float(np.mean(known)) if known else None
        return {
            "mean": mean,
            "by_corpus": {self.domains[c]: p for c, p in zip(present, parts, strict=True)},
        }

    def _calibration_error(self) -> float:
        return calibration_error(_logistic(self.odds), self.aroused, self.weights)

    def _chosen(self, chosen: NDArray[np.bool_]) -> Activations:
        names = ("corpora", "speakers", "aroused", "odds")
        return dataclasses.replace(self, **{name: getattr(self, name)[chosen] for name in names})


def _rates(table: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """UAR and accuracy of counts [shape=(n, n_corpora, 4)]; one side alone is its recall."""
    n, n_right = table[..., 0::2], table[..., 1::2]
    return {"uar": uar(n, n_right), "accuracy": accuracy(n, n_right)}


def _auc(odds: NDArray[np.float64], aroused: NDArray[np.bool_]) -> float | None:
    calm = np.sort(odds[~aroused])
    hot = odds[aroused]
    if not len(calm) or not len(hot):
        return None
    below = np.searchsorted(calm, hot, side="left") + np.searchsorted(calm, hot, side="right")
    return float(below.sum() / (2 * len(calm) * len(hot)))


def _logistic(odds: NDArray[np.float64]) -> NDArray[np.float64]:
    values: NDArray[np.float64] = 0.5 * (1.0 + np.tanh(0.5 * odds))
    return values


def fit_activation(activations: Activations) -> ActivationScale:
    """Fit slope and offset of the log odds by the largest likelihood.

    Parameters
    ----------
    activations : Activations
        Not calibrated, of speakers whom the models never heard. Every corpus counts alike
        and in it both sides: how often actors were asked to be angry says nothing of a
        kitchen, so that 0.5 is as far from the one side as from the other.

    Returns
    -------
    ActivationScale
        To a thousandth.

    Raises
    ------
    ParameterError
        If one side does not occur.
    """
    aroused = activations.aroused
    if not aroused.any() or aroused.all():
        raise ParameterError(
            f"{int(aroused.sum())} of {len(aroused)} windows are aroused: some of both sides are "
            "wanted"
        )
    weights = activations.weights
    inputs = np.stack([activations.odds, np.ones(len(aroused))], axis=1)
    start = np.array([1.0, 0.0])
    found = start.copy()
    # Newton's steps on a convex loss, halved where they would overshoot.
    for _ in range(_N_STEPS):
        shares = _logistic(inputs @ found)
        rise = inputs.T @ (weights * (shares - aroused)) + _RIDGE * (found - start)
        curve = (inputs * (weights * shares * (1 - shares))[:, None]).T @ inputs
        step = np.linalg.solve(curve + _RIDGE * np.eye(2), rise)
        before = _loss(inputs, weights, aroused, found, start)
        while (
            np.abs(step).max() > 1e-9
            and _loss(inputs, weights, aroused, found - step, start) > before
        ):
            step /= 2
        found = found - step
        if np.abs(step).max() < 1e-9:
            break
    if found[0] < _MIN_SLOPE:
        return ActivationScale(_MIN_SLOPE, 0.0)
    slope, offset = np.clip(found, -_MAX_SLOPE, _MAX_SLOPE)
    return ActivationScale(round(float(slope), 3), round(float(offset), 3))


def _loss(
    inputs: NDArray[np.float64],
    weights: NDArray[np.float64],
    aroused: NDArray[np.bool_],
    found: NDArray[np.float64],
    start: NDArray[np.float64],
) -> float:
    odds = inputs @ found
    signed = np.where(aroused, -odds, odds)
    likely = float(weights @ np.logaddexp(0.0, signed))
    return likely + 0.5 * _RIDGE * float(((found - start) ** 2).sum())
