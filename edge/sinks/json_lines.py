"""JSON Lines: one object a line, for other programs."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from edge.errors import ParameterError, SinkError, how_many, printable
from edge.sinks.amounts import read_count, read_size
from edge.sinks.base import SinkBase
from edge.sinks.registry import SinkSettings
from edge.sinks.target import Target
from edge.stream.decision import GAP, Decision
from edge.stream.events import Event
from edge.stream.records import head
from edge.stream.status import Status

if TYPE_CHECKING:
    from edge.sinks.rotated_file import RotatedFile

__all__ = ["JsonFileSink", "JsonLinesSink", "make"]


class _Lines(Protocol):
    def write(self, line: str, /) -> int: ...

    def flush(self) -> None: ...


class JsonLinesSink(SinkBase):
    """Write the records of docs/records.md, each as one line of JSON.

    Parameters
    ----------
    stream : text file
        Flushed after each line, so that a reader down a pipe is never late.
    events : bool
        Whether to write events in place of decisions.
    now : callable
        Unix time, for warnings.
    """

    def __init__(
        self, stream: _Lines, *, events: bool = False, now: Callable[[], float] = time.time
    ) -> None:
        self._stream = stream
        self._events = events
        self._now = now
        # Of decisions that were not written, so that the counters of the records add up.
        self._n_dropped = self._n_skipped = 0

    def emit(self, decision: Decision) -> None:
        """Write a decision, or a gap; where events are written, a gap alone."""
        if not self._events:
            self.write(decision.to_dict())
            return
        self._n_dropped += decision.dropped_samples
        self._n_skipped += decision.skipped_hops
        if decision.state == GAP:
            self._write_counted(decision.to_dict())
        elif decision.warning is not None:
            self.warn(decision.warning)

    def event(self, event: Event) -> None:
        """Write a beginning or an ending, where events are wanted."""
        if self._events:
            self._write_counted(event.to_dict())

    def status(self, status: Status) -> None:
        """Write what the source has to say of itself."""
        self._write_counted(status.to_dict())

    def warn(self, sentence: str) -> None:
        """Write a warning that belongs to no decision."""
        self.write({**head("warning", self._now()), "warning": sentence})

    def summary(self, summary: Mapping[str, Any]) -> None:
        """Write the summary's record."""
        self.write(summary)

    def write(self, record: Mapping[str, Any]) -> None:
        """Write any other object of plain JSON types.

        Raises
        ------
        ValueError
            If it holds NaN or infinity, which JSON has no words for.
        """
        self._stream.write(json.dumps(record, allow_nan=False) + "\n")
        self._stream.flush()

    def _write_counted(self, record: dict[str, Any]) -> None:
        self.write({**record, "dropped_samples": self._n_dropped, "skipped_hops": self._n_skipped})
        self._n_dropped = self._n_skipped = 0


class JsonFileSink(JsonLinesSink):
    """The same into a file of its own; while the disk is full, what cannot be written is counted.

    Parameters
    ----------
    file : RotatedFile
    events : bool
    now : callable
    warn : callable
        Takes what the disk said, once until it takes lines again.
    """

    def __init__(
        self,
        file: RotatedFile,
        *,
        events: bool = False,
        now: Callable[[], float] = time.time,
        warn: Callable[[str], None],
    ) -> None:
        super().__init__(file, events=events, now=now)
        self._file, self._warn = file, warn
        self._n_lost = 0

    def open(self) -> None:
        """Open the file."""
        try:
            self._file.open()
        except OSError as error:
            raise SinkError(
                f"records cannot be written to {printable(self._file.path)}: {error.strerror}"
            ) from error

    def write(self, record: Mapping[str, Any]) -> None:
        """Write an object, or count it where the disk does not take it."""
        try:
            super().write(record)
        except OSError as error:
            self._n_lost += 1
            if self._n_lost == 1:
                self._warn(
                    f"records cannot be written to {printable(self._file.path)} for now: "
                    f"{error.strerror}"
                )
            return
        if self._n_lost:
            self._warn(
                f"records are written to {printable(self._file.path)} again, "
                f"{how_many(self._n_lost, 'record')} could not be"
            )
            self._n_lost = 0

    def close(self) -> None:
        """Close the file.

        Raises
        ------
        SinkError
            If the last records could not be written.
        """
        self._file.close()
        n_lost, self._n_lost = self._n_lost, 0
        if n_lost:
            raise SinkError(
                f"{printable(self._file.path)} lacks {how_many(n_lost, 'record')}, which could not "
                "be written"
            )


def make(target: Target, settings: SinkSettings) -> JsonLinesSink:
    """Make one for the registry: for standard output, or a file that is rotated.

    Raises
    ------
    ParameterError
        If an option is none, or the file cannot be written or holds something else than records.
    """
    if target.address:
        from edge.sinks.rotated_file import RotatedFile

        file = RotatedFile(
            target.address,
            read_size("size", target.option("size", "10M")),
            read_count("files", target.option("files", "5")),
        )
        _refuse_others(file.path)
        return JsonFileSink(file, events=settings.events, now=settings.now, warn=settings.warn)
    if target.options:
        raise ParameterError(
            f"{' and '.join(target.options)} is for a file, and jsonl alone writes to standard "
            "output: jsonl:FILE is wanted"
        )
    return JsonLinesSink(settings.stream, events=settings.events, now=settings.now)


def _refuse_others(path: str) -> None:
    """Refuse a file of somebody else's: what looks like half a record there is cut away."""
    try:
        with open(path, "rb") as stream:
            begins = stream.read(1)
    except OSError:
        # Not there yet, or what is wrong is said when it is opened.
        return
    # Zeros are what a power cut may leave of a file.
    if begins not in (b"", b"{", b"\0"):
        raise ParameterError(
            f"records cannot be written to {printable(path)}: it holds something else than "
            "records; name another file"
        )
