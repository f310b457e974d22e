"""Find the corpora under a folder and turn them into one sorted list of clips."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from edge.errors import ParameterError
from quantize.basics.errors import CorpusError
from quantize.data.corpora import emodb, ravdess, savee, tess
from quantize.data.corpora.base import DOMAINS, LABELS, Clip, Corpus
from quantize.data.corpora.inventory import CorpusReport, make_report
from quantize.data.corpora.scan import scan_corpus

__all__ = ["CORPORA", "load_corpora"]

CORPORA: dict[str, Corpus] = {
    module.CORPUS.name: module.CORPUS for module in (ravdess, savee, emodb, tess)
}
"""Every known corpus by name, in the order of `DOMAINS`."""


def load_corpora(
    root: str | os.PathLike[str],
    names: Sequence[str] | None = None,
    label_map: Mapping[str, str | None] | None = None,
) -> tuple[list[Clip], list[CorpusReport]]:
    """Load every corpus that lies under `root`.

    Parameters
    ----------
    root : path
        Folder that holds the corpus folders (``RAVDESS``, ``SAVEE``, ``EMO-DB``,
        ``TESS`` and their usual other names, in any case), or one of them.
    names : sequence of str, optional
        Corpora to load, of `DOMAINS`; all of them by default.
    label_map : mapping of str to str or None, optional
        Overrides: a corpus's own emotion word to any label, or to None to leave it
        out. ``{"boredom": "neutral"}`` keeps EMO-DB's boredom.

    Returns
    -------
    clips : list of Clip
        In the order of `DOMAINS`, then of `Clip.clip_id`. No audio is read.
    reports : list of CorpusReport
        One a corpus asked for, in the same order, the missing ones included.

    Raises
    ------
    ParameterError
        If `names` or `label_map` hold an unknown word.
    CorpusError
        If `root` is no folder or holds no clip of the corpora asked for.
    """
    wanted = _check_names(names)
    overrides = _check_label_map(label_map or {}, wanted)
    root = Path(root)
    if not root.is_dir():
        raise CorpusError(f"{str(root)!r} is not a folder; give the one that holds the corpora.")
    clips: list[Clip] = []
    reports = []
    for corpus in wanted:
        labels = {word: overrides.get(word, label) for word, label in corpus.labels.items()}
        scan = scan_corpus(corpus, root, labels)
        clips += scan.clips
        reports.append(make_report(corpus, scan))
    if not clips:
        folders = ", ".join(corpus.name.upper() for corpus in wanted)
        raise CorpusError(
            f"no clip of {', '.join(corpus.name for corpus in wanted)} under {str(root)!r}; "
            f"it must hold one of the folders {folders} with .wav or .flac files."
        )
    return clips, reports


def _check_names(names: Sequence[str] | None) -> list[Corpus]:
    if names is None:
        return list(CORPORA.values())
    if isinstance(names, str):
        raise ParameterError(f"names must be a sequence of corpus names, got the text {names!r}.")
    unknown = sorted(set(names) - set(DOMAINS))
    if unknown or not names:
        raise ParameterError(
            f"names must be some of {', '.join(DOMAINS)}; got {', '.join(unknown) or 'none'}."
        )
    return [corpus for name, corpus in CORPORA.items() if name in names]


def _check_label_map(
    label_map: Mapping[str, str | None], corpora: Sequence[Corpus]
) -> dict[str, str | None]:
    known = sorted({word for corpus in corpora for word in corpus.labels})
    for word, label in label_map.items():
        if word not in known:
            raise ParameterError(
                f"label_map has the unknown emotion {word!r}; known are {', '.join(known)}."
            )
        if label is not None and not label.strip():
            raise ParameterError(
                f"label_map gives {word!r} an empty label; a word is wanted, such as one of "
                f"{', '.join(LABELS)}, or None to leave it out."
            )
    return dict(label_map)
