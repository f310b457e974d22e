"""Training batches: random crops of cached rows, varied in feature space.

Crops stand for the device's window (1-3 s of speech), so the model never learns to
lean on a clip's length or on the silence around it.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from edge.errors import ParameterError
from edge.features.spec import FeatureSpec
from edge.features.voice_reference import VoiceReference
from quantize.data.corpora import Clip, label_numbers
from quantize.data.features.voices import CALM
from quantize.data.sound import level
from quantize.data.sound.reading import session_of
from quantize.training.batch_settings import BatchSettings
from quantize.training.crop_starts import starts_with_speech, stretched
from quantize.training.mean_exchange import MeanExchange
from quantize.training.reference_draws import ReferenceDraws
from quantize.training.teacher_rows import Crops

__all__ = [
    "Batch",
    "CropSampler",
    "Example",
    "class_weights",
    "examples_of",
    "speech_span",
]


@dataclasses.dataclass(frozen=True)
class Example:
    """What training needs to know of a clip."""

    clip_id: str
    corpus: str
    speaker: str
    label: int
    domain: int
    is_calm: bool = False


def examples_of(
    clips: Sequence[Clip], labels: Sequence[str], domains: Sequence[str]
) -> list[Example]:
    """What training needs of each clip, numbered by the model's labels and corpora."""
    return [
        Example(
            c.clip_id, c.corpus, c.speaker, int(label), domains.index(c.corpus), c.label in CALM
        )
        for c, label in zip(clips, label_numbers(clips, labels), strict=True)
    ]


@dataclasses.dataclass(frozen=True)
class Batch:
    """Crops of one length: rows (B, T, F) float32; weights (B,) float32; the rest (B,) int64.

    ``crops`` says where they were cut, for teachers of other features.
    """

    rows: NDArray[np.float32]
    weights: NDArray[np.float32]
    labels: NDArray[np.int64]
    domains: NDArray[np.int64]
    languages: NDArray[np.int64]
    crops: Crops | None = None


def speech_span(rms: NDArray[np.floating], margin: int = 4) -> slice:
    """Frames from the first to the last that is loud enough for a training crop.

    Parameters
    ----------
    rms : float [shape=(n_frames,)]
        Linear level of every frame.
    margin : int
        Frames kept on either side.
    """
    return level.span(level.speech_frames(rms, level.CROP_RANGE_DB), margin)


def class_weights(examples: Sequence[Example], balance: float) -> NDArray[np.float32]:
    """Weight of every example in the loss, see :class:`BatchSettings`.

    Parameters
    ----------
    examples : sequence of Example
    balance : float
        0 to 1.

    Returns
    -------
    float32 [shape=(n_examples,)]
        Of mean 1 in every corpus, so that corpora keep their shares of the loss.
    """
    n_each = Counter((e.corpus, e.label) for e in examples)
    weights = np.array([n_each[e.corpus, e.label] ** -balance for e in examples])
    for corpus in {e.corpus for e in examples}:
        members = [i for i, e in enumerate(examples) if e.corpus == corpus]
        weights[members] /= weights[members].mean()
    return weights.astype(np.float32)


