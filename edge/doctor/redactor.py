"""Takes out of a text who and where somebody is, and leaves what helps to find a fault.

What is taken out leaves a mark that says what it was, the same one each time, so that a reader
still sees which two lines speak of the same host.
"""

from __future__ import annotations

import contextlib
import re
import socket
from collections.abc import Callable, Iterable
from typing import Any

from edge.machine.system import System

__all__ = ["Redactor", "redactor_of"]

#: Names that every second device has: they tell nothing of anybody, and are words of commands.
_COMMON = frozenset(
    {"root", "nobody", "pi", "user", "audio", "pulse", "ubuntu", "debian", "admin", "daemon",
     "edge", "localhost", "container", "docker", "none", "default"}
)  # fmt: skip
# Shorter ones would take letters out of the middle of things.
_SHORTEST = 2

_MAC = re.compile(r"(?<![0-9A-Fa-f])[0-9A-Fa-f]{2}([:_-])(?:[0-9A-Fa-f]{2}\1){4}[0-9A-Fa-f]{2}"
                  r"(?![0-9A-Fa-f])")  # fmt: skip
_UUID = re.compile(r"\b[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\b")
_IPV4 = re.compile(r"(?<![\w.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)"
                   r"(?![\w]|\.\d)")  # fmt: skip
# Eight groups, or fewer and "::": a time of day has neither.
_GROUPS = r"[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{1,4})"
_IPV6 = re.compile(rf"(?<![\w:.])(?:{_GROUPS}{{7}}|(?:{_GROUPS}*)?::(?:{_GROUPS}*)?)(?![\w:])")
#: Addresses of this device itself, and of none.
_NOWHERE = re.compile(r"127\.[\d.]+|0\.0\.0\.0|::1?")
_MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_MACHINE_ID = re.compile(r"(?<![0-9A-Fa-f])[0-9A-Fa-f]{32}(?![0-9A-Fa-f])")
# "Serial : 1000…", "serial_number=…", "ID_SERIAL_SHORT: …", "iSerial 3 …".
_SERIAL = re.compile(
    r"(?i)(\b\w*serial\w*(?:[ _-]?(?:number|no|short))?[\"']?\s*[:=]\s*[\"']?|\biSerial\s+\d+\s+)"
    r"([\w.:-]{4,})"
)
# A USB source of PulseAudio: alsa_input.usb-Maker_Product_SERIAL-00.profile.
_USB = re.compile(r"(?<=usb-)[\w.]+?(?=-\d\d\b)")
# As `pactl info` tells of its server, which may be another machine.
_FIELD = re.compile(r"(?m)^(\s*(Host|User) Name:\s*)(\S+)")
_HOME = re.compile(r"/(?:home|Users|var/home|media|run/media)/([^/\s\"':,;]+)")
_OWNER = re.compile(r"\b([^\W\d_]\w+)['’]s\s+(?=[A-Z])")


