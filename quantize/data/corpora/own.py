"""Recordings of one's own: what a folder or a table says of them, as clips."""

from __future__ import annotations

import dataclasses
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from edge.stream.label_words import fold
from quantize.basics.few import first_few
from quantize.data.corpora.base import UNKNOWN, Clip
from quantize.data.corpora.known import CORPORA
from quantize.data.corpora.scan import preference
from quantize.data.corpora.walk import file_fault
from quantize.data.corpora.words import read_words

__all__ = ["SIDES", "Entry", "OwnRecordings", "corpus_name"]

#: Words for the sides that recordings come divided into.
SIDES = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
    "eval": "test",
    "evaluation": "test",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """What is told of one recording; None: not said.

    `key` is the clip's id without the name of its corpus, `word` its emotion as it stands there.
    """

    key: str
    path: Path
    word: str
    speaker: str | None = None
    gender: str | None = None
    language: str | None = None
    corpus: str | None = None
    start_s: float | None = None
    end_s: float | None = None
    side: str | None = None


@dataclass(slots=True)
class OwnRecordings:
    """Recordings that a folder or a table describes.

    Parameters
    ----------
    name : str
        Corpus of those that name none.
    source : str
        Folder or table, as it was given.
    entries : list of Entry
    skipped : dict of str to list of str
        Reason to what was left out for it.
    notes : list of str
        What a person should know, one sentence each.
    """

    name: str
    source: str
    entries: list[Entry] = field(default_factory=list)
    skipped: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def words(self) -> set[str]:
        """The emotions' words, folded."""
        return {fold(entry.word) for entry in self.entries}

    def skip(self, reason: str, name: str) -> None:
        """Leave something out."""
        self.skipped.setdefault(reason, []).append(name)

    def clips(self, label_map: Mapping[str, str | None]) -> list[Clip]:
        """Make the clips, sorted by id; what is no file, and a second copy, is left out."""
        labels, notes = read_words(
            entry.word for entry in self.entries if fold(entry.word) not in label_map
        )
        self.notes += notes
        kept: dict[str, Clip] = {}
        for entry in sorted(self.entries, key=lambda e: (*preference(e.path), e.key)):
            word = fold(entry.word)
            label = label_map[word] if word in label_map else labels[entry.word]
            clip = self._clip(entry, word, label or "")
            if fault := file_fault(entry.path):
                self.skip(fault, entry.path.as_posix())
            elif label is None:
                self.skip(f"{word!r} has no class (label_map gives it none)", entry.key)
            elif clip.clip_id in kept:
                self.skip("second copy of a clip", entry.path.as_posix())
            else:
                kept[clip.clip_id] = clip
        self.notes += _alike(clip.speaker for clip in kept.values() if clip.speaker_known)
        n_unknown = sum(not clip.speaker_known for clip in kept.values())
        if n_unknown:
            some = "nobody says" if n_unknown == len(kept) else f"of {n_unknown} clips nobody says"
            self.notes.append(
                f"{some} who speaks: --split speaker needs a table with a column speaker, or "
                "folders SPEAKER/LABEL"
            )
        return [kept[clip_id] for clip_id in sorted(kept)]

    def _clip(self, entry: Entry, word: str, label: str) -> Clip:
        corpus = entry.corpus or self.name
        clip_id = f"{corpus}/{entry.key}"
        known = entry.speaker is not None
        return Clip(
            clip_id=clip_id,
            path=entry.path,
            corpus=corpus,
            speaker=f"{corpus}/{entry.speaker}" if known else clip_id,
            gender=entry.gender or UNKNOWN,
            label=label,
            native_label=word,
            language=entry.language or UNKNOWN,
            # Nobody says what is said: no two clips are known to share it.
            sentence=clip_id,
            speaker_known=known,
            start_s=entry.start_s,
            end_s=entry.end_s,
            side=entry.side,
        )

    def renamed(self, name: str) -> None:
        """Give the recordings another name; those that have their own keep it."""
        self.entries = [dataclasses.replace(e, corpus=e.corpus or name) for e in self.entries]
        self.name = name


def _alike(speakers: Iterable[str]) -> list[str]:
    """Say which speakers differ by capitals alone: one of them would be held out of himself."""
    spellings: dict[str, set[str]] = defaultdict(set)
    for speaker in speakers:
        spellings[speaker.casefold()].add(speaker.partition("/")[2])
    alike = sorted(" and ".join(sorted(same)) for same in spellings.values() if len(same) > 1)
    if not alike:
        return []
    return [
        "speakers that differ by capitals alone are taken for different people: "
        f"{first_few(alike, 3)}; spell them alike where they are one"
    ]


def corpus_name(text: str) -> str:
    """Make a name of a folder's: small letters, digits and hyphens, and no known corpus's."""
    plain = re.sub(r"[^\w.]+", "-", fold(text)).strip("-.")
    if plain in CORPORA or plain in ("", UNKNOWN):
        return f"own-{plain}".strip("-")
    return plain
