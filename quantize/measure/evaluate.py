"""Measuring trained runs and exported artifacts on the clips that their split held out."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.artifact import TrainedGate, read_artifact
from edge.errors import ParameterError
from edge.features.spec import FeatureSpec
from edge.features.voice_reference import VoiceReference, normalised
from quantize.basics.files import write_json
from quantize.basics.progress import progress_note
from quantize.data.corpora import Clip, label_numbers
from quantize.data.features.cache import FeatureCache
from quantize.data.features.windows import window_of
from quantize.data.splits import Split
from quantize.export.gate import read_default_gate
from quantize.measure.answers import Answers
from quantize.measure.inference import ArtifactInfer
from quantize.measure.pictures import plot_class_accuracy, plot_confusion
from quantize.measure.scoring import Infer, score_utterances
from quantize.measure.shared_sentences import shared_sentences
from quantize.models.simple_rnn import SimpleRnn
from quantize.runs.run import Run

__all__ = [
    "Evaluation",
    "Runner",
    "artifact_runner",
    "check_features",
    "evaluate",
    "language_ids",
    "torch_runner",
    "write_evaluation",
]


@dataclasses.dataclass(frozen=True)
class Runner:
    """A model that can be measured, from a checkpoint or an artifact.

    ``n_jobs`` and ``cluster`` say who scores segments where there are many, see
    :func:`edge.jobs.run_in_order`; the posteriors are the same. ``gate`` is the artifact's speech
    gate, or the one that an export of the checkpoint would have.
    """

    name: str
    infer: Infer
    spec: FeatureSpec
    mean: NDArray[np.float32]
    std: NDArray[np.float32]
    temperature: float
    window_frames: int
    window_hop: int
    model_sha256: str | None
    labels: tuple[str, ...]
    domains: tuple[str, ...]
    voice_reference: VoiceReference | None = None
    n_jobs: int = 1
    cluster: str | None = None
    gate: TrainedGate | None = None

    @property
    def unknown(self) -> int:
        """Number of the corpus "unknown", which a device tells the model."""
        return len(self.domains)

    def normalised(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Rows (..., n_features) as the model takes them that was given no reference."""
        n_columns = self.spec.n_features + (self.voice_reference is not None)
        return normalised(rows, self.mean, self.std, n_columns)

    def scoring(self, labels: Sequence[str] | None = None) -> dict[str, Any]:
        """Arguments of :mod:`quantize.measure.scoring`, all but the window's length.

        ``labels`` are those that may be answered; None: all of the model's.
        """
        everything = labels is None or len(labels) == len(self.labels)
        return {
            "spec": self.spec,
            "mean": self.mean,
            "std": self.std,
            "window_hop": self.window_hop,
            "temperature": self.temperature,
            "gate": self.gate,
            "n_jobs": self.n_jobs,
            "cluster": self.cluster,
            "classes": None if everything else [self.labels.index(n) for n in labels or ()],
        }


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """Posteriors of the held-out clips and what they are worth.

    ``posteriors`` is float64 [shape=(n_clips, n_labels)] in the order of ``clips`` and of
    ``known``, the model's labels; ``labels`` are those that could be answered.
    """

    clips: tuple[Clip, ...]
    posteriors: NDArray[np.float64]
    labels: tuple[str, ...]
    known: tuple[str, ...]

    @property
    def answers(self) -> Answers:
        """The posteriors beside what is true of the clips."""
        return Answers.of_clips(self.posteriors, self.clips, self.known)

    @property
    def truth(self) -> NDArray[np.int64]:
        """Label numbers of the clips."""
        return label_numbers(self.clips, self.known)

    @property
    def clips_digest(self) -> str:
        """SHA-256 of the clips' ids and labels, in their order."""
        text = json.dumps([[c.clip_id, c.label] for c in self.clips])
        return hashlib.sha256(text.encode()).hexdigest()

    def figures(self) -> dict[str, Any]:
        """Metrics over all clips and, under ``by_corpus``, of every corpus.

        Where a part of a corpus is said in one emotion only, so that the words give it away, the
        rest of it stands under ``shared_sentences``, too.
        """
        total = self.answers.metrics()
        total["answers"] = list(self.labels)
        total["by_corpus"] = {name: part.metrics() for name, part in self.answers.by_corpus()}
        total["shared_sentences"] = {
            name: self.answers.only(chosen).metrics()
            for name, chosen in shared_sentences(self.clips).items()
        }
        return total

    @classmethod
    def pooled(cls, parts: Sequence[Evaluation]) -> Evaluation:
        """All clips of several folds together.

        Raises
        ------
        ParameterError
            If their models tell other labels apart.
        """
        known = parts[0].known
        for part in parts:
            if part.known != known:
                raise ParameterError(
                    f"the runs tell apart {', '.join(known)} and {', '.join(part.known)}: runs "
                    "of the same labels are wanted"
                )
        clips = tuple(c for part in parts for c in part.clips)
        labels = tuple(n for n in known if any(n in part.labels for part in parts))
        return cls(clips, np.concatenate([part.posteriors for part in parts]), labels, known)


