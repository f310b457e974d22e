"""CONTRACT: an artifact is a folder with a model file and ``manifest.json``.

It is data only: reading one runs no code from it and unpickles nothing.
"""

from __future__ import annotations

import collections
import dataclasses
import json
import os
import re
import shlex
import shutil
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edge.artifact.budgets import MAX_DIGITS, MAX_MANIFEST_BYTES
from edge.artifact.checks import named
from edge.artifact.manifest import Manifest
from edge.artifact.seal import SEAL, seal_of, sealed
from edge.digest import sha256_hex
from edge.errors import ArtifactError, ParameterError, how_many, shown
from edge.files import (
    as_path,
    create,
    exchange_folders,
    not_a_file,
    read_file,
    sync_file,
    sync_folder,
    temporary_sibling,
)

__all__ = ["MANIFEST_FILE", "Artifact", "Manifest", "read_artifact", "write_artifact"]

MANIFEST_FILE = "manifest.json"

_MEND = "copy the artifact folder again or export the model anew"


@dataclasses.dataclass(frozen=True)
class Artifact:
    """A model folder whose contents were verified by :func:`read_artifact`."""

    path: Path
    manifest: Manifest

    @property
    def model_path(self) -> Path:
        """Where the model file lies."""
        return self.path / self.manifest.model_file

    @property
    def digest(self) -> str:
        """SHA-256 of the manifest, which names the model's: one number for model and gate."""
        return self.manifest.digest

    def read_model(self) -> bytes:
        """Read the model file once, checked against the manifest's size and SHA-256.

        No more is read than the manifest says, however long the file is or grows.

        Raises
        ------
        ArtifactError
            If the file is missing, unreadable, truncated or was changed.
        """
        path, manifest = self.model_path, self.manifest
        content = _read(path, manifest.model_bytes)
        if len(content) != manifest.model_bytes:
            more = "more than " if len(content) > manifest.model_bytes else ""
            raise ArtifactError(
                f"{path} has {more}{how_many(min(len(content), manifest.model_bytes), 'byte')}, "
                f"its manifest says {manifest.model_bytes}: it is truncated or belongs to another "
                f"model; {_MEND}"
            )
        digest = sha256_hex(content)
        if digest != manifest.model_sha256:
            raise ArtifactError(
                f"{path} has SHA-256 {digest[:12]}…, its manifest says "
                f"{manifest.model_sha256[:12]}…: the model was changed or damaged; {_MEND}"
            )
        return content


def read_artifact(directory: str | os.PathLike[str]) -> Artifact:
    """Read a model folder and verify it.

    Parameters
    ----------
    directory : path
        Folder with ``manifest.json`` and the model file it names.

    Raises
    ------
    ArtifactError
        If the folder or a file is missing, the manifest is not what
        :class:`~edge.artifact.Manifest` wants, or the model file's size or
        SHA-256 differs.
    """
    path = _folder(directory)
    artifact = Artifact(path, _read_manifest(path / MANIFEST_FILE))
    artifact.read_model()
    return artifact


