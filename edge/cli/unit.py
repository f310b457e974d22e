"""A systemd unit that runs ``edge-ser listen`` with next to no rights."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence

__all__ = ["UnitSettings", "quoted", "unit_text"]

#: Seconds without audio, and without an attempt to open a microphone, after which the process is
#: taken for hung.  A frozen sound server holds up one attempt for half a minute.
WATCHDOG_S = 90

#: Where homes are; ProtectHome=yes hides all of them.
_HOMES = tuple(f"/{name}/" for name in ("home", "root", "run/user"))


@dataclasses.dataclass(frozen=True, slots=True)
class UnitSettings:
    """What a unit depends on.

    Parameters
    ----------
    command : sequence of str
        Absolute path of the program and its arguments.
    is_system : bool
        For the machine, by the system's manager; otherwise for one user, by his own.
    folder : str, optional
        Where Python finds the program, when it is not installed.
    reads : sequence of str
        Absolute paths of what is read: artifact, file, configuration.
    writes : sequence of str
        Absolute paths of folders that an option asked to write to.
    has_network : bool
        Whether a sink sends decisions over the network, or waits there to be asked.
    user : str, optional
        A user of the system, and its group, that the service runs as; without one, systemd makes
        one for the time it runs.
    """

    command: Sequence[str]
    is_system: bool
    folder: str | None = None
    reads: Sequence[str] = ()
    writes: Sequence[str] = ()
    has_network: bool = False
    user: str | None = None


def unit_text(settings: UnitSettings) -> str:
    """Write the unit.

    Returns
    -------
    str
        To be saved as ``edge-ser.service`` by whoever wants it.
    """
    reading = (settings.command[0], settings.folder or "", *settings.reads, *settings.writes)
    in_home = any(f"{os.path.realpath(path)}/".startswith(_HOMES) for path in reading if path)
    # A user's own sockets (PulseAudio, PipeWire) and mostly his programs are in hidden places.
    hidden = "yes" if settings.is_system and not in_home else "read-only"
    parts = [
        _HEAD_OF_PACKAGE if settings.user else _head(settings.is_system),
        _SERVICE.format(command=" ".join(map(quoted, settings.command)), watchdog_s=WATCHDOG_S),
    ]
    if settings.folder is not None:
        where = _escaped(settings.folder).replace("\\", "\\\\").replace('"', '\\"')
        # Python 3.11 and newer then takes no module from the folder that it runs in.
        parts.append(f'Environment="PYTHONPATH={where}" PYTHONSAFEPATH=1\n')
    if settings.user is not None:
        parts.append(_OWN_USER.format(user=settings.user))
    elif settings.is_system:
        parts.append("\nDynamicUser=yes\n")
    parts.append(_SYSTEM if settings.is_system else _USER)
    if settings.is_system and not settings.has_network:
        parts.append(_NO_NETWORK)
    families = "AF_UNIX AF_INET AF_INET6 AF_NETLINK" if settings.has_network else "AF_UNIX"
    parts.append(_BOTH.format(hidden=hidden, families=families))
    parts += [f"ReadWritePaths={quoted(path)}\n" for path in settings.writes]
    wanted_by = "multi-user.target" if settings.is_system else "default.target"
    parts.append(f"\n[Install]\nWantedBy={wanted_by}\n")
    return "".join(parts)


def quoted(word: str) -> str:
    """Write one argument so that systemd reads it as it is.

    Parameters
    ----------
    word : str
        Without a zero byte.
    """
    text = _escaped(word).replace("$", "$$")
    if text and not set(text) & set(" \t\"'\\;"):
        return text
    inside = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{inside}"'


def _escaped(text: str) -> str:
    """Escape what systemd would expand in any setting, and line ends."""
    return text.replace("%", "%%").replace("\n", "\\n")


def _head(is_system: bool) -> str:
    if is_system:
        install = (
            "#     edge-ser service --system | sudo tee /etc/systemd/system/edge-ser.service\n"
            "#     sudo systemctl daemon-reload && sudo systemctl enable --now edge-ser\n"
            "# Options: /etc/edge-ser/config.toml, then `sudo systemctl reload edge-ser`.\n"
        )
        after = "After=sound.target\n"
    else:
        install = (
            "#     mkdir -p ~/.config/systemd/user\n"
            "#     edge-ser service --user > ~/.config/systemd/user/edge-ser.service\n"
            "#     systemctl --user daemon-reload && systemctl --user enable --now edge-ser\n"
            "#     loginctl enable-linger         # to run without anybody logged in\n"
            "# Options: ~/.config/edge-ser/config.toml, then `systemctl --user reload edge-ser`.\n"
        )
        # Those that are not installed are not waited for.
        after = (
            "After=sound.target pipewire.service pipewire-pulse.service wireplumber.service "
            "pulseaudio.service\n"
        )
    return (
        f"# Installed by hand:\n{install}\n[Unit]\nDescription=Emotion in live speech (edge-ser)\n"
        f"{after}StartLimitIntervalSec=10min\nStartLimitBurst=10\n\n"
    )


_SERVICE = """\
[Service]
Type=notify
NotifyAccess=main
ExecStart={command}
ExecReload=/bin/kill -HUP $MAINPID
Restart=on-failure
RestartSec=5
TimeoutStartSec=2min
TimeoutStopSec=20
# Fed by the audio that arrives, and by each attempt to open a microphone that is away.
WatchdogSec={watchdog_s}
LimitCORE=0
UMask=0077
# What a configuration file names without a folder, or in one that does not begin with /, lies here.
StateDirectory=edge-ser
StateDirectoryMode=0700
WorkingDirectory=%S/edge-ser
Environment=PYTHONDONTWRITEBYTECODE=1
"""

_HEAD_OF_PACKAGE = """\
# Options: /etc/edge-ser/config.toml, then `sudo systemctl reload edge-ser`.

[Unit]
Description=Emotion in live speech (edge-ser)
Documentation=man:edge-ser(1)
After=sound.target
StartLimitIntervalSec=10min
StartLimitBurst=10

"""

_OWN_USER = """
User={user}
Group={user}
"""

_SYSTEM = """\
SupplementaryGroups=audio
DevicePolicy=closed
DeviceAllow=char-alsa rw
CapabilityBoundingSet=
PrivateMounts=yes
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
"""

_NO_NETWORK = """\
PrivateNetwork=yes
IPAddressDeny=any
"""

_USER = """
# A user's manager can close no devices and drop no capabilities, and hides folders only where it
# may make user namespaces; what is filtered by system call holds everywhere.
"""

_BOTH = """\
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome={hidden}
PrivateTmp=yes
ProtectControlGroups=yes
ProtectKernelTunables=yes
ProtectProc=invisible
RestrictAddressFamilies={families}
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
RemoveIPC=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
# No MemoryDenyWriteExecute: PortAudio's callback into Python is code that is made at run time.
"""
