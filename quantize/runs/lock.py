"""One training at a time in a run folder, however its machine and file system tell."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Iterator
from typing import Any

import filelock

from quantize.basics.errors import TrainingError
from quantize.basics.files import write_json
from quantize.basics.json_files import load_json
from quantize.basics.progress import progress_note
from quantize.runs.files import RunFiles

__all__ = ["locked_for_training"]

#: How long another machine's training is watched for a sign of life: its epochs take seconds.
_WATCH_S = 5.0
_LOOK_S = 0.2


@contextlib.contextmanager
def locked_for_training(files: RunFiles) -> Iterator[None]:
    """Hold a run folder for one training; made where it is missing, empty of us afterwards.

    Raises
    ------
    TrainingError
        If another training is at work there, or the folder takes no files.
    """
    made = _make(files)
    lock = filelock.FileLock(files.lock, timeout=0)
    try:
        lock.acquire()
    except filelock.Timeout as error:
        raise TrainingError(
            f"{files.folder} is being trained in by {_who(_read(files))}: wait until it ends, or "
            "name another --out"
        ) from error
    except (OSError, NotImplementedError) as error:
        raise _unwritable(files, error) from error
    try:
        _watch(files)
        me = {"process": os.getpid(), "machine": socket.gethostname(), "since": _now()}
        write_json(files.at_work, me)
        yield
    finally:
        with contextlib.suppress(OSError):
            if _read(files).get("process") in (os.getpid(), None):
                files.at_work.unlink(missing_ok=True)
        # While it is held: whoever has opened it already is told by its lock that it is gone.
        with contextlib.suppress(OSError):
            files.lock.unlink(missing_ok=True)
        lock.release()
        for folder in made:
            # What was made for nothing goes away again.
            with contextlib.suppress(OSError):
                folder.rmdir()


def _make(files: RunFiles) -> list[Any]:
    """Make the folder; returns all that were made, the innermost first."""
    missing = [p for p in (files.folder, *files.folder.parents) if not p.exists()]
    try:
        files.folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(files, error) from error
    return missing


def _unwritable(files: RunFiles, error: Exception) -> TrainingError:
    reason = getattr(error, "strerror", None) or error
    return TrainingError(
        f"{files.folder} cannot be written ({reason}): name another --out, where the run can lie"
    )


def _watch(files: RunFiles) -> None:
    """Refuse where a training of another machine shows signs of life.

    A file system whose locks do not reach other machines gives us the lock all the same.
    """
    found = _read(files)
    if not found or found.get("machine") == socket.gethostname():
        # Of this machine, whose locks are to be trusted: whoever wrote it was killed.
        return
    progress_note(
        f"edge-ser-quantize: {files.folder} was left by {_who(found)}: looking whether it lives"
    )
    before = _signs(files)
    deadline_s = time.monotonic() + _WATCH_S
    while time.monotonic() < deadline_s:
        time.sleep(_LOOK_S)
        if _signs(files) != before:
            raise TrainingError(
                f"{files.folder} is being trained in by {_who(found)}: wait until it ends, or "
                "name another --out"
            )


def _signs(files: RunFiles) -> list[int | None]:
    """When the files that a training writes were last written."""
    times: list[int | None] = []
    for path in (files.at_work, files.history, files.state, files.config):
        try:
            times.append(path.stat().st_mtime_ns)
        except OSError:
            times.append(None)
    return times


def _read(files: RunFiles) -> dict[str, Any]:
    try:
        found = load_json(files.at_work)
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _who(found: dict[str, Any]) -> str:
    if "process" not in found:
        return "another process"
    return f"process {found['process']} on {found.get('machine')} since {found.get('since')}"


def _now() -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S")
