"""What every corpus module is made of: `Clip`, `Corpus` and the folder scan.

A corpus module is a description (`Corpus`) and one function that reads a clip's
facts from its file name. Everything else - walking folders, choosing between two
copies, mapping labels, sorting - happens once, here.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from quantize.errors import CorpusError

__all__ = [
    "AUDIO_SUFFIXES",
    "DOMAINS",
    "LABELS",
    "Clip",
    "Corpus",
    "ParsedName",
    "Scan",
    "UnusableNameError",
    "scan_corpus",
]

LABELS = ("neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised")
"""The eight classes, in the order of the model's outputs (CLAF-SER, table 6)."""

DOMAINS = ("ravdess", "savee", "emo-db", "tess")
"""The corpora in the order of the paper's "language id" (CLAF-SER, section 3.5)."""

AUDIO_SUFFIXES = (".wav", ".flac")
"""Accepted endings, the preferred first: WAV is read with the standard library."""


@dataclass(frozen=True)
class Clip:
    """One labelled recording.

    Parameters
    ----------
    clip_id : str
        Stable across machines, folder layouts and file formats, for example
        ``"ravdess/Actor_01/03-01-01-01-01-01-01"``.
    path : Path
        Where the audio lies on this machine.
    corpus : str
        One of `DOMAINS`.
    speaker : str
        Globally unique, for example ``"ravdess/01"``.
    gender : str
        ``"female"`` or ``"male"``, as the corpus gives it.
    label : str
        One of `LABELS`.
    native_label : str
        The emotion in the corpus's own word, for example ``"boredom"``.
    language : str
        The language spoken, as an ISO 639-1 code (``"en"`` or ``"de"``).
    sentence : str
        The corpus's own id of what is said; the same id is the same text.
    intensity : str or None
        ``"normal"`` or ``"strong"``; None where the corpus does not grade it.
    take : str or None
        Repetition or version of the same speaker, sentence and emotion.
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


@dataclass(frozen=True)
class ParsedName:
    """What a file name tells: `key` is the clip id without the corpus's name."""

    key: str
    speaker: str
    native_label: str
    sentence: str
    intensity: str | None = None
    take: str | None = None


class UnusableNameError(ValueError):
    """A file name that is no clip of the corpus; the message is the reason."""


@dataclass(frozen=True)
class Corpus:
    """Description of one corpus and the function that reads its file names.

    Parameters
    ----------
    name : str
        One of `DOMAINS`.
    title, language, licence, citation, url : str
        For people: full name, ISO 639-1 code, terms of the source, whom to cite.
    layout : tuple of str
        Accepted paths below the corpus folder.
    aliases : frozenset of str
        Names of the corpus folder, in lower case with letters and digits only.
    speakers : mapping of str to str
        Every speaker of the complete corpus, in order, to its gender.
    labels : mapping of str to str or None
        The corpus's own emotion words to one of `LABELS`; None has no class.
    full_counts : mapping of str to int
        Clips of each emotion word in the complete corpus.
    parse : callable
        Path below the corpus folder (without suffix) to `ParsedName`; raises
        `UnusableNameError` with the reason when it is no clip.
    expected_keys : callable or None
        Speakers and keys found to the keys that these speakers should have, for
        corpora regular enough to know; None where a count is all that is known.
    gaps : tuple of str
        What is known to be odd or absent, one sentence each.
    """

    name: str
    title: str
    language: str
    licence: str
    citation: str
    url: str
    layout: tuple[str, ...]
    aliases: frozenset[str]
    speakers: Mapping[str, str]
    labels: Mapping[str, str | None]
    full_counts: Mapping[str, int]
    parse: Callable[[PurePosixPath], ParsedName]
    expected_keys: Callable[[frozenset[str], frozenset[str]], frozenset[str]] | None = None
    gaps: tuple[str, ...] = ()

    @property
    def n_full(self) -> int:
        """Clips in the complete corpus."""
        return sum(self.full_counts.values())


