"""How far the features of two NumPy or Python versions are apart.

    python -m benchmarks.features.numpy_versions --save a.npz        # under every version
    python -m benchmarks.features.numpy_versions --compare a.npz b.npz ...

The signals are those of tests/parity/features.npz. `--compare` prints the largest absolute
difference of every feature, of every file from the first; pitch also as the frames on which
voiced and unvoiced disagree. Needs NumPy alone.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from edge import EdgeSerError, FeatureExtractor, FeatureSpec, ParameterError

FIXTURE = Path(__file__).resolve().parents[2] / "tests" / "parity" / "features.npz"
PITCH = 13
GROUPS = {
    "mfcc": (slice(0, 13), "dB"),
    "pitch": (slice(PITCH, PITCH + 1), "Hz"),
    "rms": (slice(14, 15), ""),
    "chroma": (slice(15, 27), ""),
    "contrast": (slice(27, 34), "dB"),
}


def fixture_rows() -> np.ndarray:
    """Rows of every signal of the fixture: extracted, then pushed 0.1 s at a time."""
    extractor, rows = FeatureExtractor(FeatureSpec()), []
    with np.load(FIXTURE, allow_pickle=False) as stored:
        for name in json.loads(str(stored["provenance"]))["signals"]:
            samples = stored[f"{name}.samples"].astype(np.float32) / np.float32(32768)
            rows.append(extractor.extract(samples))
            extractor.reset()
            blocks = (samples[at : at + 1600] for at in range(0, samples.size, 1600))
            rows.extend(extractor.push(block) for block in blocks)
    return np.concatenate(rows)


def save(path: Path) -> None:
    """Write the rows of this Python and this NumPy."""
    title = f"Python {platform.python_version()}, NumPy {np.__version__}, {platform.machine()}"
    partial = path.with_name(f".{path.name}.partial")
    with partial.open("wb") as file:
        np.savez_compressed(file, title=np.array(title), rows=fixture_rows())
    os.replace(partial, path)


def load(path: Path) -> tuple[str, np.ndarray]:
    """Read what `save` wrote."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            return str(stored["title"]), stored["rows"]
    except (OSError, ValueError, KeyError) as error:
        raise ParameterError(
            f"{str(path)!r} is no result of this script ({error}): write it with --save"
        ) from error


def compare(paths: Sequence[Path]) -> str:
    """Lay out the differences from the first file."""
    base, rows = load(paths[0])
    lines = [
        f"{len(rows)} rows; largest difference from {base}",
        f"{'':<36}"
        + "".join(f"{f'{name} {unit}'.strip():>12}" for name, (_, unit) in GROUPS.items())
        + f"{'voicing':>9}",
    ]
    for path in paths[1:]:
        title, others = load(path)
        if others.shape != rows.shape:
            raise ParameterError(
                f"{str(path)!r} has rows {others.shape}, {rows.shape} as in {str(paths[0])!r} "
                "are wanted: save both from one commit"
            )
        off = np.abs(others.astype(np.float64) - rows)
        voicing = int(((others[:, PITCH] > 0) != (rows[:, PITCH] > 0)).sum())
        lines.append(
            f"{title:<36}"
            + "".join(f"{off[:, columns].max():>12.1e}" for columns, _ in GROUPS.values())
            + f"{voicing:>9}"
        )
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Save or compare; 2 for bad input."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--save", type=Path, metavar="FILE")
    what.add_argument("--compare", type=Path, nargs="+", metavar="FILE")
    args = parser.parse_args(argv)
    try:
        if args.save is not None:
            save(args.save)
        else:
            print(compare(args.compare))
    except EdgeSerError as error:
        print(f"edge-ser: error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
