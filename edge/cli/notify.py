"""Telling systemd how the service is: ``sd_notify`` of ``Type=notify``, and its watchdog."""

from __future__ import annotations

import contextlib
import math
import os
import time
from collections.abc import Callable, MutableMapping
from typing import TYPE_CHECKING

from edge.errors import printable

if TYPE_CHECKING:
    from edge.sources.base import Block, Gap
    from edge.stream.status import Status

__all__ = ["Notifier", "ServiceTap"]

#: Longest wait for a service manager that takes nothing.
_PATIENCE_S = 0.5

#: Longest text of ``systemctl status``.
_N_LETTERS = 200

#: Beats in the time after which the service manager would end the process.
_N_BEATS = 4


class Notifier:
    """Sends datagrams to the socket that systemd named, or nothing where it named none.

    Parameters
    ----------
    address : str, optional
        A path, or ``@name`` in the abstract name space; None: nobody is told.
    watchdog_s : float, optional
        Time without a beat after which the process would be ended; None: never.

    Notes
    -----
    See sd_notify(3): the protocol is one datagram of ``KEY=value`` lines.  A manager that is gone
    or takes nothing is no error.
    """

    def __init__(self, address: str | None = None, watchdog_s: float | None = None) -> None:
        # Other kinds of sockets (vsock) are of virtual machines.
        self._address = address if address and address[0] in "/@" else None
        self.watchdog_s = watchdog_s if self._address else None

    @classmethod
    def from_environment(cls, environment: MutableMapping[str, str] = os.environ) -> Notifier:
        """Take what systemd says in the environment out of it: no child speaks for this process."""
        address = environment.pop("NOTIFY_SOCKET", None)
        watchdog_us = environment.pop("WATCHDOG_USEC", "")
        for_pid = environment.pop("WATCHDOG_PID", None)
        watchdog_s = None
        if watchdog_us.isdecimal() and for_pid in (None, str(os.getpid())):
            watchdog_s = int(watchdog_us) / 1e6 or None
        return cls(address, watchdog_s)

    @property
    def is_heard(self) -> bool:
        """Whether a service manager wants to be told."""
        return self._address is not None

    def tell(self, *states: str, status: str | None = None) -> None:
        """Send states such as ``READY=1``, with a text for ``systemctl status``."""
        if self._address is None:
            return
        import socket

        lines = [*states]
        if status is not None:
            lines.append(f"STATUS={printable(status)[:_N_LETTERS]}")
        address = self._address
        if address[0] == "@":
            address = "\0" + address[1:]
        with (
            contextlib.suppress(OSError, ValueError),
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender,
        ):
            sender.settimeout(_PATIENCE_S)
            sender.sendto("\n".join(lines).encode("utf-8", "replace"), address)

    def reloading(self) -> None:
        """Tell that the configuration is being read; ``READY=1`` ends it."""
        now_us = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self.tell("RELOADING=1", f"MONOTONIC_USEC={now_us}")


class ServiceTap:
    """Feeds the watchdog with the audio that arrives, and says when the service is up.

    It is up when the first audio arrived, or when a microphone is being waited for: one that is
    late at boot, or was unplugged, is no reason to end the service.

    Parameters
    ----------
    notifier : Notifier
    clock : callable
        Seconds that never go back.
    """

    #: A block is a sign of life: as many as there are beats, at least.
    longest_block_s = math.inf

    def __init__(self, notifier: Notifier, clock: Callable[[], float] = time.monotonic) -> None:
        if notifier.watchdog_s is not None:
            self.longest_block_s = notifier.watchdog_s / _N_BEATS
        self._notifier = notifier
        self._clock = clock
        self._is_ready = False
        self._told_s: float | None = None
        self._listening = "listening"

    def __call__(self, item: Block | Gap | Status) -> None:
        """Hear what went through; a gap is no sound that arrived."""
        samples = getattr(item, "samples", None)
        if samples is not None:
            if samples.size:
                self._beat(self._listening)
        elif (kind := getattr(item, "kind", None)) in ("waiting", "lost"):
            self._told_s = None
            self._beat(getattr(item, "sentence", ""))
        elif kind == "back":
            self._told_s = None
            self._beat(self._listening)

    def opened(self, name: str) -> None:
        """Take a description of what is listened to."""
        self._listening = f"listening to {name}"
        self._notifier.tell(status=self._listening)

    def attempted(self) -> None:
        """Take note of one more attempt to open a microphone that is away."""
        self._beat("waiting for a microphone")

    def _beat(self, status: str) -> None:
        now_s = self._clock()
        if not self._is_ready:
            self._is_ready, self._told_s = True, now_s
            self._notifier.tell("READY=1", "WATCHDOG=1", status=status)
            return
        if self._told_s is None:
            self._told_s = now_s
            self._notifier.tell("WATCHDOG=1", status=status)
            return
        every_s = self._notifier.watchdog_s
        if every_s is not None and now_s - self._told_s >= every_s / _N_BEATS:
            self._told_s = now_s
            self._notifier.tell("WATCHDOG=1")
