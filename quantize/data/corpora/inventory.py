"""What was found of a corpus, what is missing and what was left out, as data and table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from quantize.basics.tables import aligned
from quantize.data.corpora.base import LABELS, Corpus
from quantize.data.corpora.scan import Scan

__all__ = ["CorpusReport", "format_reports", "make_report"]

_N_EXAMPLES = 3


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
        Clips found, those without a class included, and clips in the complete corpus.
    label_counts : mapping of str to int
        Used clips of each of the eight classes.
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

    def __str__(self) -> str:
        return format_reports([self])


def make_report(corpus: Corpus, scan: Scan) -> CorpusReport:
    """Compare what was found with the complete corpus."""
    per_label = Counter(clip.label for clip in scan.clips)
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
        label_counts={label: per_label[label] for label in LABELS},
        native_counts={
            name: (scan.native_counts[name], n) for name, n in corpus.full_counts.items()
        },
        speaker_counts=dict(sorted(Counter(clip.speaker for clip in scan.clips).items())),
        missing_speakers=tuple(prefix + s for s in corpus.speakers if s not in scan.speakers_found),
        missing_clips=tuple(sorted(prefix + key for key in missing)),
        skipped=scan.skipped,
        gaps=corpus.gaps,
    )


def _examples(items: Sequence[str]) -> str:
    more = len(items) - _N_EXAMPLES
    return ", ".join(items[:_N_EXAMPLES]) + (f" and {more} more" if more > 0 else "")


def format_reports(reports: Sequence[CorpusReport]) -> str:
    """Aligned text: one table of clips by class, then what is missing or left out."""
    rows = [["corpus", "lang", "speakers", "clips", *LABELS, "found/full"]]
    for r in reports:
        n_speakers = len(r.speaker_counts)
        rows.append(
            [r.corpus, r.language, str(n_speakers), str(r.n_clips)]
            + [str(r.label_counts[label] or "-") for label in LABELS]
            + [f"{r.n_found}/{r.n_full}"]
        )
    if len(reports) > 1:
        rows.append(
            ["all", "", str(sum(len(r.speaker_counts) for r in reports))]
            + [str(sum(r.n_clips for r in reports))]
            + [str(sum(r.label_counts[label] for r in reports) or "-") for label in LABELS]
            + [f"{sum(r.n_found for r in reports)}/{sum(r.n_full for r in reports)}"]
        )
    lines = aligned(rows)
    lines.insert(1, "-" * max(map(len, lines)))
    for r in reports:
        notes = []
        if not r.folders:
            notes.append(f"no folder found; get it from {r.url}")
        elif not r.present:
            notes.append(f"no clip in {', '.join(r.folders)}")
        if r.present and r.missing_speakers:
            notes.append(
                f"missing speakers ({len(r.missing_speakers)}): {_examples(r.missing_speakers)}"
            )
        if r.missing_clips:
            notes.append(f"missing clips ({len(r.missing_clips)}): {_examples(r.missing_clips)}")
        for reason, paths in r.skipped.items():
            notes.append(f"left out ({len(paths)}), {reason}: {_examples(paths)}")
        if r.present:
            notes += [f"known: {gap}" for gap in r.gaps]
        if notes:
            lines += ["", r.corpus] + [f"  {note}" for note in notes]
    return "\n".join(lines)
