"""A training run from corpora to run folder: clips, split, features, model, pictures."""

from __future__ import annotations

import dataclasses
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edge.errors import ParameterError
from edge.features.spec import FeatureSpec
from quantize.augment import AugmentSettings
from quantize.batch_settings import BatchSettings
from quantize.bounds import SEED, Bounds, check_numbers
from quantize.corpora import Clip, load_corpora
from quantize.dataset import FeatureCache
from quantize.distill import Teachers
from quantize.earlier import starting_run
from quantize.errors import SplitError, TrainingError
from quantize.evaluate import evaluate, torch_runner, write_evaluation
from quantize.files import write_json
from quantize.recipe import MOST_VARIANTS
from quantize.report import plot_curves
from quantize.splits import (
    Split,
    check_split,
    common_labels,
    german_to_english,
    leave_one_corpus_out,
    paper_split,
    speaker_folds,
    validation_split,
    write_split,
)
from quantize.train import Trainer
from quantize.train_settings import TrainSettings

__all__ = ["SPLITS", "VALIDATION_SHARE", "RunSettings", "commit", "make_split", "train_run"]

#: Splits that hold something out, by the names that ``train --split`` takes.
SPLITS = ("paper", "speaker", "leave-one-corpus-out", "german-to-english")

#: Of the training side's speakers, or of its clips where the sides share speakers.
VALIDATION_SHARE = 0.2

_MOST = 1000
_BOUNDS = {
    "seed": SEED,
    "fold": Bounds.whole(0, _MOST),
    "n_folds": Bounds.whole(2, _MOST),
    "n_variants": Bounds.whole(0, MOST_VARIANTS, f"0 or more is wanted, at most {MOST_VARIANTS}"),
}


@dataclasses.dataclass(frozen=True)
class RunSettings:
    """What a run folder was made from; ``config.json`` holds it.

    Parameters
    ----------
    corpora : tuple of str
        Names of the corpora that were found and used.
    split : str
        One of :data:`SPLITS`, or ``"all"`` (nothing held out).
    seed : int
        Of the split ``paper``, the weights and the batches.
    fold : int
        For ``speaker`` and ``leave-one-corpus-out``.
    n_folds : int
        For ``speaker``.
    n_variants : int
        Augmented variants of every clip, beside the clip itself.
    validation : bool
        Hold out a part of the training side, :data:`VALIDATION_SHARE` of it, and leave the test
        side alone: what choices between recipes are made on.
    """

    corpora: tuple[str, ...]
    split: str = "paper"
    seed: int = 0
    fold: int = 0
    n_folds: int = 5
    n_variants: int = 8
    validation: bool = False

    def __post_init__(self) -> None:
        if self.validation and self.split == "all":
            raise ParameterError(
                "--validation with --split all: a split with a test side is wanted, of whose "
                f"training side a part validates: {', '.join(SPLITS)}"
            )
        check_numbers(self, _BOUNDS)


def make_split(clips: Sequence[Clip], name: str, seed: int, fold: int, n_folds: int) -> Split:
    """Build and check a split by its rule's name.

    Raises
    ------
    SplitError
        If the name or the fold is unknown or the split leaks.
    """
    if name == "paper":
        split = paper_split(clips, seed)
        check_split(split, clips, content=True)
    elif name == "speaker":
        folds = speaker_folds(clips, n_folds)
        if not 0 <= fold < len(folds):
            raise SplitError(f"fold is {fold}, 0 to {len(folds) - 1} is wanted")
        split = folds[fold]
        check_split(split, clips)
    elif name == "leave-one-corpus-out":
        split = leave_one_corpus_out(clips, fold)
        check_split(split, clips, content=True)
    elif name == "german-to-english":
        split = german_to_english(clips)
        check_split(split, clips, content=True)
    else:
        raise SplitError(f"split is {name!r}, one of {', '.join(SPLITS)} is wanted")
    return split


