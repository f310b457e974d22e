"""What tests of other threads and processes share: waiting for them, and a server for a while."""

from __future__ import annotations

import contextlib
import http.server
import threading
import time
from collections.abc import Callable, Iterator


def wait_for(condition: Callable[[], object], most_s: float = 8.0) -> bool:
    """Wait until something holds; False where it did not in time."""
    until_s = time.monotonic() + most_s
    while time.monotonic() < until_s:
        if condition():
            return True
        time.sleep(0.01)
    return False


@contextlib.contextmanager
def serving(handler: type[http.server.BaseHTTPRequestHandler]) -> Iterator[str]:
    """Serve HTTP on a free port of this machine; gives the address."""
    server = http.server.HTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
