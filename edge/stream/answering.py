"""What of a posterior is said: a label of those that may be, where it is probable enough."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from edge.arrays import as_number
from edge.errors import ParameterError, printable, shown
from edge.stream.activation import ActivationMeter
from edge.stream.decision import SPEECH, UNCERTAIN, State
from edge.stream.posterior import renormalised

if TYPE_CHECKING:
    from edge.artifact import Abstention

__all__ = ["Answering"]


class Answering:
    """The bar of a stream or a file, and the labels that it may answer with.

    Parameters
    ----------
    known : sequence of str
        Labels of the model.
    measured : Abstention or None
        The artifact's: the bar where none is asked for, and how activation is calibrated.
    min_probability : float, optional
        Least probability of a label that is said, 0 to 1.  None: the artifact's, 0 where it
        has none.
    labels : sequence of str, optional
        The labels that may be said, two or more; None: all.

    Raises
    ------
    ParameterError
        If the bar is no probability, or a label is not known, named twice or alone.

    Notes
    -----
    Held against the bar is the probability of the very label that would be said, in the
    posterior that is given with it: of the steady label in the smoothed posterior, of the
    most probable label in that of a single segment, and in the mean over a file's segments.
    So no record names a label below the bar that it was asked for.

    The artifact's bar was measured on single segments.  An average is less extreme than what
    it averages, so that less of it reaches the same bar, and more of that is right: of two
    corpora in languages that the bundled model never heard, 38 % of the single segments reach
    0.6 and 35 % of these are right, smoothed 28 % and 38 % (``benchmarks/stream/abstaining.py``).
    It does not carry over to whole clips: there the bar of 75 % is reached on the mean over the
    corpora, and of all clips together two in three are right (``abstention.json``).
    With fewer labels to choose from, probabilities are higher for the same evidence, and how
    often they are right was not measured.

    There is no hysteresis.  Where somebody speaks on and on, what reaches 0.6 comes or goes for
    a single decision 3.6 times a minute; a margin of 0.05 on the way up would leave 1.0 of
    these, and a fifth of the answers unsaid.  Who wants beginnings and endings has events.
    """

    def __init__(
        self,
        known: Sequence[str],
        measured: Abstention | None,
        min_probability: float | None = None,
        labels: Sequence[str] | None = None,
    ) -> None:
        if min_probability is None:
            min_probability = 0.0 if measured is None else measured.min_probability
        self.min_probability = as_number(
            min_probability, "min_probability", "a probability from 0 to 1 is wanted", 0.0, 1.0
        )
        self.among = None if labels is None else _columns(labels, known)
        #: Of the posteriors that are given, in the model's order.
        self.labels = tuple(known) if self.among is None else tuple(known[i] for i in self.among)
        meter = ActivationMeter(known, None if measured is None else measured.activation)
        #: How aroused the voice is, from a posterior over all labels of the model; or None.
        self.activation = meter.one

    def posterior(self, full: Sequence[float]) -> Sequence[float]:
        """Probability of every label that may be said, of those of all labels of the model."""
        return full if self.among is None else renormalised(full, self.among)

    def most_probable(self, full: Sequence[float]) -> str:
        """Label that leads among those that may be said."""
        posterior = self.posterior(full)
        return self.labels[posterior.index(max(posterior))]

    def by_label(self, full: Sequence[float]) -> dict[str, float]:
        """Posterior with names, over the labels that may be said."""
        return dict(zip(self.labels, self.posterior(full), strict=True))

    def said(self, label: str, posterior: Mapping[str, float]) -> tuple[State, str | None]:
        """State of a segment in which somebody spoke, and the label if it reaches the bar."""
        if posterior[label] < self.min_probability:
            return UNCERTAIN, None
        return SPEECH, label


def _columns(labels: Sequence[str], known: Sequence[str]) -> list[int]:
    """Columns of the labels that may be said, in the model's order."""
    chosen = [] if isinstance(labels, str) or not isinstance(labels, Iterable) else list(labels)
    if not chosen or not all(isinstance(label, str) for label in chosen):
        raise ParameterError(f"labels are {shown(labels)}, a list of labels is wanted")
    for label in chosen:
        if label not in known:
            raise ParameterError(
                f"labels name {shown(label)}, this model knows {printable(', '.join(known))}"
            )
        if chosen.count(label) > 1:
            raise ParameterError(f"labels name {shown(label)} twice, once is enough")
    if len(chosen) < 2:
        raise ParameterError(
            f"labels are {printable(chosen[0])} alone, two or more are wanted to choose between"
        )
    return [i for i, label in enumerate(known) if label in chosen]
