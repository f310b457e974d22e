"""Recordings of sounds that are no speech, and which of them training may hear."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.audio.file import read_audio
from edge.audio.find import find_audio_files
from edge.audio.full_band import resample_full_band
from edge.errors import how_many
from quantize.basics.errors import CorpusError

__all__ = ["SPLITS", "Recording", "find_sounds", "read", "sounds_of"]

#: ``train`` fits the weights, ``tune`` sets the thresholds, ``test`` measures.
SPLITS = ("train", "tune", "test")


@dataclasses.dataclass(frozen=True, slots=True)
class Recording:
    """One file.

    Parameters
    ----------
    path : Path
    kind : str
        The corpus of a voice, or the kind of a sound: its folder.
    source : str
        The speaker, or the recording that a sound was cut from.
    split : str
        One of :data:`SPLITS`.
    """

    path: Path
    kind: str
    source: str
    split: str


def find_sounds(root: Path) -> list[Recording]:
    """Every recording of something that is no voice under a folder.

    Whole recordings are on one side: a file name of ESC (``fold-source-take``) is held out by
    its fold, 3 for the test; a running number of another folder by its last third.  A sixth of
    the rest sets the thresholds.

    Raises
    ------
    CorpusError
        If there is none.
    """
    if not root.is_dir():
        raise CorpusError(f"{str(root)!r} is not a folder; give the one with folders of sounds.")
    by_folder: dict[Path, list[Path]] = {}
    for path in find_audio_files([root]):
        by_folder.setdefault(path.parent, []).append(path)
    found = []
    for folder, paths in sorted(by_folder.items()):
        kind = folder.relative_to(root).as_posix()
        for rank, path in enumerate(sorted(paths)):
            esc = re.match(r"(\d)-(\d+)-", path.name)
            if esc is not None:
                source = f"{kind}/{esc.group(1)}-{esc.group(2)}"
                is_test, is_tune = esc.group(1) == "3", int(esc.group(2)) % 6 == 0
            else:
                source, share = f"{kind}/{path.stem}", rank / len(paths)
                is_test, is_tune = share >= 2 / 3, 5 / 9 <= share < 2 / 3
            split = "test" if is_test else "tune" if is_tune else "train"
            found.append(Recording(path, kind, source, split))
    if not found:
        raise CorpusError(f"no sound under {str(root)!r}: {how_many(0, 'audio file')} found.")
    return found


def sounds_of(roots: Sequence[Path], *, measuring: bool) -> list[Recording]:
    """Sounds of some folders that training hears, or those that it never does.

    Parameters
    ----------
    roots : sequence of Path
        Folders of folders of sounds.
    measuring : bool
        Whether the split ``test`` is wanted, or the two others.

    Returns
    -------
    list of Recording
        Kinds by their folders' names.

    Raises
    ------
    CorpusError
        If a folder holds no sound, or none of the side that is wanted.
    """
    found = [one for root in roots for one in find_sounds(root)]
    chosen = [one for one in found if (one.split == "test") == measuring]
    if roots and not chosen:
        what = "to measure on" if measuring else "to train on"
        raise CorpusError(
            f"{', '.join(map(str, roots))}: {how_many(len(found), 'sound')}, none of them "
            f"{what}: three recordings of a kind or more are wanted"
        )
    return chosen


def read(recording: Recording, sample_rate: int) -> NDArray[np.float64]:
    """Samples of a recording.

    Raises
    ------
    CorpusError
        If it has another rate.
    """
    samples, rate = read_audio(recording.path)
    if rate != sample_rate:
        samples = resample_full_band(samples, rate, sample_rate)
    return samples.astype(np.float64)
