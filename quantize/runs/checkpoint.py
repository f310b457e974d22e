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

from edge.artifact.parts import read_voice_reference
from edge.errors import EdgeSerError
from edge.features.spec import FeatureSpec
from edge.features.voice_reference import VoiceReference
from quantize.basics.errors import CheckpointError
from quantize.basics.files import atomic_path
from quantize.basics.json_files import parse_json
from quantize.data.corpora import DOMAINS, LABELS
from quantize.models.claf_ser import CLAFSER, ClafSerConfig
from quantize.models.config import SimpleRnnConfig
from quantize.models.shapes import shapes_alone
from quantize.models.simple_rnn import SimpleRnn
from quantize.runs.header import NORMALISATION, Header, check_whole, read_header, with_digest

__all__ = ["Checkpoint", "load_checkpoint", "save_checkpoint"]

# Mark in the header: what a checkpoint's model and its config are read with.
_FORMATS: dict[str, tuple[Any, Any]] = {
    "edge-ser-claf-ser-1": (CLAFSER, ClafSerConfig),
    "edge-ser-simple-rnn-2": (SimpleRnn, SimpleRnnConfig),
}

_MISFITS = (KeyError, ValueError, RuntimeError, TypeError, AttributeError, EdgeSerError)


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
    voice_reference : VoiceReference, optional
        How it wants references for voices: its input then is a column wider than the rows.
    """

    model: Any
    mean: NDArray[np.float32]
    std: NDArray[np.float32]
    spec: FeatureSpec
    training: dict[str, Any]
    labels: tuple[str, ...]
    domains: tuple[str, ...]
    voice_reference: VoiceReference | None = None


def save_checkpoint(path: str | os.PathLike[str], checkpoint: Checkpoint) -> None:
    """Write a checkpoint, whole or not at all; the same one gives the same bytes."""
    from safetensors.torch import save

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
    if checkpoint.voice_reference:
        header["voice_reference"] = json.dumps(dataclasses.asdict(checkpoint.voice_reference))
    content = with_digest(save(tensors, metadata=header))
    with atomic_path(path) as temporary:
        # Not by the library's own hand: its files are private and in an order of chance.
        temporary.write_bytes(content)


def load_checkpoint(path: str | os.PathLike[str]) -> Checkpoint:
    """Read what :func:`save_checkpoint` wrote.

    Raises
    ------
    CheckpointError
        If the file is missing, damaged or changed, of another architecture, or holds NaN.
    """
    from safetensors import SafetensorError, safe_open

    path = Path(path)
    found = read_header(path)
    header = found.metadata
    if header.get("format") not in _FORMATS:
        raise CheckpointError(
            f"{path} has the format {header.get('format')!r}, one of {', '.join(_FORMATS)} is "
            "wanted: it holds another architecture or comes from another program"
        )
    _check_shapes(path, found)
    check_whole(path, found)
    try:
        with safe_open(str(path), framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path} is no readable safetensors file: {error}") from error
    for name, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            raise CheckpointError(f"{path} holds NaN or infinite values in {name}: train it again")
    try:
        mean = tensors.pop("normalisation.mean").numpy()
        std = tensors.pop("normalisation.std").numpy()
        model_type, config_type = _FORMATS[header["format"]]
        model = model_type(config_type.from_dict(parse_json(header["config"])))
        model.load_state_dict(tensors)
        spec = FeatureSpec.from_dict(parse_json(header["feature_spec"]))
        training = parse_json(header["training"])
        # Checkpoints of before labels could be anybody's have the eight, and the four corpora.
        labels = _names(header, "labels", LABELS, model.config.n_labels)
        n_domains = getattr(model.config, "n_domains", None)
        domains = _names(header, "domains", DOMAINS, n_domains)
        reference = None
        if "voice_reference" in header:
            reference = read_voice_reference(parse_json(header["voice_reference"]), spec)
    except _MISFITS as error:
        raise _misfit(path, found, error) from error
    return Checkpoint(model.eval(), mean, std, spec, training, labels, domains, reference)


def _names(
    header: dict[str, str], key: str, default: tuple[str, ...], n_wanted: int | None
) -> tuple[str, ...]:
    """Names of a header's list, as many as the model has outputs or rows for."""
    names = parse_json(header[key]) if key in header else list(default)
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError(f"its {key} are no list of names")
    if (n_wanted is not None and len(names) != n_wanted) or len(set(names)) != len(names):
        raise ValueError(f"it names {len(names)} {key}, {n_wanted} different ones are wanted")
    return tuple(names)


def _check_shapes(path: Path, found: Header) -> None:
    """Refuse tensors that are not those of the config, before there is memory for either.

    Raises
    ------
    CheckpointError
        If a tensor is missing, unknown or of another shape.
    """
    model_type, config_type = _FORMATS[found.metadata["format"]]
    try:
        with shapes_alone():
            model = model_type(config_type.from_dict(found.json("config")))
    except _MISFITS as error:
        raise _misfit(path, found, error) from error
    wanted = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    shapes = {n: s for n, s in found.shapes.items() if not n.startswith(NORMALISATION)}
    for name in sorted(wanted.keys() | shapes.keys()):
        if wanted.get(name) != shapes.get(name):
            raise CheckpointError(
                f"{path} does not fit {found.metadata['format']}: its {name} has the shape "
                f"{_shape(shapes.get(name))}, its config asks for {_shape(wanted.get(name))}"
            )


def _misfit(path: Path, found: Header, error: Exception) -> CheckpointError:
    reason = " ".join(str(error).split())[:300]
    return CheckpointError(f"{path} does not fit {found.metadata['format']}: {reason}")


def _shape(shape: tuple[int, ...] | None) -> str:
    return "none" if shape is None else " x ".join(map(str, shape)) or "()"