def torch_runner(run: Run, temperature: float | None = None) -> Runner:
    """The checkpoint of a run, CLAF-SER or baseline, in torch; None: with its own temperature."""
    from quantize.models.infer import torch_infer

    saved = run.checkpoint
    return Runner(
        "SimpleRNN" if isinstance(saved.model, SimpleRnn) else "torch",
        torch_infer(saved.model),
        saved.spec,
        saved.mean,
        saved.std,
        run.temperature if temperature is None else temperature,
        *window_of(saved.spec),
        None,
        saved.labels,
        saved.domains,
        saved.voice_reference,
        gate=read_default_gate(saved.spec),
    )


def artifact_runner(folder: Path) -> Runner:
    """An exported artifact in its real runtime."""
    artifact = read_artifact(folder)
    manifest = artifact.manifest
    return Runner(
        manifest.quantization.recipe,
        ArtifactInfer(folder, artifact),
        manifest.feature_spec,
        manifest.mean,
        manifest.std,
        manifest.temperature,
        manifest.window_frames,
        manifest.window_hop,
        manifest.model_sha256,
        manifest.labels,
        tuple(c for c in manifest.corpora if c != manifest.default_corpus),
        manifest.voice_reference,
        gate=manifest.gate,
    )


def evaluate(
    runner: Runner,
    clips: Sequence[Clip],
    cache: FeatureCache,
    all_clips: Sequence[Clip],
    *,
    language: str = "unknown",
    labels: Sequence[str] | None = None,
    n_workers: int = 1,
) -> Evaluation:
    """Score clips as the device would.

    Parameters
    ----------
    runner : Runner
    clips : sequence of Clip
        What to score.
    cache : FeatureCache
        Must be of the runner's features.
    all_clips : sequence of Clip
        What the cache holds together: all clips of the corpora.
    language : str
        ``"unknown"`` as on a device, or ``"own"`` for each clip's corpus.
    labels : sequence of str, optional
        Those that may be answered, see :func:`quantize.data.splits.common_labels`; None: all
        of the model's.
    n_workers : int
        Processes that compute features.

    Raises
    ------
    ParameterError
        If the features differ or the language is not one of the two.
    """
    check_features(runner, cache)
    languages = language_ids(clips, language, runner)
    rows = cache.load(all_clips, 0, n_workers)
    posteriors = score_utterances(
        runner.infer,
        [rows[c.clip_id] for c in clips],
        languages,
        window_frames=runner.window_frames,
        **runner.scoring(labels),
    )
    answers = runner.labels if labels is None else tuple(labels)
    return Evaluation(tuple(clips), posteriors, answers, runner.labels)


def check_features(runner: Runner, cache: FeatureCache) -> None:
    """Refuse rows that the model was not trained on.

    Raises
    ------
    ParameterError
        If the features differ.
    """
    if runner.spec.fingerprint != cache.spec.fingerprint:
        raise ParameterError(
            f"{runner.name} was trained on other features ({runner.spec.fingerprint[:12]}) than "
            f"the cached ones ({cache.spec.fingerprint[:12]})"
        )


def language_ids(clips: Sequence[Clip], language: str, runner: Runner) -> list[int]:
    """Language id of every clip, for ``"unknown"`` or its ``"own"`` corpus.

    Raises
    ------
    ParameterError
        If `language` is neither, or the model does not know a clip's corpus.
    """
    if language not in ("unknown", "own"):
        raise ParameterError(f"language is {language!r}, 'unknown' or 'own' is wanted")
    if language == "unknown":
        return [runner.unknown] * len(clips)
    strange = sorted({c.corpus for c in clips} - set(runner.domains))
    if strange:
        raise ParameterError(
            f"the model was not trained on {strange[0]}, it knows {', '.join(runner.domains)}: "
            "measure it with --corpus unknown"
        )
    return [runner.domains.index(c.corpus) for c in clips]


def write_evaluation(
    run: Run,
    split: Split,
    runner: Runner,
    kind: str,
    language: str,
    part: Evaluation,
    *,
    pictures: bool = True,
) -> dict[str, Any]:
    """Write figures and pictures into a run folder; returns the figures.

    ``evaluation-KIND-LANGUAGE.json``, ``confusion-…png`` and ``class-accuracy-…png``
    (the paper's figure 14), each whole or not at all.  A folder that takes no files is left as it
    is, which is said.
    """
    figures = {
        "run": run.folder.name,
        "run_digest": run.digest,
        "split": split.id,
        "split_fingerprint": split.fingerprint,
        "clips_sha256": part.clips_digest,
        "label_map": run.label_map,
        "model_sha256": runner.model_sha256,
        "temperature": runner.temperature,
        **part.figures(),
    }
    paths = run.files.measured(f"{kind}-{language}")
    title = f"{split.id}, {runner.name}, language {language}"
    try:
        write_json(paths["figures"], figures)
        if pictures:
            plot_confusion(figures["confusion"], part.known, paths["confusion"], title=title)
            plot_class_accuracy(figures["confusion"], part.known, paths["classes"], title=title)
    except OSError as error:
        progress_note(
            f"edge-ser-quantize: {run.folder} takes no figures and pictures "
            f"({error.strerror or error}): --output FILE writes them elsewhere"
        )
    return figures