@dataclass(frozen=True)
class Scan:
    """What lies in the folders of one corpus.

    Parameters
    ----------
    folders : tuple of Path
        The corpus folders read; empty when there are none.
    clips : tuple of Clip
        Usable clips, sorted by `Clip.clip_id`.
    skipped : mapping of str to tuple of str
        Reason to the paths left out for it, both sorted.
    keys_found : frozenset of str
        Keys of every clip found, those without a class included.
    speakers_found : frozenset of str
        Speakers of these clips, in the corpus's own naming.
    native_counts : mapping of str to int
        Clips found of each of the corpus's own emotion words, used or not.
    """

    folders: tuple[Path, ...]
    clips: tuple[Clip, ...]
    skipped: Mapping[str, tuple[str, ...]]
    keys_found: frozenset[str]
    speakers_found: frozenset[str]
    native_counts: Mapping[str, int]


def _plain(name: str) -> str:
    return "".join(c for c in name.lower() if c.isalnum())


def find_folders(corpus: Corpus, root: Path) -> tuple[Path, ...]:
    """Folders of `corpus` directly under `root`, else `root` itself if so named."""
    found = sorted(p for p in root.iterdir() if p.is_dir() and _plain(p.name) in corpus.aliases)
    if not found and _plain(root.resolve().name) in corpus.aliases:
        found = [root]
    return tuple(found)


def _audio_files(folder: Path) -> Iterator[Path]:
    """Audio files below `folder`, linked folders included but each only once."""
    seen: set[str] = set()
    for parent, folders, files in os.walk(folder, followlinks=True):
        real = os.path.realpath(parent)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(d for d in folders if not d.startswith("."))
        for name in sorted(files):
            # macOS leaves "._name.wav" beside files copied to other file systems.
            if not name.startswith(".") and name.lower().endswith(AUDIO_SUFFIXES):
                yield Path(parent, name)


def _preference(path: Path) -> tuple[int, int, str]:
    return AUDIO_SUFFIXES.index(path.suffix.lower()), len(path.parts), path.as_posix()


def scan_corpus(corpus: Corpus, root: Path, labels: Mapping[str, str | None]) -> Scan:
    """Read the names of every audio file of `corpus` under `root`.

    Parameters
    ----------
    corpus : Corpus
        What to look for.
    root : Path
        Folder that holds the corpus folders.
    labels : mapping of str to str or None
        The corpus's emotion words to `LABELS`, overrides applied.

    Returns
    -------
    Scan
        Deterministic: the same files give the same result in the same order.

    Raises
    ------
    CorpusError
        If a folder cannot be read.
    """
    skipped: dict[str, list[str]] = {}
    found: dict[str, tuple[Path, ParsedName]] = {}
    try:
        folders = find_folders(corpus, root)
        candidates = [(folder, path) for folder in folders for path in _audio_files(folder)]
        empty = {path for _, path in candidates if path.stat().st_size == 0}
    except OSError as error:
        raise CorpusError(
            f"cannot read the {corpus.name} folder under {root}: {error.strerror}; "
            "check its permissions and links."
        ) from error

    def skip(reason: str, path: Path) -> None:
        skipped.setdefault(reason, []).append(path.relative_to(root).as_posix())

    for folder, path in sorted(candidates, key=lambda pair: _preference(pair[1])):
        if path in empty:
            skip("the file is empty", path)
            continue
        try:
            parsed = corpus.parse(PurePosixPath(path.relative_to(folder).with_suffix("")))
        except UnusableNameError as error:
            skip(str(error), path)
            continue
        if parsed.key in found:
            skip("second copy of a clip", path)
        else:
            found[parsed.key] = path, parsed

    clips = []
    native_counts = dict.fromkeys(corpus.labels, 0)
    for key in sorted(found):
        path, parsed = found[key]
        native_counts[parsed.native_label] += 1
        label = labels[parsed.native_label]
        if label is None:
            skip(f"{parsed.native_label!r} has no class (label_map can give it one)", path)
            continue
        clips.append(
            Clip(
                clip_id=f"{corpus.name}/{key}",
                path=path,
                corpus=corpus.name,
                speaker=f"{corpus.name}/{parsed.speaker}",
                gender=corpus.speakers[parsed.speaker],
                label=label,
                native_label=parsed.native_label,
                language=corpus.language,
                sentence=f"{corpus.name}/{parsed.sentence}",
                intensity=parsed.intensity,
                take=parsed.take,
            )
        )
    return Scan(
        folders=folders,
        clips=tuple(sorted(clips, key=lambda clip: clip.clip_id)),
        skipped={reason: tuple(sorted(skipped[reason])) for reason in sorted(skipped)},
        keys_found=frozenset(found),
        speakers_found=frozenset(parsed.speaker for _, parsed in found.values()),
        native_counts=native_counts,
    )
