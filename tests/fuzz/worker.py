"""The process that tries: one that dies is found out by the one that started it.

python -m fuzz.worker '{"target": ..., "folder": ..., "first": 0, "n": 100, ...}'
"""

from __future__ import annotations

import contextlib
import faulthandler
import json
import mmap
import os
import random
import shutil
import struct
import sys
import time
import traceback
import warnings
from pathlib import Path
from typing import Any

from edge.errors import EdgeSerError
from fuzz.guard import MAX_MB, Guard, limit_process
from fuzz.target import Target, Trial, UnsoundError, open_target

__all__ = ["PROGRESS", "keep_input", "main"]

_MAX_KEPT_BYTES = 4 << 20

#: Seed of the trial in progress, when it began (monotonic seconds), trials that ended in a typed
#: error and in a result, and the longest time and the most memory of any so far.
PROGRESS = struct.Struct("qdqqdd")


def main(argument: str) -> None:
    """Run the trials that a line of JSON names; findings go to ``findings.jsonl``."""
    task = json.loads(argument)
    folder = Path(task["folder"])
    faulthandler.enable()
    target = open_target(task["target"])
    seeds = folder / "seeds"
    seeds.mkdir(exist_ok=True)
    # What a warning says on a terminal is noise to a person, and an error to whoever asks for it.
    warnings.simplefilter("error")
    warnings.simplefilter("ignore", ResourceWarning)
    place = folder / "trial"
    os.environ["TMPDIR"] = str(place)
    target.prepare(seeds)
    # The first trial pays for what is imported lazily; it counts as any other, but not its time.
    with contextlib.suppress(Exception):
        _warm_up(target, task, place)
    guard = Guard(place, target.may_probe)
    limit_process(task["address_mb"])
    with open(folder / "progress", "r+b") as file:
        progress = mmap.mmap(file.fileno(), PROGRESS.size)
    n_refused = n_answered = 0
    worst_s = worst_mb = 0.0
    for seed in range(task["first"], task["first"] + task["n"]):
        now_s = time.monotonic()
        progress[:] = PROGRESS.pack(seed, now_s, n_refused, n_answered, worst_s, worst_mb)
        _empty(place)
        os.chdir(place)
        trial = Trial(random.Random(f"{task['target']}:{seed}"), place, task["product"])
        finding, took_s, grown_mb, refused = _judge(target, trial, guard, task["max_s"])
        worst_s, worst_mb = max(worst_s, took_s), max(worst_mb, grown_mb)
        if finding is not None:
            with open(folder / "findings.jsonl", "a") as file:
                file.write(json.dumps({"seed": seed, **finding}) + "\n")
            keep_input(place, task["save"], seed)
        n_refused += refused
        n_answered += not refused
    progress[:] = PROGRESS.pack(-1, time.monotonic(), n_refused, n_answered, worst_s, worst_mb)


def _warm_up(target: Target, task: dict[str, Any], place: Path) -> None:
    for seed in range(task["warm_up"]):
        _empty(place)
        os.chdir(place)
        with contextlib.suppress(Exception):
            target.draw(Trial(random.Random(f"warm-up:{seed}"), place, task["product"]))()


def _judge(
    target: Target, trial: Trial, guard: Guard, max_s: float
) -> tuple[dict[str, str] | None, float, float, bool]:
    """Try once: what was found, the time, the memory, and whether the input was refused."""
    kind = text = None
    refused = False
    give = target.draw(trial)
    guard.arm()
    try:
        give()
    except EdgeSerError as error:
        refused = True
        kind, text = _about_refusal(error)
    except UnsoundError as error:
        kind, text = "unsound", _last_lines(error)
    except BaseException as error:
        kind, text = "untyped", _last_lines(error)
    took_s, grown_mb, acts = guard.disarm()
    if acts:
        kind, text = "forbidden", f"{acts[0]}\n{text or ''}"
    elif kind is None and grown_mb > MAX_MB:
        kind, text = "memory", f"{grown_mb:.0f} MB more than before"
    elif kind is None and took_s > max_s:
        kind, text = "slow", f"{took_s:.2f} s of processor time"
    found = None if kind is None else {"kind": kind, "text": str(text)}
    return found, took_s, grown_mb, refused


def _about_refusal(error: EdgeSerError) -> tuple[str | None, str | None]:
    """A typed error is right unless it only wraps that memory ran out."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, MemoryError):
            return "memory", f"asked for more than there is: {_last_lines(error)}"
        cause = cause.__cause__ or cause.__context__
    if not str(error).strip():
        return "unsound", f"an error without a word: {_last_lines(error)}"
    return None, None


def _last_lines(error: BaseException) -> str:
    return "".join(traceback.format_exception(error, limit=-12))[-4000:]


def _empty(folder: Path) -> None:
    os.chdir(folder.parent)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(exist_ok=True)


def keep_input(folder: Path, save: str | None, seed: int) -> None:
    """Copy what a trial was given to where it can be looked at.

    Pipes, devices and huge files stay where they are: the seed makes them anew.
    """
    if save is None:
        return
    target = Path(save) / str(seed)
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    regular = [p for p in sorted(folder.rglob("*")) if p.is_file() and not p.is_symlink()]
    for path in regular[:50]:
        if path.stat().st_size <= _MAX_KEPT_BYTES:
            place = target / path.relative_to(folder)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, place)


if __name__ == "__main__":
    main(sys.argv[1])
