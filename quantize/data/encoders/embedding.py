"""Vectors of clips: computed by whatever process, kept while they come, written as one file."""

from __future__ import annotations

import dataclasses
import functools
import json
import os
import time
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.errors import AudioFileError
from edge.jobs import run_in_order
from quantize.basics.errors import EncoderError
from quantize.basics.progress import progress_bar
from quantize.data.corpora import Clip
from quantize.data.corpora.contents import file_digest
from quantize.data.embeddings import write_embeddings
from quantize.data.encoders.base import Encoder
from quantize.data.encoders.registry import EncoderChoice, open_encoder
from quantize.data.sound.level import trimmed
from quantize.data.sound.reading import read_clip

__all__ = ["Embedded", "embed_clips", "part_path"]

#: What vectors were made by, beside the encoder: raise it when reading a file, resampling or
#: trimming gives other numbers than before.
_VERSION = 1

#: What was computed is kept this often, for the case that the program is killed.
_KEEP_S = 30.0

Row = NDArray[np.float16]


@dataclasses.dataclass(frozen=True, slots=True)
class Embedded:
    """What was written.

    Parameters
    ----------
    path : Path
    encoder : str
    layer, n_layers : int
        Whose output was read, of how many.
    width : int
        Length of a vector.
    n_clips : int
    n_kept : int
        Of them, those that an earlier call had computed.
    """

    path: Path
    encoder: str
    layer: int
    n_layers: int
    width: int
    n_clips: int
    n_kept: int


def embed_clips(
    clips: Sequence[Clip],
    digests: Sequence[str],
    choice: EncoderChoice,
    out: Path,
    *,
    n_workers: int = 1,
    cluster: str | None = None,
) -> Embedded:
    """Compute the vectors of clips and write them where ``train --embeddings`` can read them.

    What was computed by an earlier call that did not end, and what ``out`` holds already, is
    taken over where it is of the same sound and the same encoder.

    Parameters
    ----------
    clips : sequence of Clip
        One or more.
    digests : sequence of str
        SHA-256 of each clip's file, in hexadecimal.
    choice : EncoderChoice
    out : Path
        NPZ file.
    n_workers, cluster
        As :func:`edge.jobs.run_in_order`; each worker holds the weights.

    Raises
    ------
    AudioFileError
        If a clip cannot be read, or is not the file that it was when its digest was taken.
    EncoderError
        If the folder does not hold the encoder's weights, or they give numbers that are not finite.
    ParameterError
        If there is no such encoder or layer.
    MissingDependencyError
        If the package is missing that runs the encoder.
    """
    encoder = open_encoder(choice)
    about = json.dumps(
        {"encoder": choice.name, "layer": encoder.layer, "of": encoder.digest, "version": _VERSION},
        sort_keys=True,
    )
    sounds = [_sound(clip, digest) for clip, digest in zip(clips, digests, strict=True)]
    kept = {**_read(out, about), **_read(part_path(out), about)}
    rows = {sound: kept[sound] for sound in sounds if sound in kept}
    n_kept = sum(sound in rows for sound in sounds)
    # Copies under several names are heard once.
    new = dict(zip(sounds, zip(clips, digests, strict=True), strict=True))
    new = {sound: pair for sound, pair in new.items() if sound not in rows}
    choice = dataclasses.replace(choice, layer=encoder.layer)
    embed = functools.partial(_embed, choice, encoder.digest)
    if n_workers == 1 and cluster is None:
        _opened[choice] = encoder
    try:
        computed = run_in_order(embed, list(new.values()), n_jobs=n_workers, cluster=cluster)
        saved_s = time.monotonic()
        shown = progress_bar(computed, len(new), "clips embedded") if new else ()
        for sound, row in zip(new, shown, strict=True):
            rows[sound] = row
            if time.monotonic() - saved_s > _KEEP_S:
                _write(part_path(out), list(rows), list(rows), rows, about)
                saved_s = time.monotonic()
    except BaseException:
        if len(rows) > n_kept:
            _write(part_path(out), list(rows), list(rows), rows, about)
        raise
    finally:
        _opened.clear()
    _write(out, [clip.clip_id for clip in clips], sounds, rows, about)
    part_path(out).unlink(missing_ok=True)
    return Embedded(
        out, choice.name, encoder.layer, encoder.n_layers, encoder.width, len(clips), n_kept
    )


def part_path(out: Path) -> Path:
    """Where what was computed lies until all of it is there."""
    return out.with_name(f"{out.name}.part")


def _sound(clip: Clip, digest: str) -> str:
    """What decides a clip's vector: the file's content, and which part of it."""
    whole = clip.start_s is None and clip.end_s is None
    return digest if whole else f"{digest}@{clip.start_s}-{clip.end_s}"


#: The encoder of this process; its weights are read once.
_opened: dict[EncoderChoice, Encoder] = {}


def _embed(choice: EncoderChoice, wanted: str, heard: tuple[Clip, str]) -> Row:
    """The vector of one clip, in whatever process."""
    encoder = _opened.get(choice)
    if encoder is None:
        encoder = _opened[choice] = open_encoder(choice)
        if encoder.digest != wanted:
            raise EncoderError(
                f"the weights in {choice.folder} are not those that this command began with: they "
                "were changed, or a worker has others there"
            )
    clip, digest = heard
    samples = read_clip(clip, encoder.sample_rate)
    # After it was read, so that no change in between is missed.
    status = os.stat(clip.path)
    if _digest(clip.path, status.st_size, status.st_mtime_ns) != digest:
        raise AudioFileError(
            f"{clip.path} was changed meanwhile, or is another file on this machine: run the "
            "command again once it stays as it is"
        )
    if samples.size < encoder.n_least:
        least_ms = 1000 * encoder.n_least / encoder.sample_rate
        raise AudioFileError(f"{clip.path} is shorter than {least_ms:.0f} ms: leave it out")
    speech = trimmed(samples, encoder.sample_rate)
    vector = encoder.embed(speech if speech.size >= encoder.n_least else samples)
    with np.errstate(over="ignore"):
        row = vector.astype(np.float16)
    if not np.isfinite(row).all():
        raise EncoderError(
            f"layer {encoder.layer} of the encoder in {choice.folder} gives numbers that are not "
            f"finite or beyond 65,504 for {clip.path}: another --layer is wanted"
        )
    return row


@functools.lru_cache(maxsize=16)
def _digest(path: Path, n_bytes: int, changed_ns: int) -> str:
    """SHA-256 of a file, once for all the clips that are parts of it."""
    return file_digest(path)


def _write(
    path: Path, names: Sequence[str], sounds: Sequence[str], rows: Mapping[str, Row], about: str
) -> None:
    more = {"sounds": np.array(sounds), "about": np.array(about)}
    write_embeddings(path, names, np.stack([rows[sound] for sound in sounds]), more)


def _read(path: Path, about: str) -> dict[str, Row]:
    """Vectors by what they were made of; none from a file that is missing, damaged or another's."""
    try:
        with open(path, "rb") as opened, np.load(opened, allow_pickle=False) as file:
            if str(file["about"]) != about:
                return {}
            sounds, rows = file["sounds"].tolist(), file["embeddings"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return {}
    if rows.dtype != np.float16 or rows.ndim != 2 or len(sounds) != len(rows):
        return {}
    return dict(zip(map(str, sounds), rows, strict=True))
