"""What compression costs and buys: models x kinds of artifact, size, accuracy, agreement, time.

    python -m benchmarks.compression --data CORPORA --runs runs --output FILE

Each model is a folder of runs under RUNS, trained on `paper` (seeds 0 to 2) and on the five speaker
folds; accuracy is measured on what each held out, language unknown, through the real runtime.
Drops count from the first model in torch fp32.  What `evaluate` has measured of the same artifact
is not measured again.  Times are processor time of single 2 s windows, one thread, one kind after
the other, and the models of a kind in turns that begin with another each round; only their ratios
mean anything.  A device runs one kind: with all kinds in one turn, a NumPy model of any size paid
0.2 ms for what torch before it had pushed out of the caches.
"""

from __future__ import annotations

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import argparse  # noqa: E402
import functools  # noqa: E402
import json  # noqa: E402
import sys  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import numpy as np  # noqa: E402
import torch  # noqa: E402

from edge.arrays import softmax  # noqa: E402
from edge.artifact import read_artifact  # noqa: E402
from edge.errors import EdgeSerError  # noqa: E402
from quantize.basics.files import atomic_path, write_json  # noqa: E402
from quantize.basics.progress import progress_bar  # noqa: E402
from quantize.basics.timing import interleave  # noqa: E402
from quantize.commands.runs import runner_of  # noqa: E402
from quantize.data.corpora import Clip, load_corpora  # noqa: E402
from quantize.data.features.cache import FeatureCache  # noqa: E402
from quantize.data.features.segments import corpus_segments  # noqa: E402
from quantize.data.features.windows import window_of  # noqa: E402
from quantize.export import KINDS  # noqa: E402
from quantize.measure.evaluate import Runner, evaluate, write_evaluation  # noqa: E402
from quantize.runs.provenance import commit  # noqa: E402
from quantize.runs.run import Run, open_run  # noqa: E402

PAPER = tuple(f"paper-s{seed}" for seed in range(3))
SPEAKER = tuple(f"speaker-f{fold}" for fold in range(5))
CORPORA = ("ravdess", "savee", "emo-db", "tess")
N_SEGMENTS = 500
MODELS = ("claf-ser", "claf-ser-pruned", "claf-ser-tiny")


def figures_of(run: Run, kind: str, clips: list[Clip], cache: Path) -> dict[str, Any]:
    """Figures of a run's artifact on its held-out clips, from its file if that is of both."""
    runner = runner_of(run, kind)
    path = run.files.measured(f"{kind}-unknown")["figures"]
    wanted = {
        "run_digest": run.digest,
        "temperature": runner.temperature,
        "model_sha256": runner.model_sha256,
    }
    try:
        found: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        found = None
    if isinstance(found, dict) and wanted.items() <= found.items():
        return found
    split, chosen = run.held_out_split(), run.held_out(clips)
    part = evaluate(runner, chosen, FeatureCache(cache, runner.spec), clips)
    return write_evaluation(run, split, runner, kind, "unknown", part)


def pooled_uar(figures: list[dict[str, Any]], corpus: str) -> float:
    """Unweighted average recall of a corpus over all folds together."""
    parts = [f["by_corpus"][corpus]["confusion"] for f in figures if corpus in f["by_corpus"]]
    confusion = np.sum(parts, axis=0)
    there = confusion.sum(axis=1) > 0
    return float((confusion.diagonal()[there] / confusion.sum(axis=1)[there]).mean())


def measure(runs: Path, model: str, kind: str, clips: list[Clip], cache: Path) -> dict[str, float]:
    """Accuracy on `paper`, and UAR by corpus on the speaker folds, of what is complete."""
    found: dict[str, float] = {}
    paper = [p for job in PAPER if (p := runs / model / job).is_dir()]
    folds = [p for job in SPEAKER if (p := runs / model / job).is_dir()]
    if len(paper) == len(PAPER):
        accuracies = [figures_of(open_run(p), kind, clips, cache)["accuracy"] for p in paper]
        found["paper"] = float(np.mean(accuracies))
    if len(folds) == len(SPEAKER):
        figures = [figures_of(open_run(p), kind, clips, cache) for p in folds]
        for corpus in CORPORA:
            found[corpus] = pooled_uar(figures, corpus)
    return found


