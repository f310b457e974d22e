"""What a trial may not do, and what it took.

The hook cannot be removed again: use this in a process of its own.
"""

from __future__ import annotations

import os
import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

__all__ = ["MAX_MB", "MAX_S", "Guard", "limit_process"]

#: Most processor time and most additional memory of a trial.
MAX_S = 1.0
MAX_MB = 256.0

_MAX_FILE_BYTES = 1 << 30
# The product tries a stranger's model in a process of its own: `python -m edge.runtimes.…`.
_PROBE = "edge.runtimes."
_PROGRAMS = frozenset(
    {
        "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.startfile",
        "os.system", "pty.spawn", "subprocess.Popen",
    }
)  # fmt: skip
_CHANGES = frozenset(
    {
        "os.chflags", "os.chmod", "os.chown", "os.link", "os.mkdir", "os.remove", "os.rename",
        "os.rmdir", "os.setxattr", "os.symlink", "os.truncate", "os.utime", "shutil.rmtree",
    }
)  # fmt: skip
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_HARMLESS = ("/dev/null", "/dev/tty")


class ForbiddenError(BaseException):
    """Not an ``Exception``, so that nobody takes it for an error that can be handled."""


class Guard:
    """Watches one trial after the other.

    Parameters
    ----------
    folder : Path
        The only place where files may be written.
    may_probe : bool
        Whether the product's own trial process may be started.
    """

    def __init__(self, folder: Path, may_probe: bool) -> None:
        self._folder = os.path.realpath(folder)
        self._may_probe = may_probe
        self._is_armed = False
        # Where the workstation's own code needs it, torch is there already.
        self._strict_torch = "torch" not in sys.modules
        self.seen: list[str] = []
        sys.addaudithook(self._hook)

    def arm(self) -> None:
        """Begin a trial."""
        self.seen = []
        self._modules = len(sys.modules)
        _forget_peak()
        self._before_kb = _status_kb("VmRSS")
        self._started_s = time.process_time()
        self._is_armed = True

    def disarm(self) -> tuple[float, float, list[str]]:
        """End a trial: processor seconds, megabytes above what was there, forbidden acts."""
        self._is_armed = False
        took_s = time.process_time() - self._started_s
        grown_mb = (_status_kb("VmHWM") - self._before_kb) / 1024
        if len(sys.modules) != self._modules:
            self._look_at_modules()
        return took_s, grown_mb, self.seen

    def _hook(self, event: str, args: tuple[Any, ...]) -> None:
        if not self._is_armed:
            return
        act = None
        if event == "open":
            act = self._opening(args)
        elif event in _PROGRAMS:
            if not (self._may_probe and _is_own_probe(event, args)):
                act = f"{event} {args!r}"[:300]
        elif event.startswith("socket."):
            # The name is looked up when a process asks for it, not when it is told.
            if event != "socket.gethostname":
                act = f"{event} {args!r}"[:300]
        elif event in _CHANGES:
            act = self._change(event, args)
        elif event == "pickle.find_class":
            act = f"{event} {args!r}"[:300]
        elif event == "import" and self._strict_torch and str(args[0]).partition(".")[0] == "torch":
            act = "import torch, whose archives are programs"
        if act is not None:
            self.seen.append(act)
            raise ForbiddenError(act)

    def _opening(self, args: Sequence[Any]) -> str | None:
        path, mode, flags = args
        writes = bool(flags & _WRITING) or any(letter in (mode or "") for letter in "wax+")
        if not writes or isinstance(path, int):
            return None
        return None if self._is_own(path) else f"open {path!r} for writing"

    def _change(self, event: str, args: Sequence[Any]) -> str | None:
        paths = [value for value in args if isinstance(value, str | bytes)]
        if event in ("os.link", "os.symlink"):
            paths = paths[1:]
        # A folder's descriptor stands for a folder that was opened, by a checked name.
        if any(isinstance(value, int) and value >= 0 for value in args[1:]):
            paths = [p for p in paths if os.path.isabs(os.fsdecode(p))]
        strangers = [path for path in paths if not self._is_own(path)]
        return f"{event} {strangers!r}"[:300] if strangers else None

    def _is_own(self, path: object) -> bool:
        try:
            text = os.fsdecode(path)  # type: ignore[arg-type]
            # The name may be a link to elsewhere; the folder of a new file counts.
            real = os.path.realpath(text)
        except (TypeError, ValueError, OSError):
            return True  # It cannot be opened either.
        return (real + os.sep).startswith(self._folder + os.sep) or real in _HARMLESS

    def _look_at_modules(self) -> None:
        for name, module in list(sys.modules.items())[self._modules :]:
            origin = getattr(module, "__file__", None)
            if origin is not None and os.path.realpath(origin).startswith(self._folder + os.sep):
                self.seen.append(f"import of {name} from {origin}")


def limit_process(extra_mb: int) -> None:
    """Let the process ask for no more memory than this on top of what it has.

    Nor write more to a file than is missed by nobody: what is tested may copy a hole.
    """
    most = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (_MAX_FILE_BYTES, most))
    limit = _status_kb("VmSize") * 1024 + (extra_mb << 20)
    resource.setrlimit(resource.RLIMIT_AS, (limit, resource.getrlimit(resource.RLIMIT_AS)[1]))


def _is_own_probe(event: str, args: Sequence[Any]) -> bool:
    if event not in ("subprocess.Popen", "os.posix_spawn", "os.fork"):
        return False
    return event == "os.fork" or any(
        isinstance(argument, list | tuple) and _is_probe(list(map(str, argument)))
        for argument in args
    )


def _is_probe(command: list[str]) -> bool:
    is_module = "-m" in command and command[command.index("-m") + 1].startswith(_PROBE)
    return is_module and command[0] == sys.executable


def _forget_peak() -> None:
    descriptor = os.open("/proc/self/clear_refs", os.O_WRONLY)
    try:
        os.write(descriptor, b"5")
    finally:
        os.close(descriptor)


def _status_kb(key: str) -> int:
    with open("/proc/self/status", "rb") as file:
        for line in file:
            if line.startswith(key.encode() + b":"):
                return int(line.split()[1])
    raise OSError(f"no {key} in /proc/self/status")
