"""Which clips train and which test: fixed seeded rules, and a checker for leaks.

Every choice is made by sorting SHA-256 digests of the seed and an id, so a split is
the same on every machine, with every version of every library, and hardly moves when
a clip is added or lost.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.errors import ParameterError
from quantize.corpora.base import Clip
from quantize.corpora.load import CORPORA
from quantize.errors import SplitError

__all__ = [
    "Split",
    "check_split",
    "paper_split",
    "read_split",
    "speaker_folds",
    "validation_split",
    "write_split",
]

_DISJOINT = ("clip", "speaker")

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


@dataclass(frozen=True)
class Split:
    """Two sets of clips that share no clip, or no speaker.

    Parameters
    ----------
    name : str
        The rule, for example ``"paper"`` or ``"speaker-5fold"``.
    seed : int
        Seed of the rule.
    fold : int or None
        Number of the fold, from 0; None for a rule without folds.
    disjoint : str
        What the sides must not share: ``"clip"`` or ``"speaker"``.
    train, test : tuple of str
        Clip ids, sorted.
    """

    name: str
    seed: int
    fold: int | None
    disjoint: str
    train: tuple[str, ...]
    test: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.disjoint not in _DISJOINT:
            raise SplitError(f"disjoint must be 'clip' or 'speaker', got {self.disjoint!r}.")
        object.__setattr__(self, "train", tuple(sorted(self.train)))
        object.__setattr__(self, "test", tuple(sorted(self.test)))

    @property
    def id(self) -> str:
        """Short name for folders and manifests, for example ``"speaker-5fold-s0-f2"``."""
        fold = "" if self.fold is None else f"-f{self.fold}"
        return f"{self.name}-s{self.seed}{fold}"

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the canonical JSON of everything above, in hexadecimal."""
        text = json.dumps(self._content(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def _content(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "seed": self.seed,
            "fold": self.fold,
            "disjoint": self.disjoint,
            "train": list(self.train),
            "test": list(self.test),
        }

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready copy, fingerprint included."""
        return {**self._content(), "fingerprint": self.fingerprint}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Split:
        """Rebuild what `to_dict` gave.

        Raises
        ------
        SplitError
            If a key is missing or unknown, a value has the wrong type, or the
            fingerprint is not that of the content.
        """
        wanted = {"name", "seed", "fold", "disjoint", "train", "test", "fingerprint"}
        if not isinstance(data, Mapping) or set(data) != wanted:
            got = sorted(data) if isinstance(data, Mapping) else type(data).__name__
            raise SplitError(f"a split has the keys {sorted(wanted)}, got {got}.")
        sides = {side: data[side] for side in ("train", "test")}
        for side, ids in sides.items():
            if not isinstance(ids, Sequence) or not all(isinstance(i, str) for i in ids):
                raise SplitError(f"{side} of a split must be a list of clip ids.")
        if not isinstance(data["name"], str) or not isinstance(data["seed"], int):
            raise SplitError("a split's name must be text and its seed a whole number.")
        if data["fold"] is not None and not isinstance(data["fold"], int):
            raise SplitError(
                f"a split's fold must be a whole number or null, got {data['fold']!r}."
            )
        split = cls(
            data["name"],
            data["seed"],
            data["fold"],
            data["disjoint"],
            tuple(sides["train"]),
            tuple(sides["test"]),
        )
        if split.fingerprint != data["fingerprint"]:
            raise SplitError(
                f"the split {split.id!r} does not match its fingerprint: it was changed after it "
                "was written; make it again."
            )
        return split


def _order(items: Iterable[str], *seeds: object) -> list[str]:
    """Shuffle by SHA-256: the same on every machine, whatever else is in the list."""
    prefix = "|".join(map(str, seeds))
    return sorted(items, key=lambda item: hashlib.sha256(f"{prefix}|{item}".encode()).digest())


def _n_share(n: int, share: float) -> int:
    """Round half up, but leave at least one on each side of two or more."""
    return min(max(int(n * share + 0.5), 1), n - 1) if n > 1 else 0


def _check_share(name: str, share: float) -> None:
    if not 0 < share < 1:
        raise ParameterError(f"{name} must lie between 0 and 1, got {share}.")


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
    _check_share("test_share", test_share)
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
        If a fold would hold out nobody, or everybody.
    """
    if n_folds < 2:
        raise ParameterError(f"n_folds must be at least 2, got {n_folds}.")
    fold_of = _fold_of_speakers(clips, n_folds, seed)
    splits = []
    for fold in range(n_folds):
        if fold not in fold_of.values():
            raise SplitError(
                f"fold {fold} of {n_folds} holds out nobody: the clips have only "
                f"{len(fold_of)} speakers; use fewer folds or more corpora."
            )
        test = tuple(clip.clip_id for clip in clips if fold_of[clip.speaker] == fold)
        train = tuple(clip.clip_id for clip in clips if fold_of[clip.speaker] != fold)
        split = Split(f"speaker-{n_folds}fold", seed, fold, "speaker", train, test)
        check_split(split, clips)
        splits.append(split)
    return splits


def _validation_speakers(clips: Sequence[Clip], share: float, *seeds: object) -> set[str]:
    speakers: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for clip in clips:
        speakers[clip.corpus][clip.gender].add(clip.speaker)
    chosen: set[str] = set()
    most: list[str] = []
    for corpus in sorted(speakers):
        # Women and men in turn, so that a small part is not of one gender.
        queues = [_order(group, *seeds) for _, group in sorted(speakers[corpus].items())]
        turns = [q[i] for i in range(max(map(len, queues))) for q in queues if i < len(q)]
        # With one or two speakers left, a corpus needs all of them to be learned at all.
        if len(turns) > 2:
            chosen.update(turns[: _n_share(len(turns), share)])
        most = max(most, turns, key=len)
    if not chosen and len(most) + len(speakers) > 2:
        chosen.add(most[0])
    return chosen


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
    _check_share("share", share)
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


def _some(items: Iterable[str]) -> str:
    ordered = sorted(items)
    more = f" and {len(ordered) - 3} more" if len(ordered) > 3 else ""
    return ", ".join(ordered[:3]) + more


def check_split(split: Split, clips: Sequence[Clip], content: bool = False) -> None:
    """Refuse a split that leaks or does not fit the clips.

    Parameters
    ----------
    split : Split
        What to check.
    clips : sequence of Clip
        The clips it is about; clips on neither side are fine.
    content : bool
        Also read every file and compare SHA-256: the same recording under two names
        must not be on both sides.

    Raises
    ------
    SplitError
        If a side is empty, a clip id is unknown or given twice, a clip is on both
        sides, a speaker is on both sides of a split that is disjoint by speaker, or
        (with `content`) two byte-identical files are on both sides or one is unreadable.
    """
    by_id = {clip.clip_id: clip for clip in clips}
    if len(by_id) != len(clips):
        raise SplitError(f"{len(clips) - len(by_id)} clips have an id that another clip has too.")
    for side, ids in (("training", split.train), ("test", split.test)):
        if not ids:
            raise SplitError(f"the {side} side of the split {split.id!r} is empty.")
        if len(set(ids)) != len(ids):
            raise SplitError(f"the {side} side of the split {split.id!r} names a clip twice.")
        unknown = set(ids) - by_id.keys()
        if unknown:
            raise SplitError(
                f"the split {split.id!r} names clips that are not here: {_some(unknown)}; load "
                "the corpora that it was made of."
            )
    both = set(split.train) & set(split.test)
    if both:
        raise SplitError(f"the split {split.id!r} has clips on both sides: {_some(both)}.")
    if split.disjoint == "speaker":
        shared = {by_id[i].speaker for i in split.train} & {by_id[i].speaker for i in split.test}
        if shared:
            raise SplitError(f"the split {split.id!r} has speakers on both sides: {_some(shared)}.")
    if content:
        _check_content(split, by_id)


def _digest(clip: Clip) -> str:
    try:
        return hashlib.sha256(clip.path.read_bytes()).hexdigest()
    except OSError as error:
        raise SplitError(f"cannot read {str(clip.path)!r}: {error.strerror}.") from error


def _check_content(split: Split, by_id: Mapping[str, Clip]) -> None:
    train = {_digest(by_id[clip_id]): clip_id for clip_id in split.train}
    for clip_id in split.test:
        twin = train.get(_digest(by_id[clip_id]))
        if twin is not None:
            raise SplitError(
                f"the split {split.id!r} has the same audio on both sides: {twin} (training) and "
                f"{clip_id} (test) are byte-identical; delete one of the files."
            )


def write_split(split: Split, path: str | os.PathLike[str]) -> None:
    """Write a split as JSON, to a temporary name first."""
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    temporary.write_text(json.dumps(split.to_dict(), indent=1) + "\n", encoding="utf-8")
    os.replace(temporary, path)


def read_split(path: str | os.PathLike[str]) -> Split:
    """Read what `write_split` wrote.

    Raises
    ------
    SplitError
        If the file is missing, is no split, or was changed.
    """
    try:
        data = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SplitError(f"cannot read the split {os.fspath(path)!r}: {error}.") from error
    return Split.from_dict(data)
