"""What an ONNX file may not hold: data that lies in other files.

onnxruntime reads such data from the current folder, outside the hash of the artifact.  Only the
places of the protobuf schema where a tensor can lie are walked, and no tensor is taken apart.
"""

from __future__ import annotations

from collections.abc import Iterator

from edge.errors import ArtifactError

__all__ = ["check_onnx_file"]

# Message to the fields that lead on to tensors (onnx.proto; numbers are never used again).
_PATHS: dict[str, dict[int, str]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 11: "attribute"},
    "tensor": {},
}
_EXTERNAL_DATA, _DATA_LOCATION = 13, 14
# Graphs within graphs (If, Loop); a network of ours has none.
_MAX_DEPTH = 40

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MALFORMED = "the model is not an ONNX file: it is damaged or of another kind"


def check_onnx_file(content: bytes) -> None:
    """Refuse a file that is no ONNX file, or names data outside itself.

    Raises
    ------
    ArtifactError
        If it is one.
    """
    if content[4:8] == b"ORTM":
        raise ArtifactError(_MALFORMED)
    waiting = [("model", memoryview(content), 0)]
    while waiting:
        message, data, depth = waiting.pop()
        if depth > _MAX_DEPTH:
            raise ArtifactError(f"the model's graphs are nested more than {_MAX_DEPTH} deep")
        paths = _PATHS[message]
        for number, value in _fields(data):
            if message == "tensor":
                if number == _EXTERNAL_DATA or (number == _DATA_LOCATION and value != 0):
                    raise ArtifactError(
                        "the model keeps weights in another file, outside of what its manifest "
                        "vouches for: export it into one file"
                    )
            elif number in paths:
                if not isinstance(value, memoryview):
                    raise ArtifactError(_MALFORMED)
                waiting.append((paths[number], value, depth + 1))


def _fields(data: memoryview) -> Iterator[tuple[int, memoryview | int]]:
    """Numbers and values of a message's fields; 0 for a fixed-width number."""
    at, end = 0, len(data)
    while at < end:
        tag, at = _varint(data, at)
        number, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            value, at = _varint(data, at)
            yield number, value
            continue
        if kind == _BYTES:
            size, at = _varint(data, at)
        elif kind in (_FIXED32, _FIXED64):
            size = 4 if kind == _FIXED32 else 8
        else:
            raise ArtifactError(_MALFORMED)
        if number == 0 or at + size > end:
            raise ArtifactError(_MALFORMED)
        if kind == _BYTES:
            yield number, data[at : at + size]
        else:
            yield number, 0
        at += size


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    """Read a number of 7 bits a byte, at most ten bytes of them."""
    value = shift = 0
    while at < len(data) and shift < 70:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
    raise ArtifactError(_MALFORMED)
