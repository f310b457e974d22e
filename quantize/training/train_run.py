"""A training run from corpora to run folder: clips, split, features, model, pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edge.errors import ParameterError, how_many
from edge.features.spec import FeatureSpec
from quantize.basics.progress import progress_note
from quantize.data.corpora import (
    Clip,
    FoundCorpora,
    Roots,
    choose_domains,
    counted,
    find_corpora,
)
from quantize.data.corpora.usable import Usable, shortest_s, usable_clips
from quantize.data.embeddings import read_embeddings
from quantize.data.features.cache import FeatureCache
from quantize.data.sound.augment import AugmentSettings
from quantize.data.sound.recordings import Recording, sounds_of
from quantize.data.splits import common_labels
from quantize.measure.evaluate import evaluate, torch_runner, write_evaluation
from quantize.measure.pictures import plot_curves
from quantize.runs.leaned_on import starting_run
from quantize.runs.own_settings import SETTINGS_DIGEST, settings_digest
from quantize.runs.provenance import commit
from quantize.runs.run import Run, open_run
from quantize.runs.settings import RunSettings
from quantize.training.batch_settings import BatchSettings
from quantize.training.encoder_teacher import EncoderTeacher
from quantize.training.label_choice import chosen_labels, for_labels, remarks
from quantize.training.settings import TrainSettings
from quantize.training.sides import digests_of, heard, sides_of
from quantize.training.teachers import Teachers
from quantize.training.trainer import Trainer

__all__ = ["train_run"]


def train_run(
    data: Roots,
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
    cluster: str | None = None,
    recipe: str | None = None,
    teachers: Sequence[Path] = (),
    embeddings: Sequence[Path] = (),
    start: Path | None = None,
    sounds: Sequence[Path] = (),
    spec: FeatureSpec | None = None,
    trainer_type: type[Trainer] = Trainer,
    labels: Sequence[str] = (),
    strict: bool = False,
    pictures: bool = True,
) -> Path:
    """Train one model; returns the path of its checkpoint.

    ``config`` is that of the model that ``trainer_type`` trains, ``augment`` makes its variants,
    ``recipe`` is the name that its settings began with, ``teachers`` are runs to learn from,
    ``embeddings`` files of a large model's vectors, see :mod:`quantize.data.embeddings`,
    ``start`` is one to begin with; ``sounds`` are folders of everyday sounds, of which the
    recordings that nothing is measured on are noise of the variants; ``spec`` is of the rows.
    ``labels`` are what the model tells apart, in the order of its outputs, see
    :func:`quantize.training.label_choice.chosen_labels`; ``config`` is given as many outputs.
    Clips that nothing can be learnt from are named and left out, or with ``strict`` refused.
    ``pictures``: whether curves and confusions are drawn.

    Raises
    ------
    EdgeSerError
        If the corpora, the split or the folder cannot be used.
    """
    spec = spec or FeatureSpec()
    recordings = _recordings(sounds, augment or AugmentSettings(), run)
    found = find_corpora(data, corpora, label_map)
    _check_names(found, labels, run, (*teachers, *([start] if start else ())))
    usable = _usable(found, spec, cache_folder, n_workers, cluster, strict)
    labels, clips = chosen_labels(usable.clips, labels)
    domains = choose_domains(clips)
    config = for_labels(config, labels, domains)
    run = run.replaced(corpora=tuple(sorted({c.corpus for c in clips})))
    split, train, held_out = sides_of(clips, run)
    other_labels = [clip.label for clip in found.clips if clip.label not in labels]
    for remark in remarks(train, held_out, labels, domains, run, other_labels):
        progress_note(remark)
    about: dict[str, Any] = {
        "corpora": list(run.corpora),
        "split": split.id if split else "all",
        "seed": settings.seed,
        "n_clips": len(train),
        "heard": heard(train),
        **({"lessons": list(run.lessons)} if run.lessons else {}),
        "epochs": settings.epochs,
        "n_variants": run.n_variants,
        "commit": commit(),
        **({"recipe": recipe} if recipe else {}),
    }
    cache = FeatureCache(cache_folder, spec, augment, cluster=cluster, sounds=recordings)
    sides = digests_of(train, held_out, run, cache.contents, usable.copies)
    taught_by = None
    if teachers or embeddings:
        encoder = _encoder(embeddings, train, held_out, labels, settings)
        taught_by = Teachers(
            teachers,
            split,
            spec,
            labels,
            sides,
            encoder=encoder,
            encoder_share=settings.encoder_share,
        )
        about["teachers"] = taught_by.to_dict()
        about |= {"encoder": encoder.to_dict()} if encoder else {}
    begun = starting_run(start, split, spec, config, labels, domains, sides) if start else None
    if begun:
        about["start"] = {begun.name: begun.digest}
        if pruned := begun.checkpoint.training.get("pruned"):
            about["pruned"] = pruned
    about |= {
        "features": cache.fingerprint[:16],
        "label_map": label_map or {},
        "clips": sides,
        **({"split_fingerprint": split.fingerprint} if split else {}),
    }
    written = {
        "recipe": recipe,
        "teachers": about.get("teachers", {}),
        "start": about.get("start", {}),
        **({"encoder": about["encoder"]} if "encoder" in about else {}),
        "run": run.to_dict(),
        "model": config.to_dict(),
        "training": settings.to_dict(),
        "batches": batches.to_dict(),
        "augment": cache.settings.to_dict(),
        **({"sounds": cache.sounds_digest} if recordings else {}),
        "feature_spec": spec.to_dict(),
        "label_map": about["label_map"],
        "labels": list(labels),
        "domains": list(domains),
        **({"left_out": sorted(usable.ids_left_out)} if usable.ids_left_out else {}),
        "clips": about["clips"],
        "split_fingerprint": about.get("split_fingerprint"),
        "commit": about["commit"],
    }
    about[SETTINGS_DIGEST] = settings_digest(written)
    # Before the long part: a folder that cannot be used is refused with its files untouched.
    with Run.begin(folder, written) as place:
        if place.is_finished:
            progress_note(
                f"edge-ser-quantize: {folder} was trained with these very settings: nothing is "
                "left to do"
            )
            return place.files.checkpoint
        # All clips, so that every split shares one cache.
        n_each = range(run.n_variants + 1)
        variants = [cache.load(clips, v, n_workers) for v in n_each]
        for other in taught_by.other_rows if taught_by else ():
            others = FeatureCache(
                cache_folder, other.spec, augment, cluster=cluster, sounds=recordings
            )
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
            labels=labels,
            domains=domains,
        )
        _tell_of_encoder(taught_by)
        trainer.restore()
        place.write(split, [report.to_dict() for report in found.reports])
        # Until all is there the same command goes on.
        trainer.run(keep_state=True)
        if pictures:
            plot_curves(trainer.history, place.files.curves)
        if split:
            finished = Run(folder)
            runner = torch_runner(finished)
            part = evaluate(
                runner,
                held_out,
                cache,
                clips,
                labels=common_labels(split, clips, labels),
                n_workers=n_workers,
            )
            write_evaluation(finished, split, runner, "torch", "unknown", part, pictures=pictures)
        place.finish()
        return place.files.checkpoint


def _check_names(
    found: FoundCorpora, labels: Sequence[str], run: RunSettings, leaned_on: Sequence[Path]
) -> None:
    """Refuse what names alone tell to be wrong before every recording is opened.

    A split that cannot be made, and runs to learn from that are not there or not whole.
    """
    for folder in leaned_on:
        open_run(folder)
    sides_of(chosen_labels(found.clips, labels)[1], run, content=False)


def _recordings(
    sounds: Sequence[Path], augment: AugmentSettings, run: RunSettings
) -> list[Recording]:
    """Recordings that variants are heard with.

    Raises
    ------
    ParameterError
        If some are named and no variant would be.
    """
    if sounds and not (augment.sounds_share and run.n_variants):
        why = "sounds_share is 0" if run.n_variants else "there are no variants of clips"
        raise ParameterError(
            f"--sounds is noise of the variants of clips, and {why}: set sounds_share in "
            "[augment] of the recipe and --variants above 0, or leave --sounds out"
        )
    return sounds_of(sounds, measuring=False)


def _encoder(
    files: Sequence[Path],
    train: Sequence[Clip],
    held_out: Sequence[Clip],
    labels: Sequence[str],
    settings: TrainSettings,
) -> EncoderTeacher | None:
    """A teacher of a large model's vectors; it is fitted when a training begins."""
    if not files:
        return None
    measured = {clip.speaker for clip in held_out}
    return EncoderTeacher(
        read_embeddings(files),
        train,
        labels,
        strength=settings.encoder_strength,
        knows_speakers=bool(measured) and measured <= {clip.speaker for clip in train},
    )


