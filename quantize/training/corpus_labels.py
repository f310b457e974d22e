"""Labels that a corpus has at all, and losses that are told apart among these alone.

No corpus but RAVDESS has "calm": what is calm in the others is called neutral.  A model that is
to say neutral there and not calm learns from their names what a voice does not tell.  Where a
training keeps to the labels of a crop's corpus, a label that the corpus lacks is neither right nor
wrong in it.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

__all__ = ["label_loss", "labels_of_corpora", "within"]


def labels_of_corpora(
    domains: ArrayLike, labels: ArrayLike, n_domains: int, n_labels: int
) -> NDArray[np.bool_]:
    """Tell which labels occur in each corpus.

    Parameters
    ----------
    domains, labels : int [shape=(n_clips,)]
        Numbers of each training clip's corpus and label.
    n_domains, n_labels : int

    Returns
    -------
    bool [shape=(n_domains, n_labels)]
    """
    told = np.zeros((n_domains, n_labels), dtype=bool)
    told[np.asarray(domains), np.asarray(labels)] = True
    return told


def label_loss(logits: Tensor, labels: Tensor, smoothing: float, told: Tensor) -> Tensor:
    """Cross-entropy among the labels of a crop's corpus, with label smoothing over these.

    Parameters
    ----------
    logits : float [shape=(B, n_labels)]
    labels : int64 [shape=(B,)]
        Each one that its corpus has.
    smoothing : float
        Share of the target that all of its corpus's labels have alike.
    told : bool [shape=(B, n_labels)]

    Returns
    -------
    float [shape=(B,)]
    """
    log_posterior = within(logits.float(), told).log_softmax(dim=1)
    right = log_posterior.gather(1, labels[:, None]).squeeze(1)
    everything = log_posterior.masked_fill(~told, 0.0).sum(dim=1) / told.sum(dim=1)
    loss: Tensor = -(1.0 - smoothing) * right - smoothing * everything
    return loss


def within(values: Tensor, told: Tensor, *, posterior: bool = False) -> Tensor:
    """Logits, or a posterior, without the labels that a crop's corpus lacks.

    Parameters
    ----------
    values : float [shape=(B, n_labels)]
    told : bool [shape=(B, n_labels)]
    posterior : bool
        Whether they are probabilities: then the others share what is left, and all labels alike
        where nothing is.

    Returns
    -------
    float [shape=(B, n_labels)]
    """
    if not posterior:
        # Finite, so that 0 times it is 0 in a divergence.
        return values.masked_fill(~told, -1e4)
    kept = values * told
    total = kept.sum(dim=1, keepdim=True)
    alike = told / told.sum(dim=1, keepdim=True)
    return torch.where(total > 0, kept / total.clamp(min=1e-30), alike)
