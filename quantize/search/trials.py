"""Trials: a run exported as one kind of artifact and measured, one JSON file each.

A trial whose file is there, with the fingerprint of all that it depends on, is not run again: a
search may be killed at any moment and loses no more than the trial that it was at.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from edge.artifact import read_artifact
from edge.benchmark.machine import describe_machine
from edge.errors import ArtifactError, EdgeSerError, MissingDependencyError
from quantize.basics.files import write_json
from quantize.basics.json_files import load_json
from quantize.basics.progress import progress_bar, progress_note
from quantize.export import KINDS, export_artifact
from quantize.measure.evaluate import Runner, artifact_runner, evaluate, torch_runner
from quantize.runs.artifacts import export_facts, why_old
from quantize.runs.provenance import commit
from quantize.runs.run import Run
from quantize.search.ground import Ground

__all__ = ["TORCH", "Trial", "measure_trial", "plan", "run_trials"]

#: Kind of a trial that measures the checkpoint itself.
TORCH = "torch"

_SCHEMA_VERSION = 3
_LANGUAGE = "unknown"


@dataclasses.dataclass(frozen=True)
class Trial:
    """One run as one kind of artifact.

    Parameters
    ----------
    run : Run
    kind : str
        Of :data:`quantize.export.KINDS`, or :data:`TORCH`.
    labels : tuple of str
        Classes that may be answered.
    clips_sha256 : str
        Of what the held-out clips are and hold, see :attr:`Ground.clips_sha256`.
    """

    run: Run
    kind: str
    labels: tuple[str, ...]
    clips_sha256: str

    @property
    def name(self) -> str:
        """Of its file and of its artifact's folder."""
        return f"{self.run.slug}--{self.kind}"

    def depends_on(self) -> dict[str, Any]:
        """All that its figures follow from."""
        return {
            "schema_version": _SCHEMA_VERSION,
            "run_digest": self.run.digest,
            "temperature": self.run.temperature,
            "label_map": self.run.label_map,
            "clips": self.run.training.get("clips"),
            "kind": self.kind,
            "settings": _settings(self.kind),
            "split_fingerprint": self.run.held_out_split().fingerprint,
            "clips_sha256": self.clips_sha256,
            "labels": list(self.labels),
            "language": _LANGUAGE,
        }

    @property
    def fingerprint(self) -> str:
        """SHA-256 of :meth:`depends_on`."""
        return _digest(self.depends_on())

    def file(self, out: Path) -> Path:
        """Where it is written."""
        return out / "trials" / f"{self.name}.json"

    def artifact(self, out: Path) -> Path:
        """Folder of its artifact, ready to copy to a device."""
        return out / "artifacts" / self.name


def _settings(kind: str) -> Any:
    if kind == TORCH:
        return None
    fields = {"recipe": KINDS[kind].recipe.to_dict()}
    # Tuples become lists, and whatever a kind may hold becomes text.
    return json.loads(json.dumps(fields, sort_keys=True, default=str))


def plan(
    runs: Sequence[Run], kinds: Sequence[str], labels: Sequence[str], clips_sha256: str
) -> list[Trial]:
    """Every run as every kind, and first the runs themselves, which the others are held against."""
    order = [(run, TORCH) for run in runs]
    order += [(run, kind) for run in runs for kind in dict.fromkeys(kinds)]
    return [Trial(run, kind, tuple(labels), clips_sha256) for run, kind in order]


def run_trials(
    trials: Sequence[Trial],
    ground: Ground,
    out: Path,
    *,
    leave_out_missing: bool = False,
    measure: Callable[[Trial, Ground, Path], dict[str, Any]] | None = None,
) -> list[dict[str, Any]]:
    """Run what is not finished; returns the contents of all trials' files, in order.

    Parameters
    ----------
    trials : sequence of Trial
    ground : Ground
    out : path
        Folder of the search.
    leave_out_missing : bool
        Leave out the kinds whose runtime is not installed, and say so, in place of recording
        that they failed.
    measure : callable, optional
        What measures a trial; :func:`measure_trial` by default.

    Raises
    ------
    EdgeSerError
        If a checkpoint itself cannot be measured.
    OSError
        If a file cannot be written.
    """
    measure = measure or measure_trial
    missing: set[str] = set()

    def results() -> Iterator[dict[str, Any] | None]:
        for trial in trials:
            yield None if trial.kind in missing else one(trial)

    def one(trial: Trial) -> dict[str, Any] | None:
        found = _finished(trial, out)
        if found is not None:
            return found
        started_s = time.perf_counter()
        try:
            figures = {"status": "measured", "error": None, **measure(trial, ground, out)}
        # Runtimes raise RuntimeError for a model that they cannot run.
        except (EdgeSerError, RuntimeError) as error:
            if trial.kind == TORCH:
                raise
            sentence = " ".join(str(error).split())
            if leave_out_missing and isinstance(error, MissingDependencyError):
                missing.add(trial.kind)
                progress_note(f"{trial.kind} is left out: {sentence}")
                return None
            figures = {"status": "failed", "error": sentence}
            progress_note(f"{trial.run.name} as {trial.kind} failed: {sentence}")
        return _write(trial, out, figures, time.perf_counter() - started_s)

    bar: Iterable[dict[str, Any] | None] = progress_bar(results(), len(trials), "search")
    return [result for result in bar if result is not None]