def commit() -> str:
    """Commit of the working tree, with ``+`` when it has changes; "unknown" outside git."""
    here = Path(__file__).resolve().parent
    try:
        sha = subprocess.run(
            ["git", "rev-parse", "--short=12", "HEAD"],
            cwd=here,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        dirty = subprocess.run(
            ["git", "status", "--porcelain", "--", "edge", "quantize"],
            cwd=here,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return sha + ("+" if dirty else "")


def train_run(
    data: Path,
    folder: Path,
    cache_folder: Path,
    *,
    corpora: Sequence[str] | None,
    run: RunSettings,
    config: Any,
    settings: TrainSettings,
    batches: BatchSettings,
    augment: AugmentSettings | None = None,
    label_map: dict[str, str | None] | None = None,
    n_workers: int = 1,
    recipe: str | None = None,
    teachers: Sequence[Path] = (),
    start: Path | None = None,
    spec: FeatureSpec | None = None,
    trainer_type: type[Trainer] = Trainer,
) -> Path:
    """Train one model; returns the path of its checkpoint.

    ``config`` is that of the model that ``trainer_type`` trains, ``augment`` makes its variants,
    ``recipe`` is the name that its settings began with, ``teachers`` are runs to learn from,
    ``start`` is one to begin with; ``spec`` is of the rows.

    Raises
    ------
    EdgeSerError
        If the corpora, the split or the folder cannot be used.
    """
    clips, reports = load_corpora(data, corpora, label_map)
    run = dataclasses.replace(run, corpora=tuple(sorted({c.corpus for c in clips})))
    if (folder / "checkpoint.safetensors").exists():
        raise TrainingError(
            f"{folder} already holds a trained checkpoint: name another --out, or delete it"
        )
    split, train, held_out = _sides(clips, run)
    spec = spec or FeatureSpec()
    about: dict[str, Any] = {
        "corpora": list(run.corpora),
        "split": split.id if split else "all",
        "seed": settings.seed,
        "n_clips": len(train),
        "epochs": settings.epochs,
        "n_variants": run.n_variants,
        "commit": commit(),
        **({"recipe": recipe} if recipe else {}),
    }
    taught_by = Teachers(teachers, split, spec) if teachers else None
    if taught_by:
        about["teachers"] = taught_by.to_dict()
    begun = starting_run(start, split, spec, config) if start else None
    if begun:
        about["start"] = {begun.name: begun.digest}
        if pruned := begun.checkpoint.training.get("pruned"):
            about["pruned"] = pruned
    cache = FeatureCache(cache_folder, spec, augment)
    about["features"] = cache.fingerprint[:16]
    # All clips, so that every split shares one cache.
    n_each = range(run.n_variants + 1)
    variants = [cache.load(clips, v, n_workers) for v in n_each]
    for other in taught_by.other_rows if taught_by else ():
        others = FeatureCache(cache_folder, other.spec, augment)
        other.variants = [others.load(clips, v, n_workers) for v in n_each]
    trainer = trainer_type(
        folder,
        train,
        held_out,
        variants,
        spec=spec,
        config=config,
        settings=settings,
        batches=batches,
        about=about,
        teachers=taught_by,
        start=begun.checkpoint if begun else None,
    )
    # First of all: a folder that holds another training is refused with its files untouched.
    trainer.restore()
    if split:
        write_split(split, folder / "split.json")
    write_json(folder / "corpora.json", [report.to_dict() for report in reports])
    write_json(
        folder / "config.json",
        {
            "recipe": recipe,
            "teachers": about.get("teachers", {}),
            "start": about.get("start", {}),
            "run": dataclasses.asdict(run),
            "model": config.to_dict(),
            "training": dataclasses.asdict(settings),
            "batches": dataclasses.asdict(batches),
            "augment": dataclasses.asdict(cache.settings),
            "feature_spec": spec.to_dict(),
            "label_map": label_map or {},
            "commit": about["commit"],
        },
    )
    trainer.run()
    plot_curves(trainer.history, folder / "curves.png")
    if split:
        runner = torch_runner(folder)
        part = evaluate(
            runner,
            held_out,
            cache,
            clips,
            labels=common_labels(split, clips),
            n_workers=n_workers,
        )
        write_evaluation(folder, split, runner, "torch", "unknown", part)
    return folder / "checkpoint.safetensors"


def _sides(clips: Sequence[Clip], run: RunSettings) -> tuple[Split | None, list[Clip], list[Clip]]:
    """Split, training side and held-out side; no split where nothing is held out."""
    if run.split == "all":
        return None, list(clips), []
    split = make_split(clips, run.split, run.seed, run.fold, run.n_folds)
    if run.validation:
        split = validation_split(split, clips, VALIDATION_SHARE)
    by_id = {c.clip_id: c for c in clips}
    return split, [by_id[i] for i in split.train], [by_id[i] for i in split.test]
