"""``edge-ser-quantize train-gate``: the gate that tells speech from everything else."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.errors import ParameterError
from quantize.commands.numbers import of_setting, seed
from quantize.commands.options import (
    refuse_ignored,
)
from quantize.commands.paths import file_to_write
from quantize.training.gate.settings import GateTraining

if TYPE_CHECKING:
    from edge.features.spec import FeatureSpec

__all__ = ["add_command"]


def add_command(commands: Any) -> None:
    """Add ``train-gate`` to the parser."""
    parser = commands.add_parser(
        "train-gate",
        help="train the gate that tells speech from other sounds, and give it to artifacts",
        description="Train a speech gate of a few kilobytes on the voices of corpora against "
        "recorded and generated sounds. Speakers and recordings that "
        "benchmarks/gate measures on are left out. Run again after an "
        "interruption, it goes on with the scenes it has drawn.",
    )
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder that holds the corpora")
    parser.add_argument(
        "--sounds", type=Path, metavar="DIR", help="folder of folders of sounds that are no speech"
    )
    parser.add_argument(
        "--out", type=file_to_write, metavar="FILE", help="write the gate there, as JSON"
    )
    parser.add_argument(
        "--gate", type=Path, metavar="FILE", help="train nothing, take this one for --into"
    )
    parser.add_argument(
        "--into",
        nargs="+",
        type=Path,
        default=[],
        metavar="ARTIFACT",
        help="artifact folders to put the gate into; the first one's features are trained on",
    )
    parser.add_argument(
        "--cache",
        type=Path,
        default=Path("cache") / "gate",
        metavar="DIR",
        help="folder of drawn scenes (default: cache/gate)",
    )
    defaults = GateTraining()
    parser.add_argument("--seed", type=seed, metavar="N", default=defaults.seed)
    parser.add_argument(
        "--scenes",
        type=of_setting(GateTraining, "n_scenes"),
        default=defaults.n_scenes,
        metavar="N",
        help="of 8 s to learn from",
    )
    parser.add_argument(
        "--epochs", type=of_setting(GateTraining, "epochs"), default=defaults.epochs, metavar="N"
    )
    parser.add_argument(
        "--recall",
        type=of_setting(GateTraining, "wanted_recall"),
        default=defaults.wanted_recall,
        metavar="SHARE",
        help="of the speech of other speakers that must pass, down to 0 dB over noise "
        f"(default: {defaults.wanted_recall:g})",
    )
    parser.set_defaults(function=_train_gate)


def _train_gate(arguments: argparse.Namespace) -> int:
    from edge.artifact import read_artifact
    from edge.features.spec import FeatureSpec
    from quantize.export.gate import give_gate, read_gate, write_gate

    if arguments.gate is not None:
        refuse_ignored(
            arguments,
            "data",
            "sounds",
            "seed",
            "scenes",
            "epochs",
            "recall",
            why="is for training, and --gate trains nothing: leave one of them out",
        )
    into = [read_artifact(path) for path in arguments.into]
    spec = into[0].manifest.feature_spec if into else FeatureSpec()
    for artifact in into:
        if artifact.manifest.feature_spec != spec:
            raise ParameterError(
                f"{artifact.path} has other features than {into[0].path}: give each its own gate"
            )
    if arguments.gate is None:
        gate = _trained(arguments, spec)
    else:
        if arguments.out is not None or not into:
            raise ParameterError("--gate is for --into, and not with --out")
        gate = read_gate(arguments.gate, spec)
    if arguments.out is not None:
        write_gate(arguments.out, gate)
        print(f"{arguments.out}  {gate!r}")
    for path in arguments.into:
        print(f"{path}  sha256 {give_gate(path, gate).digest[:12]}")
    return 0


def _trained(arguments: argparse.Namespace, spec: FeatureSpec) -> Any:
    missing = [name for name in ("data", "sounds") if getattr(arguments, name) is None]
    if missing or (arguments.out is None and not arguments.into):
        wanted = " and ".join(f"--{name}" for name in missing) or "--out or --into"
        raise ParameterError(f"{wanted} is wanted to train a gate; see train-gate --help")
    settings = GateTraining(
        seed=arguments.seed,
        n_scenes=arguments.scenes,
        n_tune_scenes=max(1, arguments.scenes // 10),
        epochs=arguments.epochs,
        wanted_recall=arguments.recall,
    )
    from quantize.data.sound.recordings import find_sounds
    from quantize.training.gate.material import find_voices
    from quantize.training.gate.train import train_gate

    voices, sounds = find_voices(arguments.data), find_sounds(arguments.sounds)
    training = {
        "corpora": sorted({one.kind for one in voices}),
        "sounds": sorted({one.kind for one in sounds}),
        "held_out": sorted({one.source for one in voices if one.split == "test"}),
    }
    return train_gate(voices, sounds, spec, settings, arguments.cache, training)
