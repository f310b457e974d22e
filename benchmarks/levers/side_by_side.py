"""Trainings side by side: one step of all of them at once, and the schedule around it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.levers.crops import Crops, Picks, RowStore
from benchmarks.levers.lstm import PLAIN, Kernels
from benchmarks.levers.networks import Dropout, Layout, said
from benchmarks.levers.objective import Objective
from benchmarks.levers.packed import Packed
from benchmarks.levers.plan import crop_lengths, plan_of, train_clips
from benchmarks.levers.settings import LeverSettings
from edge.errors import ParameterError
from edge.features.spec import FeatureSpec
from quantize.training.recipe import load_recipe
from quantize.training.settings import DEFAULT_RECIPE

__all__ = ["SideBySide"]

_PLANS_AHEAD = 3


@dataclass(slots=True)
class _Inputs:
    """What changes from step to step; a recorded step reads it where it lies."""

    picks: Picks
    #: Of the schedule, (1,); of the domain loss, (1,); most that an average keeps, (1,).
    rate: Tensor
    alpha: Tensor
    kept: Tensor
    #: (2,), see :func:`benchmarks.levers.lstm.adam`.
    biases: Tensor


class SideBySide:
    """Trainings that take every step together.

    Parameters
    ----------
    packed : Packed
    settings : sequence of LeverSettings
        One a training.
    epochs : int
        Of the training with the most clips; the others hear theirs again.
    device : str
        ``"cuda"`` or ``"cpu"``.
    kernels : Kernels, optional
    spec : FeatureSpec, optional
        Of the packed rows; of the recipe that the base is of if None.

    Raises
    ------
    ParameterError
        If there is no training, or a fold is not packed.
    """

    def __init__(
        self,
        packed: Packed,
        settings: Sequence[LeverSettings],
        epochs: int,
        device: str,
        kernels: Kernels = PLAIN,
        spec: FeatureSpec | None = None,
    ) -> None:
        recipe = load_recipe(DEFAULT_RECIPE)
        self.spec = spec = spec or recipe.feature_spec()
        missing = sorted({one.fold for one in settings} - set(packed.folds))
        if missing or not settings:
            raise ParameterError(
                f"the folds {missing} are not packed, those that are: {sorted(packed.folds)}"
                if settings
                else "there is no training, one or more are wanted"
            )
        self.packed, self.settings, self.device = packed, list(settings), device
        self.epochs, self._kernels = epochs, kernels
        self.layout = Layout(recipe.config(n_domains=len(packed.names.corpora)), spec.n_features)
        self.store = RowStore(packed, spec, device)
        self._train = [train_clips(packed, one) for one in self.settings]
        self.crops = Crops(packed, self.store, self.settings, self._train, spec)
        self.objective = Objective(packed, self.settings, device)
        batch_size = self.settings[0].batches.batch_size
        self.n_steps = -(-max(map(len, self._train)) // batch_size)
        self.lengths = crop_lengths(self.settings[0], spec)
        self.weights = torch.stack(
            [self.layout.drawn(one.training.seed) for one in self.settings]
        ).to(device)
        self.weights.requires_grad_(True)
        #: What is judged in the end.
        self.average = self.weights.detach().clone()
        self._first, self._second = (torch.zeros_like(self.average) for _ in range(2))
        self._is_decayed = self.layout.is_decayed.to(device)
        training = [one.training for one in self.settings]
        self._rate, self._decay, self._kept, self._alpha = (
            self._column([getattr(t, name) for t in training])
            for name in ("learning_rate", "weight_decay", "average_decay", "max_alpha")
        )
        self.dropout = Dropout(
            *(
                self._column([getattr(one, name) for one in self.settings])[:, 0]
                for name in ("dropout", "functionals_dropout")
            )
        )
        hears = self._column([float(one.functionals) for one in self.settings])[:, 0]
        self.functionals = hears if bool(hears.any()) else None
        shape = len(self.settings), batch_size
        zeros: Callable[..., Tensor] = torch.zeros
        self._inputs = _Inputs(
            Picks(
                *(
                    zeros(*s, dtype=torch.int64, device=device)
                    for s in (shape, shape, (shape[0], 1))
                )
            ),
            *(zeros(n, device=device) for n in (1, 1, 1, 2)),
        )
        self.loss, self.n_right = (zeros(shape[0], device=device) for _ in range(2))

    def _column(self, values: Sequence[float]) -> Tensor:
        return torch.tensor(values, dtype=torch.float32, device=self.device)[:, None]

    def step(self, n_rows: int) -> None:
        """Take a step on crops of so many rows, of what lies in the inputs."""
        inputs = self._inputs
        with torch.no_grad():
            rows, languages, domains = self.crops.drawn(inputs.picks, n_rows)
        told = said(
            self.layout,
            self.weights,
            rows,
            inputs.picks.n_frames,
            languages,
            functionals=self.functionals,
            dropout=self.dropout,
            kernels=self._kernels,
        )
        loss = self.objective(told.logits, inputs.picks.clips, domains)
        assert told.domain_logits is not None, "in training the domains are told"
        domain_loss = nn.functional.cross_entropy(
            told.domain_logits.flatten(0, 1), domains.flatten(), reduction="none"
        )
        domain_loss = domain_loss.view_as(domains).mean(1)
        total = (loss + self._alpha[:, 0] * inputs.alpha * domain_loss).sum()
        (gradient,) = torch.autograd.grad(total, self.weights)
        with torch.no_grad():
            norm = gradient.norm(dim=1, keepdim=True)
            self._kernels.adam(
                self.weights.detach(),
                self.average,
                self._first,
                self._second,
                gradient * (1.0 / (norm + 1e-6)).clamp(max=1.0),
                self._rate * inputs.rate,
                self._decay,
                self._is_decayed,
                inputs.biases,
                torch.minimum(self._kept, inputs.kept),
            )
            self.loss.add_(loss)
            labels = self.objective.labels[inputs.picks.clips]
            self.n_right.add_((told.logits.argmax(2) == labels).float().mean(1))

    def run(self, tell: Callable[[str], None] = lambda _: None) -> None:
        """Train to the last epoch; ``tell`` hears of some of them."""
        begun_s, done = time.perf_counter(), 0
        with ThreadPoolExecutor(_PLANS_AHEAD) as planners:
            plans = [planners.submit(self._plan, e) for e in range(min(_PLANS_AHEAD, self.epochs))]
            recorded = self._recorded() if self.device == "cuda" else {}
            for epoch in range(self.epochs):
                plan = plans.pop(0).result()
                if epoch + _PLANS_AHEAD < self.epochs:
                    plans.append(planners.submit(self._plan, epoch + _PLANS_AHEAD))
                clips, variants, n_frames = (
                    torch.as_tensor(each, device=self.device)
                    for each in (plan.clips, plan.variants, plan.n_frames)
                )
                self.loss.zero_()
                self.n_right.zero_()
                self._inputs.alpha.fill_(epoch / max(1, self.epochs - 1))
                for number in range(self.n_steps):
                    self._inputs.picks.clips.copy_(clips[number])
                    self._inputs.picks.variants.copy_(variants[number])
                    self._inputs.picks.n_frames.copy_(n_frames[number][:, None])
                    self._schedule(done)
                    done += 1
                    n_rows = self.n_rows(int(plan.length[number]))
                    if recorded:
                        recorded[n_rows].replay()
                    else:
                        self.step(n_rows)
                if epoch in (0, 1, 4) or (epoch + 1) % 40 == 0 or epoch + 1 == self.epochs:
                    tell(self._told(epoch, time.perf_counter() - begun_s))

    def n_rows(self, length: int) -> int:
        """Rows of a step's crops: its longest frames, up to a whole step of the network."""
        stack = self.layout.config.frame_stack
        return -(-int(self.lengths[length]) // stack) * stack

    def _plan(self, epoch: int) -> Any:
        return plan_of(self.packed, self.settings, self._train, self.lengths, self.n_steps, epoch)

    def _schedule(self, done: int) -> None:
        """Set what the product's schedule has after so many steps."""
        n_all = self.epochs * self.n_steps
        warm = max(1, round(self.settings[0].training.warmup_share * n_all))
        rate = (done + 1) / warm
        if done >= warm:
            rest = min(1.0, (done - warm) / max(1, n_all - warm))
            rate = 0.5 * (1 + math.cos(math.pi * rest))
        number = done + 1
        self._inputs.rate.fill_(rate)
        self._inputs.biases[0] = 1 - 0.9**number
        self._inputs.biases[1] = 1 - 0.999**number
        # Young averages must not remember the random start.
        self._inputs.kept.fill_(number / (number + 10))

    def _recorded(self) -> dict[int, Any]:
        """A CUDA graph of the step for every length: its launches take longer than its work."""
        plan = self._plan(0)
        self._inputs.picks.clips.copy_(torch.as_tensor(plan.clips[0]))
        self._inputs.picks.variants.copy_(torch.as_tensor(plan.variants[0]))
        self._inputs.picks.n_frames.copy_(torch.as_tensor(plan.n_frames[0])[:, None])
        self._inputs.biases.fill_(1.0)
        self._inputs.kept.fill_(1.0)
        state = (self.weights, self.average, self._first, self._second)
        kept = [each.detach().clone() for each in state]
        graphs: dict[int, Any] = {}
        pool = None
        for n_rows in sorted({self.n_rows(i) for i in range(len(self.lengths))}):
            aside = torch.cuda.Stream()
            aside.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(aside):
                for _ in range(2):
                    self.step(n_rows)
            torch.cuda.current_stream().wait_stream(aside)
            graphs[n_rows] = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graphs[n_rows], pool=pool):
                self.step(n_rows)
            pool = pool or graphs[n_rows].pool()
        with torch.no_grad():
            for each, before in zip(state, kept, strict=True):
                each.copy_(before)
        return graphs

    def _told(self, epoch: int, seconds: float) -> str:
        loss, right = (float(each.mean()) / self.n_steps for each in (self.loss, self.n_right))
        return f"epoch {epoch + 1}, {seconds:.1f} s: loss {loss:.3f}, right {right:.3f}"
