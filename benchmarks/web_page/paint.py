"""How soon the page is painted in a real browser, how much it fetches, and from whom.

    pip install playwright
    python -m benchmarks.web_page.paint --times 30 --output benchmarks/results/web_page_paint.json

`listen --to web:` hears the bundled dialogue over and over in a process of its own, and Debian's
Chromium opens its page with an empty cache each time.  The figure is the browser's first contentful
paint, counted from the beginning of the navigation.  1 is returned where a bar is not reached.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.shared.git_state import git_state
from edge.benchmark.machine import describe_machine
from edge.bundled import DEMO_CLIP
from quantize.basics.files import write_json

_SIZES = ("responseBodySize", "responseHeadersSize")
#: The bars.
_MOST_MS, _MOST_BYTES = 300.0, 60_000
#: Of the dialogue, which is heard at its own pace: an hour.
_TURNS = 240
_PAINT = """() => new Promise((found) => {
  const look = (entries) => {
    for (const entry of entries)
      if (entry.name === "first-contentful-paint") found(entry.startTime);
  };
  const observer = new PerformanceObserver((list) => look(list.getEntries()));
  observer.observe({type: "paint", buffered: true});
})"""


def main(argv: Sequence[str] | None = None) -> int:
    """Open the page again and again; 1 where a bar is not reached."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=30, help="pages counted (default: 30)")
    parser.add_argument("--chromium", default=shutil.which("chromium"), metavar="FILE")
    parser.add_argument("--output", type=Path, metavar="FILE", help="JSON")
    args = parser.parse_args(argv)
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        print("paint: error: playwright is not here: pip install playwright", file=sys.stderr)
        return 2
    if args.chromium is None:
        print("paint: error: chromium is not here: apt-get install chromium", file=sys.stderr)
        return 2
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = ["listen", "--config", os.devnull, "--backend", "numpy"]
    opened: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as running:
        listening = subprocess.Popen(
            [sys.executable, "-m", "edge_ser", *words, "--source", str(_long_clip(Path(folder))),
             "--to", f"web:127.0.0.1:{port}"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            _wait_for(port)
            browser = running.chromium.launch(
                executable_path=args.chromium, args=["--no-sandbox", "--disable-gpu"]
            )
            for _ in range(args.times + 1):
                opened.append(_open(browser, f"http://127.0.0.1:{port}/"))
            browser_version = browser.version
            browser.close()
        finally:
            listening.kill()
            listening.wait()
    # The first one warms the browser itself.
    counted = opened[1:]
    paints_ms = sorted(each["paint_ms"] for each in counted)
    result = {
        "type": "web_page_paint",
        "machine": describe_machine(),
        **git_state("edge", "benchmarks/web_page"),
        "browser": f"Chromium {browser_version}",
        "times": len(counted),
        "first_paint_ms": {
            "p50": round(statistics.median(paints_ms), 1), "max": round(paints_ms[-1], 1),
            "raw": [round(each, 1) for each in paints_ms],
        },
        "bytes": max(each["bytes"] for each in counted),
        "foreign": sorted({url for each in counted for url in each["foreign"]}),
        "bars": {"p50_ms": _MOST_MS, "bytes": _MOST_BYTES, "foreign": 0},
    }  # fmt: skip
    result["reached"] = (
        result["first_paint_ms"]["p50"] <= _MOST_MS
        and result["bytes"] <= _MOST_BYTES
        and not result["foreign"]
    )
    print(json.dumps({key: result[key] for key in ("first_paint_ms", "bytes", "foreign")}))
    if args.output:
        write_json(args.output, result)
    return 0 if result["reached"] else 1


def _long_clip(folder: Path) -> Path:
    """Write the bundled dialogue many times over."""
    path = folder / "dialogue.wav"
    with wave.open(str(DEMO_CLIP)) as clip, wave.open(str(path), "wb") as longer:
        longer.setparams(clip.getparams())
        samples = clip.readframes(clip.getnframes())
        for _ in range(_TURNS):
            longer.writeframes(samples)
    return path


def _wait_for(port: int) -> None:
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError(f"nobody answers at port {port}")


def _open(browser: Any, address: str) -> dict[str, Any]:
    """Open the page in a profile that is new."""
    context = browser.new_context()
    page = context.new_page()
    asked: list[str] = []
    fetched: list[Any] = []
    page.on("request", lambda request: asked.append(request.url))

    def finished(request: Any) -> None:
        """Keep it: the events of the page are a request that does not end, and none of these."""
        fetched.append(request)

    page.on("requestfinished", finished)
    page.goto(address, wait_until="load")
    paint_ms = float(page.evaluate(_PAINT))
    n_bytes = sum(sum(request.sizes()[key] for key in _SIZES) for request in list(fetched))
    context.close()
    own = (address, "data:", "blob:")
    return {
        "paint_ms": paint_ms,
        "bytes": n_bytes,
        "foreign": [url for url in asked if not url.startswith(own)],
    }


if __name__ == "__main__":
    sys.exit(main())
