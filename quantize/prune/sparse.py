"""Unstructured pruning: the smallest weights become zero and stay zero while training goes on.

That shrinks what a file compresses to and nothing else: every runtime multiplies the zeros like
any other weight, as fast as before.
"""

from __future__ import annotations

import copy
import io
import zipfile
from typing import Any

import torch
from torch import Tensor

from quantize.basics.settings import ProperShare, check
from quantize.export.numpy import numpy_model
from quantize.export.rounding.load import load_rounding_recipe
from quantize.models.claf_ser import CLAFSER
from quantize.prune.cut import refuse_unprunable
from quantize.training.trainer import Trainer

__all__ = ["SPARSE", "SparseTrainer", "npz_sizes", "sparse_model", "sparsity_of"]

#: Matrices whose weights may become zero: 99 % of a model.
SPARSE = (
    "lstm.weight_ih_l0",
    "lstm.weight_hh_l0",
    "lstm.weight_ih_l0_reverse",
    "lstm.weight_hh_l0_reverse",
    "attention.in_proj_weight",
    "attention.out_proj.weight",
    "fc1.weight",
    "fc2.weight",
)


def sparse_model(model: CLAFSER, sparsity: float) -> CLAFSER:
    """Set the smallest weights of :data:`SPARSE` to zero.

    Parameters
    ----------
    model : CLAFSER
        Is not changed.
    sparsity : float
        Share of those weights that becomes zero, above 0 and below 1.

    Notes
    -----
    The share is that of all matrices together. A weight's size is measured against the root mean
    square of its matrix, so that a matrix of small numbers does not vanish.

    Raises
    ------
    ParameterError
        If the sparsity is none, or the model is not a whole CLAF-SER.
    """
    refuse_unprunable(model, "the model")
    sparsity = check(sparsity, ProperShare, "sparsity")
    model = copy.deepcopy(model).cpu().eval()
    matrices = [matrix.detach() for matrix in _matrices(model)]
    scales = [m.pow(2).mean().sqrt().clamp(min=1e-30) for m in matrices]
    sizes = torch.cat([(m / s).abs().flatten() for m, s in zip(matrices, scales, strict=True)])
    order = torch.argsort(sizes, stable=True)
    kept = torch.ones_like(sizes)
    kept[order[: round(sparsity * sizes.numel())]] = 0.0
    for matrix, mask in zip(matrices, kept.split([m.numel() for m in matrices]), strict=True):
        matrix.mul_(mask.view_as(matrix))
    return model


def sparsity_of(model: CLAFSER) -> float:
    """Share of the weights of :data:`SPARSE` that are exactly zero."""
    matrices = _matrices(model)
    n_zeros = sum(int((m == 0).sum()) for m in matrices)
    return float(n_zeros / sum(m.numel() for m in matrices))


def npz_sizes(model: CLAFSER) -> tuple[int, int]:
    """Bytes of the int8 ``model.npz`` as devices get it, and of one that is deflated."""
    plain = numpy_model(model, load_rounding_recipe("numpy_weight_only_wi8"), None)
    file = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(plain)) as read,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as written,
    ):
        for name in read.namelist():
            written.writestr(zipfile.ZipInfo(name), read.read(name), zipfile.ZIP_DEFLATED, 9)
    return len(plain), len(file.getvalue())


class SparseTrainer(Trainer):
    """A training whose start's zeros stay zeros.

    Their gradient is taken away: without one, Adam does not move a weight that is zero, nor does
    weight decay.
    """

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        for matrix in _matrices(self.model):
            matrix.register_hook(_masked_by((matrix.detach() != 0).to(matrix.dtype)))


def _masked_by(mask: Tensor) -> Any:
    return lambda gradient: gradient * mask


def _matrices(model: CLAFSER) -> list[Any]:
    parameters = dict(model.named_parameters())
    return [parameters[name] for name in SPARSE]
