"""Reading a NumPy archive from a stranger: what it says of itself is checked before unpacking.

``numpy.load`` allocates what an array's header asks for, and inflates what a member holds; here
both are held against the bytes that the archive's directory admits to, and those against a budget.
"""

from __future__ import annotations

import io
import math
import zipfile
from typing import IO

import numpy as np
import numpy.typing as npt

from edge.errors import ArtifactError, how_many

__all__ = ["read_arrays"]

Array = npt.NDArray[np.generic]

# What `numpy.savez` and `numpy.savez_compressed` write.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
# Headers of more than 1 kB describe records, which no weight is.
_MAX_HEADER_BYTES = 1024
# Bit 0 of a member's flags.
_ENCRYPTED = 1


def read_arrays(content: bytes, max_bytes: int, max_arrays: int) -> dict[str, Array]:
    """Read every array of an archive.

    Parameters
    ----------
    content : bytes
        Of the file.
    max_bytes : int
        What all members may unpack to.
    max_arrays : int
        How many there may be.

    Returns
    -------
    dict
        Name to array of plain numbers.

    Raises
    ------
    ArtifactError
        If it is no archive of such arrays, or asks for more than it may.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = _checked_members(archive, max_bytes, max_arrays)
            arrays = {}
            for member in members:
                with archive.open(member) as file:
                    name = member.filename.removesuffix(".npy")
                    arrays[name] = _read_array(name, file, member.file_size)
            return arrays
    except ArtifactError:
        raise
    except Exception as error:
        # Bytes from anybody meet zipfile, zlib, tokenize and ast here, each with errors of its own
        # (BadZipFile, TokenError, OverflowError, RecursionError, MemoryError ...).
        reason = str(error).splitlines() or [type(error).__name__]
        raise ArtifactError(f"the model is not a readable NumPy archive: {reason[0]}") from error


def _checked_members(
    archive: zipfile.ZipFile, max_bytes: int, max_arrays: int
) -> list[zipfile.ZipInfo]:
    """Members of the archive's directory, none of which was opened."""
    members = archive.infolist()
    if len(members) > max_arrays:
        raise ArtifactError(
            f"the model holds {how_many(len(members), 'array')}, at most {max_arrays} are wanted"
        )
    if len({member.filename for member in members}) != len(members):
        raise ArtifactError("the model holds an array twice")
    unpacked = sum(member.file_size for member in members)
    if unpacked > max_bytes:
        raise ArtifactError(
            f"the model unpacks to {unpacked} bytes, more than the {max_bytes} that its "
            "architecture can need"
        )
    for member in members:
        if member.compress_type not in _METHODS or member.flag_bits & _ENCRYPTED:
            raise ArtifactError(
                f"the model's {member.filename!r} is packed or encrypted in a way that NumPy does "
                "not write"
            )
    return members


def _read_array(name: str, stream: IO[bytes], n_bytes: int) -> Array:
    """Read one ``.npy`` of ``n_bytes``, of which the directory told."""
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        read_header = np.lib.format.read_array_header_1_0
    elif version == (2, 0):
        read_header = np.lib.format.read_array_header_2_0
    else:
        raise ArtifactError(f"{name} is written in version {version} of NumPy's format, 1.0 or 2.0")
    shape, is_fortran, dtype = read_header(stream, max_header_size=_MAX_HEADER_BYTES)
    if dtype.kind not in "fiu" or dtype.hasobject:
        raise ArtifactError(f"{name} is {dtype}, plain numbers are wanted")
    wanted = math.prod(shape) * dtype.itemsize
    if min(shape, default=0) < 0 or wanted > n_bytes:
        raise ArtifactError(
            f"{name} has the shape {shape} of {dtype} in {how_many(n_bytes, 'byte')}: it is damaged"
        )
    numbers = stream.read(wanted)
    if len(numbers) != wanted or stream.read(1):
        raise ArtifactError(
            f"{name} does not hold the {how_many(wanted, 'byte')} that its shape needs"
        )
    array = np.frombuffer(numbers, dtype=dtype)
    return array.reshape(shape, order="F" if is_fortran else "C")
