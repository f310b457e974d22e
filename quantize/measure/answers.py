"""What a model answered: the posteriors of clips or of windows, beside what is true of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import ParameterError
from quantize.data.corpora import DOMAINS, Clip, in_order, label_numbers
from quantize.measure.metrics import metrics

__all__ = ["Answers"]

_COLUMNS = ("posteriors", "truth", "corpora", "speakers")


@dataclasses.dataclass(frozen=True)
class Answers:
    """Posteriors of clips or windows of speakers that their model never heard.

    Parameters
    ----------
    posteriors : float64 [shape=(n, n_labels)]
        Of windows unsmoothed.
    truth : int64 [shape=(n,)]
        Label numbers.
    corpora : int64 [shape=(n,)]
        Places in `domains`.
    speakers : str [shape=(n,)]
        A speaker's name holds that of the corpus.
    domains, labels : tuple of str
        Names of the corpora, and of the columns of `posteriors`.
    """

    posteriors: NDArray[np.float64]
    truth: NDArray[np.int64]
    corpora: NDArray[np.int64]
    speakers: NDArray[np.str_]
    domains: tuple[str, ...]
    labels: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.truth)

    @classmethod
    def of_clips(
        cls,
        posteriors: NDArray[np.float64],
        owners: Sequence[Clip],
        labels: Sequence[str],
        domains: Sequence[str] | None = None,
    ) -> Answers:
        """Answers to clips, or to windows whose clips are given.

        Parameters
        ----------
        posteriors : float64 [shape=(n, n_labels)]
        owners : sequence of Clip
            Of every row; a clip whose speaker is not known stands for itself.
        labels : sequence of str
            The model's.
        domains : sequence of str, optional
            Names of the corpora; None: those that occur.

        Raises
        ------
        CorpusError
            If a clip has a label that the model does not know.
        """
        names = in_order((c.corpus for c in owners), DOMAINS) if domains is None else domains
        places = {name: at for at, name in enumerate(names)}
        return cls(
            posteriors,
            label_numbers(owners, labels),
            np.array([places[c.corpus] for c in owners], dtype=np.int64),
            np.array([c.speaker if c.speaker_known else c.clip_id for c in owners]),
            tuple(names),
            tuple(labels),
        )

    @classmethod
    def pooled(cls, parts: Sequence[Answers]) -> Answers:
        """Answers of several folds together.

        Raises
        ------
        ParameterError
            If they are of other corpora or labels than each other.
        """
        first = parts[0]
        for part in parts[1:]:
            if (part.domains, part.labels) != (first.domains, first.labels):
                raise ParameterError(
                    f"answers of the labels {', '.join(first.labels)} on "
                    f"{', '.join(first.domains)} and of {', '.join(part.labels)} on "
                    f"{', '.join(part.domains)}: the same of both are wanted"
                )
        joined: dict[str, Any] = {
            name: np.concatenate([getattr(part, name) for part in parts]) for name in _COLUMNS
        }
        return dataclasses.replace(first, **joined)

    @property
    def right(self) -> NDArray[np.bool_]:
        """Whether the likeliest label is the true one, bool [shape=(n,)]."""
        right: NDArray[np.bool_] = self.posteriors.argmax(axis=1) == self.truth
        return right

    def only(self, chosen: NDArray[np.bool_]) -> Answers:
        """Some of them."""
        some: dict[str, Any] = {name: getattr(self, name)[chosen] for name in _COLUMNS}
        return dataclasses.replace(self, **some)

    def by_corpus(self) -> Iterator[tuple[str, Answers]]:
        """Those of each corpus that occurs, by its name."""
        for at, name in enumerate(self.domains):
            chosen = self.corpora == at
            if chosen.any():
                yield name, self.only(chosen)

    def tempered(self, temperature: float) -> Answers:
        """The same at another temperature, which was 1."""
        scores: NDArray[np.float64] = np.log(np.maximum(self.posteriors, 1e-300)) / temperature
        scores = np.exp(scores - scores.max(axis=1, keepdims=True))
        # A class that could not be answered still cannot.
        scores[self.posteriors == 0.0] = 0.0
        scores /= scores.sum(axis=1, keepdims=True)
        return dataclasses.replace(self, posteriors=scores)

    def metrics(self) -> dict[str, Any]:
        """Every figure of them with intervals, see :func:`quantize.measure.metrics.metrics`."""
        return metrics(self.truth, self.posteriors, self.labels)
