"""``edge-ser-quantize evaluate``: figures of runs and artifacts on what was held out."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.cli.renamed import OldName, add_report_options
from quantize.basics.tables import aligned
from quantize.commands.options import add_data_options, add_pictures_option, refuse_ignored
from quantize.commands.paths import check_file_to_write
from quantize.commands.sounds import add_sounds_option
from quantize.data.features.conditions import CONDITIONS, EVERY_CONDITION
from quantize.export.rounding.load import kind_names
from quantize.measure.protocols.conditions import PROTOCOLS

if TYPE_CHECKING:
    from quantize.data.corpora import Clip
    from quantize.measure.evaluate import Evaluation
    from quantize.runs.run import Run

__all__ = ["add_command"]


def add_command(commands: Any) -> None:
    """Add ``evaluate`` to the parser."""
    parser = commands.add_parser(
        "evaluate",
        help="accuracy, UAR and confusions on the clips that a run's split held out",
        description="Protocols: utterances scores whole clips by the mean posterior of their 2 s "
        "segments; segments scores single windows of 1.0, 1.5 and 2.0 s; noise scores whole "
        "clips in white and pink noise, babble and rooms; conditions scores them through narrow "
        "bands, codecs, hum, gain, noise and rooms, the worst first; reference scores them with so "
        "many clips of the same voice heard before, of a model that knows references.",
    )
    add_data_options(parser)
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="run folders")
    parser.add_argument(
        "--protocol",
        choices=("utterances", *PROTOCOLS),
        default="utterances",
        help="what is measured on the held-out clips (default: utterances)",
    )
    parser.add_argument(
        "--conditions",
        nargs="+",
        choices=tuple(dict.fromkeys((*CONDITIONS, *EVERY_CONDITION))),
        metavar="NAME",
        help=f"of the protocol noise, these only (default: {', '.join(CONDITIONS)}), or of the "
        f"protocol conditions (default: {', '.join(EVERY_CONDITION)})",
    )
    parser.add_argument(
        "--only-corpora",
        nargs="+",
        default=[],
        metavar="CORPUS",
        help="of any protocol but utterances, held-out clips of these alone (default: of all)",
    )
    add_sounds_option(
        parser,
        "noise of the protocol conditions, the third of the recordings that training never hears",
    )
    parser.add_argument(
        "--kind",
        choices=("torch", *kind_names()),
        default="torch",
        help="the checkpoint in torch, or an artifact in its real runtime, exported if need be "
        "(default: torch)",
    )
    corpora = ("unknown", "own")
    parser.add_argument(
        "--corpus",
        choices=corpora,
        default="unknown",
        help="corpus that the model is told of; a device knows none (default: unknown)",
    )
    parser.add_argument(
        "--language", choices=corpora, action=OldName, dest="corpus", help=argparse.SUPPRESS
    )
    add_report_options(parser, "all figures")
    add_pictures_option(parser)
    parser.set_defaults(function=_evaluate)


def _evaluate(arguments: argparse.Namespace) -> int:
    import numpy as np

    from quantize.commands.protocols import evaluate_protocol
    from quantize.commands.runs import are_folds, measure_runs, report_of, write_report
    from quantize.measure.evaluate import Evaluation
    from quantize.measure.metrics import format_metrics

    if arguments.output:
        check_file_to_write(arguments.output, "--output")
    if arguments.protocol == "utterances":
        why = "is of --protocol segments, noise, conditions and reference: name one of them"
        refuse_ignored(arguments, "only_corpora", why=why)
    if arguments.protocol != "utterances" or arguments.conditions or arguments.sounds:
        return evaluate_protocol(arguments)
    parts, results = measure_runs(arguments, _one_run)
    folds = are_folds([r["split"] for r in results])
    pooled = Evaluation.pooled(parts).figures() if folds else None
    if not arguments.json:
        print(_table(results, pooled))
    report = report_of(arguments, results)
    if pooled:
        report["pooled"] = pooled
    elif len(results) > 1:
        accuracies = [r["accuracy"] for r in results]
        report["mean_accuracy"] = float(np.mean(accuracies))
        report["sd_accuracy"] = float(np.std(accuracies, ddof=1))
    if len(results) == 1 and not arguments.json:
        print()
        print(format_metrics(results[0]))
    write_report(arguments, report)
    return 0


def _one_run(
    run: Run, clips: list[Clip], arguments: argparse.Namespace
) -> tuple[Evaluation, dict[str, Any]]:
    from quantize.commands.runs import runner_of
    from quantize.data.features.cache import FeatureCache
    from quantize.data.splits import common_labels
    from quantize.measure.evaluate import evaluate, write_evaluation

    split, chosen = run.held_out_split(), run.held_out(clips)
    runner = runner_of(run, arguments.kind, arguments.workers, arguments.cluster)
    cache = FeatureCache(arguments.cache, runner.spec, cluster=arguments.cluster)
    part = evaluate(
        runner,
        chosen,
        cache,
        clips,
        language=arguments.corpus,
        labels=common_labels(split, clips, runner.labels),
        n_workers=arguments.workers,
    )
    figures = write_evaluation(
        run,
        split,
        runner,
        arguments.kind,
        arguments.corpus,
        part,
        pictures=arguments.pictures,
    )
    return part, figures


def _table(results: list[dict[str, Any]], pooled: dict[str, Any] | None) -> str:
    from quantize.data.corpora import DOMAINS, in_order

    corpora = list(in_order((c for r in results for c in r["by_corpus"]), DOMAINS))
    # Beside a corpus whose words give some emotions away, the rest of it.
    shared = list(in_order((c for r in results for c in r["shared_sentences"]), DOMAINS))
    header = ["run", "split", "clips", "accuracy", "UAR", *(f"{c} UAR" for c in corpora)]
    header += [f"{c}, shared sentences" for c in shared]
    rows = [_cells(r["run"], r["split"], r, corpora, shared) for r in results]
    if pooled:
        rows.append(_cells("all folds", "pooled", pooled, corpora, shared))
    elif len(results) > 1:
        rows.append(_mean_cells(results, corpora, shared))
    return "\n".join(aligned([header, *rows], n_left=2))


def _cells(
    name: str, split: str, figures: dict[str, Any], corpora: list[str], shared: list[str]
) -> list[str]:
    def uar(part: dict[str, Any] | None) -> str:
        return f"{100 * part['uar']:.1f}" if part else "-"

    return [
        name,
        split,
        str(figures["n"]),
        f"{100 * figures['accuracy']:.2f}",
        f"{100 * figures['uar']:.2f}",
        *(uar(figures["by_corpus"].get(c)) for c in corpora),
        *(uar(figures["shared_sentences"].get(c)) for c in shared),
    ]


def _mean_cells(results: list[dict[str, Any]], corpora: list[str], shared: list[str]) -> list[str]:
    import numpy as np

    def mean(values: list[float]) -> str:
        spread = f"±{100 * np.std(values, ddof=1):.2f}" if len(values) > 1 else ""
        return f"{100 * np.mean(values):.2f}{spread}"

    parts = [
        mean([r[table][c]["uar"] for r in results if c in r[table]])
        for table, names in (("by_corpus", corpora), ("shared_sentences", shared))
        for c in names
    ]
    return [
        "mean±sd",
        "",
        "",
        mean([r["accuracy"] for r in results]),
        mean([r["uar"] for r in results]),
        *parts,
    ]
