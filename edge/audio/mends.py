"""What a person can do about a microphone, as lines to paste."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

from edge.audio.identity import InputDevice

__all__ = ["loud_sentence", "muted_sentence", "rights_sentence"]

_SOUND_NODES = Path("/dev/snd")
_CARD = re.compile(r"\(hw:(\d+),\d+\)")


def rights_sentence(nodes: Path = _SOUND_NODES) -> str | None:
    """Say that this user may not open the sound cards, where that is so.

    Parameters
    ----------
    nodes : Path
        Where the system keeps them.

    Returns
    -------
    str or None
        None where there is no card with an input, or one that may be opened.
    """
    inputs = list(nodes.glob("pcmC*D*c"))
    if not inputs or any(os.access(node, os.R_OK | os.W_OK) for node in inputs):
        return None
    return (
        "this user may not open the sound cards, being in no group audio: "
        f"`sudo usermod -aG audio {shlex.quote(_user())}`, then log in again"
    )


def _user() -> str:
    uid = os.getuid()
    try:
        import pwd

        return pwd.getpwuid(uid).pw_name
    except (ImportError, KeyError):
        return str(uid)


def muted_sentence(device: InputDevice) -> str:
    """Say that nothing comes but zeros, and how it is switched on."""
    card = _CARD.search(device.name)
    line = (
        f"amixer -c {card[1]} sset Capture cap" if card else f"pactl set-source-mute {_source()} 0"
    )
    return (
        f"{device.name} has given nothing but digital zeros for 10 s, is it muted? "
        f"A switch on it, or `{line}`"
    )


def loud_sentence(device: InputDevice) -> str:
    """Say that it is cut off, and how it is turned down."""
    card = _CARD.search(device.name)
    line = (
        f"amixer -c {card[1]} sset Capture 50%"
        if card
        else f"pactl set-source-volume {_source()} 50%"
    )
    return f"{device.name} is too loud, its sound has been cut off for 10 s: `{line}`"


def _source() -> str:
    """The sound server's source that programs are led to."""
    return shlex.quote(os.environ.get("PULSE_SOURCE") or "@DEFAULT_SOURCE@")
