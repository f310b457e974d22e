"""Training CLAF-SER: joint loss, cosine schedule, averaged weights, resumable.

No choice is made on the test side: the number of epochs is fixed beforehand and the
exponential average of the last epochs' weights is what is kept.  The test side's
curve is drawn for people (the paper's figures 12 and 13) and decides nothing.
"""

from __future__ import annotations

import copy
import json
import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from edge.features.spec import FeatureSpec
from quantize.basics.errors import TrainingError
from quantize.basics.files import write_json
from quantize.data.corpora import Clip, label_numbers
from quantize.data.features.normalisation import normalisation
from quantize.data.features.windows import window_of
from quantize.measure.scoring import score_utterances
from quantize.models.claf_ser import CLAFSER
from quantize.models.infer import torch_infer
from quantize.runs.checkpoint import Checkpoint, save_checkpoint
from quantize.runs.files import RunFiles
from quantize.runs.state import load_state, save_state
from quantize.training.batch_settings import BatchSettings
from quantize.training.corpus_labels import labels_of_corpora
from quantize.training.crops import Batch, CropSampler, examples_of, speech_span
from quantize.training.epoch_log import EpochLog
from quantize.training.objective import Objective
from quantize.training.settings import TrainSettings
from quantize.training.teachers import Teachers

__all__ = ["Trainer"]


