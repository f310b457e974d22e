"""Packing clips, their variants and the folds for trainings side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.levers.levers import FOLDS, LESSONS, N_VARIANTS, SCORED
from benchmarks.levers.packed import FINE, Fold, Names, Packed, bounds, rounded
from edge.features.spec import FeatureSpec
from edge.features.voice_reference import VoiceColumns
from quantize.data.corpora import LABELS, Clip, find_corpora, label_numbers
from quantize.data.embeddings import Embeddings, read_embeddings
from quantize.data.features.cache import FeatureCache
from quantize.data.features.normalisation import normalisation
from quantize.data.features.voices import CALM, voice_totals
from quantize.data.sound.augment import AugmentSettings
from quantize.data.sound.reading import session_of
from quantize.data.sound.recordings import sounds_of
from quantize.data.splits.by_name import make_split
from quantize.data.splits.rules import validation_split
from quantize.training.crops import speech_span
from quantize.training.encoder_teacher import EncoderTeacher
from quantize.training.recipe import load_recipe
from quantize.training.settings import DEFAULT_RECIPE

__all__ = ["changed_voices", "divided", "pack", "packed_corpora"]

_VALIDATION_SHARE = 0.25

#: Two voices in thousands of clips: some of them do.
_LARGE, _N_OF_LARGE = "tess", 1000

#: Every so many clips tell between what rows are rounded.
_EVERY = 7

VariantRows = Mapping[str, NDArray[np.floating]]
#: Clips that train and those that validate.
Divided = tuple[list[int], list[int]]


def changed_voices(settings: AugmentSettings) -> AugmentSettings:
    """Variants of another pitch, formants and pace, without rooms, lines and noise."""
    shares = {name: 0.0 for name in settings.to_dict() if name.endswith("_share")}
    return settings.replaced(**shares, channel_db=4.0, gaussian_sigma=0.0)


def packed_corpora(
    data: Sequence[Path],
    embeddings: Sequence[Path],
    cache: Path,
    sounds: Sequence[Path] = (),
    *,
    n_workers: int = 1,
    tell: Callable[[str], None] = lambda _: None,
) -> Packed:
    """Find the clips, compute what the cache lacks, and pack it.

    Parameters
    ----------
    data, embeddings : sequence of Path
        Roots of the corpora, and files of a large model's vectors of all clips.
    cache : Path
        Folder of cached rows.
    sounds : sequence of Path
        Roots of everyday sounds.
    n_workers : int
        Processes that compute rows.
    tell : callable
        Told of every variant and fold.
    """
    recipe = load_recipe(DEFAULT_RECIPE)
    found = find_corpora(data, [*SCORED, _LARGE, *LESSONS], {}).clips
    clips = _chosen(found)
    spec, settings = recipe.feature_spec(), recipe.augment_settings()
    noisy = FeatureCache(cache, spec, settings, sounds=sounds_of(sounds, measuring=False))
    voices = FeatureCache(cache, spec, changed_voices(settings))

    variants = []
    for number in range(1 + 2 * N_VARIANTS):
        of = noisy if number <= N_VARIANTS else voices
        variants.append(of.load(clips, number if of is noisy else number - N_VARIANTS, n_workers))
        tell(f"variant {number}: {len(variants[-1])} clips")
    return pack(clips, variants, spec, divided(clips, found), read_embeddings(embeddings), tell)


def _chosen(clips: Sequence[Clip]) -> list[Clip]:
    large = [i for i, clip in enumerate(clips) if clip.corpus == _LARGE]
    kept = set(np.random.default_rng(0).permutation(large)[:_N_OF_LARGE].tolist())
    return [clip for i, clip in enumerate(clips) if clip.corpus != _LARGE or i in kept]


def divided(clips: Sequence[Clip], found: Sequence[Clip]) -> dict[int, Divided]:
    """Training sides of the splits, divided once more; lessons train in all of them.

    Parameters
    ----------
    clips : sequence of Clip
        Those that are packed, whose numbers are given.
    found : sequence of Clip
        All, of which the splits are made.
    """
    numbers = {clip.clip_id: i for i, clip in enumerate(clips)}
    lessons = [i for i, clip in enumerate(clips) if clip.corpus in LESSONS]
    scored = [clip for clip in found if clip.corpus not in LESSONS]
    told = {}
    for protocol, folds in FOLDS.items():
        for fold in folds:
            if protocol == "paper":
                split = make_split(scored, "paper", fold - folds[0], 0, len(folds))
            else:
                split = make_split(scored, "speaker", 0, fold, len(folds))
            split = validation_split(split, scored, _VALIDATION_SHARE)
            train, test = (
                [numbers[name] for name in side if name in numbers]
                for side in (split.train, split.test)
            )
            told[fold] = train + lessons, test
    return told


def pack(
    clips: Sequence[Clip],
    variants: Sequence[VariantRows],
    spec: FeatureSpec,
    folds: Mapping[int, Divided],
    embeddings: Embeddings,
    tell: Callable[[str], None] = lambda _: None,
) -> Packed:
    """Round rows, and fit what each fold wants of its training clips.

    Parameters
    ----------
    clips : sequence of Clip
    variants : sequence of mapping of str to float [shape=(n_frames, n_features)]
        Rows by clip id; the first are the clips themselves, the last :data:`N_VARIANTS` changed
        voices, from which no normalisation is taken.
    spec : FeatureSpec
    folds : mapping of int to (train, test)
    embeddings : Embeddings
    tell : callable
    """
    names, columns = list(spec.feature_names), VoiceColumns(spec)
    coarse = [i for i, name in enumerate(names) if name not in FINE]
    heard = variants[: len(variants) - N_VARIANTS]
    some = [rows[clip.clip_id][:, coarse] for rows in heard for clip in clips[::_EVERY]]
    low, high = bounds(np.concatenate(some).astype(np.float32))
    shape = len(variants), len(clips)
    starts, lengths = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    whole_starts, whole_lengths = np.zeros(shape[1], np.int64), np.zeros(shape[1], np.int64)
    totals = np.zeros((*shape[::-1], 2, len(names)), np.float32)
    packed_rows, fine_rows = [], []
    for number, variant in enumerate(variants):
        parts, at = [], 0
        for i, clip in enumerate(clips):
            rows = variant[clip.clip_id].astype(np.float32)
            span = speech_span(rows[:, columns.rms])
            speech = rows[span]
            totals[i, number] = voice_totals(columns, speech)
            lengths[number, i] = len(speech)
            if number == 0 and clip.corpus not in LESSONS:
                whole_starts[i], whole_lengths[i] = at, len(rows)
                starts[number, i] = at + span.start
                parts.append(rows)
            else:
                starts[number, i] = at
                parts.append(speech)
            at += len(parts[-1])
        coarse_rows, fine = rounded(np.concatenate(parts), names, low, high)
        packed_rows.append(coarse_rows)
        fine_rows.append(fine)
    corpus, corpora = _numbered([clip.corpus for clip in clips])
    speaker, speakers = _numbered([clip.speaker for clip in clips])
    session, _ = _numbered([session_of(clip) for clip in clips])
    made = {}
    for number, (train, test) in folds.items():
        knows_speakers = number in FOLDS["paper"]
        teacher = _logits(embeddings, [clips[i] for i in train], knows_speakers)
        mean, std = normalisation(_speech(clips, train, heard, columns.rms))
        made[number] = Fold(
            np.array(train, np.int64),
            np.array(test, np.int64),
            mean,
            std,
            _centre(totals[:, 0], speaker, train),
            teacher,
        )
        tell(f"fold {number}: {len(train)} clips train, {len(test)} validate")
    return Packed(
        Names([clip.clip_id for clip in clips], corpora, speakers, list(LABELS), names),
        packed_rows,
        fine_rows,
        low,
        high,
        starts,
        lengths,
        whole_starts,
        whole_lengths,
        totals,
        corpus,
        label_numbers(clips, LABELS).astype(np.int64),
        speaker,
        session,
        np.array([clip.label in CALM for clip in clips]),
        made,
    )


def _numbered(names: Sequence[str]) -> tuple[NDArray[np.int64], list[str]]:
    known, numbers = np.unique(np.array(names), return_inverse=True)
    return numbers.astype(np.int64), known.tolist()


def _speech(
    clips: Sequence[Clip], train: Sequence[int], variants: Sequence[VariantRows], rms: int
) -> Iterator[NDArray[Any]]:
    for variant in variants:
        for i in train:
            rows = variant[clips[i].clip_id]
            yield rows[speech_span(rows[:, rms].astype(np.float32))]


def _centre(
    totals: NDArray[np.float32], speaker: NDArray[np.int64], train: Sequence[int]
) -> NDArray[np.float32]:
    """Mean of the training voices' means, see :class:`edge.features.voice_reference`."""
    of = speaker[train]
    sums = np.stack([totals[train][of == voice].sum(axis=0) for voice in np.unique(of)])
    means = sums[:, 0] / np.maximum(sums[:, 1], 1.0)
    centre: NDArray[np.float32] = means.mean(axis=0).astype(np.float32)
    return centre


def _logits(
    embeddings: Embeddings, clips: Sequence[Clip], knows_speakers: bool
) -> NDArray[np.float16]:
    """What a large model says of each clip, up to a constant that no softmax sees."""
    teacher = EncoderTeacher(embeddings, clips, LABELS, knows_speakers=knows_speakers)
    n_clips = len(clips)
    posterior, _ = teacher.answer(
        [clip.clip_id for clip in clips], 1.0, torch.ones(n_clips), torch.arange(n_clips)
    )
    logits: NDArray[np.float16] = posterior.clamp(min=1e-30).log().numpy().astype(np.float16)
    return logits
