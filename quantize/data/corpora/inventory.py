"""What was found of a corpus, what is missing and what was left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from quantize.data.corpora.base import LABELS, UNKNOWN, Clip, Corpus
from quantize.data.corpora.own import OwnRecordings
from quantize.data.corpora.scan import Scan

__all__ = ["NO_LICENCE", "CorpusReport", "make_own_reports", "make_report"]

NO_LICENCE = "not stated"
"""Licence of own recordings: nobody asked."""


@dataclass(frozen=True)
class CorpusReport:
    """Inventory of one corpus against its complete self.

    Parameters
    ----------
    corpus, title, language, licence, citation, url : str
        From the corpus's description.
    folders : tuple of str
        Folders read; empty when the corpus is missing.
    n_clips : int
        Clips that will be used.
    n_found, n_full : int
        Clips found, those without a class included, and clips in the complete corpus; 0 where
        nobody knows how many that are.
    label_counts : mapping of str to int
        Used clips of each label; of a known corpus the eight classes are always among them.
    native_counts : mapping of str to (int, int)
        Each of the corpus's own emotion words to clips found and in the complete corpus.
    speaker_counts : mapping of str to int
        Used clips of each speaker present.
    missing_speakers : tuple of str
        Speakers of the complete corpus with no clip here.
    missing_clips : tuple of str
        Ids of clips that speakers present should have; empty where a corpus is too
        irregular to know (see `n_found` and `n_full`).
    skipped : mapping of str to tuple of str
        Reason to the files left out for it.
    gaps : tuple of str
        What is known to be odd about the corpus itself.
    notes : tuple of str
        How own recordings were read.
    """

    corpus: str
    title: str
    language: str
    licence: str
    citation: str
    url: str
    folders: tuple[str, ...]
    n_clips: int
    n_found: int
    n_full: int
    label_counts: Mapping[str, int]
    native_counts: Mapping[str, tuple[int, int]]
    speaker_counts: Mapping[str, int]
    missing_speakers: tuple[str, ...]
    missing_clips: tuple[str, ...]
    skipped: Mapping[str, tuple[str, ...]]
    gaps: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def present(self) -> bool:
        """Whether any clip of the corpus was found."""
        return self.n_found > 0

    @property
    def complete(self) -> bool:
        """Whether every clip of the complete corpus was found."""
        return self.n_found == self.n_full

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready copy."""
        return asdict(self)


def make_report(corpus: Corpus, scan: Scan) -> CorpusReport:
    """Compare what was found with the complete corpus."""
    per_label = Counter(clip.label for clip in scan.clips)
    labels = (*LABELS, *sorted(set(per_label) - set(LABELS)))
    prefix = f"{corpus.name}/"
    missing: frozenset[str] = frozenset()
    if corpus.expected_keys is not None:
        missing = corpus.expected_keys(scan.speakers_found, scan.keys_found) - scan.keys_found
    return CorpusReport(
        corpus=corpus.name,
        title=corpus.title,
        language=corpus.language,
        licence=corpus.licence,
        citation=corpus.citation,
        url=corpus.url,
        folders=tuple(folder.as_posix() for folder in scan.folders),
        n_clips=len(scan.clips),
        n_found=len(scan.keys_found),
        n_full=corpus.n_full,
        label_counts={label: per_label[label] for label in labels},
        native_counts={
            name: (n, corpus.full_counts.get(name, 0)) for name, n in scan.native_counts.items()
        },
        speaker_counts=_speaker_counts(scan.clips),
        missing_speakers=tuple(prefix + s for s in corpus.speakers if s not in scan.speakers_found),
        missing_clips=tuple(sorted(prefix + key for key in missing)),
        skipped=scan.skipped,
        gaps=corpus.gaps,
    )


def make_own_reports(own: OwnRecordings, clips: Sequence[Clip]) -> list[CorpusReport]:
    """Say what was found of own recordings, a report for every corpus that they name."""
    reports: list[CorpusReport] = []
    for name in sorted({clip.corpus for clip in clips}) or [own.name]:
        part = [clip for clip in clips if clip.corpus == name]
        # What was left out of a table belongs to no corpus of it more than to another.
        skipped = {} if reports else {r: tuple(sorted(p)) for r, p in sorted(own.skipped.items())}
        reports.append(
            CorpusReport(
                corpus=name,
                title=f"own recordings of {own.source}",
                language=", ".join(sorted({clip.language for clip in part})) or UNKNOWN,
                licence=NO_LICENCE,
                citation="",
                url="",
                folders=(own.source,),
                n_clips=len(part),
                n_found=len(part),
                n_full=0,
                label_counts=dict(sorted(Counter(clip.label for clip in part).items())),
                native_counts={
                    word: (n, 0)
                    for word, n in sorted(Counter(clip.native_label for clip in part).items())
                },
                speaker_counts=_speaker_counts(part),
                missing_speakers=(),
                missing_clips=(),
                skipped=skipped,
                gaps=(),
                notes=() if reports else tuple(own.notes),
            )
        )
    return reports


def _speaker_counts(clips: Sequence[Clip]) -> dict[str, int]:
    return dict(sorted(Counter(clip.speaker for clip in clips if clip.speaker_known).items()))
