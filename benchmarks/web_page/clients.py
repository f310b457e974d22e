"""Readers of the page's events, and those that read nothing; a process of their own.

    python -m benchmarks.web_page.clients PORT N_CLIENTS N_STALLED

Goes on until standard input ends, and prints what it saw as one line of JSON.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import socket
import sys
from typing import Any

_ASK = b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n"
_ID = re.compile(rb"^id: (\d+)$", re.MULTILINE)
#: A reader that was sent away or cut off comes again.
_AGAIN_S = 1.0


class Seen:
    """What all of them saw."""

    def __init__(self) -> None:
        self.n_events = self.n_missed = self.n_connections = self.n_cut = 0


async def read(port: int, seen: Seen) -> None:
    """Read all that comes, again and again."""
    while True:
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(_ASK)
            seen.n_connections += 1
            last = 0
            while line := await reader.readline():
                if found := _ID.match(line.strip()):
                    number = int(found[1])
                    seen.n_events += 1
                    seen.n_missed += number - last - 1 if last else 0
                    last = number
            writer.close()
            seen.n_cut += 1
        await asyncio.sleep(_AGAIN_S)


async def stand_still(port: int, seen: Seen) -> None:
    """Ask and read nothing, until cut off; again and again."""
    loop = asyncio.get_running_loop()
    while True:
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            client.setblocking(False)
            with contextlib.suppress(OSError):
                await loop.sock_connect(client, ("127.0.0.1", port))
                await loop.sock_sendall(client, _ASK)
                while True:
                    await asyncio.sleep(5.0)
                    # Whether it was cut off is told by a byte that is not taken out.
                    with contextlib.suppress(BlockingIOError):
                        client.send(b"")
                        client.recv(1, socket.MSG_PEEK)
                        if client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                            break
            seen.n_cut += 1
        await asyncio.sleep(_AGAIN_S)


async def run(port: int, n_clients: int, n_stalled: int) -> dict[str, Any]:
    """Run them until standard input ends."""
    with contextlib.suppress(AttributeError, OSError):
        # Not what is measured.
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    seen, still = Seen(), Seen()
    tasks = [asyncio.ensure_future(read(port, seen)) for _ in range(n_clients - n_stalled)]
    tasks += [asyncio.ensure_future(stand_still(port, still)) for _ in range(n_stalled)]
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return {
        "events": seen.n_events,
        "missed_events": seen.n_missed,
        "connections": seen.n_connections,
        "readers_cut": seen.n_cut,
        "stalled_cut": still.n_cut,
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(run(*map(int, sys.argv[1:4])))))
