"""Every accuracy in the README, from the corpora, with one command.

    python benchmarks/first_light.py --data CORPORA

Trains three seeds of the `paper` split and five speaker-disjoint folds, measures them
(checkpoint in torch, then the int8 artifacts in their own runtimes, language unknown)
and writes benchmarks/results/.  Interrupted, it goes on where it left off: about 15
minutes a training on one quiet core.  With --bundle it also trains on all clips and
writes the bundled models and their card.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from quantize.cli import main as quantize

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
KINDS = ("torch", "numpy-int8", "onnx-int8")
RECIPE = ("--precision", "bf16", "--threads", "1")
PAPER = {f"paper-s{seed}": ("--split", "paper", "--seed", str(seed)) for seed in range(3)}
SPEAKER = {f"spk-f{fold}": ("--split", "speaker", "--fold", str(fold)) for fold in range(5)}
BUNDLED = {"numpy-int8": "claf-ser-int8", "onnx-int8": "claf-ser-int8-onnx"}


def step(*words: str) -> None:
    """Run one command and stop at the first that fails."""
    print("edge-ser-quantize", *words, file=sys.stderr)
    code = quantize(words)
    if code:
        sys.exit(code)


def train(name: str, options: tuple[str, ...], arguments: argparse.Namespace) -> None:
    """Train a run unless it is there."""
    folder = arguments.runs / name
    if not (folder / "checkpoint.safetensors").is_file():
        step("train", *shared(arguments), "--out", str(folder), *RECIPE, *options)


def shared(arguments: argparse.Namespace) -> list[str]:
    """Options of every command that reads corpora."""
    return ["--data", str(arguments.data), "--cache", str(arguments.cache)]


def main() -> None:
    """Train what is missing, measure everything."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, metavar="CORPORA")
    parser.add_argument("--runs", type=Path, default=Path("runs"), metavar="DIR")
    parser.add_argument("--cache", type=Path, default=Path("cache"), metavar="DIR")
    parser.add_argument("--bundle", action="store_true", help="renew the bundled models too")
    arguments = parser.parse_args()
    for split, runs in (("paper", PAPER), ("speaker", SPEAKER)):
        for name, options in runs.items():
            train(name, options, arguments)
        folders = [str(arguments.runs / name) for name in runs]
        for kind in KINDS:
            report = RESULTS / f"{split}-{kind}.json"
            step("evaluate", *shared(arguments), *folders, "--kind", kind, "--json", str(report))
    if arguments.bundle:
        train("all", ("--split", "all"), arguments)
        for kind, name in BUNDLED.items():
            figures = [
                word
                for split in ("paper", "speaker")
                for word in ("--figures", str(RESULTS / f"{split}-{kind}.json"))
            ]
            out = ROOT / "edge" / "models" / name
            card = ["--card", str(out / "MODEL_CARD.md")] if kind == "numpy-int8" else []
            step(
                "export", str(arguments.runs / "all"), "--kind", kind, "--name", name,
                "--out", str(out), *figures, *card,
            )  # fmt: skip


if __name__ == "__main__":
    main()
