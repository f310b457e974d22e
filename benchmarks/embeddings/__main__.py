"""How far vectors of ``edge-ser-quantize embed`` are from those that were made elsewhere.

    python -m benchmarks.embeddings --encoder whisper --weights DIR --data ROOT --against FILE ...

Some clips of every corpus are embedded anew, drawn evenly from those of which the files hold a
vector. Exit code 0: no vector's cosine with the other is below the bar, 1: one is, 2: it could not
be measured.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from edge import EdgeSerError, ParameterError
from quantize.basics.tables import aligned
from quantize.data.corpora import Clip, find_corpora
from quantize.data.corpora.contents import file_digest
from quantize.data.embeddings import Embeddings, read_embeddings
from quantize.data.encoders.embedding import embed_clips
from quantize.data.encoders.registry import ENCODERS, EncoderChoice


def drawn(clips: Sequence[Clip], against: Embeddings, n_clips: int) -> list[Clip]:
    """Up to so many clips of every corpus, of those that both sides know."""
    chosen: list[Clip] = []
    for corpus in dict.fromkeys(clip.corpus for clip in clips):
        known = [c for c in clips if c.corpus == corpus and against.find(c) is not None]
        places = np.linspace(0, len(known) - 1, min(n_clips, len(known))).round()
        chosen += [known[int(place)] for place in places]
    return chosen


def compare(
    clips: Sequence[Clip], ours: Embeddings, against: Embeddings
) -> tuple[list[list[str]], float]:
    """A line a corpus, and the least cosine of all."""
    rows, least = [], 1.0
    for corpus in dict.fromkeys(clip.corpus for clip in clips):
        some = [clip for clip in clips if clip.corpus == corpus]
        ours_of, theirs = (side.of(some).astype(np.float64) for side in (ours, against))
        lengths = np.linalg.norm(ours_of, axis=1) * np.linalg.norm(theirs, axis=1)
        cosine = (ours_of * theirs).sum(axis=1) / np.maximum(lengths, 1e-30)
        difference, largest = np.abs(ours_of - theirs).max(), np.abs(theirs).max()
        rows.append(
            [corpus, f"{len(some)}", f"{cosine.min():.9f}", f"{difference:.1e}", f"{largest:.2f}"]
        )
        least = min(least, float(cosine.min()))
    return rows, least


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.embeddings", description=__doc__)
    parser.add_argument("--encoder", choices=tuple(ENCODERS), required=True)
    parser.add_argument("--weights", type=Path, required=True, metavar="DIR")
    parser.add_argument("--layer", type=int, metavar="N", help="default: the middle one")
    parser.add_argument("--data", type=Path, nargs="+", required=True, metavar="ROOT")
    parser.add_argument("--against", type=Path, nargs="+", required=True, metavar="FILE")
    parser.add_argument("--clips", type=int, default=10, metavar="N", help="a corpus (default: 10)")
    parser.add_argument("--bar", type=float, default=0.9999, metavar="C", help="default: 0.9999")
    arguments = parser.parse_args(argv)
    try:
        against = read_embeddings(arguments.against)
        clips = drawn(find_corpora(arguments.data).clips, against, arguments.clips)
        if not clips:
            raise ParameterError("the files hold no vector of a clip that --data holds")
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "ours.npz"
            choice = EncoderChoice(arguments.encoder, arguments.weights, arguments.layer)
            made = embed_clips(clips, [file_digest(c.path) for c in clips], choice, out)
            ours = read_embeddings([out])
        if made.width != against.width:
            raise ParameterError(
                f"the files hold vectors of {against.width} numbers, the encoder gives {made.width}"
            )
        rows, least = compare(clips, ours, against)
    except EdgeSerError as error:
        print(f"benchmarks.embeddings: error: {error}", file=sys.stderr)
        return 2
    head = ["corpus", "clips", "least cosine", "largest difference", "largest number"]
    print(f"{made.encoder}, layer {made.layer} of {made.n_layers}, against {len(against)} vectors")
    print("\n".join(aligned([head, *rows])))
    return 0 if least >= arguments.bar else 1


if __name__ == "__main__":
    sys.exit(main())
