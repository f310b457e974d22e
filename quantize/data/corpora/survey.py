"""All that is known of some recordings, as records and as one table."""

from __future__ import annotations

import statistics
import textwrap
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from quantize.basics.few import first_few
from quantize.basics.tables import aligned
from quantize.data.corpora.base import LABELS, Clip
from quantize.data.corpora.copies import copies_among, labelled_twice
from quantize.data.corpora.hearing import ClipFacts
from quantize.data.corpora.inventory import CorpusReport
from quantize.data.corpora.labels import in_order
from quantize.data.corpora.load import FoundCorpora
from quantize.data.corpora.usable import faults_of

__all__ = ["Survey", "survey_records", "survey_table"]

_WIDTH = 100
_N_EXAMPLES = 3
_N_SPEAKERS = 40
_MOST_NAME = 16
_NAMES = ("corpus, label", "clips", "speakers")
_HEARD = ("minutes", "least s", "median", "most s", "dBFS", "clip", "narrow", "pauses")


@dataclass(frozen=True, slots=True)
class Survey:
    """Recordings, and what was heard of them.

    Parameters
    ----------
    found : FoundCorpora
    heard : mapping of str to ClipFacts, optional
        By clip id, of every clip; None: nobody listened.
    least_s : float
        A clip that is shorter is told of as too short.
    """

    found: FoundCorpora
    heard: Mapping[str, ClipFacts] | None = None
    least_s: float = 0.0

    def of(self, corpus: str) -> list[Clip]:
        """Clips of one corpus."""
        return [clip for clip in self.found.clips if clip.corpus == corpus]

    def facts(self, clips: Iterable[Clip]) -> list[ClipFacts]:
        """What was heard of those that can be used."""
        heard = self.heard or {}
        return [heard[clip.clip_id] for clip in self.usable(clips) if clip.clip_id in heard]

    def usable(self, clips: Iterable[Clip]) -> list[Clip]:
        """Clips that can be used, as far as anybody listened."""
        heard = self.heard or {}
        return [
            clip
            for clip in clips
            if clip.clip_id not in heard or faults_of(heard[clip.clip_id], self.least_s) is None
        ]

    def unusable(self, clips: Iterable[Clip]) -> dict[str, list[str]]:
        """Reason to the paths of clips that nothing can be learnt from."""
        found: dict[str, list[str]] = defaultdict(list)
        heard = self.heard or {}
        for clip in clips if heard else ():
            if reason := faults_of(heard[clip.clip_id], self.least_s):
                found[reason].append(clip.path.as_posix())
        return {reason: sorted(found[reason]) for reason in sorted(found)}

    def odd(self, clips: Iterable[Clip]) -> dict[str, str]:
        """Path to what is wrong with the file of a clip that can be used all the same."""
        heard = self.heard or {}
        usable = self.usable(clips) if heard else []
        return {c.path.as_posix(): why for c in usable if (why := heard[c.clip_id].odd)}

    def copies(self) -> list[list[Clip]]:
        """Clips that hold the same samples, those of one recording together."""
        return copies_among(self.found.clips, self.heard or {})


def survey_records(survey: Survey) -> list[dict[str, Any]]:
    """One JSON-ready object a corpus, and one of all together at the end.

    ``docs/corpora.md`` says what their keys mean.
    """
    records: list[dict[str, Any]] = []
    for report in survey.found.reports:
        clips = survey.of(report.corpus)
        heard = _heard_record(survey, clips)
        if heard is not None:
            by_label = _grouped(clips, lambda clip: clip.label)
            heard["labels"] = {n: _heard_record(survey, part) for n, part in by_label.items()}
            heard["unusable"] = survey.unusable(clips)
            heard["odd"] = survey.odd(clips)
        records.append({"record": "corpus", **report.to_dict(), "heard": heard})
    clips = survey.found.clips
    records.append(
        {
            "record": "all",
            "n_clips": len(clips),
            "n_speakers": len({clip.speaker for clip in clips if clip.speaker_known}),
            "n_speaker_unknown": sum(not clip.speaker_known for clip in clips),
            "heard": _heard_record(survey, clips),
            "duplicates": [[clip.clip_id for clip in group] for group in survey.copies()],
            "passed_over": {why: list(paths) for why, paths in survey.found.passed_over.items()},
        }
    )
    return records


def _heard_record(survey: Survey, clips: Sequence[Clip]) -> dict[str, Any] | None:
    if survey.heard is None:
        return None
    facts = survey.facts(clips)
    lengths = [f.duration_s for f in facts]
    levels = [f.level_db for f in facts]
    return {
        "n_clips": len(facts),
        "duration_s": round(sum(lengths), 3),
        "length_s": _spread(lengths, 3),
        "level_db": _spread(levels, 2),
        "sample_rates": _by_number(f.sample_rate for f in facts),
        "n_channels": _by_number(f.n_channels for f in facts),
        "n_clipping": sum(f.clips for f in facts),
        "n_narrow": sum(f.narrow for f in facts),
        "pause_share": round(statistics.fmean(f.pause_share for f in facts), 4) if facts else None,
    }


def _by_number(numbers: Iterable[int]) -> dict[str, int]:
    return {str(number): n for number, n in sorted(Counter(numbers).items())}


def _spread(values: Sequence[float], digits: int) -> dict[str, float] | None:
    if not values:
        return None
    numbers = min(values), statistics.median(values), max(values)
    return dict(zip(("least", "median", "most"), (round(x, digits) for x in numbers), strict=True))


