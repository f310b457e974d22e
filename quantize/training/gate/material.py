"""What the gate is trained on: recordings of voices and of sounds, and who is held out."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.audio.file import read_audio
from edge.audio.find import find_audio_files
from edge.errors import how_many
from quantize.basics.errors import CorpusError

__all__ = ["SPLITS", "Material", "Recording", "find_sounds", "find_voices", "read"]

#: ``train`` fits the weights, ``tune`` sets the thresholds, ``test`` measures.
SPLITS = ("train", "tune", "test")

#: How a corpus's paths name the speaker, and whose voices are kept from training.
_CORPORA: dict[str, tuple[str, str, str]] = {
    "RAVDESS": (r"Actor_(\d\d)", "17 18", "19 20 21 22"),
    "SAVEE": (r"(?:^|/)(DC|JE|JK|KL)(?:/|_)", "", "KL"),
    "EMO-DB": (r"(\d\d)[a-z]\d\d[A-Z][a-z]?\.", "13", "14 15"),
    "TESS": (r"(OAF|YAF)_", "", "YAF"),
    "EMOVO": (r"(?:^|/)([fm][123])/", "m2", "f3"),
    "nEMO": (r"([A-Z]{2}\d)_", "KD0", "SM0 WR0"),
}


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


@dataclasses.dataclass(frozen=True, slots=True)
class Material:
    """Recordings of one split.

    Parameters
    ----------
    voices, sounds : tuple of Recording
    """

    voices: tuple[Recording, ...]
    sounds: tuple[Recording, ...]

    @classmethod
    def of(cls, split: str, voices: Sequence[Recording], sounds: Sequence[Recording]) -> Material:
        """Pick what belongs to a split."""
        return cls(
            tuple(one for one in voices if one.split == split),
            tuple(one for one in sounds if one.split == split),
        )


def find_voices(root: Path) -> list[Recording]:
    """Every recording of a known corpus under a folder.

    Raises
    ------
    CorpusError
        If there is none.
    """
    found = []
    for name, (pattern, tune, test) in _CORPORA.items():
        folder = root / name
        if not folder.is_dir():
            continue
        for path in find_audio_files([folder]):
            match = re.search(pattern, path.relative_to(folder).as_posix())
            if match is not None:
                speaker = match.group(1)
                split = (
                    "test" if speaker in test.split() else
                    "tune" if speaker in tune.split() else "train"
                )  # fmt: skip
                found.append(Recording(path, name, f"{name}/{speaker}", split))
    if not found:
        raise CorpusError(
            f"no recording of {', '.join(_CORPORA)} under {str(root)!r}: give the folder that "
            "holds these folders."
        )
    return found


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


def read(recording: Recording, sample_rate: int) -> NDArray[np.float64]:
    """Samples of a recording.

    Raises
    ------
    CorpusError
        If it has another rate.
    """
    samples, rate = read_audio(recording.path)
    if rate != sample_rate:
        from edge.audio.full_band import resample_full_band

        samples = resample_full_band(samples, rate, sample_rate)
    return samples.astype(np.float64)
