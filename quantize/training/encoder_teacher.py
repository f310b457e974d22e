"""A teacher that is a large model's encoder: a linear classifier on one vector a clip.

It hears whole clips, once, before the training; the student hears crops of them. It is fitted on
the training side alone, and what it says of a training clip comes from a fit without that clip's
speaker: a classifier's answers about clips that it was fitted on are too sure to teach anything.
Where the held-out clips are by people of the training side, it is a fit without the clip alone: a
student of people it will hear again loses ten points to a teacher that may know none of them.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from quantize.basics.errors import TrainingError
from quantize.data.corpora import Clip, label_numbers
from quantize.data.embeddings import Embeddings

__all__ = ["EncoderTeacher", "corpus_weights", "fit_linear"]

#: Parts of the training speakers (or clips), each answered for by a fit on the others.
N_PARTS = 6

#: Components of the vectors that a student's pooled vector may be held to.
MOST_COMPONENTS = 64

#: A corpus of few clips weighs this much more at most.
_MOST_WEIGHT = 2.0

_STEPS = 200

Logits = Callable[[NDArray[np.float32]], NDArray[np.float32]]


class EncoderTeacher:
    """What an encoder's vectors say of the training clips.

    Parameters
    ----------
    embeddings : Embeddings
    clips : sequence of Clip
        Of the training side, and no others.
    labels : sequence of str
        The student's, in the order of its outputs.
    strength : float
        Weight of the clips' losses against the penalty on the weights (the inverse of a ridge's).
    seed : int
        Of the draw of parts.
    knows_speakers : bool
        Whether it may have heard a clip's speaker in other clips.

    Raises
    ------
    EdgeSerError
        If a clip has no vector, or all are one speaker's and it may know none of them.
    """

    def __init__(
        self,
        embeddings: Embeddings,
        clips: Sequence[Clip],
        labels: Sequence[str],
        *,
        strength: float = 0.01,
        seed: int = 0,
        knows_speakers: bool = False,
    ) -> None:
        self.digest = embeddings.digest
        self.knows_speakers = knows_speakers
        self._vectors = embeddings.of(clips)
        self._truth, self._n_labels = label_numbers(clips, labels), len(labels)
        self._weights = corpus_weights(clips)
        # A clip alone, or all that are by its speaker, share a part.
        self._parts = _parts(
            [clip.clip_id if knows_speakers else clip.speaker for clip in clips], seed
        )
        self._strength = strength
        self._number = {clip.clip_id: at for at, clip in enumerate(clips)}
        self._device = torch.device("cpu")

    @functools.cached_property
    def _logits(self) -> Tensor:
        """Of every clip, by a fit without its part; fitted when they are first asked for."""
        logits = np.zeros((len(self._parts), self._n_labels), np.float32)
        for part in np.unique(self._parts):
            others = self._parts != part
            fitted = fit_linear(
                self._vectors[others],
                self._truth[others],
                self._weights[others],
                self._n_labels,
                self._strength,
            )
            logits[~others] = fitted(self._vectors[~others])
        return torch.from_numpy(logits).to(self._device)

    @functools.cached_property
    def _components(self) -> Tensor:
        return torch.from_numpy(_components(self._vectors)).to(self._device)

    @property
    def width(self) -> int:
        """How many components a clip has."""
        return self._components.shape[1]

    @property
    def accuracy(self) -> float:
        """Share of training clips that are answered right by a fit without their part."""
        return float((self._logits.argmax(dim=1).cpu().numpy() == self._truth).mean())

    def to_dict(self) -> dict[str, Any]:
        """What it was made of, as a run keeps it."""
        known = {"knows_speakers": True} if self.knows_speakers else {}
        return {"embeddings_sha256": self.digest, **known}

    def to(self, device: torch.device) -> EncoderTeacher:
        """Say what it says there, before it is first asked; returns itself."""
        self._device = device
        return self

    def answer(
        self, clip_ids: Sequence[str], temperature: float, share: Tensor, partner: Tensor
    ) -> tuple[Tensor, Tensor]:
        """What it says of crops of clips.

        Parameters
        ----------
        clip_ids : sequence of str
        temperature : float
            What the logits are divided by.
        share, partner : Tensor [shape=(B,)]
            How much of a crop is its own clip's, and which crop has the rest.

        Returns
        -------
        posterior : float32 [shape=(B, n_labels)]
        components : float32 [shape=(B, width)]
            The strongest principal components of the vectors, of unit spread.
        """
        at = torch.tensor([self._number[name] for name in clip_ids], device=self._device)
        posterior = (self._logits[at] / temperature).softmax(dim=1)
        own = share.to(posterior)[:, None]
        return (
            posterior.lerp(posterior[partner], 1.0 - own),
            self._components[at].lerp(self._components[at][partner], 1.0 - own),
        )


def corpus_weights(clips: Sequence[Clip]) -> NDArray[np.float32]:
    """Weights by which corpora count alike, but for very small ones: float32 [shape=(n_clips,)]."""
    n_each = Counter(clip.corpus for clip in clips)
    alike = [len(clips) / len(n_each) / n_each[clip.corpus] for clip in clips]
    return np.minimum(alike, _MOST_WEIGHT).astype(np.float32)


def fit_linear(
    vectors: NDArray[np.float32],
    truth: NDArray[np.integer],
    weights: NDArray[np.float32],
    n_labels: int,
    strength: float,
) -> Logits:
    """Multinomial logistic regression with a ridge, on standardised vectors.

    Parameters
    ----------
    vectors : float32 [shape=(n_clips, width)]
    truth : int [shape=(n_clips,)]
    weights : float32 [shape=(n_clips,)]
    n_labels : int
    strength : float

    Returns
    -------
    callable
        Vectors to logits.
    """
    mean, scale = vectors.mean(axis=0), vectors.std(axis=0) + 1e-6
    x = torch.from_numpy((vectors - mean) / scale)
    y, w = torch.from_numpy(np.asarray(truth, np.int64)), torch.from_numpy(weights)
    weight = torch.zeros(x.shape[1], n_labels, requires_grad=True)
    bias = torch.zeros(n_labels, requires_grad=True)
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=_STEPS, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        each = nn.functional.cross_entropy(x @ weight + bias, y, reduction="none")
        total = strength * (w * each).sum() + 0.5 * weight.square().sum()
        total.backward()
        return total

    optimizer.step(loss)
    kept_weight, kept_bias = weight.detach().numpy(), bias.detach().numpy()
    return lambda new: np.asarray(((new - mean) / scale) @ kept_weight + kept_bias, np.float32)


def _parts(owners: Sequence[str], seed: int) -> NDArray[np.int64]:
    """Which part each clip is in; all of one owner share one."""
    names = sorted(set(owners))
    if len(names) < 2:
        raise TrainingError(
            "an encoder teaches what it has learnt from other speakers, and all training clips are "
            f"of one ({names[0]}): leave --embeddings out"
        )
    order = np.random.default_rng(seed).permutation(len(names))
    part_of = {names[at]: number % N_PARTS for number, at in enumerate(order)}
    return np.array([part_of[owner] for owner in owners])


def _components(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    centred = vectors - vectors.mean(axis=0)
    left, values, _ = np.linalg.svd(centred, full_matrices=False)
    n_kept = min(MOST_COMPONENTS, int((values > 1e-4 * values.max(initial=0.0)).sum()) or 1)
    # The left vectors are of unit length: of unit spread they are sqrt(n) longer.
    return np.asarray(left[:, :n_kept] * np.sqrt(len(vectors)), np.float32)
