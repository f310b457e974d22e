"""Figures for Prometheus, in a registry of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from edge.sinks.registry import About
from edge.sinks.web.board import Board, read_temperature
from edge.sinks.web.event_stream import EventStream

__all__ = ["Metrics"]

#: From a fast board to one that hardly keeps up, in seconds.
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Metrics:
    """What ``/metrics`` says, read off the board when somebody asks.

    Parameters
    ----------
    board : Board
    stream : EventStream
    about : About
    """

    def __init__(self, board: Board, stream: EventStream, about: About) -> None:
        from prometheus_client import CollectorRegistry, Histogram, ProcessCollector
        from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

        self._board, self._stream, self._about = board, stream, about
        self.media_type = CONTENT_TYPE_LATEST
        self._write: Callable[[Any], bytes] = generate_latest
        self._registry = CollectorRegistry()
        self._latency = Histogram(
            "edge_ser_latency_seconds",
            "From the arrival of a segment's last block to the decision.",
            buckets=_BUCKETS,
            registry=self._registry,
        )
        ProcessCollector(registry=self._registry)
        self._registry.register(self)

    def observe(self, latency_ms: float) -> None:
        """Count one decision's latency."""
        self._latency.observe(latency_ms / 1000)

    def text(self) -> bytes:
        """Write all of it."""
        return self._write(self._registry)

    def describe(self) -> Iterable[Any]:
        """Name nothing beforehand: what is told depends on what was heard."""
        return ()

    def collect(self) -> Iterable[Any]:
        """Read the board."""
        from prometheus_client.core import (
            CounterMetricFamily,
            GaugeMetricFamily,
            InfoMetricFamily,
        )

        board, about = self._board, self._about
        yield InfoMetricFamily(
            "edge_ser",
            "What decides.",
            value={
                "version": about.version,
                "model": about.model,
                "model_sha256": about.model_sha256,
            },
        )
        states = CounterMetricFamily(
            "edge_ser_decisions", "Decisions by their state.", labels=["state"]
        )
        for state, n in board.states.items():
            states.add_metric([state], n)
        yield states
        for name, text, n in (
            ("gaps", "Times that samples were lost.", board.n_gaps),
            ("dropped_samples", "Samples that were lost.", board.dropped_samples),
            ("skipped_hops", "Decisions that were left out as too late.", board.skipped_hops),
            ("reconnections", "Times that the source came back.", board.n_back),
            ("warnings", "Warnings of the run.", board.n_warnings),
            ("web_left_out", "Records left out for slow readers.", self._stream.n_left_out),
        ):
            yield CounterMetricFamily(f"edge_ser_{name}", text, value=n)
        latest = board.latest
        for name, text, value in (
            ("activation", "0 calm to 1 aroused.", None if latest is None else latest.activation),
            (
                "level_dbfs",
                "Level of the last segment.",
                None if latest is None else latest.level_db,
            ),
            ("decision_age_seconds", "Since the last decision.", board.age_s),
            ("temperature_celsius", "The warmest part of the machine.", read_temperature()),
            ("uptime_seconds", "Since the page was begun.", board.uptime_s),
            ("web_clients", "Readers of the events.", self._stream.n_clients),
        ):
            if value is not None:
                yield GaugeMetricFamily(f"edge_ser_{name}", text, value=float(value))
        posterior = GaugeMetricFamily(
            "edge_ser_probability", "Of each label, while somebody speaks.", labels=["label"]
        )
        for label, probability in board.posterior.items():
            posterior.add_metric([label], probability)
        yield posterior
