"""A trained model on disk: safetensors, with its settings in the header."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from edge.errors import EdgeSerError
from edge.features.spec import FeatureSpec
from quantize.basics.errors import CheckpointError
from quantize.basics.files import atomic_path
from quantize.data.corpora import DOMAINS, LABELS
from quantize.models.claf_ser import CLAFSER, ClafSerConfig
from quantize.models.config import SimpleRnnConfig
from quantize.models.simple_rnn import SimpleRnn

__all__ = ["Checkpoint", "load_checkpoint", "save_checkpoint"]

# Mark in the header: what a checkpoint's model and its config are read with.
_FORMATS: dict[str, tuple[Any, Any]] = {
    "edge-ser-claf-ser-1": (CLAFSER, ClafSerConfig),
    "edge-ser-simple-rnn-2": (SimpleRnn, SimpleRnnConfig),
}


@dataclasses.dataclass(frozen=True)
class Checkpoint:
    """A model with all that is needed to run and to export it.

    Parameters
    ----------
    model : CLAFSER or SimpleRnn
        In evaluation mode.
    mean, std : float32 [shape=(n_features,)]
        Normalisation of the feature rows.
    spec : FeatureSpec
        The features it was trained on.
    training : dict
        How it was trained: corpora, split, seed, epochs, commit.
    labels : tuple of str
        What the model's outputs stand for, in their order.
    domains : tuple of str
        Corpora that its embedding has rows for, in their order; the row after them is "unknown".
    """

    model: Any
    mean: NDArray[np.float32]
    std: NDArray[np.float32]
    spec: FeatureSpec
    training: dict[str, Any]
    labels: tuple[str, ...] = LABELS
    domains: tuple[str, ...] = DOMAINS


def save_checkpoint(path: str | os.PathLike[str], checkpoint: Checkpoint) -> None:
    """Write a checkpoint, whole or not at all."""
    from safetensors.torch import save_file

    mark = next(m for m, kinds in _FORMATS.items() if isinstance(checkpoint.model, kinds[0]))
    tensors = {name: t.detach().contiguous() for name, t in checkpoint.model.state_dict().items()}
    tensors["normalisation.mean"] = torch.from_numpy(checkpoint.mean)
    tensors["normalisation.std"] = torch.from_numpy(checkpoint.std)
    header = {
        "format": mark,
        "config": json.dumps(checkpoint.model.config.to_dict()),
        "feature_spec": json.dumps(checkpoint.spec.to_dict()),
        "training": json.dumps(checkpoint.training),
        "labels": json.dumps(checkpoint.labels),
        "domains": json.dumps(checkpoint.domains),
    }
    with atomic_path(path) as temporary:
        save_file(tensors, str(temporary), metadata=header)


def load_checkpoint(path: str | os.PathLike[str]) -> Checkpoint:
    """Read what :func:`save_checkpoint` wrote.

    Raises
    ------
    CheckpointError
        If the file is missing, damaged, of another architecture, or holds NaN.
    """
    from safetensors import SafetensorError, safe_open

    path = Path(path)
    if not path.is_file():
        raise CheckpointError(f"there is no checkpoint at {path}: train one first")
    try:
        with safe_open(str(path), framework="pt") as file:
            header = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path} is no readable safetensors file: {error}") from error
    if header.get("format") not in _FORMATS:
        raise CheckpointError(
            f"{path} has the format {header.get('format')!r}, one of {', '.join(_FORMATS)} is "
            "wanted: it holds another architecture or comes from another program"
        )
    for name, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            raise CheckpointError(f"{path} holds NaN or infinite values in {name}: train it again")
    try:
        mean = tensors.pop("normalisation.mean").numpy()
        std = tensors.pop("normalisation.std").numpy()
        model_type, config_type = _FORMATS[header["format"]]
        model = model_type(config_type.from_dict(json.loads(header["config"])))
        model.load_state_dict(tensors)
        spec = FeatureSpec.from_dict(json.loads(header["feature_spec"]))
        training = json.loads(header["training"])
        # Checkpoints of before labels could be anybody's have the eight, and the four corpora.
        labels = _names(header, "labels", LABELS, model.config.n_labels)
        n_domains = getattr(model.config, "n_domains", None)
        domains = _names(header, "domains", DOMAINS, n_domains)
    except (KeyError, ValueError, RuntimeError, TypeError, EdgeSerError) as error:
        reason = " ".join(str(error).split())[:300]
        raise CheckpointError(f"{path} does not fit {header['format']}: {reason}") from error
    return Checkpoint(model.eval(), mean, std, spec, training, labels, domains)


def _names(
    header: dict[str, str], key: str, default: tuple[str, ...], n_wanted: int | None
) -> tuple[str, ...]:
    """Names of a header's list, as many as the model has outputs or rows for."""
    names = json.loads(header[key]) if key in header else list(default)
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError(f"its {key} are no list of names")
    if (n_wanted is not None and len(names) != n_wanted) or len(set(names)) != len(names):
        raise ValueError(f"it names {len(names)} {key}, {n_wanted} different ones are wanted")
    return tuple(names)
