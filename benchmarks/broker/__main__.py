"""A broker that is killed again and again, and what its readers see of a device when it is back.

    python -m benchmarks.broker --outage 60 --times 10 --output benchmarks/results/broker.json

A mosquitto with a password and TLS is killed and started again, while a decision every half second
goes to it through the queue of a sink.  After each outage somebody subscribes who knows nothing:
what the broker keeps for him is compared with the label of now.  Needs mosquitto, its
mosquitto_passwd, openssl and paho-mqtt.
"""

from __future__ import annotations

import argparse
import json
import math
import platform
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.broker.mosquitto import PASSWORD, USER, Mosquitto, Onlooker, find_mosquitto
from benchmarks.shared.git_state import git_state
from edge.sinks.mqtt.address import address_of
from edge.sinks.mqtt.outbox import N_SENT, N_WAITING
from edge.sinks.mqtt.sink import MqttSink
from edge.sinks.queued import QueuedSink
from edge.sinks.registry import About, SinkSettings
from edge.sinks.target import target_from_text
from edge.stream.decision import Decision, Timing
from quantize.basics.files import write_json

_TOPIC = "edge-ser/measured"
_LABELS = ("angry", "calm", "happy", "sad")
_HOP_S = 0.5
#: The bar, in seconds from the connection to the right state.
_MOST_S = 2.0


class _Watched(MqttSink):
    """Notes when it was connected."""

    connected_s = -math.inf

    def connected(self) -> None:
        self.connected_s = time.monotonic()
        super().connected()


class _Speaker:
    """Gives the sink a decision every hop, whose label changes every few seconds."""

    def __init__(self, sink: QueuedSink) -> None:
        self.label, self.worst_ms = _LABELS[0], 0.0
        self._sink = sink
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        n = 0
        while not self._ending.wait(_HOP_S):
            n += 1
            self.label = _LABELS[n // 5 % len(_LABELS)]
            posterior = {label: 0.7 if label == self.label else 0.1 for label in _LABELS}
            began_s = time.monotonic()
            self._sink.emit(
                Decision(
                    n * _HOP_S, n * _HOP_S + 1.5, "speech", self.label, posterior, self.label,
                    -30.0, activation=0.5, time_s=time.time(), timing=Timing(1.0, 2.0, 4.0),
                )
            )  # fmt: skip
            self.worst_ms = max(self.worst_ms, 1_000 * (time.monotonic() - began_s))

    def close(self) -> None:
        self._ending.set()
        self._thread.join()


def main(argv: Sequence[str] | None = None) -> int:
    """Run all outages, print and write what came of them; 1 where the bar was missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--outage", type=float, default=60.0, metavar="S", help="(default: 60)")
    parser.add_argument("--times", type=int, default=10, metavar="N", help="(default: 10)")
    parser.add_argument("--output", type=Path, metavar="FILE", help="JSON")
    options = parser.parse_args(argv)
    if find_mosquitto() is None:
        parser.error("mosquitto is not installed: apt-get install mosquitto")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "secret").write_text(PASSWORD)
        with Mosquitto(folder, is_encrypted=True) as broker:
            found = _measure(broker, options.outage, options.times)
    result = {
        **git_state("edge", "benchmarks/broker"),
        "machine": platform.processor() or platform.machine(),
        "python": platform.python_version(),
        "outage_s": options.outage,
        "times": options.times,
        **found,
    }
    print(json.dumps(result, indent=1))
    if options.output:
        write_json(options.output, result)
    return int(not found["held"])


def _measure(broker: Mosquitto, outage_s: float, times: int) -> dict[str, Any]:
    said: list[str] = []
    text = (
        f"mqtts://{USER}@localhost:{broker.port}/{_TOPIC}?"
        f"password_file={broker.folder / 'secret'}&ca_file={broker.folder / 'ca.pem'}"
    )
    settings = SinkSettings(
        sys.stdout,
        labels=_LABELS,
        warn=said.append,
        say=said.append,
        about=About("0", "measured", "0" * 64),
    )
    inner = _Watched(address_of(target_from_text(text)), settings)
    sink = QueuedSink(inner, "broker", warn=said.append)
    sink.open()
    speaker = _Speaker(sink)
    waits, backs, most_left = [], [], 0
    for n in range(times):
        time.sleep(2 * _HOP_S)
        broker.kill()
        time.sleep(outage_s)
        most_left = max(most_left, inner.outbox.n_left)
        began_s = broker.start()
        reached_s = _reached(inner, began_s)
        waits.append(_state_after(broker, speaker, reached_s))
        backs.append(reached_s - began_s)
        print(f"{n + 1}: back {backs[-1]:.1f} s after the broker, right state {waits[-1]:.2f} s "
              "after that", file=sys.stderr, flush=True)  # fmt: skip
    time.sleep(2 * _HOP_S)
    speaker.close()
    sink.close()
    outbox = inner.outbox
    adds_up = outbox.n_told == outbox.n_published + outbox.n_dropped
    return {
        "reconnected_s": [round(each, 2) for each in backs],
        "right_state_s": [round(each, 3) for each in waits],
        "worst_right_state_s": round(max(waits), 3),
        "records_told": outbox.n_told,
        "records_published": outbox.n_published,
        "records_dropped": outbox.n_dropped,
        "left_out_of_the_queue": sink.n_dropped,
        "most_waiting": most_left,
        "bound_waiting": N_WAITING + N_SENT,
        "worst_emit_ms": round(speaker.worst_ms, 2),
        "sentences": len(said),
        "adds_up": adds_up,
        "held": adds_up
        and max(waits) <= _MOST_S
        and most_left <= N_WAITING + N_SENT
        and sink.n_dropped == 0,
    }


def _reached(sink: _Watched, since_s: float) -> float:
    """When the sink had a connection again."""
    until_s = time.monotonic() + 90
    while time.monotonic() < until_s:
        if sink.connected_s >= since_s:
            return sink.connected_s
        time.sleep(0.01)
    raise RuntimeError("no connection after 90 s")


def _state_after(broker: Mosquitto, speaker: _Speaker, since_s: float) -> float:
    """How long after a connection somebody who comes now was told what is said now."""
    late = Onlooker(broker)
    try:
        until_s = time.monotonic() + 10
        while time.monotonic() < until_s:
            told = late.of(f"{_TOPIC}/state")
            if told and told[-1]["label"] == speaker.label:
                # The road of the one who asks is in it.
                return time.monotonic() - since_s
            time.sleep(0.005)
        return math.inf
    finally:
        late.close()


if __name__ == "__main__":
    sys.exit(main())
