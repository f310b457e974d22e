"""Write docs/benchmarks.md from the results of the benchmarks: a table for every file there is.

    python -m benchmarks.page                       # or: make benchmarks-page

The text depends on the files alone: the same results give the same bytes.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.page_tables import (
    arm64,
    device,
    figures,
    footprint,
    models,
    repeatability,
    streams,
)
from edge.errors import EdgeSerError, ParameterError
from edge.files import atomic_path

__all__ = ["main", "render"]

_ROOT = Path(__file__).resolve().parents[1]
_RESULTS, _PAGE = _ROOT / "benchmarks" / "results", _ROOT / "docs" / "benchmarks.md"

Result = Mapping[str, Any]

#: By file: the heading, what the reader must know first, and the tables.
_SECTIONS: dict[str, tuple[str, str, Callable[[Result], Iterator[str]]]] = {
    "pipeline": (
        "A decision, next to the paper's pipeline",
        "librosa's defaults and CLAF-SER in torch, which work out the whole segment anew for every "
        "decision, take turns with ours. Steady: a segment of 2 s, a decision every 0.5 s. Cold: "
        "a first segment.",
        figures,
    ),
    "footprint": (
        "Memory, start and size",
        "From the start of the process to the first decision, next to minimal scripts that do the "
        "same with librosa, each in an environment of its own.",
        footprint,
    ),
    "streams": (
        "How many streams a core serves",
        "Live streams that all speak, until the 99th percentile of the time from a block to its "
        "decision is longer than the hop.",
        streams,
    ),
    "features_peers": (
        "Features, next to others",
        "Other features are other features: the times say what a user of them pays, no more.",
        figures,
    ),
    "model_peers": (
        "Models of about the same size",
        "Built as their papers describe them with random weights: latency and size alone, and "
        "nothing of accuracy.",
        models,
    ),
    "arm64": (
        "Boards with an Arm processor, emulated",
        "No board was measured. Labels are compared under emulation, instructions are counted; "
        "milliseconds are **estimates** from them, by the assumptions below.",
        arm64,
    ),
    "device": (
        "What `edge-ser benchmark` says here",
        "The command itself, as anybody can run it; [boards](boards.md) has the others'.",
        device,
    ),
    "repeatability": (
        "Whether two runs agree",
        "Pairs of runs of the same thing: every change beyond noise is a wrong one.",
        repeatability,
    ),
}

_HEAD = """\
# Benchmarks

"Is this really faster than what I would use otherwise?" Every table names the command that makes
it again, the commit it was made with and the machine. `benchmarks/results/` has all figures. What
it costs on your own device says [`edge-ser benchmark`](benchmark.md); how right the models are,
[results](results.md).

This page is written by `make benchmarks-page`.
"""


def render(results: Mapping[str, Result]) -> str:
    """Lay results out as Markdown.

    Parameters
    ----------
    results : mapping of str to mapping
        Contents of the files by their names without ``.json``; others are left out.

    Returns
    -------
    str
    """
    parts = [_HEAD]
    for name, (heading, about, tables) in _SECTIONS.items():
        if name in results:
            result = results[name]
            parts += [f"## {heading}\n", f"{about}\n", *(f"{t}\n" for t in tables(result))]
            parts.append(f"{_source(name, result)}\n")
    missing = [name for name in _SECTIONS if name not in results]
    if missing:
        names = ", ".join(f"`{name}.json`" for name in missing)
        parts.append(f"## Not measured yet\n\n{names}.\n")
    return "\n".join(parts)


def _source(name: str, result: Result) -> str:
    machine = result.get("machine") or {}
    words = [f"`benchmarks/results/{name}.json`"]
    if result.get("command"):
        words.append(f"`{result['command']}`")
    commit = result.get("commit")
    changed = " with changes" if result.get("modified") else ""
    words.append(f"commit `{commit[:12]}`{changed}" if commit else "no commit")
    on = machine.get("board") or machine.get("cpu") or machine.get("architecture") or "not named"
    load = (result.get("load_average") or machine.get("load_average") or [None])[0]
    words.append(f"{on}, {machine.get('usable_cpus')} CPUs, Python {machine.get('python')}, "
                 f"NumPy {machine.get('numpy')}")  # fmt: skip
    if load is not None:
        words.append(f"load {load}")
    return f"<small>{'; '.join(words)}.</small>"


def main(arguments: list[str] | None = None) -> int:
    """Write the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.page",
                                     description=(__doc__ or "").splitlines()[0])  # fmt: skip
    parser.add_argument("--results", type=Path, default=_RESULTS, metavar="DIR")
    parser.add_argument("--output", type=Path, default=_PAGE, metavar="FILE")
    args = parser.parse_args(arguments)
    try:
        text = render(read(args.results))
        with atomic_path(args.output) as temporary:
            temporary.write_text(text, encoding="utf-8")
    except (EdgeSerError, OSError) as error:
        print(f"edge-ser: error: {error}", file=sys.stderr)
        return 2
    return 0


def read(folder: Path) -> dict[str, Result]:
    """Read what of the sections' files is there.

    Raises
    ------
    ParameterError
        If one is no JSON.
    """
    found = {}
    for name in _SECTIONS:
        path = folder / f"{name}.json"
        if path.is_file():
            try:
                found[name] = json.loads(path.read_text(encoding="utf-8"))
            except ValueError as error:
                raise ParameterError(f"{path} is no JSON ({error}): make it anew") from error
    return found


if __name__ == "__main__":
    sys.exit(main())
