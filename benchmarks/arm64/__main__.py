"""Boards with an Arm processor, without one: labels and instructions under emulation.

    python -m benchmarks.arm64 --work DIR --output benchmarks/results/arm64.json
    python -m benchmarks.arm64 --work DIR --check

The first builds Debian for arm64 and armv7 in DIR (as root, once), installs the wheel of this
checkout there and answers for clips on every processor and runtime, compares the answers with this
machine's, and counts the instructions of every stage.  What is finished is kept in DIR: the same
command goes on where it was ended.  The second counts again.

The exit code is 0 where everything answered as this machine does; 1 where a runtime crashed on a
processor, gave another label or, with --check, a stage takes over 2 % more than the results keep:
everything else is done and kept all the same; 2 where something is missing that it needs.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.arm64.boards import CORES
from benchmarks.arm64.measuring import PARTS, Measuring, Wishes
from benchmarks.arm64.report import checked, report, table
from edge.errors import EdgeSerError, ParameterError

_ROOT = Path(__file__).resolve().parents[2]
_RESULTS = _ROOT / "benchmarks" / "results" / "arm64.json"


def _words(text: str, known: tuple[str, ...]) -> tuple[str, ...]:
    words = tuple(filter(None, text.split(",")))
    for word in words:
        if word not in known:
            raise ParameterError(f"{word!r} is none of {', '.join(known)}")
    return words


def main(arguments: list[str] | None = None) -> int:
    """Run it; the exit code is 1 where a runtime crashed or differs, or a stage takes more."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.arm64", description="Boards with an Arm processor without one."
    )
    parser.add_argument(
        "--work", type=Path, metavar="DIR", default=Path.home() / ".cache" / "edge-ser-arm64",
        help="where Debian lies and what is finished is kept, 1 GB (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument("--clips", type=int, default=50, metavar="N", help="how many clips")
    parser.add_argument(
        "--audio", type=Path, metavar="DIR", help="clips of your own instead of those that are made"
    )
    parser.add_argument(
        "--cpus", default=",".join(CORES), metavar="LIST", help="processors (default: %(default)s)"
    )
    parser.add_argument(
        "--runtimes", default="numpy,onnx,tflite", metavar="LIST", help="(default: %(default)s)"
    )
    parser.add_argument(
        "--models", default="tiny,full", metavar="LIST", help="(default: %(default)s)"
    )
    parser.add_argument(
        "--parts", default=",".join(PARTS), metavar="LIST",
        help="what is done of it (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--runs", type=int, default=8, metavar="N", help="runs of a stage (default: %(default)s)"
    )
    parser.add_argument(
        "--output", type=Path, default=_RESULTS, metavar="FILE", help="(default: %(default)s)"
    )
    parser.add_argument(
        "--check", action="store_true", help="count again and compare with what FILE keeps"
    )
    given = parser.parse_args(arguments)
    try:
        if given.clips < 1 or given.runs < 1:
            raise ParameterError(f"{given.clips} clips and {given.runs} runs are not 1 or more")
        wishes = Wishes(
            work=given.work.resolve(),
            n_clips=given.clips,
            audio=given.audio,
            cpus=_words(given.cpus, tuple(CORES)),
            runtimes=_words(given.runtimes, ("numpy", "onnx", "tflite")),
            models=_words(given.models, ("tiny", "full")),
            parts=("counts",) if given.check else _words(given.parts, PARTS),
            n_runs=given.runs,
        )
        if given.check:
            sentences = checked(Measuring(_ROOT, wishes), given.output)
            print("\n".join(sentences) or "no stage takes more instructions than were kept")
            return 1 if sentences else 0
        measuring = Measuring(_ROOT, wishes)
        print(table(report(measuring, given.output)))
    except (EdgeSerError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    for sentence in measuring.troubles:
        print(sentence, file=sys.stderr)
    return 1 if measuring.troubles else 0


if __name__ == "__main__":
    raise SystemExit(main())
