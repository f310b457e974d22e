"""``edge-ser-quantize search``: runs x kinds of artifact, measured, and the one to take."""

from __future__ import annotations

import argparse
import dataclasses
import json
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.errors import ParameterError
from quantize.basics.settings import Above0, NotNegative
from quantize.commands.numbers import number, of_setting
from quantize.commands.options import (
    add_data_options,
    given_options,
    label_map,
    refuse_ignored,
    training_recipe_names,
)
from quantize.export.rounding.load import kind_names
from quantize.models.config import ClafSerConfig
from quantize.runs.settings import RunSettings
from quantize.training.settings import TrainSettings

if TYPE_CHECKING:
    from quantize.runs.run import Run
    from quantize.search.candidates import Candidate
    from quantize.search.ground import Ground
    from quantize.search.pareto import Choice, Constraints

__all__ = ["add_command"]


def add_command(commands: Any) -> None:
    """Add ``search`` to the parser."""
    parser = commands.add_parser(
        "search",
        help="measure runs as every kind of artifact and choose the best that meets constraints",
        description="Exports every run as every kind, measures size, accuracy and time, and "
        "chooses the most accurate that meets the constraints. What is finished is not measured "
        "again: the same command, or one with more runs and kinds, goes on. DIR gets "
        "artifacts/, trials/, search.csv, pareto.png and report.html. Exit status 1: none meets "
        "the constraints.",
    )
    parser.add_argument(
        "runs",
        nargs="+",
        type=Path,
        metavar="RUN",
        help="trained, pruned or distilled runs of one split, best of train --validation; drops "
        "are counted from the first one in torch",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="of the search")
    parser.add_argument(
        "--kinds",
        nargs="+",
        choices=kind_names(),
        metavar="KIND",
        help="kinds of artifact (default: all whose runtime is installed, of "
        f"{', '.join(kind_names())})",
    )
    add_data_options(parser)
    limits = parser.add_argument_group("constraints")
    limits.add_argument(
        "--max-kb", type=number(Above0), metavar="KB", help="model file, 1000 bytes"
    )
    limits.add_argument(
        "--max-drop",
        type=number(NotNegative),
        metavar="POINTS",
        help="accuracy below the reference",
    )
    limits.add_argument(
        "--max-ms", type=number(Above0), metavar="MS", help="median time of a 2 s window"
    )
    students = parser.add_argument_group("students, which are trained into DIR/runs/hidden-N")
    students.add_argument(
        "--hidden",
        nargs="+",
        type=of_setting(ClafSerConfig, "hidden"),
        default=[],
        metavar="H",
        help="BiLSTM units a direction",
    )
    students.add_argument(
        "--teachers", nargs="+", type=Path, default=[], metavar="RUN", help="of the same split"
    )
    students.add_argument(
        "--recipe",
        choices=training_recipe_names(),
        default="claf-ser-tiny",
        help="default: %(default)s",
    )
    students.add_argument(
        "--epochs",
        type=of_setting(TrainSettings, "epochs"),
        metavar="N",
        help="default: the recipe's",
    )
    students.add_argument(
        "--variants",
        type=of_setting(RunSettings, "n_variants"),
        metavar="N",
        help="augmented variants (default: the recipe's)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object a trial")
    parser.set_defaults(function=_search)


def _search(arguments: argparse.Namespace) -> int:
    from quantize.runs.clips import load_clips
    from quantize.search.candidates import candidates_of
    from quantize.search.ground import Ground, chosen_on_test_side, open_runs
    from quantize.search.latency import measure_latencies
    from quantize.search.pareto import Constraints, choose
    from quantize.search.students import student_folder, train_students
    from quantize.search.table import format_table, json_entries
    from quantize.search.trials import plan, run_trials
    from quantize.training.recipe import load_recipe

    constraints = Constraints(arguments.max_kb, arguments.max_drop, arguments.max_ms)
    if bool(arguments.hidden) != bool(arguments.teachers):
        raise ParameterError(
            "--hidden and --teachers go together: students of the sizes that the one names are "
            "taught by the runs that the other names"
        )
    if not arguments.hidden:
        why = "is of the students that --hidden and --teachers train: add these, or leave it out"
        refuse_ignored(arguments, "recipe", "epochs", "variants", why=why)
    runs = open_runs(arguments.runs)
    clips = load_clips(
        runs, arguments.data, arguments.corpora, label_map(arguments), arguments.cache
    )
    ground = Ground.of(runs[0], clips, arguments.cache, arguments.workers, arguments.cluster)
    warning = chosen_on_test_side(ground.split)
    if warning:
        print(f"edge-ser-quantize: caution: {warning}", file=sys.stderr)
    if arguments.hidden:
        recipe = load_recipe(arguments.recipe)
        train_students(
            arguments.data,
            arguments.out,
            arguments.cache,
            runs[0],
            recipe=recipe,
            teachers=arguments.teachers,
            hidden=arguments.hidden,
            training=given_options(arguments, "epochs"),
            n_variants=(recipe.n_variants if arguments.variants is None else arguments.variants),
            corpora=arguments.corpora,
            label_map=runs[0].label_map,
            n_workers=arguments.workers,
            cluster=arguments.cluster,
        )
        students = [student_folder(arguments.out, h) for h in arguments.hidden]
        runs = open_runs([*arguments.runs, *students])
    trials = plan(runs, arguments.kinds or kind_names(), ground.labels, ground.clips_sha256)
    results = run_trials(trials, ground, arguments.out, leave_out_missing=not arguments.kinds)
    # Of torch only the reference is timed: the others are there for their labels.
    timed = {r["name"] for r in results if r["status"] == "measured" and r["kind"] != "torch"}
    timed.add(trials[0].name)
    latencies = measure_latencies([t for t in trials if t.name in timed], arguments.out)
    reference, *others = candidates_of(results, latencies)
    candidates = [candidate for candidate in others if candidate.model_bytes is not None]
    failed = [result for result in results if result["status"] == "failed"]
    found = _Found(reference, candidates, choose(candidates, constraints), failed)
    listed = json_entries(reference, candidates, found.choice, failed)
    _write(arguments, constraints, found, listed, runs, ground, _measured(results), warning)
    if arguments.json:
        for entry in listed:
            print(json.dumps(entry))
    else:
        print(format_table(reference, candidates, found.choice, failed))
    print(f"report: {arguments.out / 'report.html'}", file=sys.stderr)
    return 0 if found.choice.chosen else 1


