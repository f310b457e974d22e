"""``edge-ser-quantize embed``: what a large speech model hears in clips, a vector each."""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.errors import ParameterError
from quantize.basics.progress import progress_note
from quantize.commands.numbers import count
from quantize.commands.options import add_worker_options
from quantize.commands.paths import file_to_write
from quantize.commands.roots import add_root_options
from quantize.data.encoders.registry import ENCODERS, EncoderChoice

if TYPE_CHECKING:
    from quantize.data.corpora import FoundCorpora
    from quantize.data.corpora.usable import Usable

__all__ = ["add_command"]


def add_command(commands: Any) -> None:
    """Add ``embed`` to the parser."""
    parser = commands.add_parser(
        "embed",
        help="what a large speech model hears in clips, one vector each, for train --embeddings",
        description="Reads every recording, whatever its label, without the silence at its ends, "
        "and writes the mean over the frames of one layer of a large model's encoder. The weights "
        "are a folder of yours; nothing is downloaded. Run again after an interruption, it goes "
        "on where it left off.",
    )
    add_root_options(parser)
    parser.add_argument(
        "--encoder", choices=tuple(ENCODERS), required=True, help="the kind of large model"
    )
    parser.add_argument(
        "--weights",
        type=Path,
        required=True,
        metavar="DIR",
        help="its folder as Hugging Face publishes it: config.json and model.safetensors (or parts "
        "of it and their index, or pytorch_model.bin)",
    )
    parser.add_argument(
        "--layer",
        type=count,
        metavar="N",
        help="layer whose output is read, from 1: the first know the sound, the last the words "
        "(default: the middle one)",
    )
    parser.add_argument(
        "--out", type=file_to_write, required=True, metavar="FILE.npz", help="where the vectors go"
    )
    parser.add_argument(
        "--cache",
        type=Path,
        default=Path("cache"),
        metavar="DIR",
        help="folder that remembers which recordings can be used (default: cache)",
    )
    add_worker_options(parser, "compute vectors, each with the weights in its memory,")
    parser.add_argument("--json", action="store_true", help="print one object")
    parser.set_defaults(function=_embed)


def _embed(arguments: argparse.Namespace) -> int:
    from quantize.data.corpora.contents import ContentIndex
    from quantize.data.encoders.embedding import embed_clips
    from quantize.data.encoders.registry import open_encoder

    if arguments.out.suffix.lower() != ".npz":
        raise ParameterError(f"--out is {arguments.out}, a name that ends in .npz is wanted")
    choice = EncoderChoice(arguments.encoder, arguments.weights, arguments.layer)
    # Before the recordings are opened, which takes minutes where there are many.
    encoder = open_encoder(choice)
    found = _found(arguments)
    usable = _usable(arguments, found, encoder.n_least / encoder.sample_rate)
    del encoder
    for sentence in (*found.sentences(), *usable.sentences(), *usable.remarks()):
        progress_note(f"edge-ser-quantize: {sentence}")
    written = embed_clips(
        usable.clips,
        ContentIndex(arguments.cache).digests([clip.path for clip in usable.clips]),
        choice,
        arguments.out,
        n_workers=arguments.workers,
        cluster=arguments.cluster,
    )
    n_left_out = len(usable.ids_left_out)
    if arguments.json:
        record = dataclasses.asdict(written) | {"path": str(written.path)}
        print(json.dumps({**record, "n_left_out": n_left_out}))
    else:
        print(
            f"{written.path}  {written.n_clips} clips ({written.n_kept} of them from before), "
            f"{written.width} numbers each: {written.encoder}, layer {written.layer} of "
            f"{written.n_layers}"
        )
    return 0


def _found(arguments: argparse.Namespace) -> FoundCorpora:
    """Every recording, those of words without a label among them."""
    from quantize.data.corpora import CORPORA, find_corpora

    asked = [c for c in CORPORA.values() if c.name in (arguments.corpora or CORPORA)]
    # A vector needs no label, and a training may give these words one.
    words = {word: word for c in asked for word, label in c.labels.items() if label is None}
    return find_corpora(arguments.data, arguments.corpora, words)


def _usable(arguments: argparse.Namespace, found: FoundCorpora, least_s: float) -> Usable:
    """Those that can be heard."""
    from quantize.data.corpora.usable import usable_clips

    return usable_clips(
        found.clips,
        found.reports,
        least_s=least_s,
        folder=arguments.cache,
        n_workers=arguments.workers,
        cluster=arguments.cluster,
    )
