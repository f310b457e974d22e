"""What the gate is trained on: recordings of voices and of sounds, and who is held out."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from pathlib import Path

from edge.audio.find import find_audio_files
from quantize.basics.errors import CorpusError
from quantize.data.sound.recordings import Recording

__all__ = ["Material", "find_voices"]

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