@dataclasses.dataclass(frozen=True)
class _Found:
    reference: Candidate
    candidates: Sequence[Candidate]
    choice: Choice
    failed: Sequence[dict[str, Any]]


def _write(
    arguments: argparse.Namespace,
    constraints: Constraints,
    found: _Found,
    listed: Sequence[dict[str, Any]],
    runs: Sequence[Run],
    ground: Ground,
    measured: str,
    warning: str | None,
) -> None:
    from quantize.runs.provenance import commit
    from quantize.search.picture import plot_pareto
    from quantize.search.report_html import report_html, write_report
    from quantize.search.table import write_csv

    out: Path = arguments.out
    write_csv(out / "search.csv", listed)
    picture = out / "pareto.png"
    if found.candidates:
        title = f"{found.reference.n} held-out clips of {ground.split.id}"
        plot_pareto(
            found.reference, found.candidates, found.choice, constraints, picture, title=title
        )
    else:
        picture.unlink(missing_ok=True)
    about = {
        "split": f"{ground.split.id}, fingerprint {ground.split.fingerprint}",
        "clips": f"{found.reference.n} held-out ones; the language is unknown, as on a device",
        "command": shlex.join(_redo(arguments)),
        "commit": commit(),
        "measured": f"{measured}; the times just now, on the machine below",
    }
    write_report(
        out / "report.html",
        report_html(
            found.reference,
            found.candidates,
            found.choice,
            constraints,
            found.failed,
            picture=picture.read_bytes() if found.candidates else None,
            about=about,
            warning=warning,
            export_command=_export_command(found.choice.chosen, runs),
        ),
    )


def _measured(results: Sequence[Mapping[str, Any]]) -> str:
    """When and where the sizes and answers were measured: a search goes on for days."""
    found = [each for each in results if each["status"] == "measured"]
    times = sorted(str(each["measured_at"]) for each in found)
    places = list(dict.fromkeys(str(each["machine"]) for each in found))
    when = times[0] if times[0] == times[-1] else f"{times[0]} to {times[-1]}"
    return f"{when}, on {' and '.join(places)}"


def _export_command(chosen: Candidate | None, runs: Sequence[Run]) -> list[str] | None:
    if chosen is None:
        return None
    run = next(run.folder for run in runs if run.name == chosen.run)
    words = ["edge-ser-quantize", "export", str(run), "--kind", chosen.kind]
    return [*words, "--out", f"models/{chosen.name}"]


def _redo(arguments: argparse.Namespace) -> list[str]:
    """Words of the command, so that a reader can run it again."""
    words = ["edge-ser-quantize", "search", *map(str, arguments.runs)]
    for name in ("out", "kinds", "data", "corpora", "cache", "map_label"):
        words += _option(name, getattr(arguments, name))
    if arguments.hidden:
        for name in ("hidden", "teachers", "recipe", "epochs", "variants"):
            words += _option(name, getattr(arguments, name))
    for name in ("max_kb", "max_drop", "max_ms"):
        words += _option(name, getattr(arguments, name))
    return words


def _option(name: str, value: Any) -> list[str]:
    option = "--" + name.replace("_", "-")
    if name == "map_label":
        return [word for pair in value for word in (option, pair)]
    if value is None or value == []:
        return []
    if isinstance(value, list):
        return [option, *map(str, value)]
    return [option, f"{value:g}" if isinstance(value, float) else str(value)]
