"""Tensors of a published model's folder: read as data, wherever the publisher put them.

Such a folder has ``config.json`` and ``model.safetensors``, parts of it that
``model.safetensors.index.json`` names, or ``pytorch_model.bin``, a pickle of which only tensors are
read.  Nothing is asked of any network.
"""

from __future__ import annotations

import hashlib
import pickle
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.errors import shown
from quantize.basics.errors import EncoderError
from quantize.basics.json_files import load_json

if TYPE_CHECKING:
    import torch

    Tensors = dict[str, torch.Tensor]
    #: A tensor's name in the file to the name that it shall have, None for one that is left.
    Keep = Callable[[str], str | None]

__all__ = ["read_config", "read_tensors", "tensors_digest"]

_WHOLE, _INDEX, _PICKLE = "model.safetensors", "model.safetensors.index.json", "pytorch_model.bin"

#: Before it, a pickle could run code in spite of ``weights_only`` (CVE-2025-32434).
_SAFE_TORCH = (2, 6)


def read_config(folder: Path, model_type: str) -> dict[str, Any]:
    """What ``config.json`` says of a model.

    Parameters
    ----------
    folder : Path
    model_type : str
        What it must be of.

    Raises
    ------
    EncoderError
        If there is none, it is no JSON, or is of another model.
    """
    path = folder / "config.json"
    wanted = (
        f"a folder of a {model_type} model with config.json and {_WHOLE} or {_PICKLE} is wanted"
    )
    if not folder.is_dir():
        raise EncoderError(f"{folder} is no folder: {wanted}")
    try:
        config = load_json(path)
    except OSError as error:
        raise EncoderError(f"cannot read {path} ({error.strerror or error}): {wanted}") from error
    except ValueError as error:
        raise EncoderError(f"{path} is no JSON ({error}): {wanted}") from error
    found = config.get("model_type") if isinstance(config, dict) else None
    if found != model_type:
        told = "names no model_type" if found is None else f"is of a model of type {shown(found)}"
        raise EncoderError(f"{path} {told}: {wanted}, as Hugging Face publishes it")
    known: dict[str, Any] = config
    return known


def read_tensors(folder: Path, keep: Keep) -> Tensors:
    """Read the tensors that are wanted, as float32.

    Parameters
    ----------
    folder : Path
    keep : callable
        A tensor's name in the file to the name that it shall have, None for one that is left.

    Returns
    -------
    dict of str to torch.Tensor

    Raises
    ------
    EncoderError
        If there is no file of weights, or one is damaged or holds more than tensors.
    """
    path = _weights_file(folder)
    try:
        tensors: Tensors = {}
        for name, tensor in _pickled(path, keep) if path.name == _PICKLE else _named(path, keep):
            tensors[name] = tensor.float().contiguous()
    except pickle.UnpicklingError as error:
        raise EncoderError(
            f"{path} is damaged, or holds more than tensors and could run a program of its own: "
            f"{_WHOLE} of the same model is wanted"
        ) from error
    except (OSError, ValueError, LookupError, TypeError, AttributeError, EOFError) as error:
        raise EncoderError(f"cannot read weights from {path} ({_reason(error)})") from error
    except Exception as error:
        # Of torch, and of safetensors a type that is no relative of any other.
        if not isinstance(error, RuntimeError) and type(error).__name__ != "SafetensorError":
            raise
        raise EncoderError(f"{path} is damaged ({_reason(error)}): copy it anew") from error
    return tensors


def tensors_digest(tensors: Tensors, sizes: str) -> str:
    """SHA-256 of sizes, names and numbers, in whatever files and precision they came."""
    digest = hashlib.sha256(sizes.encode())
    for name in sorted(tensors):
        digest.update(f"\n{name} {tuple(tensors[name].shape)} ".encode())
        digest.update(tensors[name].numpy().data)
    return digest.hexdigest()


def _weights_file(folder: Path) -> Path:
    for name in (_WHOLE, _INDEX, _PICKLE):
        if (folder / name).is_file():
            return folder / name
    raise EncoderError(
        f"{folder} holds no weights: {_WHOLE}, or {_PICKLE}, is wanted beside config.json"
    )


def _named(path: Path, keep: Keep) -> Iterator[tuple[str, torch.Tensor]]:
    """Tensors of a file, or of the parts that an index names."""
    from safetensors import safe_open

    for part in _parts(path) if path.name == _INDEX else [path]:
        with safe_open(part, framework="pt") as file:
            for name in file.keys():  # noqa: SIM118 - it is no mapping
                kept = keep(name)
                if kept is not None:
                    yield kept, file.get_tensor(name)


def _parts(index: Path) -> list[Path]:
    names = sorted(set(load_json(index)["weight_map"].values()))
    for name in names:
        if Path(name).name != name:
            raise ValueError(f"it names {name!r}, a file beside it is wanted")
    return [index.with_name(name) for name in names]


def _pickled(path: Path, keep: Keep) -> Iterator[tuple[str, torch.Tensor]]:
    import torch

    if tuple(map(int, torch.__version__.split(".")[:2])) < _SAFE_TORCH:
        raise EncoderError(
            f"{path} is a pickle, which torch {torch.__version__} cannot read safely: {_WHOLE} of "
            'the same model is wanted, or pip install "torch>=2.6"'
        )
    with warnings.catch_warnings():
        # Of a pickle that is no usual one; what it holds is told below.
        warnings.simplefilter("ignore")
        tensors = torch.load(path, map_location="cpu", weights_only=True)
    for name, tensor in tensors.items():
        kept = keep(name)
        if kept is not None:
            yield kept, tensor


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or " ".join(str(error).split()) or repr(error))[:160]
