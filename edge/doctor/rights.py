"""Whether this user may open the sound cards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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

    Leaves ``rights_mend`` for the checks after it, where the cards may not be opened.
    """
    finding = _look_at(look)
    denied = finding.state == "error"
    look.notes["rights_mend"] = finding.mend if denied else None
    yield finding


def _look_at(look: Look) -> Finding:
    system = look.system
    nodes = captures(look)
    denied = [node for node in nodes if not system.may_use(system.path(node))]
    group, _ = _audio_group(look)
    facts: dict[str, Any] = {
        "n_captures": len(nodes),
        "n_denied": len(denied),
        "is_in_group": group is not None and group in system.group_ids,
        "is_root": system.user_id == 0,
    }
    if not nodes and look.notes.get("server") == "alive":
        return ok("no sound card is here, the sound server has the microphone", **facts)
    if not system.path("/dev/snd").exists():
        return _no_card(system.container(), facts)
    if not nodes:
        return warning(
            "no sound card here can record",
            "plug in a microphone, then: arecord -l",
            **facts,
        )
    if not denied:
        one = len(nodes) == 1
        return ok(
            f"this user may open {'the input' if one else f'all {len(nodes)} inputs'} of the sound "
            "cards",
            **facts,
        )
    if look.notes.get("server") == "alive":
        return ok(
            "this user may not open the sound cards, the sound server does it for this user",
            **facts,
        )
    return _why_denied(look, denied[0], facts)


def _no_card(container: str | None, facts: Mapping[str, Any]) -> Finding:
    # A sound server elsewhere may have a microphone: the devices are judged by themselves.
    if container:
        return skipped(
            f"this container ({container}) has no sound card (/dev/snd is not there)",
            "start it with the sound devices, with docker: --device /dev/snd --group-add audio",
            **facts,
        )
    return skipped(
        "this machine has no sound card (/dev/snd is not there)",
        "lsusb && sudo dmesg | grep -i audio, to see whether the microphone is recognised",
        **facts,
    )


def _why_denied(look: Look, node: str, facts: Mapping[str, Any]) -> Finding:
    system = look.system
    group, members = _audio_group(look)
    if group is None or group in system.group_ids:
        return error(
            f"this user may not open {node}, group audio or not",
            "sudo chgrp audio /dev/snd/* && sudo chmod g+rw /dev/snd/*",
            **facts,
        )
    if _is_member(look, members):
        return error(
            "this user was added to group audio after logging in, and may not open the sound cards "
            "yet",
            "log out and in again, or for this shell: newgrp audio",
            **facts,
        )
    mend = _JOIN
    if system.container():
        mend = "start it with the group, with docker: --group-add audio"
    return error("this user is not in group audio and may not open the sound cards", mend, **facts)


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
