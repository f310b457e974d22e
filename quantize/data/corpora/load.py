"""Find recordings under folders and in tables, and turn them into one sorted list of clips."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge.errors import ParameterError, how_many
from edge.stream.label_words import fold
from quantize.basics.errors import CorpusError
from quantize.basics.few import first_few
from quantize.data.corpora.base import DOMAINS, LABELS, Clip, Corpus
from quantize.data.corpora.inventory import CorpusReport, make_own_reports, make_report
from quantize.data.corpora.known import CORPORA
from quantize.data.corpora.own import OwnRecordings
from quantize.data.corpora.roots import Gathered, gather
from quantize.data.corpora.scan import scan_corpus
from quantize.data.corpora.walk import FAULTS

__all__ = ["FoundCorpora", "Roots", "find_corpora", "load_corpora"]

_N_NAMED = 3

Roots = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]
"""One or several folders or tables."""


@dataclass(frozen=True, slots=True)
class FoundCorpora:
    """All that was found.

    Parameters
    ----------
    clips : list of Clip
        The four corpora of the paper in their order, then the others by the alphabet; within
        one by `Clip.clip_id`.
    reports : list of CorpusReport
        One a corpus, in the same order; of corpora asked for, the missing ones included.
    passed_over : mapping of str to tuple of str
        Reason to the paths that belong to no corpus.
    """

    clips: list[Clip]
    reports: list[CorpusReport]
    passed_over: Mapping[str, tuple[str, ...]]

    def sentences(self) -> list[str]:
        """Say of what no clip was made: what belongs to no corpus, and what names leave out.

        Damaged files are told of by :func:`quantize.data.corpora.usable.usable_clips`.
        """
        left_out = [
            (reason, names)
            for report in self.reports
            for reason, names in report.skipped.items()
            if not reason.startswith(FAULTS)
        ]
        return [
            f"passed over ({len(names)}), {reason}: {first_few(names, _N_NAMED)}"
            for reason, names in (*left_out, *self.passed_over.items())
        ]


def load_corpora(
    data: Roots,
    names: Sequence[str] | None = None,
    label_map: Mapping[str, str | None] | None = None,
) -> tuple[list[Clip], list[CorpusReport]]:
    """Load what :func:`find_corpora` finds: its clips and its reports."""
    found = find_corpora(data, names, label_map)
    return found.clips, found.reports


def find_corpora(
    data: Roots,
    names: Sequence[str] | None = None,
    label_map: Mapping[str, str | None] | None = None,
) -> FoundCorpora:
    """Find the clips of every corpus in some roots. No audio is read.

    Parameters
    ----------
    data : path or sequence of paths
        Each is a folder that holds one or several of `CORPORA`, recognised by the names of
        their files; or a folder with a folder per label; or a table.
    names : sequence of str, optional
        Corpora to load, known ones or own recordings; all of them by default.
    label_map : mapping of str to str or None, optional
        Overrides: a corpus's own emotion word to a label, or to None to leave it out.
        ``{"boredom": "neutral"}`` keeps EMO-DB's boredom.

    Raises
    ------
    ParameterError
        If `names` or `label_map` hold an unknown word.
    CorpusError
        If a root is neither folder nor table, holds no recording, or could be read in two ways.
    """
    roots = [data] if isinstance(data, str | os.PathLike) else list(data)
    if not roots:
        raise ParameterError("no folder of recordings is named: at least one is wanted")
    if names is not None:
        _check_sequence(names)
    gathered = gather([Path(root) for root in roots], names)
    known = _known(gathered, names)
    overrides = _check_label_map(label_map or {}, known, gathered.own, names)
    clips: list[Clip] = []
    reports = []
    for corpus in known:
        labels = {word: overrides.get(word, label) for word, label in corpus.labels.items()}
        folders = gathered.folders.get(corpus.name, [])
        scan = scan_corpus(corpus, folders, gathered.files.get(corpus.name, []), labels)
        clips += scan.clips
        reports.append(make_report(corpus, scan))
    by_words = {fold(word): label for word, label in overrides.items()}
    for own in gathered.own:
        made = [c for c in own.clips(by_words) if names is None or c.corpus in names]
        reports += make_own_reports(own, made)
        clips += made
    _check_names(names, clips, known, gathered.own)
    if not clips:
        raise CorpusError(_nothing(roots, names, gathered))
    _refuse_same_ids(clips)
    order = {name: place for place, name in enumerate(DOMAINS)}
    clips.sort(key=lambda c: (order.get(c.corpus, len(order)), c.corpus, c.clip_id))
    reports.sort(key=lambda r: (order.get(r.corpus, len(order)), r.corpus))
    return FoundCorpora(clips, reports, gathered.passed_over)


def _known(gathered: Gathered, names: Sequence[str] | None) -> list[Corpus]:
    """Known corpora to report on: those asked for, else those found.

    Where one of the paper's four is there, the others are told of, too.
    """
    if names is not None:
        return [corpus for name, corpus in CORPORA.items() if name in names]
    found = set(gathered.folders)
    if found & set(DOMAINS) or not (found or gathered.own):
        found |= set(DOMAINS)
    return [corpus for name, corpus in CORPORA.items() if name in found]


def _check_sequence(names: Sequence[str]) -> None:
    if isinstance(names, str):
        raise ParameterError(f"names must be a sequence of corpus names, got the text {names!r}.")
    if not names:
        raise ParameterError(f"names must be some of {', '.join(CORPORA)}; got none.")


def _check_names(
    names: Sequence[str] | None,
    clips: Sequence[Clip],
    known: Sequence[Corpus],
    owns: Sequence[OwnRecordings],
) -> None:
    here = {clip.corpus for clip in clips} | {corpus.name for corpus in known}
    unknown = sorted(set(names or ()) - here)
    if unknown:
        own = sorted({clip.corpus for recordings in owns for clip in recordings.clips({})})
        raise ParameterError(
            f"no corpus is called {', '.join(unknown)}: names must be some of "
            f"{', '.join([*CORPORA, *own])}; own recordings go by the name of their folder or "
            f"table, {'here ' + ', '.join(own) if own else 'and here are none'}."
        )


def _check_label_map(
    label_map: Mapping[str, str | None],
    corpora: Sequence[Corpus],
    owns: Sequence[OwnRecordings],
    names: Sequence[str] | None,
) -> dict[str, str | None]:
    own = {word for recordings in owns for word in recordings.words}
    here = {word for corpus in corpora for word in corpus.labels} | own
    # A map that was made for more corpora than are here is none the worse for it.
    known = here | {w for c in CORPORA.values() for w in c.labels if names is None}
    for word, label in label_map.items():
        if word not in known and fold(word) not in own:
            raise ParameterError(
                f"no clip has the emotion word {word!r} that --map-label (label_map) names; "
                f"known are {', '.join(sorted(here))}."
            )
        if label is not None and not label.strip():
            raise ParameterError(
                f"label_map gives {word!r} an empty label; a word is wanted, such as one of "
                f"{', '.join(LABELS)}, or None to leave it out."
            )
    return dict(label_map)


def _nothing(
    roots: Sequence[str | os.PathLike[str]], names: Sequence[str] | None, gathered: Gathered
) -> str:
    """Say what was found where nothing could be used, and what is wanted."""
    where = ", ".join(repr(os.fspath(root)) for root in roots)
    asked = ", ".join(names) if names else "any known corpus"
    n_files = sum(map(len, gathered.files.values())) + gathered.n_rest
    held = [f"{how_many(n_files, 'audio file')}" if n_files else "no audio file"]
    held += [f"{len(paths)}: {reason}" for reason, paths in gathered.passed_over.items()]
    wanted = "folders LABEL/FILE, or a table with the columns path and label"
    if names:
        known = [CORPORA[name] for name in names if name in CORPORA]
        wanted = "files named " + " or ".join(c.layout[-1] for c in known) if known else wanted
    return f"no clip of {asked} under {where} (it holds {'; '.join(held)}): wanted are {wanted}"


def _refuse_same_ids(clips: Sequence[Clip]) -> None:
    twice = [name for name, n in Counter(clip.clip_id for clip in clips).items() if n > 1]
    if twice:
        raise CorpusError(
            f"{how_many(len(twice), 'recording')} would have the same name, such as {twice[0]}: "
            "give the folders other names, or a table with a column corpus"
        )
