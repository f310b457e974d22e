"""Feature caches that were truncated, changed, killed while filling and filled by two at once.

    python -m benchmarks.interrupted.caches --output benchmarks/results/interrupted_caches.json

Each trial ends with a load, whose rows must be those that one process computes in a fresh folder:
never a traceback, never a stale or a wrong row.  The corpus is synthetic.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import io
import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.shared.git_state import git_state
from edge.audio.file import write_wav
from quantize.basics.files import write_json
from quantize.data.corpora import Clip, load_corpora
from quantize.data.corpora.synthetic import write_synthetic_corpus
from quantize.data.features import cache as cache_module
from quantize.data.features.cache import FeatureCache

_EVERY = 6
_CONDITION = "babble-5dB"

_Loaded = dict[str, NDArray[Any]]


def main(argv: Sequence[str] | None = None) -> int:
    """Run all trials, print and write what came of them; 1 when a load was wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=100, help="of damaged files (default: 100)")
    parser.add_argument("--kills", type=int, default=50, help="(default: 50)")
    parser.add_argument("--pairs", type=int, default=10, help="two at once (default: 10)")
    parser.add_argument("--output", type=Path, metavar="FILE", help="JSON")
    parser.add_argument("--fill", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args(argv)
    # Small files, so that of a few clips there are some before a kill and some after.
    cache_module._CLIPS_A_TASK = cache_module._CLIPS_A_PART = 2
    if arguments.fill:
        return _fill(*map(Path, arguments.fill))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_synthetic_corpus(folder / "corpora")
        clips = _clips(folder / "corpora")
        truth = _digest(_load(clips, folder / "truth"))
        rng = np.random.default_rng(0)
        found = {
            "truncated": _damaged(clips, folder, truth, rng, arguments.trials, _cut),
            "flipped": _damaged(clips, folder, truth, rng, arguments.trials, _flip),
            "killed": _killed(clips, folder, truth, rng, arguments.kills),
            "two_at_once": _pairs(clips, folder, truth, arguments.pairs),
            "recorded_anew": _recorded_anew(clips, folder, rng, 20),
        }
    about = git_state("quantize", "benchmarks/interrupted")
    result = {**about, "n_clips": len(clips), "loads": 3, **found}
    print(json.dumps(result, indent=2))
    if arguments.output:
        write_json(arguments.output, result)
    return int(any(part["wrong"] or part["tracebacks"] for part in found.values()))


def _clips(root: Path) -> list[Clip]:
    return load_corpora(root)[0][::_EVERY]


def _load(clips: Sequence[Clip], folder: Path) -> list[_Loaded]:
    """Clean, augmented and in babble."""
    cache = FeatureCache(folder)
    return [cache.load(clips), cache.load(clips, 1), cache.load_condition(clips, _CONDITION)]


def _digest(loads: Sequence[Mapping[str, NDArray[Any]]]) -> str:
    digest = hashlib.sha256()
    for rows in loads:
        for clip_id, one in sorted(rows.items()):
            digest.update(f"{clip_id} {one.dtype} {one.shape}".encode() + one.tobytes())
    return digest.hexdigest()


def _fill(data: Path, folder: Path) -> int:
    """What a process does that is killed, or is one of two."""
    clips = _clips(data)
    print("begins", flush=True)
    print(_digest(_load(clips, folder)), flush=True)
    return 0


def _start(folder: Path, cache: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "benchmarks.interrupted.caches", "--fill"]
    process = subprocess.Popen(
        [*command, str(folder / "corpora"), str(cache)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "begins\n"
    return process


class _Counts:
    """What came of some loads."""

    def __init__(self) -> None:
        self._counts = Counter(trials=0, wrong=0, tracebacks=0)

    def add(self, said: str, is_right: bool, **more: int) -> None:
        self._counts.update(trials=1, wrong=not is_right, tracebacks="Traceback" in said, **more)

    def checked(self, clips: Sequence[Clip], cache: Path, truth: str, **more: int) -> str:
        """Load and compare; gives what was said."""
        said = io.StringIO()
        is_right = False
        with contextlib.redirect_stderr(said):
            try:
                is_right = _digest(_load(clips, cache)) == truth
            except Exception as error:
                said.write(f"Traceback: {error!r}")
        n_lines = sum("edge-ser-quantize:" in x for x in said.getvalue().splitlines())
        self.add(said.getvalue(), is_right, lines=n_lines, **more)
        return said.getvalue()

    def __call__(self) -> dict[str, int]:
        return dict(self._counts)


def _cut(content: bytes, rng: np.random.Generator) -> bytes:
    return content[: int(rng.integers(len(content)))]


def _flip(content: bytes, rng: np.random.Generator) -> bytes:
    changed = bytearray(content)
    changed[int(rng.integers(len(changed)))] ^= 1 << int(rng.integers(8))
    return bytes(changed)


def _damaged(
    clips: Sequence[Clip],
    folder: Path,
    truth: str,
    rng: np.random.Generator,
    n_trials: int,
    damage: Any,
) -> dict[str, int]:
    counts = _Counts()
    cache = folder / "damaged"
    _load(clips, cache)
    for _ in range(n_trials):
        files = sorted(p for p in cache.rglob("*") if p.suffix in (".rows", ".json"))
        # By size: a place is a byte of the cache.
        sizes = np.array([path.stat().st_size for path in files], dtype=float)
        path = files[int(rng.choice(len(files), p=sizes / sizes.sum()))]
        path.write_bytes(damage(path.read_bytes(), rng))
        counts.checked(clips, cache, truth)
    return counts()


def _killed(
    clips: Sequence[Clip], folder: Path, truth: str, rng: np.random.Generator, n_kills: int
) -> dict[str, int]:
    counts = _Counts()
    began_s = time.monotonic()
    process = _start(folder, folder / "whole")
    began_s = time.monotonic()
    process.communicate()
    whole_s = time.monotonic() - began_s
    for number in range(n_kills):
        cache = folder / f"killed-{number}"
        process = _start(folder, cache)
        time.sleep(rng.uniform(0, whole_s))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        n_parts = len(list(cache.rglob("*.rows")))
        counts.checked(clips, cache, truth, parts_found=n_parts)
        shutil.rmtree(cache)
    return counts()


def _pairs(clips: Sequence[Clip], folder: Path, truth: str, n_pairs: int) -> dict[str, int]:
    counts = _Counts()
    for number in range(n_pairs):
        cache = folder / f"pair-{number}"
        for process in [_start(folder, cache), _start(folder, cache)]:
            out, said = process.communicate()
            counts.add(said, process.returncode == 0 and out.strip() == truth)
        counts.checked(clips, cache, truth)
        shutil.rmtree(cache)
    return counts()


def _recorded_anew(
    clips: Sequence[Clip], folder: Path, rng: np.random.Generator, n_trials: int
) -> dict[str, int]:
    """Other audio under an old name, after a load that knows the old one."""
    counts = _Counts()
    cache = folder / "anew"
    _load(clips, cache)
    for number in range(n_trials):
        clip = clips[int(rng.integers(len(clips)))]
        noise = 0.1 * rng.standard_normal(int(rng.integers(16_000, 24_000)))
        write_wav(clip.path, noise, 16_000)
        fresh = _digest(_load(clips, folder / f"fresh-{number}"))
        counts.checked(clips, cache, fresh)
        shutil.rmtree(folder / f"fresh-{number}")
    return counts()


if __name__ == "__main__":
    sys.exit(main())
