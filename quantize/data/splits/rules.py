"""Fixed, seeded rules that say which clips train and which test.

Every choice is made by sorting SHA-256 digests of the seed and an id, so a split is
the same on every machine, with every version of every library, and hardly moves when
a clip is added or lost.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence

from edge.arrays import as_whole
from edge.errors import how_many
from quantize.basics.errors import SplitError
from quantize.basics.settings import ProperShare, check
from quantize.data.corpora.base import Clip
from quantize.data.corpora.known import CORPORA
from quantize.data.splits.check import check_split
from quantize.data.splits.split import Split

__all__ = ["paper_split", "speaker_folds", "validation_split"]

# Fold of the first man and the first woman of each corpus; the next man goes one fold up, the
# next woman one fold down. Chosen so that five folds of the complete corpora hold 4-5 RAVDESS
# actors and one man and one woman of EMO-DB each, SAVEE's four men one each in folds 0-3, and
# TESS's two women one each in folds 3 and 4.
_FIRST_FOLD = {
    ("ravdess", "male"): 0,
    ("ravdess", "female"): 4,
    ("savee", "male"): 0,
    ("emo-db", "male"): 2,
    ("emo-db", "female"): 3,
    ("tess", "female"): 4,
}


def _order(items: Iterable[str], *seeds: object) -> list[str]:
    """Shuffle by SHA-256: the same on every machine, whatever else is in the list."""
    prefix = "|".join(map(str, seeds))
    return sorted(items, key=lambda item: hashlib.sha256(f"{prefix}|{item}".encode()).digest())


def _n_share(n: int, share: float) -> int:
    """Round half up, but leave at least one on each side of two or more."""
    return min(max(int(n * share + 0.5), 1), n - 1) if n > 1 else 0


def _by_stratum(clips: Iterable[Clip]) -> dict[tuple[str, str], list[str]]:
    strata = defaultdict(list)
    for clip in clips:
        strata[clip.corpus, clip.label].append(clip.clip_id)
    return strata


def _stratified(clips: Iterable[Clip], share: float, *seeds: object) -> tuple[list[str], list[str]]:
    rest: list[str] = []
    part: list[str] = []
    for ids in _by_stratum(clips).values():
        order = _order(ids, *seeds)
        n_part = _n_share(len(order), share)
        part += order[:n_part]
        rest += order[n_part:]
    return rest, part


def paper_split(clips: Sequence[Clip], seed: int = 0, test_share: float = 0.2) -> Split:
    """Random split over all clips, stratified by corpus and label (CLAF-SER, section 4.1).

    Speakers, sentences and rooms are on both sides: what it measures is how well known
    speakers are told apart, not how well a stranger is understood.

    Parameters
    ----------
    clips : sequence of Clip
        Clips to divide.
    seed : int
        Seed of the draw.
    test_share : float
        Share of each (corpus, label) that tests, between 0 and 1.

    Returns
    -------
    Split
        Named ``"paper"``, disjoint by clip.

    Raises
    ------
    ParameterError
        If `test_share` is not between 0 and 1.
    SplitError
        If one side would be empty.
    """
    check(test_share, ProperShare, "test_share")
    train, test = _stratified(clips, test_share, "paper", seed)
    split = Split("paper", seed, None, "clip", tuple(train), tuple(test))
    check_split(split, clips)
    return split


def _fold_of_speakers(clips: Iterable[Clip], n_folds: int, seed: int) -> dict[str, int]:
    present: dict[tuple[str, str], set[str]] = defaultdict(set)
    for clip in clips:
        present[clip.corpus, clip.gender].add(clip.speaker)
    folds = {}
    for (corpus, gender), speakers in present.items():
        # Ranked among the speakers of the complete corpus, so that a speaker's fold does not
        # depend on which others are here.
        known = CORPORA[corpus].speakers.items() if corpus in CORPORA else ()
        complete = [f"{corpus}/{s}" for s, g in known if g == gender]
        complete += sorted(speakers - set(complete))
        if seed:
            complete = _order(complete, "speaker-folds", seed)
        first = _FIRST_FOLD.get((corpus, gender), 0)
        step = -1 if gender == "female" else 1
        for rank, speaker in enumerate(complete):
            if speaker in speakers:
                folds[speaker] = (first + step * rank) % n_folds
    return folds


def speaker_folds(clips: Sequence[Clip], n_folds: int = 5, seed: int = 0) -> list[Split]:
    """Speaker-disjoint folds over all corpora at once; each speaker tests exactly once.

    The rule, for seed 0: number the men and the women of each complete corpus in its own
    order; the i-th man goes to fold ``first + i``, the i-th woman to ``first - i``, modulo
    `n_folds`, with a fixed ``first`` a corpus and gender. Any other seed numbers them in
    the order of a seeded SHA-256. A speaker's fold does not depend on which other speakers
    are here.

    Parameters
    ----------
    clips : sequence of Clip
        Clips to divide.
    n_folds : int
        Number of folds, at least 2.
    seed : int
        Seed of the numbering; 0 is the corpora's own order.

    Returns
    -------
    list of Split
        Named ``"speaker-5fold"`` (with `n_folds`), disjoint by speaker, in fold order.

    Raises
    ------
    ParameterError
        If `n_folds` is less than 2.
    SplitError
        If a fold would hold out nobody, or everybody, or a speaker is not known.
    """
    n_folds = as_whole(n_folds, "n_folds", "2 to 1000 are wanted", 2, 1000)
    unknown = [clip.clip_id for clip in clips if not clip.speaker_known]
    if unknown:
        raise SplitError(
            f"of {how_many(len(unknown), 'clip')} nobody says who speaks, such as {unknown[0]}: "
            "take --split paper, or give a table with a column speaker."
        )
    fold_of = _fold_of_speakers(clips, n_folds, seed)
    unused = sorted(set(range(n_folds)) - set(fold_of.values()))
    if unused:
        raise SplitError(
            f"fold {unused[0]} of {n_folds} holds out nobody: the clips have only "
            f"{how_many(len(fold_of), 'speaker')}, {n_folds} are wanted; take more corpora, or "
            "choose who is held out: a table with a column split, and --split given."
        )
    splits = []
    for fold in range(n_folds):
        test = tuple(clip.clip_id for clip in clips if fold_of[clip.speaker] == fold)
        train = tuple(clip.clip_id for clip in clips if fold_of[clip.speaker] != fold)
        split = Split(f"speaker-{n_folds}fold", seed, fold, "speaker", train, test)
        check_split(split, clips)
        splits.append(split)
    return splits


def _validation_speakers(clips: Sequence[Clip], share: float, *seeds: object) -> set[str]:
    """Speakers to hold out of `clips`; empty when there are fewer than two."""
    speakers: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for clip in clips:
        speakers[clip.corpus][clip.gender].add(clip.speaker)
    chosen: set[str] = set()
    queues = []
    for corpus in sorted(speakers):
        genders = [speakers[corpus][g] for g in _order(speakers[corpus], *seeds, corpus)]
        queue = _in_turn([_order(group, *seeds) for group in genders])
        # With one or two speakers left, a corpus needs all of them to be learned at all.
        if len(queue) > 2:
            chosen.update(queue[: _n_share(len(queue), share)])
        queues.append(queue)
    if not chosen and sum(map(len, queues)) > 1:
        chosen.add(max(queues, key=len)[0])
    return chosen


def _in_turn(groups: Sequence[Sequence[str]]) -> list[str]:
    """Women and men alternately, so that a small part of them is not of one gender."""
    return [group[i] for i in range(max(map(len, groups))) for group in groups if i < len(group)]


def validation_split(
    split: Split, clips: Sequence[Clip], share: float = 0.15, seed: int = 0
) -> Split:
    """Carve a validation part out of the training side; the test side is not looked at.

    Parameters
    ----------
    split : Split
        The split whose `Split.train` is divided.
    clips : sequence of Clip
        The clips it was made of.
    share : float
        Share that validates, between 0 and 1: of each (corpus, label) where `split` is
        disjoint by clip, of each corpus's speakers where it is disjoint by speaker. A
        corpus with one or two training speakers keeps them, unless nobody else is there.
    seed : int
        Seed of the draw, apart from the split's own.

    Returns
    -------
    Split
        Its `Split.train` is what is left for training, its `Split.test` the validation
        part; named ``"<name>/validation"``, same fold and same kind as `split`.

    Raises
    ------
    ParameterError
        If `share` is not between 0 and 1.
    SplitError
        If one side would be empty, or clips of `split` are not in `clips`.
    """
    check(share, ProperShare, "share")
    check_split(split, clips)
    train_ids = set(split.train)
    train_clips = [clip for clip in clips if clip.clip_id in train_ids]
    seeds = (f"{split.name}/validation", split.seed, split.fold, seed)
    if split.disjoint == "clip":
        train, part = _stratified(train_clips, share, *seeds)
    else:
        speakers = _validation_speakers(train_clips, share, *seeds)
        train = [clip.clip_id for clip in train_clips if clip.speaker not in speakers]
        part = [clip.clip_id for clip in train_clips if clip.speaker in speakers]
    result = Split(
        f"{split.name}/validation", seed, split.fold, split.disjoint, tuple(train), tuple(part)
    )
    check_split(result, clips)
    return result