def replay(
    runners: dict[tuple[str, str], Runner], run_of: dict[str, Path], clips: list[Clip], cache: Path
) -> dict[tuple[str, str], dict[str, float]]:
    """Agreement with the own model in torch, and times, over 500 held-out segments."""
    rows: dict[str, np.ndarray] = {}
    for model, run in run_of.items():
        runner = runners[model, "torch"]
        window_frames, window_hop = window_of(runner.spec)
        segments = corpus_segments(
            open_run(run).held_out(clips),
            FeatureCache(cache, runner.spec),
            clips,
            N_SEGMENTS,
            window_frames=window_frames,
            window_hop=window_hop,
        )
        rows[model] = runner.normalised(segments.rows)
    logits = {key: [np.empty(0)] * N_SEGMENTS for key in runners}
    unknown = len(CORPORA)

    def run(key: tuple[str, str], number: int) -> None:
        window = rows[key[0]][number % len(rows[key[0]])][None]
        logits[key][number] = np.asarray(runners[key].infer(window, unknown))[0]

    milliseconds: dict[tuple[str, str], float] = {}
    kinds = list(dict.fromkeys(kind for _, kind in runners))
    for kind in progress_bar(kinds, total=len(kinds), title="times"):
        keys = [key for key in runners if key[1] == kind]
        # Not the wall's clock, which comes second: on a shared machine it tells of others.
        seconds = interleave([functools.partial(run, key) for key in keys], N_SEGMENTS)[0]
        for key, row in zip(keys, seconds, strict=True):
            milliseconds[key] = 1000 * float(np.median(row))
    found = {}
    for key, runner in runners.items():
        posterior = softmax(np.stack(logits[key]), runner.temperature)
        wanted = softmax(np.stack(logits[key[0], "torch"]), runner.temperature)
        same = posterior.argmax(axis=1) == wanted.argmax(axis=1)
        found[key] = {
            "agreement": float(same.mean()),
            "max_difference": float(np.abs(posterior - wanted).max()),
            "cpu_ms": milliseconds[key],
        }
    return found


