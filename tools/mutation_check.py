"""Change one line of the code at a time and see whether a test notices.

    python tools/mutation_check.py                    # every mutant of tools/mutants.toml
    python tools/mutation_check.py --only ring_buffer # those whose file or note holds a word
    python tools/mutation_check.py --list

A mutant names a file, a piece of its text that is there once, what stands there instead and the
tests that must fail then.  Each runs in a copy of the checkout, so nothing here is touched.  The
exit status is 1 when more survive than the list allows, 2 when the list no longer fits the code.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import dataclasses
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib

ROOT = Path(__file__).resolve().parent.parent
LIST = ROOT / "tools" / "mutants.toml"
#: A mutant may loop for ever, which a test's own limit ends; this is for what no test's limit sees.
TIMEOUT_S = 240
COPIED = ("edge", "edge_ser", "quantize", "tests", "tools", "benchmarks", "docs")
FILES = ("pyproject.toml", "README.md", "Makefile", "constraints.txt", "CHANGELOG.md")


@dataclasses.dataclass(frozen=True, slots=True)
class Mutant:
    """One change and the tests that should notice it."""

    file: str
    find: str
    put: str
    tests: tuple[str, ...]
    note: str

    @property
    def title(self) -> str:
        """What a line of the report calls it."""
        return f"{self.file}: {self.note}"


def read_list(path: Path = LIST) -> tuple[int, list[Mutant]]:
    """Read how many may survive, and the mutants.

    Raises
    ------
    ValueError
        If a mutant's text is not in its file exactly once, or changes nothing.
    """
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    mutants = [
        Mutant(m["file"], m["find"], m["put"], tuple(m["tests"]), m["note"])
        for m in content["mutant"]
    ]
    for mutant in mutants:
        n_found = (ROOT / mutant.file).read_text(encoding="utf-8").count(mutant.find)
        if n_found != 1 or mutant.find == mutant.put:
            raise ValueError(
                f"{mutant.title}: {mutant.find!r} is there {n_found} times, once is wanted: the "
                "code moved on, choose its line anew"
            )
        missing = [test for test in mutant.tests if not (ROOT / test.split("::")[0]).exists()]
        if missing:
            raise ValueError(f"{mutant.title}: there is no {missing[0]}")
    return int(content["may_survive"]), mutants


def copy_checkout(folder: Path) -> Path:
    """Copy what the tests need."""
    skipped = shutil.ignore_patterns("__pycache__", "*.pyc", "results")
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=skipped)
    for name in FILES:
        shutil.copy(ROOT / name, folder / name)
    return folder


def is_killed(mutant: Mutant, checkout: Path) -> bool:
    """Whether a test fails with the mutant in place; the checkout is put back."""
    path = checkout / mutant.file
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(mutant.find, mutant.put), encoding="utf-8")
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(checkout),
        "PYTHONDONTWRITEBYTECODE": "1",
        "HYPOTHESIS_STORAGE_DIRECTORY": str(checkout / ".hypothesis"),
    }
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *mutant.tests]
    try:
        done = subprocess.run(
            command, cwd=checkout, env=environment, capture_output=True, timeout=TIMEOUT_S,
            check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return True
    finally:
        path.write_text(text, encoding="utf-8")
    if done.returncode not in (0, 1, 2):
        sys.stderr.write(done.stdout.decode(errors="replace")[-2000:])
        raise RuntimeError(f"{mutant.title}: pytest ended with {done.returncode}")
    return done.returncode != 0


def check(mutants: list[Mutant], n_jobs: int) -> list[Mutant]:
    """Try every mutant; returns the survivors."""
    survivors = []
    with tempfile.TemporaryDirectory() as folder:
        checkouts = [copy_checkout(Path(folder) / f"checkout{job}") for job in range(n_jobs)]

        def share(job: int) -> list[Mutant]:
            alive = []
            for mutant in mutants[job::n_jobs]:
                killed = is_killed(mutant, checkouts[job])
                print(f"{'killed  ' if killed else 'SURVIVED'}  {mutant.title}", flush=True)
                if not killed:
                    alive.append(mutant)
            return alive

        with concurrent.futures.ThreadPoolExecutor(n_jobs) as pool:
            for alive in pool.map(share, range(n_jobs)):
                survivors += alive
    return survivors


def main(argv: list[str] | None = None) -> int:
    """Run the check and print a line for each mutant."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", metavar="WORD", help="mutants whose file or note holds WORD")
    parser.add_argument("--jobs", type=int, default=2, help="how many at once (default: 2)")
    parser.add_argument("--list", action="store_true", help="name the mutants and do nothing")
    args = parser.parse_args(argv)
    try:
        may_survive, mutants = read_list()
    except (OSError, ValueError, KeyError) as error:
        print(f"mutation_check: error: {error}", file=sys.stderr)
        return 2
    if args.only:
        mutants = [mutant for mutant in mutants if args.only in mutant.title]
    if args.list:
        print("\n".join(mutant.title for mutant in mutants))
        return 0
    survivors = check(mutants, max(1, args.jobs))
    print(f"{len(mutants) - len(survivors)} of {len(mutants)} killed, {may_survive} may survive")
    return 1 if len(survivors) > may_survive else 0


if __name__ == "__main__":
    sys.exit(main())
