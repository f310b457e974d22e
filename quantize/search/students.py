"""Students of a search: smaller models that are trained on the fly, one run folder each."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from quantize.basics.errors import TrainingError
from quantize.basics.progress import progress_note
from quantize.data.corpora import Roots
from quantize.runs.compared import run_settings
from quantize.runs.files import RunFiles
from quantize.runs.run import Run, open_run
from quantize.training.recipe import Recipe
from quantize.training.students import distil_run

__all__ = ["student_folder", "train_students"]


def student_folder(out: Path, hidden: int) -> Path:
    """Run folder of the student with so many units a direction."""
    return out / "runs" / f"hidden-{hidden}"


def train_students(
    data: Roots,
    out: Path,
    cache: Path,
    reference: Run,
    *,
    recipe: Recipe,
    teachers: Sequence[Path],
    hidden: Sequence[int],
    training: Mapping[str, Any],
    n_variants: int,
    corpora: Sequence[str] | None,
    label_map: dict[str, str | None],
    n_workers: int,
    cluster: str | None = None,
) -> None:
    """Train those that are not trained yet; an interrupted training goes on.

    Parameters
    ----------
    data, out, cache : path
        Corpora, folder of the search, feature cache.
    reference : Run
        Whose split the students are trained on, with its seed.
    recipe : Recipe
    teachers : sequence of path
        Runs of the same split.
    hidden : sequence of int
        Units a direction, one student each.
    training : mapping
        What differs from the recipe.
    n_variants : int
        Augmented variants of every clip.
    corpora, label_map, n_workers, cluster
        As :func:`quantize.training.train_run.train_run` wants them.

    Raises
    ------
    EdgeSerError
        If the reference's settings or a teacher cannot be used, or a student is there that was
        trained otherwise.
    """
    run = reference.settings.replaced(corpora=(), n_variants=n_variants)
    training = {**training, "seed": run.seed}
    for units in dict.fromkeys(hidden):
        folder = student_folder(out, units)
        files = RunFiles(folder)
        if files.checkpoint.is_file() and not files.state.exists():
            wanted = {
                "recipe": recipe.name,
                "teachers": {each.name: each.digest for each in map(open_run, teachers)},
                "label_map": label_map,
                "model": recipe.config(hidden=units).to_dict(),
                "training": recipe.train_settings(**training).to_dict(),
            }
            _check(folder, wanted, n_variants)
            continue
        progress_note(f"training {folder}")
        distil_run(
            recipe,
            data,
            folder,
            cache,
            teachers=teachers,
            sizes={"hidden": units},
            training=training,
            batches={},
            corpora=corpora,
            run=run,
            label_map=label_map,
            n_workers=n_workers,
            cluster=cluster,
        )


def _check(folder: Path, wanted: Mapping[str, Any], n_variants: int) -> None:
    """Refuse a student that was trained by other settings than are asked for now."""
    config = run_settings(open_run(folder))
    # As the file has them: without tuples.
    differing = [k for k, v in json.loads(json.dumps(wanted)).items() if config.get(k) != v]
    if config["run"].get("n_variants") != n_variants:
        differing.append("variants")
    if differing:
        raise TrainingError(
            f"{folder} was trained with other settings ({', '.join(differing)}) than are asked "
            "for now: name another --out, or delete it"
        )
