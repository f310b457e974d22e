"""CONTRACT: an artifact is a folder with a model file and ``manifest.json``.

It is data only: reading one runs no code from it and unpickles nothing.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edge.artifact.manifest import Manifest
from edge.errors import ArtifactError, ParameterError, shown
from edge.files import as_path

__all__ = ["MANIFEST_FILE", "Artifact", "Manifest", "read_artifact", "write_artifact"]

MANIFEST_FILE = "manifest.json"

_MEND = "copy the artifact folder again or export the model anew"
# Ours are about 10 kB; a larger file is not a manifest and is not worth parsing.
_MAX_MANIFEST_BYTES = 4_000_000


@dataclasses.dataclass(frozen=True)
class Artifact:
    """A model folder whose contents were verified by :func:`read_artifact`."""

    path: Path
    manifest: Manifest

    @property
    def model_path(self) -> Path:
        """Where the model file lies."""
        return self.path / self.manifest.model_file

    def read_model(self) -> bytes:
        """Read the model file, checked against the manifest's size and SHA-256.

        Raises
        ------
        ArtifactError
            If the file is missing, unreadable, truncated or was changed.
        """
        path, manifest = self.model_path, self.manifest
        try:
            n_bytes = path.stat().st_size
            if n_bytes != manifest.model_bytes:
                raise ArtifactError(
                    f"{path} has {n_bytes} bytes, its manifest says {manifest.model_bytes}: it is "
                    f"truncated or belongs to another model; {_MEND}"
                )
            content = path.read_bytes()
        except FileNotFoundError as error:
            raise ArtifactError(f"{path} is missing; {_MEND}") from error
        except OSError as error:
            raise ArtifactError(f"{path} cannot be read: {error.strerror}; {_MEND}") from error
        digest = hashlib.sha256(content).hexdigest()
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
    path = Path(as_path(directory, "the artifact"))
    try:
        is_folder, is_there = path.is_dir(), path.exists()
    except OSError:
        is_folder = is_there = False  # A name of 300 characters, say.
    if not is_folder:
        what = "is not a folder" if is_there else "does not exist"
        raise ArtifactError(
            f"{path} {what}: an artifact is a folder with {MANIFEST_FILE} and a model file"
        )
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
    target = Path(os.path.abspath(as_path(directory, "directory")))
    if not isinstance(fields, Mapping) or not isinstance(model, bytes):
        raise ParameterError(
            f"fields is {shown(fields)} and model {shown(model)}, a mapping and bytes are wanted"
        )
    digest = hashlib.sha256(model).hexdigest()
    manifest = Manifest.from_dict({**fields, "model_sha256": digest, "model_bytes": len(model)})
    text = manifest.to_json()
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    try:
        kept = _files_to_keep(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary.mkdir()
        for file in kept:
            shutil.copy2(file, temporary / file.name)
        _write_through(temporary / manifest.model_file, model)
        _write_through(temporary / MANIFEST_FILE, text.encode())
        _sync_folder(temporary)
        _swap(temporary, target)
    except OSError as error:
        raise ArtifactError(
            f"{directory} cannot be written: {error.strerror or error}; nothing was changed there"
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return Artifact(Path(directory), manifest)


def _read_manifest(path: Path) -> Manifest:
    try:
        if path.stat().st_size > _MAX_MANIFEST_BYTES:
            raise ArtifactError(f"{path} is larger than {_MAX_MANIFEST_BYTES} bytes; {_MEND}")
        content = json.loads(
            path.read_text(encoding="utf-8"),
            object_pairs_hook=_without_duplicates,
            parse_constant=_refuse_constant,
        )
    except FileNotFoundError as error:
        raise ArtifactError(f"{path} is missing; {_MEND}") from error
    except OSError as error:
        raise ArtifactError(f"{path} cannot be read: {error.strerror}; {_MEND}") from error
    except (ValueError, RecursionError) as error:
        raise ArtifactError(f"{path} is not valid JSON: {error}; {_MEND}") from error
    try:
        return Manifest.from_dict(content)
    except ArtifactError as error:
        raise ArtifactError(f"{path}: {error}; {_MEND}") from error


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = sorted({key for key in keys if keys.count(key) > 1})
        raise ValueError(f"{', '.join(twice)} is there twice")
    return found


def _refuse_constant(word: str) -> Any:
    raise ValueError(f"{word} is not a JSON number")


def _files_to_keep(target: Path) -> list[Path]:
    """Files of an existing artifact folder that are not the artifact's own."""
    if not target.exists() and not target.is_symlink():
        return []
    if target.is_symlink() or not target.is_dir():
        raise ArtifactError(f"{target} is not a folder; choose another place for the artifact")
    entries = sorted(target.iterdir())
    if entries and not (target / MANIFEST_FILE).is_file():
        raise ArtifactError(
            f"{target} holds {entries[0].name} but no {MANIFEST_FILE}: it is not an artifact and "
            "is not replaced; choose an empty folder"
        )
    others = [e for e in entries if e.name != MANIFEST_FILE and not e.name.startswith("model.")]
    for entry in others:
        if entry.is_symlink() or not entry.is_file():
            raise ArtifactError(
                f"{target} holds {entry.name}, which is not part of an artifact; move it away"
            )
    return others


def _swap(temporary: Path, target: Path) -> None:
    """Rename the finished folder into place; put the old one back if that fails."""
    # A folder cannot be renamed over a full one, so the old one steps aside first.
    aside = temporary.with_suffix(".old")
    replaces = target.exists()
    if replaces:
        os.rename(target, aside)
    try:
        os.rename(temporary, target)
    except BaseException:
        if replaces:
            os.rename(aside, target)
        raise
    _sync_folder(target.parent)
    shutil.rmtree(aside, ignore_errors=True)


def _write_through(path: Path, content: bytes) -> None:
    with open(path, "xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError:
        # Some file systems cannot sync a folder; the files themselves are on the disk.
        pass
    finally:
        os.close(descriptor)
