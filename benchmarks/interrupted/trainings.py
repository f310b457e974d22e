"""Trainings that are killed at any moment, found with files cut off, or begun twice at once.

``python -m benchmarks.interrupted.trainings`` trains a tiny model on a synthetic corpus in real
processes, and then

    kills   kills the training at a random moment, by SIGKILL and by SIGTERM, and gives the same
            command again
    cuts    cuts a random file of the folder off at a random place, of an interrupted training and
            of a finished one, and gives the same command again, or measures the run
    pairs   begins two trainings in one folder, a random moment apart

Each must end with the very weights of the training that nobody disturbed, or with one sentence,
and never with a traceback or a folder of two trainings.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import io
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
import torch._dynamo
from tqdm import tqdm

from edge.errors import EdgeSerError
from quantize.basics.files import atomic_path, write_json
from quantize.basics.progress import progress_bar
from quantize.commands import protocols as _evaluate
from quantize.commands.main import main as command
from quantize.data.corpora.synthetic import write_synthetic_corpus
from quantize.measure import pictures
from quantize.runs.files import RunFiles
from quantize.runs.provenance import commit
from quantize.runs.run import open_run
from quantize.training import train_run as _train

__all__ = ["main"]

# What the commands import when they run: once here, for all that are forked off. The compiler
# torch's optimisers ask for.
_IMPORTED = (_evaluate, _train, torch._dynamo)

RESULTS = Path("benchmarks/results/interrupted_trainings.json")

#: What ends with a sentence ends with this.
_REFUSED = 2


@dataclasses.dataclass
class Child:
    """A command in a process of its own, begun without the time that imports take."""

    pid: int
    told: Path
    code: int | None = None

    @classmethod
    def begin(cls, words: Sequence[str], told: Path) -> Child:
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid:
            return cls(pid, told)
        code = 70
        try:
            os.setsid()
            with open(told, "wb") as file:
                os.dup2(file.fileno(), 1)
                os.dup2(file.fileno(), 2)
            code = command(words)
        except SystemExit as error:
            code = int(error.code or 0)
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            with contextlib.suppress(Exception):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(code)

    def wait(self) -> int:
        """Its exit status; minus a signal's number where that ended it."""
        if self.code is None:
            self.code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.code

    def send(self, number: signal.Signals) -> None:
        if self.code is None and os.waitpid(self.pid, os.WNOHANG) == (0, 0):
            os.kill(self.pid, number)
        elif self.code is None:
            # It was quicker.
            self.code = 0

    def sentence(self) -> str:
        """The last line of what it said.

        Raises
        ------
        EdgeSerError
            If it said a traceback.
        """
        text = self.told.read_text(encoding="utf-8", errors="replace")
        if "Traceback" in text:
            raise EdgeSerError(f"a traceback: {text[-1500:]}")
        lines = [line for line in text.splitlines() if line.strip()]
        return lines[-1] if lines else ""


@dataclasses.dataclass
class Bench:
    """A corpus, a warm cache, and what an undisturbed training makes of them."""

    folder: Path
    chance: random.Random
    epochs: int = 4

    def __post_init__(self) -> None:
        write_synthetic_corpus(self.folder / "corpora", seed=0)
        self.run(self.words("cold"))
        # Whatever is made ready at a first use is ready for all that are forked off from here; not
        # a training, after whose gradients torch cannot be forked.
        torch.set_num_threads(1)
        with contextlib.redirect_stdout(io.StringIO()):
            command(self.measure("cold"))
        started_s = time.perf_counter()
        self.run(self.words("whole"))
        self.length_s = time.perf_counter() - started_s
        whole = open_run(self.folder / "whole")
        self.digest = whole.digest
        self.names = {path.name for path in whole.folder.iterdir()}

    def words(self, name: str) -> list[str]:
        data, cache = self.folder / "corpora", self.folder / "cache"
        words = ["train", "--data", str(data), "--cache", str(cache), "--workers", "1"]
        words += ["--corpora", "savee", "--recipe", "claf-ser-alone", "--hidden", "8"]
        words += ["--variants", "0", "--epochs", str(self.epochs), "--threads", "1"]
        return [*words, "--out", str(self.folder / name)]

    def measure(self, name: str) -> list[str]:
        data, cache = self.folder / "corpora", self.folder / "cache"
        words = ["evaluate", str(self.folder / name), "--data", str(data), "--cache", str(cache)]
        return [*words, "--workers", "1", "--corpora", "savee"]

    def run(self, words: Sequence[str]) -> Child:
        child = Child.begin(words, self.folder / "told.txt")
        child.wait()
        return child

    def check_whole(self, name: str) -> None:
        """Refuse a folder that is not what the undisturbed training left.

        Raises
        ------
        EdgeSerError
        """
        run = open_run(self.folder / name)
        if run.digest != self.digest:
            raise EdgeSerError(f"{name} has other weights")
        names = {path.name for path in run.folder.iterdir()}
        if names != self.names:
            raise EdgeSerError(f"{name} holds {sorted(names ^ self.names)} too much or not")
        if run.config != open_run(self.folder / "whole").config:
            raise EdgeSerError(f"{name} tells of another training")

    def interrupted(self, name: str) -> None:
        """Leave a training when its first state is there."""
        child = Child.begin(self.words(name), self.folder / "first.txt")
        files = RunFiles(self.folder / name)
        while not files.state.exists() and os.waitpid(child.pid, os.WNOHANG) == (0, 0):
            time.sleep(0.002)
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.kill(child.pid, signal.SIGKILL)
            child.wait()