# What reading a file that a person or a crash changed may raise.
_DAMAGE = (
    OSError,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    RecursionError,
    ArtifactError,
)


def _finished(trial: Trial, out: Path) -> dict[str, Any] | None:
    """What a trial's file holds, where it still says what is so."""
    try:
        content: Any = load_json(trial.file(out))
        sealed = {key: value for key, value in content.items() if key != "content_sha256"}
        is_whole = content["content_sha256"] == _digest(sealed)
        is_of_it = content["fingerprint"] == trial.fingerprint and content["status"] == "measured"
        if is_whole and is_of_it and _has_artifact(trial, out, content["model_sha256"]):
            return dict(content)
    except _DAMAGE:
        pass
    return None


def _has_artifact(trial: Trial, out: Path, model_sha256: str | None) -> bool:
    """Tell whether the artifact that was measured is there, and current."""
    if trial.kind == TORCH:
        return True
    manifest = read_artifact(trial.artifact(out)).manifest
    is_it = manifest.model_sha256 == model_sha256
    return is_it and why_old(trial.run, trial.kind, manifest) is None


def _write(trial: Trial, out: Path, figures: dict[str, Any], seconds: float) -> dict[str, Any]:
    machine = describe_machine()
    content = {
        "name": trial.name,
        "run": trial.run.name,
        "kind": trial.kind,
        "hidden": trial.run.header.json("config")["hidden"],
        "fingerprint": trial.fingerprint,
        "depends_on": trial.depends_on(),
        "split": trial.run.held_out_split().id,
        "commit": commit(),
        "measured_at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "machine": ", ".join(str(machine[k]) for k in ("cpu", "architecture") if machine[k]),
        "seconds": round(seconds, 2),
        **figures,
    }
    # Any later change of the file shows.
    content["content_sha256"] = _digest(content)
    write_json(trial.file(out), content)
    return content


def _digest(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def measure_trial(trial: Trial, ground: Ground, out: Path) -> dict[str, Any]:
    """Export a trial's artifact and measure it in its real runtime.

    Returns
    -------
    dict
        ``recipe``, ``model_sha256``, ``model_bytes``, ``folder_bytes`` (None for torch), ``n``,
        ``accuracy``, ``uar``, ``by_corpus`` (``n``, ``accuracy``, ``uar`` each; all are shares)
        and ``answers``: one number a clip of the held-out side, in its order and parted by
        spaces, which is that of the label that was answered.

    Raises
    ------
    EdgeSerError
        If the export or the runtime fails.
    """
    figures: dict[str, Any] = {"recipe": None, "model_sha256": None}
    figures |= {"model_bytes": None, "folder_bytes": None}
    if trial.kind == TORCH:
        runner = torch_runner(trial.run)
    else:
        runner, facts = _exported(trial, ground, out)
        figures |= facts
    runner = dataclasses.replace(runner, n_jobs=ground.n_workers, cluster=ground.cluster)
    part = evaluate(
        runner,
        ground.held_out,
        ground.cache(runner.spec),
        ground.clips,
        language=_LANGUAGE,
        labels=trial.labels,
        n_workers=ground.n_workers,
    )
    found = part.figures()
    names = ("n", "accuracy", "uar")
    return {
        **figures,
        **{name: found[name] for name in names},
        "by_corpus": {
            corpus: {name: one[name] for name in names}
            for corpus, one in found["by_corpus"].items()
        },
        "answers": " ".join(map(str, part.posteriors.argmax(axis=1).tolist())),
    }


def _exported(trial: Trial, ground: Ground, out: Path) -> tuple[Runner, dict[str, Any]]:
    folder = trial.artifact(out)
    model, facts = export_facts(trial.run, name=f"claf-ser-{trial.kind}")
    calibration = None
    n_segments = KINDS[trial.kind].recipe.n_calibration
    if n_segments:
        calibration = ground.calibration(
            facts.spec, n_segments, facts.window_frames, facts.window_hop
        )
    artifact = export_artifact(trial.kind, model, facts, folder, calibration)
    return artifact_runner(folder), {
        "recipe": artifact.manifest.quantization.recipe,
        "model_sha256": artifact.manifest.model_sha256,
        "model_bytes": artifact.manifest.model_bytes,
        "folder_bytes": sum(p.stat().st_size for p in folder.iterdir() if p.is_file()),
    }