class Trainer:
    """One training run in one folder.

    Parameters
    ----------
    folder : path
        Run folder; the state in it makes the run resumable.
    train, held_out : sequence of Clip
        Both sides of the split; ``held_out`` may be empty.
    variants : sequence of mapping
        Rows by clip id; the first is the clips themselves.
    spec : FeatureSpec
        Of the rows.
    config : ClafSerConfig
    settings : TrainSettings
    batches : BatchSettings
    about : dict
        What to write into the checkpoint about the run.
    teachers : Teachers, optional
        Trained runs to learn from beside the labels.
    labels, domains : sequence of str
        What the model tells apart, and the corpora of its embedding, in their order.
    start : Checkpoint, optional
        Weights and normalisation to begin with, in place of chance and the rows' own.
    """

    # A subclass for another model has others.
    model_type: Any = CLAFSER
    sampler_type: type[CropSampler] = CropSampler

    def __init__(
        self,
        folder: Path,
        train: Sequence[Clip],
        held_out: Sequence[Clip],
        variants: Sequence[Mapping[str, NDArray[Any]]],
        *,
        spec: FeatureSpec,
        config: Any,
        settings: TrainSettings,
        batches: BatchSettings,
        about: dict[str, Any],
        labels: Sequence[str],
        domains: Sequence[str],
        teachers: Teachers | None = None,
        start: Checkpoint | None = None,
    ) -> None:
        if not train:
            raise TrainingError("the training side of the split is empty")
        self.folder, self.files = folder, RunFiles(folder)
        self.settings, self.about = settings, about
        self.spec = spec
        self.labels, self.domains = tuple(labels), tuple(domains)
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        if start:
            self.mean, self.std = start.mean, start.std
        else:
            # Statistics of the speech alone: EMO-DB's digital silence would stretch every scale.
            rms = spec.feature_names.index("rms")
            clips = (rows[c.clip_id] for rows in variants for c in train)
            self.mean, self.std = normalisation(
                r[speech_span(r[:, rms].astype(np.float32))] for r in clips
            )
        self.sampler = self.sampler_type(
            examples_of(train, self.labels, self.domains),
            variants,
            self.mean,
            self.std,
            spec,
            len(self.domains),
            batches,
        )
        self.held_out = list(held_out)
        self._held_out_rows = [variants[0][c.clip_id] for c in held_out]
        torch.manual_seed(settings.seed)
        self.model = self.model_type(config).to(self.device)
        if start:
            self.model.load_state_dict(start.model.state_dict())
        if teachers:
            teachers.to(self.device)
        width = 2 * config.hidden if teachers else 0
        told = None
        if settings.corpus_labels:
            examples = self.sampler.examples
            of, label = [e.domain for e in examples], [e.label for e in examples]
            told = labels_of_corpora(of, label, len(self.domains), len(self.labels))
        self.objective = Objective(settings, self.mean, self.std, width, teachers, told)
        self.objective.to(self.device)
        self.averaged = copy.deepcopy(self.model).eval().requires_grad_(False)
        decayed = [p for p in self.model.parameters() if p.ndim > 1]
        others = [p for p in self.model.parameters() if p.ndim <= 1]
        others += self.objective.parameters()
        self.optimizer = torch.optim.AdamW(
            [
                {"params": decayed, "weight_decay": settings.weight_decay},
                {"params": others, "weight_decay": 0.0},
            ],
            lr=settings.learning_rate,
        )
        self.history: list[dict[str, float]] = []
        self.epoch = 0
        self._step = 0
        self._n_steps = settings.epochs * self.sampler.n_batches()

    def run(self, *, keep_state: bool = False) -> Checkpoint:
        """Train to the last epoch, from where the folder's state left off.

        ``keep_state`` is for a caller who has more to do before the run is finished, and then
        deletes the state: until then the same training goes on from its last epoch.
        """
        self.restore()
        table, n_epochs = self.files.log, self.settings.epochs
        with EpochLog(table, self.folder.name, n_epochs, self.history) as log:
            while self.epoch < n_epochs:
                self._one_epoch()
                log.tell(self.history[-1])
                write_json(self.files.history, self.history)
                self._save_state()
        checkpoint = Checkpoint(
            self.averaged.cpu().eval(),
            self.mean,
            self.std,
            self.spec,
            self.about,
            self.labels,
            self.domains,
            self.sampler.voice_reference,
        )
        save_checkpoint(self.files.checkpoint, checkpoint)
        if not keep_state:
            self.files.state.unlink(missing_ok=True)
        return checkpoint

    def _one_epoch(self) -> None:
        settings = self.settings
        # Chance is drawn anew from (seed, epoch): a resumed run is the run it resumes.
        repeat = settings.repeat_epochs
        drawn = self.epoch % repeat if repeat else self.epoch
        rng = np.random.default_rng([settings.seed, drawn])
        torch.manual_seed(settings.seed * 1_000_003 + self.epoch)
        alpha = settings.max_alpha * self.epoch / max(1, settings.epochs - 1)
        started_s = time.perf_counter()
        self.model.train()
        loss_sum = domain_sum = 0.0
        n_right = n_seen = 0
        for number, batch in enumerate(self.sampler.epoch(rng)):
            place = (drawn, number) if repeat else None
            loss, domain_loss, right = self._train_step(batch, alpha, place)
            loss_sum += loss * len(batch.labels)
            domain_sum += domain_loss * len(batch.labels)
            n_right += right
            n_seen += len(batch.labels)
        self.epoch += 1
        entry = {
            "epoch": self.epoch,
            "train_loss": loss_sum / n_seen,
            "train_accuracy": n_right / n_seen,
            "domain_loss": domain_sum / n_seen,
            "alpha": alpha,
            "seconds": time.perf_counter() - started_s,
        }
        if not math.isfinite(entry["train_loss"]):
            raise TrainingError(
                f"the loss is {entry['train_loss']} in epoch {self.epoch}: lower the learning rate"
            )
        last = self.epoch == settings.epochs
        if self.held_out and (last or self.epoch % settings.monitor_every == 0):
            entry.update(self._monitor())
        self.history.append(entry)

    def _train_step(
        self, batch: Batch, alpha: float, place: tuple[int, int] | None
    ) -> tuple[float, float, int]:
        settings = self.settings
        for group in self.optimizer.param_groups:
            group["lr"] = settings.learning_rate * self._rate(self._step)
        x, weights, labels, domains, languages = (
            torch.from_numpy(a).to(self.device)
            for a in (batch.rows, batch.weights, batch.labels, batch.domains, batch.languages)
        )
        with torch.autocast(
            self.device.type, dtype=torch.bfloat16, enabled=settings.precision == "bf16"
        ):
            emotion_loss, output = self.objective(
                self.model, x, languages, labels, weights, batch.crops, place, domains
            )
            domain_loss = self._domain_loss(output, domains)
        self.optimizer.zero_grad(set_to_none=True)
        (emotion_loss + alpha * domain_loss).backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self._step += 1
        # Young averages must not remember the random start.
        decay = min(settings.average_decay, self._step / (self._step + 10))
        with torch.no_grad():
            for kept, new in zip(self.averaged.parameters(), self.model.parameters(), strict=True):
                kept.lerp_(new, 1.0 - decay)
        right = int((output.logits.argmax(dim=1) == labels).sum())
        return float(emotion_loss.detach()), float(domain_loss.detach()), right

    def _domain_loss(self, output: Any, domains: Tensor) -> Tensor:
        return nn.functional.cross_entropy(output.domain_logits.float(), domains)

    def _rate(self, step: int) -> float:
        """Share of the peak rate: linear warm-up, then half a cosine."""
        warmup = max(1, round(self.settings.warmup_share * self._n_steps))
        if step < warmup:
            return (step + 1) / warmup
        done = min(1.0, (step - warmup) / max(1, self._n_steps - warmup))
        return 0.5 * (1.0 + math.cos(math.pi * done))

    def _monitor(self) -> dict[str, float]:
        """Loss and accuracy on the held-out utterances, language unknown."""
        window_frames, window_hop = window_of(self.spec)
        posteriors = score_utterances(
            torch_infer(self.averaged),
            self._held_out_rows,
            [len(self.domains)] * len(self.held_out),
            spec=self.spec,
            mean=self.mean,
            std=self.std,
            window_frames=window_frames,
            window_hop=window_hop,
        )
        labels = label_numbers(self.held_out, self.labels)
        chosen = posteriors[np.arange(len(labels)), labels]
        accuracy = float((posteriors.argmax(axis=1) == labels).mean())
        return {
            "test_loss": float(-np.log(np.maximum(chosen, 1e-12)).mean()),
            "test_accuracy": accuracy,
        }

    def _save_state(self) -> None:
        state = {
            "fingerprint": self._fingerprint(),
            "epoch": self.epoch,
            "step": self._step,
            "history": self.history,
            "model": self.model.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "objective": self.objective.state_dict(),
        }
        save_state(self.files.state, state)

    def restore(self) -> None:
        """Go back to where the folder's state left off; nothing happens without one.

        Raises
        ------
        TrainingError
            If the state cannot be read or is that of another training.
        """
        if not self.files.state.is_file():
            return
        state = load_state(self.files.state, self.device)
        if state["fingerprint"] != self._fingerprint():
            raise TrainingError(
                f"{self.folder} holds a training with other settings: name another --out, or "
                "delete it"
            )
        self.epoch, self._step, self.history = state["epoch"], state["step"], state["history"]
        self.model.load_state_dict(state["model"])
        self.averaged.load_state_dict(state["averaged"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.objective.load_state_dict(state["objective"])

    def _fingerprint(self) -> str:
        about = {k: v for k, v in self.about.items() if k != "commit"}
        return json.dumps(
            [
                self.settings.to_dict(),
                self.sampler.settings.to_dict(),
                self.model.config.to_dict(),
                about,
                [self.labels, self.domains],
            ],
            sort_keys=True,
            default=str,
        )