def survey_table(survey: Survey) -> str:
    """One table, and under it what else there is to say; no wider than 100 columns."""
    is_heard = survey.heard is not None
    head = [*_NAMES, *(_HEARD if is_heard else ("of",))]
    rows = [head]
    present = [r for r in survey.found.reports if r.folders]
    parts = [(r.corpus, survey.of(r.corpus), str(r.n_full or "")) for r in present]
    if len(present) > 1:
        parts.append(("all", survey.found.clips, ""))
    for name, clips, full in parts:
        rows.append(_row(survey, _short(name), clips, full))
        by_label = _grouped(clips, lambda clip: clip.label)
        rows += [_row(survey, f"  {_short(label)}", part, "") for label, part in by_label.items()]
    lines = aligned(rows)
    lines.insert(1, "-" * max(map(len, lines)))
    for report in present:
        notes = _notes(survey, report)
        lines += ["", report.corpus, *(line for note in notes for line in _wrapped(note))]
    rest = _rest(survey)
    if rest:
        lines += ["", "besides", *(line for note in rest for line in _wrapped(note))]
    return "\n".join(lines)


def _grouped(clips: Iterable[Clip], key: Callable[[Clip], str]) -> dict[str, list[Clip]]:
    parts: dict[str, list[Clip]] = defaultdict(list)
    for clip in clips:
        parts[key(clip)].append(clip)
    return {name: parts[name] for name in in_order(parts, LABELS)}


def _short(name: str) -> str:
    return name if len(name) <= _MOST_NAME else f"{name[: _MOST_NAME - 3]}..."


def _row(survey: Survey, name: str, found: Sequence[Clip], full: str) -> list[str]:
    clips = survey.usable(found)
    speakers = {clip.speaker for clip in clips if clip.speaker_known}
    cells = [name, str(len(clips)), str(len(speakers) or "-")]
    if survey.heard is None:
        return [*cells, full]
    facts = survey.facts(clips)
    if not facts:
        return [*cells, *["-"] * len(_HEARD)]
    lengths = [f.duration_s for f in facts]
    return [
        *cells,
        f"{sum(lengths) / 60:.1f}",
        *(f"{x:.1f}" for x in (min(lengths), statistics.median(lengths), max(lengths))),
        f"{statistics.median(f.level_db for f in facts):.1f}",
        str(sum(f.clips for f in facts) or "-"),
        str(sum(f.narrow for f in facts) or "-"),
        f"{100 * statistics.fmean(f.pause_share for f in facts):.0f} %",
    ]


def _notes(survey: Survey, r: CorpusReport) -> list[str]:
    clips = survey.of(r.corpus)
    notes = [f"{r.title}; language {r.language}; licence: {r.licence}"]
    if not r.present:
        notes.append(f"no clip in {', '.join(r.folders)}")
    if facts := survey.facts(clips):
        rates = Counter(f"{f.sample_rate} Hz" for f in facts)
        channels = Counter({1: "mono", 2: "stereo"}.get(f.n_channels, f"{f.n_channels} channels")
                           for f in facts)  # fmt: skip
        notes.append(f"{_counted(rates)}; {_counted(channels)}")
    if r.speaker_counts:
        speakers = {name.partition("/")[2]: n for name, n in r.speaker_counts.items()}
        notes.append(f"speakers: {_counted(speakers, _N_SPEAKERS)}")
    if r.present and r.missing_speakers:
        notes.append(f"missing speakers ({len(r.missing_speakers)}): {_some(r.missing_speakers)}")
    if r.n_full and r.n_found != r.n_full:
        notes.append(f"{r.n_found} of the {r.n_full} clips of the complete corpus")
    if r.missing_clips:
        notes.append(f"missing clips ({len(r.missing_clips)}): {_some(r.missing_clips)}")
    for reason, paths in (*survey.unusable(clips).items(), *r.skipped.items()):
        notes.append(f"left out ({len(paths)}), {reason}: {_some(paths)}")
    if odd := [f"{path}: {why}" for path, why in survey.odd(clips).items()]:
        notes.append(f"taken, and odd ({len(odd)}): {_some(odd)}")
    notes += r.notes
    return [*notes, *(f"known: {gap}" for gap in r.gaps if r.present)]


def _rest(survey: Survey) -> list[str]:
    notes = []
    if copies := survey.copies():
        twice = [[clip.clip_id for clip in group] for group in copies]
        shown = _some([" = ".join(ids[:3]) + (" = ..." if len(ids) > 3 else "") for ids in twice])
        notes.append(f"the same sound under several names ({len(twice)}): {shown}")
        if contradiction := labelled_twice(copies):
            notes.append(contradiction)
    for reason, paths in survey.found.passed_over.items():
        notes.append(f"passed over ({len(paths)}), {reason}: {_some(paths)}")
    absent = [r for r in survey.found.reports if not r.folders]
    if absent:
        notes.append("not here: " + ", ".join(f"{r.corpus} ({r.url})" for r in absent))
    return notes


def _counted(counts: Mapping[str, int], most: int = 8) -> str:
    if len(counts) == 1:
        return f"{next(iter(counts))}"
    return first_few([f"{name} ({n})" for name, n in counts.items()], most)


def _some(items: Sequence[str]) -> str:
    return first_few(items, _N_EXAMPLES)


def _wrapped(note: str) -> list[str]:
    return textwrap.wrap(
        note, _WIDTH, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False
    )
