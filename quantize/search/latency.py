"""Latency of many models side by side: one process, one thread, one window at a time.

A process of its own, because the libraries under NumPy take their number of threads from the
environment when they are loaded.  All models take turns, in an order that moves on every round,
so that whatever else the machine does is spread over all of them.

What counts is processor time: with one thread it is what the clock on the wall shows where nothing
else runs.  On a workstation that trains beside the search, the clock measures the other work:
medians of two models of one size were 2.9 and 13.9 ms there.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from quantize.basics.errors import TrainingError
from quantize.basics.timing import interleave
from quantize.data.features.segments import generated_segments
from quantize.measure.evaluate import artifact_runner, torch_runner
from quantize.runs.run import Run
from quantize.search.candidates import Latency
from quantize.search.trials import TORCH, Trial

__all__ = ["N_ROUNDS", "measure_latencies"]

#: Windows that each model is timed on; a 90th percentile needs some.
N_ROUNDS = 60

_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def measure_latencies(
    trials: Sequence[Trial], out: Path, *, n_rounds: int | None = None
) -> dict[str, Latency]:
    """Time every trial's artifact, and the checkpoint of those of torch.

    Parameters
    ----------
    trials : sequence of Trial
        Finished ones.
    out : path
        Folder of the search.
    n_rounds : int, optional
        Windows each; :data:`N_ROUNDS` by default.

    Returns
    -------
    dict
        By trial's name. Only ratios mean anything on another machine.

    Raises
    ------
    TrainingError
        If the process fails.
    """
    n_rounds = n_rounds or N_ROUNDS
    models = []
    with tempfile.TemporaryDirectory() as scratch:
        for trial in trials:
            is_torch = trial.kind == TORCH
            folder = trial.run.folder if is_torch else trial.artifact(out)
            runner = torch_runner(Run(folder)) if is_torch else artifact_runner(folder)
            path = Path(scratch) / f"{runner.spec.fingerprint}-{runner.window_frames}.npy"
            if not path.exists():
                # How long a model takes does not depend on what it hears.
                segments = generated_segments(
                    n_rounds, spec=runner.spec, window_frames=runner.window_frames
                )
                np.save(path, segments.rows)
            models.append({"folder": str(folder.resolve()), "torch": is_torch, "rows": str(path)})
        found = _in_a_process({"models": models, "n_rounds": n_rounds})
    return {
        trial.name: Latency(
            float(np.median(processor)),
            float(np.percentile(processor, 90)),
            float(np.median(clock)),
        )
        for trial, processor, clock in zip(trials, *found, strict=True)
    }


def _in_a_process(request: Mapping[str, Any]) -> list[list[list[float]]]:
    done = subprocess.run(
        [sys.executable, "-m", "quantize.search.latency"],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        env={**os.environ, **dict.fromkeys(_ONE_THREAD, "1")},
        check=False,
    )
    if done.returncode:
        last = (done.stderr.strip() or "it said nothing").splitlines()[-1]
        raise TrainingError(
            f"the process that times the artifacts ended with status {done.returncode} "
            f"({last[-300:]}): nothing is lost, the same command goes on from here"
        )
    result: list[list[list[float]]] = json.loads(done.stdout.splitlines()[-1])
    return result


def _answer(request: Mapping[str, Any]) -> list[list[list[float]]]:
    """Milliseconds of the processor, and by the clock, of every model in every round."""
    import torch

    torch.set_num_threads(1)
    calls = [_call(model) for model in request["models"]]
    times_ms: list[list[list[float]]] = (
        (1000 * interleave(calls, request["n_rounds"])).round(6).tolist()
    )
    return times_ms


def _call(model: Mapping[str, Any]) -> Callable[[int], Any]:
    folder = Path(model["folder"])
    runner = torch_runner(Run(folder)) if model["torch"] else artifact_runner(folder)
    rows = runner.normalised(np.load(model["rows"]))
    return lambda number: runner.infer(rows[number % len(rows)][None], runner.unknown)


if __name__ == "__main__":
    print(json.dumps(_answer(json.load(sys.stdin))))