class Redactor:
    """Redacts text; what it must know of, it is told beforehand.

    Parameters
    ----------
    hosts, users, homes, serials : iterable of str
        Names to take out wherever they stand as a word; paths to shorten to ``~``.
    kept : iterable of str
        What looks like an address and is none: version numbers, digests of models.
    """

    def __init__(
        self,
        hosts: Iterable[str] = (),
        users: Iterable[str] = (),
        homes: Iterable[str] = (),
        serials: Iterable[str] = (),
        kept: Iterable[str] = (),
    ) -> None:
        self._marks: dict[tuple[str, str], str] = {}
        self._kept = frozenset(kept)
        bare = {home.rstrip("/") for home in homes if home.startswith("/")} - {""}
        self._homes = sorted(bare, key=len, reverse=True)
        self._words: dict[str, str] = {}
        for kind, names in (("serial", serials), ("user", users), ("host", hosts)):
            for name in names:
                self.learn(kind, name)

    def learn(self, kind: str, name: str) -> None:
        """Take a name out from now on, unless it is one that tells nothing."""
        if len(name) >= _SHORTEST and name.casefold() not in _COMMON:
            self._words[name.casefold()] = kind

    def learn_owners(self, name: str) -> None:
        """Learn who a device is named after, as in "Anna's AirPods"."""
        for match in _OWNER.finditer(name):
            self.learn("name", match[1])

    def text(self, text: str) -> str:
        """Redact a text."""
        text = _FIELD.sub(lambda m: m[1] + self._mark(m[2].lower(), m[3]), text)
        for home in self._homes:
            text = re.sub(re.escape(home) + r"(?![\w.-])", "~", text)
        text = _HOME.sub(lambda m: m[0].replace(m[1], self._mark("user", m[1])), text)
        if self._words:
            words = sorted(self._words, key=len, reverse=True)
            pattern = r"(?i)(?<![^\W_])(?:" + "|".join(map(re.escape, words)) + r")(?![^\W_])"
            text = re.sub(pattern, lambda m: self._mark(self._words[m[0].casefold()], m[0]), text)
        text = _SERIAL.sub(lambda m: m[1] + self._mark("serial", m[2]), text)
        text = _USB.sub(self._usb, text)
        for kind, shape in (("mail", _MAIL), ("uuid", _UUID), ("mac", _MAC), ("ip", _IPV4),
                            ("ip", _IPV6), ("id", _MACHINE_ID)):  # fmt: skip
            text = shape.sub(self._marker(kind), text)
        return text

    def value(self, value: Any) -> Any:
        """Redact every text of a value of plain JSON types, but not the names of its keys."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {
                key if key.isidentifier() else self.text(key): self.value(each)
                for key, each in value.items()
            }
        if isinstance(value, list | tuple):
            return [self.value(each) for each in value]
        return value

    def _marker(self, kind: str) -> Callable[[re.Match[str]], str]:
        def mark(match: re.Match[str]) -> str:
            found = match[0]
            if (
                found in self._kept
                or found.startswith(("127.", "0.0.0.0"))
                or found in ("::1", "::")
            ):
                return found
            return self._mark(kind, found)

        return mark

    def _mark(self, kind: str, found: str) -> str:
        key = (kind, found.casefold())
        if key not in self._marks:
            n = 1 + sum(known == kind for known, _ in self._marks)
            self._marks[key] = f"<{kind}-{n}>"
        return self._marks[key]

    def _usb(self, match: re.Match[str]) -> str:
        parts = match[0].split("_")
        # The serial comes last, in one part or, where it was a date, in several.
        first = len(parts)
        while first > 1 and (parts[first - 1].isdigit() or _is_serial(parts[first - 1])):
            first -= 1
        if any(len(part) > 4 for part in parts[first:]):
            parts[first:] = [self._mark("serial", "_".join(parts[first:]))]
        return "_".join(parts)


def _is_serial(part: str) -> bool:
    # C920 is a product, 8B5C2F9F one of it.
    return len(part) >= 6 and any(letter.isdigit() for letter in part)


def redactor_of(system: System, kept: Iterable[str] = ()) -> Redactor:
    """Make one that knows this device's host, users, homes and serial numbers."""
    environ = system.environ
    hosts = [system.read("/etc/hostname") or "", environ.get("HOSTNAME", "")]
    hosts.append(system.read("/proc/sys/kernel/hostname") or "")
    if str(system.root) == "/":
        with contextlib.suppress(OSError):
            hosts.append(socket.gethostname())
    hosts += [host.partition(".")[0] for host in hosts]
    names = [environ.get(key, "") for key in ("USER", "LOGNAME", "SUDO_USER", "USERNAME")]
    homes = [environ.get("HOME", "")]
    for line in (system.read("/etc/passwd") or "").splitlines():
        fields = line.split(":")
        # People, not services.
        if len(fields) >= 7 and fields[2].isdecimal() and 1000 <= int(fields[2]) < 60_000:
            names += [fields[0], *fields[4].split(",")[0].split()]
            homes.append(fields[5])
    serials = [system.read("/proc/device-tree/serial-number") or "",
               system.read("/etc/machine-id") or ""]  # fmt: skip
    for path in system.find("/sys/bus/usb/devices/*/serial"):
        serials.append(system.read(path) or "")
    for line in (system.read("/proc/cpuinfo") or "").splitlines():
        if line.lower().startswith("serial"):
            serials.append(line.partition(":")[2].strip())
    return Redactor(hosts, names, homes, [each for each in serials if len(each) >= 4], kept)
