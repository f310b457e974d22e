"""What every corpus module is made of: `Clip`, `Corpus` and `ParsedName`.

A corpus module is a description (`Corpus`) and one function that reads a clip's
facts from its file name. Everything else - walking folders, choosing between two
copies, mapping labels, sorting - happens once, in `quantize.data.corpora.scan`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

__all__ = [
    "DOMAINS",
    "LABELS",
    "UNKNOWN",
    "Clip",
    "Corpus",
    "Parse",
    "ParsedName",
    "UnusableNameError",
]

LABELS = ("neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised")
"""The eight classes, in the order of the model's outputs (CLAF-SER, table 6)."""

DOMAINS = ("ravdess", "savee", "emo-db", "tess")
"""The corpora in the order of the paper's "language id" (CLAF-SER, section 3.5)."""

UNKNOWN = "unknown"
"""Gender or language that nobody said."""


@dataclass(frozen=True, slots=True)
class Clip:
    """One labelled recording, or a part of one.

    Parameters
    ----------
    clip_id : str
        Stable across machines, folder layouts and file formats, for example
        ``"ravdess/Actor_01/03-01-01-01-01-01-01"``.
    path : Path
        Where the audio lies on this machine.
    corpus : str
        A known corpus, or the name that own recordings go by.
    speaker : str
        Globally unique, for example ``"ravdess/01"``. Where nobody said who speaks it is
        the clip's own id: no two such clips are known to share a speaker.
    gender : str
        ``"female"`` or ``"male"``, as the corpus gives it, or ``"unknown"``.
    label : str
        One of `LABELS`, or another word.
    native_label : str
        The emotion in the corpus's own word, for example ``"boredom"``.
    language : str
        The language spoken, as an ISO 639-1 code (``"en"``), or ``"unknown"``.
    sentence : str
        The corpus's own id of what is said; the same id is the same text.
    intensity : str or None
        ``"normal"`` or ``"strong"``; None where the corpus does not grade it.
    take : str or None
        Repetition or version of the same speaker, sentence and emotion.
    speaker_known : bool
        False where `speaker` only stands in for one.
    start_s, end_s : float or None
        The part of the file that the clip is; None: from its beginning, to its end.
    side : str or None
        ``"train"``, ``"validation"`` or ``"test"`` where the recordings came divided.
    """

    clip_id: str
    path: Path
    corpus: str
    speaker: str
    gender: str
    label: str
    native_label: str
    language: str
    sentence: str
    intensity: str | None = None
    take: str | None = None
    speaker_known: bool = True
    start_s: float | None = None
    end_s: float | None = None
    side: str | None = None


@dataclass(frozen=True, slots=True)
class ParsedName:
    """What a file name tells: `key` is the clip id without the corpus's name.

    `speaker` is None where the corpus tells none; `gender` and `language` are for corpora
    whose names say them, or that have more than one.
    """

    key: str
    speaker: str | None
    native_label: str
    sentence: str
    intensity: str | None = None
    take: str | None = None
    gender: str | None = None
    language: str | None = None
    side: str | None = None


Parse = Callable[[PurePosixPath], ParsedName]


class UnusableNameError(ValueError):
    """A file name that is no clip of the corpus; the message is the reason."""


@dataclass(frozen=True)
class Corpus:
    """Description of one corpus and the function that reads its file names.

    Parameters
    ----------
    name : str
        What commands and reports call it.
    title, language, licence, citation, url : str
        For people: full name, ISO 639-1 code, terms of the source, whom to cite.
    layout : tuple of str
        Accepted paths below the corpus folder.
    aliases : frozenset of str
        Names of the corpus folder, in lower case with letters and digits only.
    signature : re.Pattern
        Found in the path of its files (without suffix) and in hardly any other: what the
        corpus is recognised by, in whatever folder it lies.
    speakers : mapping of str to str
        Every speaker of the complete corpus, in order, to its gender; empty where the names
        say the gender or nothing says it.
    labels : mapping of str to str or None
        The corpus's own emotion words to one of `LABELS`; None has no class.
    full_counts : mapping of str to int
        Clips of each emotion word in the complete corpus; empty where it still grows.
    parse : callable
        Path of a clip (without suffix) to `ParsedName`; raises `UnusableNameError` with the
        reason when it is no clip.
    expected_keys : callable or None
        Speakers and keys found to the keys that these speakers should have, for
        corpora regular enough to know; None where a count is all that is known.
    gaps : tuple of str
        What is known to be odd or absent, one sentence each.
    annotated : callable or None
        The paths found to a function to use in place of `parse`, for corpora whose labels
        stand in files beside the clips.
    """

    name: str
    title: str
    language: str
    licence: str
    citation: str
    url: str
    layout: tuple[str, ...]
    aliases: frozenset[str]
    signature: re.Pattern[str]
    speakers: Mapping[str, str]
    labels: Mapping[str, str | None]
    full_counts: Mapping[str, int]
    parse: Parse
    expected_keys: Callable[[frozenset[str], frozenset[str]], frozenset[str]] | None = None
    gaps: tuple[str, ...] = ()
    annotated: Callable[[Sequence[Path]], Parse] | None = None

    @property
    def n_full(self) -> int:
        """Clips in the complete corpus; 0 where that is not known."""
        return sum(self.full_counts.values())