def write_artifact(
    directory: str | os.PathLike[str], fields: Mapping[str, Any], model: bytes
) -> Artifact:
    """Write a model folder, whole or not at all.

    The folder is built next to ``directory`` and renamed into place, so that a
    reader, a crash or a full disk never meets half of one.  An artifact that is
    already there is replaced; other files in its folder (a model card) are kept.

    Parameters
    ----------
    directory : path
        Where the artifact shall lie; missing parents are made.
    fields : mapping
        :meth:`Manifest.to_dict` without ``model_sha256`` and ``model_bytes``,
        which are always set from ``model``.
    model : bytes
        Content of the model file.

    Raises
    ------
    ArtifactError
        If the manifest is not valid, ``directory`` holds something that is no
        artifact, or the disk refuses.
    """
    name = as_path(directory, "directory")
    if not isinstance(fields, Mapping) or not isinstance(model, bytes):
        raise ParameterError(
            f"fields is {shown(fields)} and model {shown(model)}, a mapping and bytes are wanted"
        )
    digest = sha256_hex(model)
    manifest = Manifest.from_dict({**fields, "model_sha256": digest, "model_bytes": len(model)})
    text = sealed(manifest.to_json())
    target = Path(os.path.abspath(name))
    temporary = temporary_sibling(target)
    try:
        kept = _files_to_keep(target, manifest.model_file)
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary.mkdir()
        if target.exists():
            shutil.copymode(target, temporary)
        for file in kept:
            shutil.copy2(file, temporary / file.name)
            sync_file(temporary / file.name)
        create(temporary / manifest.model_file, model)
        create(temporary / MANIFEST_FILE, text.encode())
        sync_folder(temporary)
        _swap(temporary, target)
    except (OSError, ValueError) as error:
        raise ArtifactError(
            f"{name} cannot be written: {_reason(error)}; nothing was changed there"
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return Artifact(Path(name), manifest)


def _folder(directory: str | os.PathLike[str]) -> Path:
    """Check that there is a folder that can be looked into."""
    path = Path(as_path(directory, "the artifact"))
    wanted = f"an artifact is a folder with {MANIFEST_FILE} and a model file"
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError as error:
        raise ArtifactError(f"{path} does not exist: {wanted}") from error
    except NotADirectoryError as error:
        raise ArtifactError(f"{path} does not exist, it leads through a file: {wanted}") from error
    except (OSError, ValueError) as error:
        raise ArtifactError(f"{path} cannot be read: {_reason(error)}: {wanted}") from error
    if not stat.S_ISDIR(mode):
        raise ArtifactError(f"{path} is not a folder: {wanted}")
    return path


def _reason(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _read(path: Path, max_bytes: int) -> bytes:
    try:
        return read_file(path, max_bytes)
    except FileNotFoundError as error:
        if (path.parent / "checkpoint.safetensors").exists():
            raise ArtifactError(
                f"{path.parent} is the folder of a training, an artifact is wanted: make one with "
                f"edge-ser-quantize export {shlex.quote(str(path.parent))} --out FOLDER"
            ) from error
        raise ArtifactError(f"{path} is missing; {_MEND}") from error
    except OSError as error:
        raise ArtifactError(f"{path} cannot be read: {_reason(error)}; {_MEND}") from error


def _read_manifest(path: Path) -> Manifest:
    text = _read(path, MAX_MANIFEST_BYTES)
    if len(text) > MAX_MANIFEST_BYTES:
        raise ArtifactError(f"{path} is larger than {MAX_MANIFEST_BYTES} bytes; {_MEND}")
    try:
        content = _parse(text)
    except (ValueError, RecursionError, MemoryError) as error:
        reason = str(error) or "there is no room for it"
        raise ArtifactError(f"{path} is not valid JSON: {reason}; {_MEND}") from error
    told = content.pop(SEAL, None) if isinstance(content, dict) else None
    try:
        manifest = Manifest.from_dict(content)
    except ArtifactError as error:
        raise ArtifactError(f"{path}: {error}; {_MEND}") from error
    if told is not None and told != seal_of(content):
        raise ArtifactError(
            f"{path} is not as it was written, its {SEAL} is that of another content; {_MEND}, or "
            f"take {SEAL} out where you changed the file yourself"
        )
    return manifest


def _parse(text: bytes) -> Any:
    return json.loads(
        text.decode("utf-8"),
        object_pairs_hook=_without_duplicates,
        parse_constant=_refuse_constant,
        parse_int=_whole_number,
    )


def _whole_number(digits: str) -> int:
    # Python takes a second to read a million digits.
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"it has a number of {len(digits)} digits, at most {MAX_DIGITS} are read")
    return int(digits)


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        counts = collections.Counter(key for key, _ in pairs)
        raise ValueError(f"{named(k for k, n in counts.items() if n > 1)} is there twice")
    return found


def _refuse_constant(word: str) -> Any:
    raise ValueError(f"{word} is not a JSON number")


def _files_to_keep(target: Path, model_file: str) -> list[Path]:
    """Files of an existing artifact folder that are not the artifact's own.

    Its own are the manifest, the model file that this names, and what is to be written.  Another
    ``model.*`` is somebody's and stays.
    """
    if not target.exists() and not target.is_symlink():
        return []
    if target.is_symlink() or not target.is_dir():
        raise ArtifactError(f"{target} is not a folder; choose another place for the artifact")
    entries = sorted(target.iterdir())
    manifest = target / MANIFEST_FILE
    if entries and not manifest.is_file():
        raise ArtifactError(
            f"{target} holds {entries[0].name} but no {MANIFEST_FILE}: it is not an artifact and "
            "is not replaced; choose an empty folder"
        )
    own = {MANIFEST_FILE, model_file}
    if entries:
        own.add(_model_named_in(manifest))
    others = [entry for entry in entries if entry.name not in own]
    for entry in others:
        if entry.is_symlink() or not entry.is_file():
            what = not_a_file(entry.lstat().st_mode)
            raise ArtifactError(
                f"{target} holds {entry.name}, which is not part of an artifact ({what}); "
                "move it away"
            )
    return others


def _model_named_in(path: Path) -> str:
    """Name of the model file of a manifest, which may be of another version or damaged."""
    try:
        content = _parse(read_file(path, MAX_MANIFEST_BYTES))
    except (OSError, ValueError, RecursionError, MemoryError):
        return MANIFEST_FILE
    name = content.get("model_file") if isinstance(content, dict) else None
    is_model = isinstance(name, str) and re.fullmatch(r"model\.[A-Za-z0-9]{1,16}", name)
    return str(name) if is_model else MANIFEST_FILE


def _swap(temporary: Path, target: Path) -> None:
    """Give the finished folder its name, and the old one the temporary name, to be removed.

    The system exchanges both names at once, so that whenever a process is killed the old or the
    new artifact is there.  Where it cannot (Windows, some network file systems), the old folder
    steps aside first: a failure puts it back, a process that is killed in between leaves it
    under a hidden name that ends in ``.old``.
    """
    if not target.exists():
        os.rename(temporary, target)
    elif not exchange_folders(temporary, target):
        _step_aside(temporary, target)
    sync_folder(target.parent)


def _step_aside(temporary: Path, target: Path) -> None:
    aside = temporary.with_suffix(".old")
    os.rename(target, aside)
    try:
        os.rename(temporary, target)
    except BaseException:
        os.rename(aside, target)
        raise
    sync_folder(target.parent)
    shutil.rmtree(aside, ignore_errors=True)