class CropSampler:
    """Draws the batches of an epoch.

    Parameters
    ----------
    examples : sequence of Example
        Training clips.
    variants : sequence of mapping
        Rows by clip id, one mapping a cached variant of the clips.
    mean, std : float32 [shape=(n_features,)]
        Normalisation.
    spec : FeatureSpec
    n_domains : int
        The language id that stands for "unknown" is this number.
    settings : BatchSettings, optional
    """

    def __init__(
        self,
        examples: Sequence[Example],
        variants: Sequence[Mapping[str, NDArray[np.floating]]],
        mean: NDArray[np.float32],
        std: NDArray[np.float32],
        spec: FeatureSpec,
        n_domains: int,
        settings: BatchSettings | None = None,
    ) -> None:
        if not examples:
            raise ParameterError("there is no training clip to draw batches from")
        self.examples = list(examples)
        self.settings = settings or BatchSettings()
        self.spec = spec
        self.unknown = n_domains
        self._mean, self._std = mean, std
        self._rms = spec.feature_names.index("rms")
        # By example, then by variant; cut to the speech once.
        spans = [[self._span(rows[e.clip_id]) for rows in variants] for e in self.examples]
        self._rows = [
            [rows[e.clip_id][span] for rows, span in zip(variants, each, strict=True)]
            for e, each in zip(self.examples, spans, strict=True)
        ]
        self._first_frames = [[span.start for span in each] for each in spans]
        self._speech: list[list[NDArray[np.bool_]]] = []
        if self.settings.least_speech:
            self._speech = [
                self._spoken([rows[e.clip_id] for rows in variants], each)
                for e, each in zip(self.examples, spans, strict=True)
            ]
        self._prepare(spec)
        self._weights = class_weights(self.examples, self.settings.class_balance)
        self._exchange: MeanExchange | None = None
        if self.settings.exchange_share:
            if set(spec.order) != set(FeatureSpec().order):
                raise ParameterError("exchange_share is above 0: the device's features are wanted")
            speakers = [e.speaker for e in self.examples]
            self._exchange = MeanExchange(spec, speakers, [variants[0] for variants in self._rows])
        self._references: ReferenceDraws | None = None
        if self.settings.reference_share:
            self._references = ReferenceDraws(
                spec,
                [f"{e.corpus}/{e.speaker}" for e in self.examples],
                [session_of(e) for e in self.examples],
                [e.is_calm for e in self.examples],
                self._rows,
                self.settings.reference_prior_s,
            )

    @property
    def voice_reference(self) -> VoiceReference | None:
        """How the model will want references for voices; None: it was trained without."""
        return self._references.reference if self._references else None

    def _prepare(self, spec: FeatureSpec) -> None:
        """Look up what varying a row needs to know of its columns."""
        self._groups = list(spec.columns.values())
        # 10 log10 of the power shifts every log-mel alike: only coefficient 0 of an
        # orthonormal DCT sees it, times the square root of the number of bands.
        self._level_step = np.float32(np.sqrt(spec.mfcc.n_mels) / self._std[0])

    def _span(self, rows: NDArray[np.floating]) -> slice:
        return speech_span(rows[:, self._rms].astype(np.float32))

    def _spoken(
        self, variants: Sequence[NDArray[np.floating]], spans: Sequence[slice]
    ) -> list[NDArray[np.bool_]]:
        """Which frames of the cut variants of a clip are speech, as the clip itself tells."""
        speech = level.speech_frames(variants[0][:, self._rms].astype(np.float32))
        return [
            stretched(speech, len(rows))[span] for rows, span in zip(variants, spans, strict=True)
        ]

    def epoch(self, rng: np.random.Generator) -> Iterator[Batch]:
        """Batches of one epoch, in random order; all chance comes from ``rng``."""
        drawn = self._draw(rng)
        picks = [(int(i), self._variant(rng)) for i in drawn]
        lengths = np.array([len(self._rows[i][v]) for i, v in picks])
        # Clips of like length share a batch, so that its crops can be as long as the
        # drawn length more often; the jitter keeps batches from repeating.
        order = np.argsort(lengths * rng.uniform(0.8, 1.25, lengths.size))
        size = self.settings.batch_size
        groups = [order[at : at + size] for at in range(0, len(order), size)]
        for at in rng.permutation(len(groups)):
            yield self._batch([picks[i] for i in groups[at]], rng)

    def n_batches(self) -> int:
        """Batches in an epoch, up to rounding of the corpus shares."""
        n_drawn = len(self._draw(np.random.default_rng(0)))
        return -(-n_drawn // self.settings.batch_size)

    def _draw(self, rng: np.random.Generator) -> NDArray[np.int64]:
        chosen = []
        for corpus in sorted({e.corpus for e in self.examples}):
            members = np.array([i for i, e in enumerate(self.examples) if e.corpus == corpus])
            share = self.settings.corpus_share.get(corpus, 1.0)
            n_chosen = max(1, round(share * members.size))
            chosen.append(rng.permutation(members)[:n_chosen])
        return np.concatenate(chosen)

    def _variant(self, rng: np.random.Generator) -> int:
        """Number of a variant: 0, the clip itself, or an augmented one."""
        n_variants = len(self._rows[0])
        clean = rng.random() < self.settings.clean_share
        return 0 if clean or n_variants == 1 else int(rng.integers(1, n_variants))

    def _start(self, example: int, variant: int, n_frames: int, rng: np.random.Generator) -> int:
        """Draw where a crop begins."""
        if not self._speech:
            return int(rng.integers(len(self._rows[example][variant]) - n_frames + 1))
        speech = self._speech[example][variant]
        allowed = starts_with_speech(speech, n_frames, self.settings.least_speech)
        return int(allowed[rng.integers(allowed.size)])

    def _batch(self, picks: Sequence[tuple[int, int]], rng: np.random.Generator) -> Batch:
        settings, spec = self.settings, self.spec
        seconds = rng.uniform(settings.min_crop_s, settings.max_crop_s)
        clips = [self._rows[i][v] for i, v in picks]
        n_frames = max(1, spec.n_frames(int(seconds * spec.sample_rate)))
        n_frames = min(n_frames, *(len(rows) for rows in clips))
        starts = [self._start(i, v, n_frames, rng) for i, v in picks]
        crops = np.stack([r[s : s + n_frames] for r, s in zip(clips, starts, strict=True)])
        crops = crops.astype(np.float32)
        numbers = [i for i, _ in picks]
        part = np.zeros((len(picks), 1), np.float32)
        if self._references is not None:
            of_variants = [v for _, v in picks]
            changes = self._references.changes(numbers, of_variants, settings.reference_share, rng)
            self._references.move(crops, changes)
            part = changes[:, -1:]
        if self._exchange is not None:
            crops = self._exchange.exchanged(
                crops, numbers, settings.exchange_share, rng, 1.0 - part
            )
        rows = self._vary(crops, rng, part)
        if self._references is not None:
            column = np.broadcast_to(part[:, None], (*rows.shape[:2], 1))
            rows = np.concatenate([rows, column], axis=2)
        examples = [self.examples[i] for i, _ in picks]
        domains = np.array([e.domain for e in examples])
        unknown = rng.random(len(picks)) < settings.unknown_share
        return Batch(
            rows,
            self._weights[[i for i, _ in picks]],
            np.array([e.label for e in examples]),
            domains,
            np.where(unknown, self.unknown, domains),
            Crops(
                [e.clip_id for e in examples],
                [v for _, v in picks],
                np.array(starts) + [self._first_frames[i][v] for i, v in picks],
                n_frames,
            ),
        )

    def _vary(
        self, crops: NDArray[np.float32], rng: np.random.Generator, part: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Level, normalisation, noise and masks; ``crops`` are raw rows and reused.

        ``part`` is what a reference took of the voice's mean, float32 [shape=(n_crops, 1)].
        """
        settings = self.settings
        n_crops, n_frames, _ = crops.shape
        gain_db = rng.uniform(-settings.level_db, settings.level_db, (n_crops, 1))
        # A reference was heard through the same gain.
        gain_db *= 1.0 - part
        crops[:, :, self._rms] *= 10 ** (gain_db / 20)
        rows = (crops - self._mean) / self._std
        rows[:, :, 0] += gain_db.astype(np.float32) * self._level_step
        rows += settings.noise * rng.standard_normal(rows.shape, dtype=np.float32)
        for group in self._groups:
            rows[rng.random(n_crops) < settings.group_mask_share, :, group] = 0.0
        at = np.arange(n_frames)
        # Short crops keep most of their frames.
        longest = min(settings.max_time_mask, n_frames // 5)
        for _ in range(settings.n_time_masks):
            length = rng.integers(0, longest + 1, (n_crops, 1))
            start = rng.integers(0, n_frames, (n_crops, 1))
            rows[(at >= start) & (at < start + length)] = 0.0
        return rows
