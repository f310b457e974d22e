"""PulseAudio or PipeWire: is it there, does it answer, and what does it record from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from edge.doctor.finding import Finding, error, ok, skipped, warning
from edge.doctor.look import Look
from edge.doctor.rights import captures
from edge.doctor.server_socket import Answer, ask_pipewire, ask_pulse

__all__ = ["sound_server"]

# A server that is alive answers within 10 ms, on a busy small board within 200.
_ASK_S = 1.5
_TOOL_S = 2.0
_PORT = 4713
_RESTARTS = {
    "pulseaudio": "pulseaudio --kill; pulseaudio --start",
    "pipewire": "systemctl --user restart pipewire pipewire-pulse wireplumber",
}


def sound_server(look: Look) -> Iterator[Finding]:
    """Ask each server that there may be, in the order in which a client looks for them.

    Leaves ``server``, the state of the first that is there, or None, and ``server_mend``.
    """
    look.notes["server"] = None
    for where, address in _addresses(look):
        is_pipewire = isinstance(address, Path) and address.name.startswith("pipewire-")
        ask_s = look.within_s(_ASK_S)
        if is_pipewire and isinstance(address, Path):
            answer = ask_pipewire(address, ask_s)
        else:
            answer = ask_pulse(address, ask_s)
        if answer.state == "absent" and not _was_named(look):
            continue
        look.notes["server"] = answer.state
        finding = _judge(look, where, answer, "pipewire" if is_pipewire else "pulseaudio")
        look.notes["server_mend"] = finding.mend
        yield finding
        if answer.state == "alive":
            yield from _default_source(look)
        return
    if look.system.environ.get("SUDO_USER"):
        yield warning(
            "root has no sound server: it belongs to the user who called sudo",
            "run edge-ser without sudo",
        )
    elif captures(look):
        yield ok("no sound server is there, the sound cards are opened directly (ALSA)")
    else:
        yield skipped("no sound server is there")


def _was_named(look: Look) -> bool:
    return bool(look.system.environ.get("PULSE_SERVER"))


def _addresses(look: Look) -> Iterator[tuple[str, Path | tuple[str, int]]]:
    """Give where a server may listen, by its name for a sentence."""
    environ, path = look.system.environ, look.system.path
    named = environ.get("PULSE_SERVER", "").split()
    for text in named[:1]:
        # "{machine-id}unix:/path", "tcp:host:port", or a host alone.
        bare = re.sub(r"^\{[^}]*\}", "", text)
        if bare.startswith("unix:") or bare.startswith("/"):
            yield text, path(bare.removeprefix("unix:"))
        else:
            host, _, port = re.sub(r"^tcp[46]?:", "", bare).partition(":")
            yield text, (host, int(port) if port.isdecimal() else _PORT)
        return
    runtime = environ.get("XDG_RUNTIME_DIR") or f"/run/user/{look.system.user_id}"
    pulse = environ.get("PULSE_RUNTIME_PATH") or f"{runtime}/pulse"
    pipewire = environ.get("PIPEWIRE_RUNTIME_DIR") or runtime
    for name in (f"{pulse}/native", "/run/pulse/native", f"{pipewire}/pipewire-0"):
        yield name, path(name)


def _judge(look: Look, where: str, answer: Answer, kind: str) -> Finding:
    name = _program(look, answer.pid) or kind
    facts: dict[str, Any] = {"state": answer.state, "address": where, "program": name}
    restart = _RESTARTS["pipewire" if "pipewire" in name else "pulseaudio"]
    if answer.state == "alive":
        told = _told(look, "info")
        full = told.get("Server Name", name)
        version = told.get("Server Version", "")
        return ok(f"{full} {version}".strip() + " answers", **facts, version=version or None)
    if answer.state == "silent":
        if answer.pid is not None and _is_stopped(look, answer.pid):
            return error(
                f"{name} is stopped (SIGSTOP) and answers nothing",
                f"kill -CONT {answer.pid}",
                **facts,
            )
        return error(f"{name} is frozen: it answers nothing within {_ASK_S:g} s", restart, **facts)
    if answer.state == "forbidden":
        return error(
            f"{kind} belongs to another user, who alone may use it",
            "run edge-ser as the user who is logged in, or: edge-ser service --user",
            **facts,
        )
    if _was_named(look):
        return error(
            "PULSE_SERVER names a sound server that is not there", "unset PULSE_SERVER", **facts
        )
    return error(f"{kind} left its socket and runs no more", restart, **facts)


def _program(look: Look, pid: int | None) -> str | None:
    """Name of a process; None where it is the system's manager, which opened the socket for it."""
    name = look.system.read(f"/proc/{pid}/comm") if pid else None
    return name if name and ("pulse" in name or "pipewire" in name) else None


def _is_stopped(look: Look, pid: int) -> bool:
    stat = look.system.read(f"/proc/{pid}/stat") or ""
    # The name in brackets may hold anything, also brackets.
    return stat.rpartition(")")[2].split()[:1] == ["T"]


def _told(look: Look, *words: str) -> dict[str, str]:
    ran = look.run(["pactl", *words], _TOOL_S)
    pairs = (line.partition(":") for line in ran.out.splitlines()) if ran.is_good else ()
    return {name.strip(): value.strip() for name, _, value in pairs}


def _default_source(look: Look) -> Iterator[Finding]:
    """What the server records from where no microphone is named."""
    source = _told(look, "info").get("Default Source", "")
    if not source or source == "@DEFAULT_SOURCE@":
        return
    facts: dict[str, Any] = {"default_source": source}
    mute = _told(look, "get-source-mute", "@DEFAULT_SOURCE@").get("Mute")
    if mute == "yes":
        yield warning(
            f"the default source {source} is muted",
            "pactl set-source-mute @DEFAULT_SOURCE@ 0",
            "source",
            **facts,
        )
    elif source.endswith(".monitor"):
        yield warning(
            f"the default source {source} hears a loudspeaker, no microphone",
            "pactl list short sources, then: pactl set-default-source NAME",
            "source",
            **facts,
        )
    else:
        yield ok(f"the default source is {source}", "source", **facts)
