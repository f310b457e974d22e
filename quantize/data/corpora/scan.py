"""Walk the folders of one corpus and turn file names into clips."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from quantize.basics.errors import CorpusError
from quantize.data.corpora.base import Clip, Corpus, ParsedName, UnusableNameError

__all__ = ["Scan", "scan_corpus"]

# The preferred first: WAV is read with the standard library.
_SUFFIXES = (".wav", ".flac")


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


def _raise(error: OSError) -> None:
    raise error


def _audio_files(folder: Path) -> Iterator[Path]:
    """Audio files below `folder`, linked folders included but each only once."""
    seen: set[str] = set()
    for parent, folders, files in os.walk(folder, onerror=_raise, followlinks=True):
        real = os.path.realpath(parent)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(d for d in folders if not d.startswith("."))
        for name in sorted(files):
            # macOS leaves "._name.wav" beside files copied to other file systems.
            if not name.startswith(".") and name.lower().endswith(_SUFFIXES):
                yield Path(parent, name)


def _unusable(path: Path) -> str | None:
    """Reason why a file cannot be a clip, without reading it."""
    try:
        return None if path.stat().st_size else "the file is empty"
    except FileNotFoundError:
        return "the link leads nowhere"


def _preference(path: Path) -> tuple[int, int, str]:
    return _SUFFIXES.index(path.suffix.lower()), len(path.parts), path.as_posix()


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
        unusable = {path: reason for _, path in candidates if (reason := _unusable(path))}
    except OSError as error:
        raise CorpusError(
            f"cannot read {error.filename!r} of the {corpus.name} corpus: {error.strerror}."
        ) from error

    def skip(reason: str, path: Path) -> None:
        skipped.setdefault(reason, []).append(path.relative_to(root).as_posix())

    for folder, path in sorted(candidates, key=lambda pair: _preference(pair[1])):
        if path in unusable:
            skip(unusable[path], path)
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
        clips=tuple(clips),
        skipped={reason: tuple(sorted(skipped[reason])) for reason in sorted(skipped)},
        keys_found=frozenset(found),
        speakers_found=frozenset(parsed.speaker for _, parsed in found.values()),
        native_counts=native_counts,
    )