def _tell_of_encoder(taught_by: Teachers | None) -> None:
    """Say how good an encoder is, which fits it: only where there is something left to train."""
    if taught_by and taught_by.encoder:
        left_out = "itself" if taught_by.encoder.knows_speakers else "its speaker"
        progress_note(
            f"the encoder is right about {100 * taught_by.encoder.accuracy:.1f} % of the training "
            f"clips, each answered without {left_out}"
        )


def _usable(
    found: FoundCorpora,
    spec: FeatureSpec,
    cache_folder: Path,
    n_workers: int,
    cluster: str | None,
    strict: bool,
) -> Usable:
    """Clips to learn from, and the others; says what was found."""
    usable = usable_clips(
        found.clips,
        found.reports,
        least_s=shortest_s(spec),
        folder=cache_folder,
        n_workers=n_workers,
        cluster=cluster,
        strict=strict,
    )
    notes = [note for report in found.reports for note in report.notes]
    said = (*notes, *found.sentences(), *usable.sentences(), *usable.remarks())
    for sentence in said:
        progress_note(f"edge-ser-quantize: {sentence}")
    per_corpus = counted(clip.corpus for clip in usable.clips)
    progress_note(f"edge-ser-quantize: {how_many(len(usable.clips), 'clip')}: {per_corpus}")
    return usable
