"""Students of a search: smaller models that are trained on the fly, one run folder each."""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from quantize.cli_distill import distil_run
from quantize.cli_train import given_options, label_map
from quantize.earlier import run_name
from quantize.errors import TrainingError
from quantize.progress import progress_note
from quantize.recipe import load_recipe
from quantize.runs import RunSettings
from quantize.scorecard.run_facts import run_config
from quantize.search.sources import Source, run_digest

__all__ = ["student_folder", "train_students"]


def student_folder(out: Path, hidden: int) -> Path:
    """Run folder of the student with so many units a direction."""
    return out / "runs" / f"hidden-{hidden}"


def train_students(arguments: argparse.Namespace, reference: Source) -> None:
    """Train those that are not trained yet; an interrupted training goes on.

    Parameters
    ----------
    arguments : namespace
        Of ``search``.
    reference : Source
        Whose split the students are trained on, with its seed.

    Raises
    ------
    EdgeSerError
        If the reference's settings or a teacher cannot be used, or a student is there that was
        trained otherwise.
    """
    recipe = load_recipe(arguments.recipe)
    made = run_config(reference.folder)["run"]
    n_variants = recipe.n_variants if arguments.variants is None else arguments.variants
    run = RunSettings(**{**made, "corpora": (), "n_variants": n_variants})
    training = {**given_options(arguments, "epochs"), "seed": run.seed}
    for hidden in dict.fromkeys(arguments.hidden):
        folder = student_folder(arguments.out, hidden)
        if (folder / "checkpoint.safetensors").is_file():
            wanted = {
                "recipe": recipe.name,
                "teachers": {run_name(each): run_digest(each) for each in arguments.teachers},
                "model": recipe.config(hidden=hidden).to_dict(),
                "training": dataclasses.asdict(recipe.train_settings(**training)),
            }
            _check(folder, wanted, n_variants)
            continue
        progress_note(f"training {folder}")
        distil_run(
            recipe,
            arguments.data,
            folder,
            arguments.cache,
            teachers=arguments.teachers,
            sizes={"hidden": hidden},
            training=training,
            batches={},
            corpora=arguments.corpora,
            run=run,
            label_map=label_map(arguments),
            n_workers=arguments.workers,
        )


def _check(folder: Path, wanted: Mapping[str, Any], n_variants: int) -> None:
    """Refuse a student that was trained by other settings than are asked for now."""
    config = run_config(folder)
    # As the file has them: without tuples.
    differing = [k for k, v in json.loads(json.dumps(wanted)).items() if config.get(k) != v]
    if config["run"].get("n_variants") != n_variants:
        differing.append("variants")
    if differing:
        raise TrainingError(
            f"{folder} was trained with other settings ({', '.join(differing)}) than are asked "
            "for now: name another --out, or delete it"
        )