def kills(bench: Bench, n: int) -> dict[str, int]:
    """Kill a training at random moments until it gets through."""
    counts = {"killed": 0, "killed before the first state": 0, "killed with a checkpoint": 0}
    for number in _counted(4 * n, "kills"):
        # Until so many were hit: some are quicker than the shot.
        if counts["killed"] == n:
            break
        how = signal.SIGTERM if number % 5 == 4 else signal.SIGKILL
        name = f"kill-{number}"
        files = RunFiles(bench.folder / name)
        child = Child.begin(bench.words(name), bench.folder / "told.txt")
        time.sleep(bench.chance.uniform(0.0, bench.length_s))
        child.send(how)
        code = child.wait()
        child.sentence()
        if code not in (0, -how, 128 + how):
            raise EdgeSerError(f"status {code} after {how.name}: {child.sentence()}")
        counts["killed"] += code != 0
        counts["killed before the first state"] += not files.state.exists() and code != 0
        counts["killed with a checkpoint"] += files.checkpoint.exists() and code != 0
        again = bench.run(bench.words(name))
        if again.wait():
            raise EdgeSerError(f"{name} does not go on: {again.sentence()}")
        again.sentence()
        bench.check_whole(name)
        shutil.rmtree(bench.folder / name)
    return counts


def cuts(bench: Bench, n: int) -> dict[str, int]:
    """Cut files off, of interrupted trainings and of finished ones."""
    counts = {"same weights": 0, "one sentence": 0}
    bench.interrupted("half")
    for number in _counted(n, "cuts"):
        name = f"cut-{number}"
        kind = ("half", "whole", "whole")[number % 3]
        shutil.copytree(bench.folder / kind, bench.folder / name)
        paths = sorted(p for p in (bench.folder / name).iterdir() if p.is_file())
        path = bench.chance.choice(paths)
        content = path.read_bytes()
        path.write_bytes(content[: bench.chance.randrange(max(1, len(content)))])
        words = bench.measure(name) if number % 3 == 2 else bench.words(name)
        child = bench.run(words)
        sentence = child.sentence()
        if child.wait() == _REFUSED and "edge-ser-quantize: error: " in sentence:
            counts["one sentence"] += 1
        elif child.wait() == 0:
            if open_run(bench.folder / name).digest != bench.digest:
                raise EdgeSerError(f"{path.name} cut off gives other weights")
            counts["same weights"] += 1
        else:
            raise EdgeSerError(f"{path.name} cut off: status {child.wait()}, {sentence}")
        shutil.rmtree(bench.folder / name)
    return counts


def pairs(bench: Bench, n: int) -> dict[str, int]:
    """Begin two trainings in one folder."""
    counts = {"second refused": 0, "second came after the end": 0}
    for number in _counted(n, "pairs"):
        name = f"pair-{number}"
        first = Child.begin(bench.words(name), bench.folder / "first.txt")
        time.sleep(bench.chance.uniform(0.0, 1.2 * bench.length_s))
        second = Child.begin(bench.words(name), bench.folder / "second.txt")
        codes = sorted([first.wait(), second.wait()])
        told = [first.sentence(), second.sentence()]
        if codes == [0, _REFUSED]:
            if not any("is being trained in by" in each for each in told):
                raise EdgeSerError(f"refused for another reason: {told}")
            counts["second refused"] += 1
        elif codes == [0, 0]:
            counts["second came after the end"] += 1
        else:
            raise EdgeSerError(f"two at once end with {codes}: {told}")
        bench.check_whole(name)
        shutil.rmtree(bench.folder / name)
    return counts


def _small_pictures() -> None:
    """Draw next to nothing: pictures would take two thirds of so short a training."""

    def save(_figure: object, path: Path) -> None:
        with atomic_path(path) as temporary:
            temporary.write_bytes(b"a picture")

    pictures.save_figure = save  # type: ignore[assignment]


def _counted(n: int, title: str) -> Iterator[int]:
    yield from progress_bar(range(n), n, title)


def main(argv: Sequence[str] | None = None) -> int:
    """Run it; 0 where nothing went wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.interrupted.trainings", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--cuts", type=int, default=100)
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=RESULTS, metavar="FILE")
    arguments = parser.parse_args(argv)
    # Its thread may hold a lock at the moment of a fork, for which the child would wait for ever.
    tqdm.monitor_interval = 0
    _small_pictures()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), random.Random(arguments.seed))
        found: dict[str, Any] = {
            "kills": {"n": arguments.kills, **kills(bench, arguments.kills)},
            "cuts": {"n": arguments.cuts, **cuts(bench, arguments.cuts)},
            "pairs": {"n": arguments.pairs, **pairs(bench, arguments.pairs)},
            "seconds of an undisturbed training": round(bench.length_s, 2),
            "seed": arguments.seed,
            "commit": commit(),
        }
    write_json(arguments.out, found)
    for name, counts in found.items():
        print(f"{name}: {counts}")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except EdgeSerError as error:
        print(f"interrupted: error: {error}", file=sys.stderr)
        sys.exit(1)
