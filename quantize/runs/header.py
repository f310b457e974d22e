"""What a checkpoint's header says, and the digest of what it holds; nothing here needs torch."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import os
from pathlib import Path
from typing import Any

from quantize.basics.errors import CheckpointError
from quantize.basics.json_files import parse_json

__all__ = [
    "NORMALISATION",
    "Header",
    "check_whole",
    "content_digest",
    "read_header",
    "with_digest",
]

# The format's own limit.
_MOST_HEADER_BYTES = 100_000_000

#: Numbers of the normalisation lie beside the weights.
NORMALISATION = "normalisation."

#: Key of the metadata: SHA-256 of all else that the file holds.
_DIGEST = "sha256"


@dataclasses.dataclass(frozen=True)
class Header:
    """The header of a safetensors file.

    Parameters
    ----------
    metadata : dict of str to str
        ``format``, and ``config``, ``feature_spec``, ``training`` and others as JSON.
    shapes : dict of str to tuple of int
        Of every tensor.
    spans : dict of str to tuple of int
        First byte and the one past the last of every tensor, in the file.
    dtypes : dict of str to str
        As the format calls them.
    """

    metadata: dict[str, str]
    shapes: dict[str, tuple[int, ...]]
    spans: dict[str, tuple[int, int]]
    dtypes: dict[str, str]

    @property
    def n_parameters(self) -> int:
        """Numbers of all tensors but the normalisation's."""
        return sum(
            math.prod(shape)
            for name, shape in self.shapes.items()
            if not name.startswith(NORMALISATION)
        )

    def json(self, key: str) -> Any:
        """A part of the metadata.

        Raises
        ------
        KeyError, ValueError
            If it is not there or no JSON.
        """
        try:
            return parse_json(self.metadata[key])
        except RecursionError as error:
            raise ValueError(f"{key} is nested too deep") from error


def read_header(path: Path) -> Header:
    """Read the header of a checkpoint, without its tensors.

    Raises
    ------
    CheckpointError
        If the file is missing or is not a whole safetensors file.
    """
    if not path.is_file():
        raise CheckpointError(f"there is no checkpoint at {path}: train one first")
    try:
        with open(path, "rb") as file:
            n_bytes = os.fstat(file.fileno()).st_size
            size = int.from_bytes(file.read(8), "little")
            if not 2 <= size <= min(_MOST_HEADER_BYTES, n_bytes - 8):
                raise ValueError(f"of {n_bytes} bytes its header would have {size}")
            content = parse_json(file.read(size))
            metadata = content.pop("__metadata__", {})
            header = Header({str(k): str(v) for k, v in metadata.items()}, {}, {}, {})
            for name, tensor in content.items():
                first, last = (int(at) + 8 + size for at in tensor["data_offsets"])
                if not 8 + size <= first <= last <= n_bytes:
                    raise ValueError(f"{name} is cut off")
                header.shapes[name] = tuple(int(length) for length in tensor["shape"])
                header.spans[name] = (first, last)
                header.dtypes[name] = str(tensor["dtype"])
            return header
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        reason = " ".join(str(error).split())[:200]
        raise CheckpointError(
            f"{path} is no whole safetensors file ({reason}): train the run anew"
        ) from error


def with_digest(content: bytes) -> bytes:
    """The same safetensors file with the keys of its header in order, and its digest among them."""
    header, tensors = _parted(content)
    header.setdefault("__metadata__", {})[_DIGEST] = _digest(header, tensors)
    text = _text(header)
    # Tensors begin at a multiple of eight bytes.
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + tensors


def check_whole(path: Path, header: Header) -> None:
    """Refuse a checkpoint that is not as :func:`with_digest` gave it; older ones have no digest.

    Parameters
    ----------
    path : Path
    header : Header
        Of it, as :func:`read_header` gave it.

    Raises
    ------
    CheckpointError
        If a byte of it changed, or it cannot be read.
    """
    told = header.metadata.get(_DIGEST)
    if told is None:
        return
    try:
        found = _digest(*_parted(path.read_bytes()))
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror or error}") from error
    if found != told:
        raise CheckpointError(
            f"{path} is not as it was written, its SHA-256 is another: copy the run folder again, "
            "or train the run anew"
        )


def _parted(content: bytes) -> tuple[dict[str, Any], bytes]:
    """Header and tensors of a safetensors file."""
    size = int.from_bytes(content[:8], "little")
    return parse_json(content[8 : 8 + size]), content[8 + size :]


def _text(header: dict[str, Any]) -> bytes:
    return json.dumps(header, sort_keys=True, separators=(",", ":")).encode()


def _digest(header: dict[str, Any], tensors: bytes) -> str:
    metadata = {k: v for k, v in header.get("__metadata__", {}).items() if k != _DIGEST}
    digest = hashlib.sha256(_text({**header, "__metadata__": metadata}))
    digest.update(tensors)
    return digest.hexdigest()


def content_digest(path: Path) -> str:
    """SHA-256 of what a checkpoint computes: its sizes, features, normalisation and weights.

    The same for every file that holds the same, in whatever order, and whatever its ``training``
    tells.

    Returns
    -------
    str
        In hexadecimal.

    Raises
    ------
    CheckpointError
        As :func:`read_header`, or if it cannot be read.
    """
    header = read_header(path)
    digest = hashlib.sha256()
    for key in sorted(header.metadata.keys() - {"training", _DIGEST}):
        digest.update(f"{key}={_canonical(header.metadata[key])}\n".encode())
    try:
        with open(path, "rb") as file:
            for name in sorted(header.shapes):
                first, last = header.spans[name]
                digest.update(f"{name} {header.dtypes[name]} {header.shapes[name]}\n".encode())
                file.seek(first)
                digest.update(file.read(last - first))
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror or error}") from error
    return digest.hexdigest()


def _canonical(text: str) -> str:
    try:
        return json.dumps(parse_json(text), sort_keys=True)
    except (ValueError, RecursionError):
        return text
