"""PulseAudio or PipeWire: is it there, does it answer, and what does it record from."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from edge.doctor.finding import Finding, error, ok, skipped, warning
from edge.doctor.look import Look
from edge.doctor.rights import captures
from edge.doctor.server_socket import Address, Answer, ask_pipewire, ask_pulse

__all__ = ["sound_server"]

# A server that is alive answers within 10 ms, on a busy small board within 200.
_ASK_S = 1.5
_START_S = 3.0
_TOOL_S = 2.0
_PORT = 4713
_RESTARTS = {
    "pulseaudio": "pulseaudio --kill; pulseaudio --start",
    "pipewire": "systemctl --user restart pipewire pipewire-pulse wireplumber",
}


def sound_server(look: Look) -> Iterator[Finding]:
    """Ask each server that there may be, in the order in which a client looks for them.

    Leaves ``server``, the state of the first that is there, or None; ``server_mend``, where it is
    not well; ``server_restart``; and of one that is alive ``is_muted`` and ``other_sources``.
    """
    look.notes["server"] = None
    for where, address in _addresses(look):
        is_pipewire = isinstance(address, Path) and address.name.startswith("pipewire-")
        ask = ask_pipewire if is_pipewire else ask_pulse
        answer = ask(address, look.within_s(_ASK_S))
        if answer.state == "silent" and _program(look, answer.pid) is None:
            # The system's manager holds the socket, and starts the server for who asks.
            answer = ask(address, look.within_s(_START_S))
        if answer.state == "absent" and not _was_named(look):
            continue
        look.notes["server"] = answer.state
        name = _program(look, answer.pid) or ("pipewire" if is_pipewire else "pulseaudio")
        restart = _RESTARTS["pipewire" if "pipewire" in name else "pulseaudio"]
        look.notes["server_restart"] = restart
        facts = {"state": answer.state, "address": where, "program": name}
        if answer.state == "alive":
            yield from _describe(look, name, facts)
        else:
            finding = _mourn(look, answer, restart, facts)
            look.notes["server_mend"] = finding.mend
            yield finding
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


def _addresses(look: Look) -> Iterator[tuple[str, Address]]:
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


def _mourn(look: Look, answer: Answer, restart: str, facts: Mapping[str, Any]) -> Finding:
    """Say why a server does not answer."""
    name = facts["program"]
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
            f"{name} belongs to another user, who alone may use it",
            "run edge-ser as the user who is logged in, or: edge-ser service --user",
            **facts,
        )
    if _was_named(look):
        return error(
            "PULSE_SERVER names a sound server that is not there", "unset PULSE_SERVER", **facts
        )
    return error(f"{name} left its socket and runs no more", restart, **facts)


def _program(look: Look, pid: int | None) -> str | None:
    """Name of a process; None where it is the system's manager, which opened the socket for it."""
    name = look.system.read(f"/proc/{pid}/comm") if pid else None
    return name if name and ("pulse" in name or "pipewire" in name) else None


def _is_stopped(look: Look, pid: int) -> bool:
    stat = look.system.read(f"/proc/{pid}/stat") or ""
    # The name in brackets may hold anything, also brackets.
    return stat.rpartition(")")[2].split()[:1] == ["T"]


def _describe(look: Look, name: str, facts: Mapping[str, Any]) -> Iterator[Finding]:
    """Say what a server that answers is, and what it records from where no microphone is named."""
    told = _told(look, "info")
    version = told.get("Server Version")
    sentence = f"{told.get('Server Name', name)} {version or ''}".strip()
    yield ok(f"{sentence} answers", **facts, version=version)
    source = told.get("Default Source", "")
    sources = _sources(look)
    if sources is None:
        return  # There is no pactl.
    about = {"default_source": source, "sources": sources}
    mute = _told(look, "get-source-mute", "@DEFAULT_SOURCE@").get("Mute")
    others = [each for each in sources if each != source and not each.endswith(".monitor")]
    look.notes |= {"is_muted": mute == "yes", "other_sources": others}
    if not sources:
        manager = "systemctl --user restart wireplumber" if "pipewire" in name else None
        yield warning(
            f"{name} knows no microphone",
            manager or "pactl list short cards, then plug the microphone in again",
            "source",
            **about,
        )
    elif mute == "yes":
        yield warning(
            f"the default source {source} is muted",
            "pactl set-source-mute @DEFAULT_SOURCE@ 0",
            "source",
            **about,
        )
    elif source.endswith(".monitor"):
        yield warning(
            f"the default source {source} hears a loudspeaker, no microphone",
            f"pactl set-default-source {shlex.quote(others[0])}"
            if others
            else "plug in a microphone, then: pactl list short sources",
            "source",
            **about,
        )
    else:
        yield ok(f"the default source is {source or 'not set'}", "source", **about)


def _told(look: Look, *words: str) -> dict[str, str]:
    ran = look.run(["pactl", *words], _TOOL_S)
    pairs = (line.partition(":") for line in ran.out.splitlines()) if ran.is_good else ()
    return {name.strip(): value.strip() for name, _, value in pairs}


def _sources(look: Look) -> list[str] | None:
    """Names of all that can be recorded from."""
    ran = look.run(["pactl", "list", "short", "sources"], _TOOL_S)
    if not ran.is_good:
        return None
    return [line.split("\t")[1] for line in ran.out.splitlines() if line.count("\t") > 1]
