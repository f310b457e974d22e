"""A cheap look at whether anything changed that could bring a microphone back."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["boot_s", "sound_signature"]

_CARDS = Path("/proc/asound")
_NODES = Path("/dev/snd")


def boot_s() -> float:
    """Seconds that never go back, those during which the machine was asleep among them."""
    import time

    try:
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    except (AttributeError, OSError):
        return time.monotonic()


def sound_signature(cards: Path = _CARDS, nodes: Path = _NODES) -> tuple[object, ...]:
    """Tell the sockets of sound servers, the cards, and who has them, as something to compare.

    A few system calls, and none that a sound server notices: it may be made several times a second
    for weeks.

    Parameters
    ----------
    cards, nodes : Path
        Where the system shows its cards, and where it keeps their devices.

    Returns
    -------
    tuple
        Another one when a server was started, a card plugged in, let go by a program, or may be
        opened since.
    """
    try:
        listing = (cards / "cards").read_bytes()
    except OSError:
        listing = b""
    inputs = sorted(nodes.glob("pcmC*D*c"))
    usable = tuple((node.name, os.access(node, os.R_OK | os.W_OK)) for node in inputs)
    return listing, usable, _states(cards), tuple(_identity(path) for path in _sockets())


def _states(cards: Path) -> tuple[bytes, ...]:
    """The first line of each input's state: `closed`, or that somebody has it open."""
    states = []
    for path in sorted(cards.glob("card*/pcm*c/sub*/status")):
        try:
            states.append(path.read_bytes().split(b"\n", 1)[0])
        except OSError:
            states.append(b"")
    return tuple(states)


def _identity(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    # A file system in memory gives a number again at once.
    return found.st_ino, found.st_ctime_ns


def _sockets() -> list[str]:
    """Where the sockets of PulseAudio and PipeWire are looked for."""
    run = os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}"
    named = [
        word.removeprefix("unix:")
        for word in os.environ.get("PULSE_SERVER", "").split()
        if word.startswith(("unix:", "/"))
    ]
    own = os.environ.get("PULSE_RUNTIME_PATH")
    return [
        *named,
        *([f"{own}/native"] if own else []),
        f"{run}/pulse/native",
        f"{run}/pipewire-0",
        "/run/pulse/native",
        "/run/pipewire/pipewire-0",
    ]
