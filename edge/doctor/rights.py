"""Whether this user may open the sound cards."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from edge.doctor.finding import Finding, error, ok, skipped, warning
from edge.doctor.look import Look

__all__ = ["captures", "rights"]

_JOIN = 'sudo usermod -aG audio "$USER", then log out and in again'


def captures(look: Look) -> list[str]:
    """Give the inputs of the sound cards."""
    return look.system.find("/dev/snd/pcmC*D*c")


def rights(look: Look) -> Iterator[Finding]:
    """Look at /dev/snd, the group that owns it, and ours.

    Leaves ``is_denied`` for the checks after it.
    """
    system = look.system
    nodes = captures(look)
    denied = [node for node in nodes if not system.may_use(system.path(node))]
    look.notes["is_denied"] = bool(denied)
    group, members = _audio_group(look)
    facts: dict[str, Any] = {
        "n_captures": len(nodes),
        "n_denied": len(denied),
        "is_in_group": group is not None and group in system.group_ids,
        "is_root": system.user_id == 0,
    }
    container = system.container()
    if not system.path("/dev/snd").exists():
        where = f"this container ({container})" if container else "this machine"
        mend = (
            "start it with the sound devices, with docker: --device /dev/snd --group-add audio"
            if container
            else "lsusb && sudo dmesg | grep -i audio, to see whether the microphone is recognised"
        )
        # A sound server may have a microphone from elsewhere: the devices are judged by themselves.
        yield skipped(f"{where} has no sound card (/dev/snd is not there)", mend, **facts)
    elif not nodes:
        yield warning(
            "no sound card here can record",
            "plug in a microphone, then: arecord -l",
            **facts,
        )
    elif not denied:
        one = len(nodes) == 1
        yield ok(
            f"this user may open {'the input' if one else f'all {len(nodes)} inputs'} of the sound "
            "cards",
            **facts,
        )
    elif look.notes.get("server") == "alive":
        yield ok(
            "this user may not open the sound cards, the sound server does it for this user",
            **facts,
        )
    elif group is not None and group not in system.group_ids and _is_member(look, members):
        yield error(
            "this user was added to group audio after logging in, and may not open the sound cards "
            "yet",
            "log out and in again, or for this shell: newgrp audio",
            **facts,
        )
    elif group is not None and group not in system.group_ids:
        mend = _JOIN
        if container:
            mend = "start it with the group, with docker: --group-add audio"
        yield error(
            "this user is not in group audio and may not open the sound cards", mend, **facts
        )
    else:
        yield error(
            f"this user may not open {denied[0]}, group audio or not",
            "sudo chgrp audio /dev/snd/* && sudo chmod g+rw /dev/snd/*",
            **facts,
        )


def _audio_group(look: Look) -> tuple[int | None, list[str]]:
    for line in (look.system.read("/etc/group") or "").splitlines():
        name, _, rest = line.partition(":")
        fields = rest.split(":")
        if name == "audio" and len(fields) >= 3 and fields[1].isdecimal():
            return int(fields[1]), [member for member in fields[2].split(",") if member]
    return None, []


def _is_member(look: Look, members: list[str]) -> bool:
    """Whether the group's list has us already."""
    for line in (look.system.read("/etc/passwd") or "").splitlines():
        fields = line.split(":")
        if len(fields) > 2 and fields[2] == str(look.system.user_id):
            return fields[0] in members
    return False
