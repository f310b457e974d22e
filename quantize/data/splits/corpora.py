"""Splits across corpora: other speakers, other rooms, other texts, at times another language.

Fixed rules without chance. The test side keeps only the classes that training had too,
and :func:`common_labels` says which answers count there.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from quantize.basics.errors import SplitError
from quantize.data.corpora.base import Clip
from quantize.data.corpora.labels import choose_domains
from quantize.data.splits.check import check_split
from quantize.data.splits.split import Split

__all__ = ["common_labels", "german_to_english", "leave_one_corpus_out"]

_ONE_OUT, _GERMAN_TO_ENGLISH = "leave-one-corpus-out", "german-to-english"


def leave_one_corpus_out(clips: Sequence[Clip], fold: int) -> Split:
    """Train on all corpora but one, test on that one.

    Parameters
    ----------
    clips : sequence of Clip
        Clips to divide.
    fold : int
        Holds out a corpus, in the order of :func:`quantize.data.corpora.choose_domains`: of the
        paper's four 0 is RAVDESS, 1 SAVEE, 2 EMO-DB (English to German), 3 TESS.

    Returns
    -------
    Split
        Named ``"leave-one-corpus-out"``, seed 0. All clips of the other corpora train;
        clips test whose class occurs among those.

    Raises
    ------
    SplitError
        If there is no such fold, or one side would be empty.
    """
    domains = choose_domains(clips)
    if len(domains) < 2:
        raise SplitError(
            f"{_ONE_OUT} needs two corpora or more, and all clips are of {domains[0]}: take "
            "--split paper, or give further corpora with --data"
        )
    if not 0 <= fold < len(domains):
        raise SplitError(f"fold is {fold}, 0 to {len(domains) - 1} is wanted: {', '.join(domains)}")
    return _across(_ONE_OUT, fold, clips, [c for c in domains if c != domains[fold]])


def german_to_english(clips: Sequence[Clip]) -> Split:
    """Train on the German corpus (EMO-DB), test on the English ones.

    Parameters
    ----------
    clips : sequence of Clip
        Clips to divide.

    Returns
    -------
    Split
        Named ``"german-to-english"``, seed 0, no folds. Clips test whose class EMO-DB has.

    Raises
    ------
    SplitError
        If one side would be empty.
    """
    return _across(_GERMAN_TO_ENGLISH, None, clips, ["emo-db"])


def common_labels(split: Split, clips: Sequence[Clip], labels: Sequence[str]) -> tuple[str, ...]:
    """Classes that a model may answer on the test side of a split.

    Across corpora, those that both sides have: a model must not lose by an answer that
    the test corpus cannot contain, nor be asked for one that it was never taught. For
    every other split all of `labels`.

    Parameters
    ----------
    split : Split
    clips : sequence of Clip
        The clips it was made of.
    labels : sequence of str
        The model's.

    Returns
    -------
    tuple of str
        In the order of `labels`.
    """
    if split.name not in (_ONE_OUT, _GERMAN_TO_ENGLISH):
        return tuple(labels)
    label = {c.clip_id: c.label for c in clips}
    both = {label[i] for i in split.train} & {label[i] for i in split.test}
    return tuple(name for name in labels if name in both)


def _across(
    name: str, fold: int | None, clips: Sequence[Clip], train_corpora: Collection[str]
) -> Split:
    train = [c for c in clips if c.corpus in train_corpora]
    others = [c for c in clips if c.corpus not in train_corpora]
    domains = choose_domains(clips)
    for side, found, wanted in (
        ("train on", train, [d for d in domains if d in train_corpora] or list(train_corpora)),
        ("test on", others, [d for d in domains if d not in train_corpora]),
    ):
        if not found:
            where = name if fold is None else f"{name}, fold {fold},"
            raise SplitError(f"{where} has nothing to {side}: it needs {' or '.join(wanted)}.")
    learned = {c.label for c in train}
    # Corpora share no speakers, so the speaker rule covers the corpora too.
    split = Split(
        name,
        0,
        fold,
        "speaker",
        tuple(c.clip_id for c in train),
        tuple(c.clip_id for c in others if c.label in learned),
    )
    check_split(split, clips)
    return split