def compare(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """One row a model and kind, the reference first."""
    torch.set_num_threads(1)
    clips, _ = load_corpora(arguments.data, CORPORA)
    runs, cache = arguments.runs, arguments.cache
    models = [m for m in arguments.models if (runs / m / PAPER[0]).is_dir()]
    if not models:
        raise EdgeSerError(f"{runs} holds none of {', '.join(arguments.models)}: train them first")
    kinds = ["torch", *arguments.kinds]
    run_of = {model: runs / model / PAPER[0] for model in models}
    pairs = [(model, kind) for model in models for kind in kinds]
    figures = {
        pair: measure(runs, *pair, clips, cache)
        for pair in progress_bar(pairs, total=len(pairs), title="accuracy")
    }
    runners = {(m, k): runner_of(open_run(run_of[m]), k) for m, k in pairs}
    timed = replay(runners, run_of, clips, cache)
    reference = figures[models[0], "torch"]
    rows = []
    for model, kind in pairs:
        own = figures[model, kind]
        size = None
        if kind != "torch":
            size = read_artifact(open_run(run_of[model]).artifact(kind)).manifest.model_bytes
        names = [n for n in ("paper", *CORPORA) if n in own]
        rows.append(
            {
                "model": model,
                "kind": kind,
                "model_bytes": size,
                **own,
                "drop": {n: 100 * (reference[n] - own[n]) for n in names if n in reference},
                "from_own_fp32": {n: 100 * (figures[model, "torch"][n] - own[n]) for n in names},
                **timed[model, kind],
            }
        )
    for row in rows:
        same_kind = timed[models[0], row["kind"]]["cpu_ms"]
        row["times_faster"] = same_kind / row["cpu_ms"]
    return rows


def table(rows: list[dict[str, Any]]) -> str:
    """Aligned text."""
    header = "model            kind               kB  paper  (drop)  RAVDESS  (drop)  SAVEE  EMO-DB"
    lines = [header + "   TESS  same label cpu ms  x faster"]
    for row in rows:
        size = f"{row['model_bytes'] / 1000:.1f}" if row["model_bytes"] else "-"
        cells = [f"{row['model']:<15}  {row['kind']:<16}  {size:>6}"]
        for name, width in (("paper", 5), ("ravdess", 7)):
            value, drop = row.get(name), row["drop"].get(name)
            cells.append(f"{100 * value:>{width}.1f}" if value is not None else "-".rjust(width))
            cells.append(f"({drop:+.1f})".rjust(6) if drop is not None else " " * 6)
        for name, width in (("savee", 5), ("emo-db", 6), ("tess", 5)):
            value = row.get(name)
            cells.append(f"{100 * value:>{width}.1f}" if value is not None else "-".rjust(width))
        cells.append(f"{100 * row['agreement']:>9.1f}%  {row['cpu_ms']:>5.2f}")
        cells.append(f"{row['times_faster']:>8.2f}")
        lines.append("  ".join(cells))
    return "\n".join(lines)


def markdown(rows: list[dict[str, Any]]) -> str:
    """The same as Markdown: percent, in brackets points below the first model in torch."""
    lines = [
        "| model | kind | kB | `paper` | RAVDESS | SAVEE | EMO-DB | TESS | same label | faster |",
        "| --- | --- | --: | --: | --: | --: | --: | --: | --: | --: |",
    ]
    for row in rows:
        size = f"{row['model_bytes'] / 1000:.0f}" if row["model_bytes"] else "-"
        cells = [f"`{row['model']}`", row["kind"], size]
        for name in ("paper", *CORPORA):
            if name not in row:
                cells.append("-")
                continue
            told = name in ("paper", "ravdess")
            # Not "-0.0".
            drop = f" ({round(row['drop'][name], 1) + 0.0:.1f})" if told else ""
            cells.append(f"{100 * row[name]:.1f}{drop}")
        cells += [f"{100 * row['agreement']:.1f} %", f"{row['times_faster']:.2f}"]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def render(path: Path, rows: list[dict[str, Any]], measured_at: str) -> None:
    """Write the table between the two marks of a file."""
    text = path.read_text(encoding="utf-8")
    before, begin, rest = text.partition("<!-- compression:begin -->\n")
    _, end, after = rest.partition("<!-- compression:end -->")
    if not (begin and end):
        raise EdgeSerError(f"{path} lacks the marks of the compression table")
    with atomic_path(path) as temporary:
        measured = f"Measured at `{measured_at}`."
        content = f"{before}{begin}\n{markdown(rows)}\n\n{measured}\n\n{end}{after}"
        temporary.write_text(content, "utf-8")


def main() -> int:
    """Print the table; 0, or 2 for bad input."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, metavar="CORPORA")
    parser.add_argument("--runs", type=Path, default=Path("runs"), metavar="RUNS")
    parser.add_argument("--cache", type=Path, default=Path("cache"), metavar="DIR")
    parser.add_argument("--models", nargs="+", default=list(MODELS), metavar="FOLDER")
    parser.add_argument("--kinds", nargs="+", choices=tuple(KINDS), default=list(KINDS))
    parser.add_argument("--output", type=Path, metavar="FILE")
    parser.add_argument("--render", type=Path, metavar="FILE", help="write the table there")
    arguments = parser.parse_args()
    try:
        rows = compare(arguments)
        if arguments.render:
            render(arguments.render, rows, commit())
    except EdgeSerError as error:
        print(f"compression.py: error: {error}", file=sys.stderr)
        return 2
    print(table(rows))
    if arguments.output:
        write_json(arguments.output, {"commit": commit(), "rows": rows})
    return 0


if __name__ == "__main__":
    sys.exit(main())
