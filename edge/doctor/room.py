"""Memory and disk."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from edge.doctor.finding import Finding, error, ok, skipped, warning
from edge.doctor.look import Look

__all__ = ["disk", "memory"]

_MB = 1_000_000
# Resident while listening: at most 48 MB with NumPy and 90 MB with ONNX Runtime.
_NUMPY_BYTES, _ONNX_BYTES = 48 * _MB, 90 * _MB
# No room for a log line; and what logs and updates of some weeks take.
_FULL_BYTES, _SCARCE_BYTES = 5 * _MB, 100 * _MB


def memory(look: Look) -> Iterator[Finding]:
    """Memory that is left to this program, by the machine and by its container."""
    told = _meminfo(look)
    left = told.get("MemAvailable")
    if left is None:
        yield skipped("the system does not tell how much memory is left")
        return
    group_left = _left_in_group(look)
    facts: dict[str, Any] = {
        "available_bytes": left,
        "total_bytes": told.get("MemTotal"),
        "swap_free_bytes": told.get("SwapFree"),
        "container_bytes": group_left,
    }
    least, whose = left, "the machine"
    if group_left is not None and group_left < left:
        least, whose = group_left, "the container"
    sentence = f"{whose} has {least / _MB:.0f} MB of memory left"
    mend = "ps -eo rss,comm --sort=-rss | head -n 5, and stop what is not needed"
    if whose == "the container":
        mend = "start it with more, with docker: --memory 256m"
    if least < _NUMPY_BYTES:
        yield error(f"{sentence}, listening takes {_NUMPY_BYTES // _MB}", mend, **facts)
    elif least < _ONNX_BYTES:
        yield warning(
            f"{sentence}: enough for the numpy backend alone, onnx takes {_ONNX_BYTES // _MB}",
            mend,
            **facts,
        )
    else:
        yield ok(sentence, **facts)


def _meminfo(look: Look) -> dict[str, int]:
    found = {}
    for line in (look.system.read("/proc/meminfo") or "").splitlines():
        name, _, rest = line.partition(":")
        words = rest.split()
        if words and words[0].isdecimal():
            found[name] = 1024 * int(words[0])
    return found


def _left_in_group(look: Look) -> int | None:
    """What the control group leaves; None where it sets no limit."""
    number = look.system.read_number
    for limit, used in (
        ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
        (
            "/sys/fs/cgroup/memory/memory.limit_in_bytes",
            "/sys/fs/cgroup/memory/memory.usage_in_bytes",
        ),
    ):
        most = number(limit)
        if most is not None:
            # "No limit" of the old kind is a number near 2^63.
            return None if most > 1 << 60 else max(0, most - (number(used) or 0))
    return None


def disk(look: Look) -> Iterator[Finding]:
    """Room for logs and temporary files."""
    # Where temporary files go is asked without writing one.
    folders = ["/", look.system.environ.get("TMPDIR") or "/tmp"]
    seen: set[tuple[int, int]] = set()
    for folder in folders:
        try:
            space = look.system.space(look.system.path(folder))
        except OSError as problem:
            yield skipped(f"{folder} does not tell its room: {problem.strerror}", subject=folder)
            continue
        key = (space.free_bytes, space.total_bytes)
        if key in seen:
            continue
        seen.add(key)
        yield _room(folder, space.free_bytes, space.total_bytes, space.n_free_files)


def _room(folder: str, free: int, total: int, n_files: int | None) -> Finding:
    facts: dict[str, Any] = {"free_bytes": free, "total_bytes": total, "n_free_files": n_files}
    mend = "sudo journalctl --vacuum-size=50M && sudo apt-get clean"
    if folder != "/":
        mend = f"du -xh {folder} | sort -h | tail, and remove what is not needed"
    sentence = f"{folder} has {free / _MB:.0f} MB left"
    if total == 0:
        return ok(f"{folder} is a file system without a size", folder, **facts)
    if free < _FULL_BYTES:
        return error(f"{sentence}: it is full", mend, folder, **facts)
    if n_files == 0:
        return error(f"{folder} has room, but for no more files (inodes)", mend, folder, **facts)
    if free < _SCARCE_BYTES:
        return warning(f"{sentence}: logs will fill it", mend, folder, **facts)
    return ok(sentence, folder, **facts)
