"""A process that listens, and what it writes."""

from __future__ import annotations

import json
import queue
import signal
import threading
from typing import Any

from runtime_fakes import start_cli


class Running:
    """A process that listens, its lines as they come."""

    def __init__(self, *words: object, **options: Any) -> None:
        self.process = start_cli("listen", *words, **{"start_new_session": True, **options})
        self.err: queue.Queue[str] = queue.Queue()
        self.thread = threading.Thread(target=self._read)
        self.thread.start()

    def _read(self) -> None:
        for line in self.process.stderr:
            self.err.put(line)

    def record(self) -> dict[str, Any]:
        return json.loads(self.process.stdout.readline())

    def until(self, kind: str) -> list[dict[str, Any]]:
        got = [self.record()]
        while got[-1]["type"] != kind:
            got.append(self.record())
        return got

    def decision(self) -> dict[str, Any]:
        return self.until("decision")[-1]

    def said(self, part: str) -> str:
        while part not in (line := self.err.get(timeout=60)):
            pass
        return line

    def end(self) -> str:
        self.process.send_signal(signal.SIGTERM)
        out = self.process.stdout.read()
        assert self.process.wait(timeout=60) == 0
        self.thread.join()
        return out

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self.thread.join()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            stream.close()
