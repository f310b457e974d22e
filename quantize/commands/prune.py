"""``edge-ser-quantize prune``: a smaller model out of a trained one, and its fine-tuning."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.errors import ParameterError
from quantize.basics.errors import TrainingError
from quantize.commands.options import (
    given_options,
    set_threads,
)
from quantize.commands.prune_options import (
    SIZE_OPTIONS,
    add_prune_options,
    refuse_what_has_no_say,
)
from quantize.prune.choices import PRUNABLE

if TYPE_CHECKING:
    from quantize.prune.importance import Importance
    from quantize.runs.run import Run

__all__ = ["add_command"]


def add_command(commands: Any) -> None:
    """Add ``prune`` to the parser."""
    parser = commands.add_parser(
        "prune",
        help="cut a smaller model out of a trained run and fine-tune it",
        description="Structured pruning drops LSTM units, attention heads, convolution channels "
        "and classifier units by importance; what is left is an ordinary, smaller CLAF-SER. "
        "--unstructured sets single weights to zero instead, which makes a compressed file "
        "smaller and no runtime faster. The same command resumes an interrupted fine-tuning.",
    )
    add_prune_options(parser)
    parser.set_defaults(function=_prune)


def _prune(arguments: argparse.Namespace) -> int:
    from quantize.prune.cut import refuse_unprunable
    from quantize.runs.run import open_run

    refuse_what_has_no_say(arguments)
    set_threads(arguments)
    if arguments.sensitivity:
        return _sweep(arguments)
    if arguments.out is None:
        raise ParameterError("prune needs --out RUN2, where the pruned run shall lie")
    run = open_run(arguments.run)
    refuse_unprunable(run.checkpoint.model, str(run.folder))
    how = _how(arguments, run)
    if arguments.epochs == 0:
        _write_pruned(arguments, run, how, arguments.out)
    else:
        _write_pruned(arguments, run, how, arguments.out / "pruned")
        _fine_tune(arguments, run)
    sizes = _sizes(run, arguments.out)
    if arguments.json:
        for each in sizes:
            print(json.dumps(each))
        return 0
    print(_report(sizes))
    print(open_run(arguments.out).files.checkpoint)
    if arguments.unstructured:
        print("the zeros count in a compressed file alone: every runtime is as fast as before")
    return 0


def _how(arguments: argparse.Namespace, run: Run) -> dict[str, Any]:
    """What is asked for, as the checkpoint will say it; refuses what does not go together."""
    from quantize.prune.sizes import config_for_share, pruned_config

    config = run.checkpoint.model.config
    sizes = {
        field: size
        for field, option in SIZE_OPTIONS.items()
        if (size := getattr(arguments, option)) is not None
    }
    name = run.name
    asked = [bool(sizes), arguments.parameters is not None, arguments.unstructured]
    if sum(asked) != 1 or arguments.unstructured != (arguments.sparsity is not None):
        raise ParameterError(
            "one of three is wanted: --parameters SHARE, sizes (--hidden, --heads, --conv, "
            "--classifier), or --unstructured --sparsity SHARE"
        )
    if arguments.unstructured:
        return {"from": name, "importance": "magnitude", "sparsity": arguments.sparsity}
    if sizes:
        smaller = pruned_config(config, **sizes)
    else:
        smaller = config_for_share(config, arguments.parameters)
    how = {
        "from": name,
        "importance": arguments.importance,
        "sizes": {field: getattr(smaller, field) for field in PRUNABLE},
        "sizes_before": {field: getattr(config, field) for field in PRUNABLE},
    }
    if arguments.importance == "taylor":
        how |= {"batches": arguments.batches, "seed": arguments.seed}
    return how


def _write_pruned(
    arguments: argparse.Namespace, run: Run, how: dict[str, Any], folder: Path
) -> None:
    """Prune into a run folder, unless the very same lies there already."""
    from quantize.prune.cut import prune_model
    from quantize.prune.sizes import pruned_config
    from quantize.prune.sparse import sparse_model
    from quantize.runs.own_settings import SETTINGS_DIGEST
    from quantize.runs.run import Run
    from quantize.runs.write import write_derived_run

    training = {**run.training, "pruned": {**how, "sha256": run.digest}}
    training.pop(SETTINGS_DIGEST, None)
    there = Run(folder)
    if there.files.checkpoint.exists():
        if {k: v for k, v in there.training.items() if k != SETTINGS_DIGEST} == training:
            return
        raise TrainingError(
            f"{folder} holds another model than this command would prune: name another --out, or "
            "delete it"
        )
    model = run.checkpoint.model
    if arguments.unstructured:
        pruned = sparse_model(model, arguments.sparsity)
    else:
        config = pruned_config(model.config, **how["sizes"])
        pruned = prune_model(model, config, _importance(arguments, run))
    write_derived_run(folder, run, pruned, training)


def _importance(arguments: argparse.Namespace, run: Run) -> Importance:
    from quantize.prune.clips import training_batches
    from quantize.prune.importance import magnitude, taylor

    model = run.checkpoint.model
    if arguments.importance == "magnitude":
        return magnitude(model)
    clips = run.clips(arguments.data, cache=arguments.cache)
    batches = training_batches(
        run,
        clips,
        arguments.cache,
        arguments.batches,
        arguments.seed,
        arguments.workers,
        arguments.cluster,
    )
    return taylor(model, batches)


def _fine_tune(arguments: argparse.Namespace, run: Run) -> None:
    from quantize.prune.sparse import SparseTrainer
    from quantize.runs.run import open_run
    from quantize.training.recipe import load_recipe
    from quantize.training.train_run import train_run
    from quantize.training.trainer import Trainer

    recipe = load_recipe(arguments.recipe)
    start = arguments.out / "pruned"
    training = given_options(arguments, "epochs", "learning_rate", "precision")
    made = run.settings
    # Kept as they are found, once each: the run that was pruned knows best what it knew.
    teachers = {path.resolve(): path for path in (run.folder, *arguments.teachers)}
    n_variants = recipe.n_variants if arguments.variants is None else arguments.variants
    train_run(
        arguments.data,
        arguments.out,
        arguments.cache,
        corpora=list(made.corpora),
        run=made.replaced(n_variants=n_variants),
        config=open_run(start).checkpoint.model.config,
        settings=recipe.train_settings(**training, seed=made.seed),
        batches=recipe.batch_settings(),
        augment=recipe.augment_settings(),
        spec=run.checkpoint.spec,
        labels=run.checkpoint.labels,
        label_map=run.label_map,
        n_workers=arguments.workers,
        cluster=arguments.cluster,
        recipe=recipe.name,
        teachers=list(teachers.values()),
        start=start,
        sounds=arguments.sounds,
        trainer_type=SparseTrainer if arguments.unstructured else Trainer,
    )


def _sizes(run: Run, folder: Path) -> list[dict[str, Any]]:
    """Sizes before and after."""
    from quantize.prune.sizes import n_exported
    from quantize.prune.sparse import npz_sizes, sparsity_of
    from quantize.runs.run import open_run

    sizes = []
    for name, each in (("before", run), ("pruned", open_run(folder))):
        model = each.checkpoint.model
        plain, deflated = npz_sizes(model)
        sizes.append(
            {
                "model": name,
                "run": str(each.folder),
                "n_parameters": n_exported(model.config),
                "zeros": sparsity_of(model),
                "int8_npz_bytes": plain,
                "deflated_bytes": deflated,
            }
        )
    return sizes


def _report(sizes: list[dict[str, Any]]) -> str:
    lines = [f"{'':12s}  parameters  zeros  int8 npz kB  deflated kB"]
    for each in sizes:
        lines.append(
            f"{each['model']:12s}  {each['n_parameters']:10d}  {100 * each['zeros']:3.0f} %  "
            f"{each['int8_npz_bytes'] / 1000:11.1f}  {each['deflated_bytes'] / 1000:11.1f}"
        )
    return "\n".join(lines)


def _sweep(arguments: argparse.Namespace) -> int:
    from quantize.data.features.windows import window_of
    from quantize.prune.clips import choosing_segments
    from quantize.prune.cut import refuse_unprunable
    from quantize.prune.sensitivity import format_drops, plot_drops, sensitivity
    from quantize.runs.run import open_run

    run = open_run(arguments.run)
    saved = run.checkpoint
    refuse_unprunable(saved.model, str(run.folder))
    window_frames = arguments.window_frames
    if window_frames is None:
        window_frames, _ = window_of(saved.spec)
    segments = choosing_segments(
        run,
        run.clips(arguments.data, cache=arguments.cache),
        arguments.cache,
        arguments.segments,
        window_frames,
        arguments.seed,
        arguments.workers,
        arguments.cluster,
    )
    drops = list(
        sensitivity(
            saved.model,
            _importance(arguments, run),
            segments,
            saved.labels,
            saved.mean,
            saved.std,
        )
    )
    if arguments.json:
        for drop in drops:
            print(json.dumps(drop.to_dict()))
    else:
        print(format_drops(drops))
    if arguments.picture:
        plot_drops(drops, arguments.picture)
    return 0
