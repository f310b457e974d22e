"""Turn the file names of one known corpus into clips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from quantize.data.corpora.base import UNKNOWN, Clip, Corpus, ParsedName, UnusableNameError
from quantize.data.corpora.walk import SUFFIXES, file_fault

__all__ = ["Found", "Scan", "preference", "scan_corpus"]

Found = tuple[Path, Path]
"""A root and a file below it."""


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


def preference(path: Path) -> tuple[int, int, str]:
    """Sort key of copies of one clip: WAV first, then the shallower."""
    return SUFFIXES.index(path.suffix.lower()), len(path.parts), path.as_posix()


def scan_corpus(
    corpus: Corpus,
    folders: Sequence[Path],
    found: Sequence[Found],
    labels: Mapping[str, str | None],
) -> Scan:
    """Read the names of files of `corpus`.

    Parameters
    ----------
    corpus : Corpus
        What they are of.
    folders : sequence of Path
        Where they lie.
    found : sequence of (Path, Path)
        Roots and audio files below them.
    labels : mapping of str to str or None
        The corpus's emotion words to labels, overrides applied.

    Returns
    -------
    Scan
        Deterministic: the same files give the same result in the same order.
    """
    skipped: dict[str, list[str]] = {}
    kept: dict[str, tuple[Path, ParsedName]] = {}

    def skip(reason: str, root: Path, path: Path) -> None:
        skipped.setdefault(reason, []).append(path.relative_to(root).as_posix())

    parse = corpus.annotated([path for _, path in found]) if corpus.annotated else corpus.parse
    owner = {path: root for root, path in found}
    for path in sorted(owner, key=preference):
        root = owner[path]
        if fault := file_fault(path):
            skip(fault, root, path)
            continue
        try:
            parsed = parse(PurePosixPath(path.absolute().with_suffix("").as_posix()))
        except UnusableNameError as error:
            skip(str(error), root, path)
            continue
        if parsed.key in kept:
            skip("second copy of a clip", root, path)
        else:
            kept[parsed.key] = path, parsed

    clips = []
    native_counts = dict.fromkeys(corpus.labels, 0)
    for key in sorted(kept):
        path, parsed = kept[key]
        native_counts[parsed.native_label] += 1
        label = labels[parsed.native_label]
        if label is None:
            word = parsed.native_label
            reason = f"{word!r} has no class (--map-label {word}=LABEL gives it one)"
            skip(reason, owner[path], path)
        else:
            clips.append(_clip(corpus, path, parsed, label))
    return Scan(
        folders=tuple(folders),
        clips=tuple(clips),
        skipped={reason: tuple(sorted(skipped[reason])) for reason in sorted(skipped)},
        keys_found=frozenset(kept),
        speakers_found=frozenset(p.speaker for _, p in kept.values() if p.speaker is not None),
        native_counts=native_counts,
    )


def _clip(corpus: Corpus, path: Path, parsed: ParsedName, label: str) -> Clip:
    clip_id = f"{corpus.name}/{parsed.key}"
    known = parsed.speaker is not None
    return Clip(
        clip_id=clip_id,
        path=path,
        corpus=corpus.name,
        speaker=f"{corpus.name}/{parsed.speaker}" if known else clip_id,
        gender=parsed.gender or corpus.speakers.get(parsed.speaker or "", UNKNOWN),
        label=label,
        native_label=parsed.native_label,
        language=parsed.language or corpus.language,
        sentence=f"{corpus.name}/{parsed.sentence}",
        intensity=parsed.intensity,
        take=parsed.take,
        speaker_known=known,
        side=parsed.side,
    )
