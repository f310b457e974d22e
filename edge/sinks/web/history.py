"""The day and the week from a history file, read once for everybody."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from edge.errors import EdgeSerError
from edge.sinks.web.words import as_json
from edge.stream.records import time_of_day

__all__ = ["SPANS", "HistoryPages", "Hour", "Reader"]

#: What may be asked for, in seconds.
SPANS = {"day": 86_400.0, "week": 7 * 86_400.0}
#: An answer is given again for so long; whoever writes does so once a minute.
_FRESH_S = 60.0
#: Longest wait for a disk: whoever waits holds one of the connections.
_PATIENCE_S = 10.0


class Hour(Protocol):
    """What the reader gives for every hour in which something was heard."""

    @property
    def start_s(self) -> float:
        """Unix time."""
        ...

    @property
    def heard_s(self) -> float:
        """Seconds of sound that were decided on."""
        ...

    @property
    def speech_s(self) -> float:
        """Seconds with a label."""
        ...

    @property
    def uncertain_s(self) -> float:
        """Seconds of speech without one."""
        ...

    @property
    def labels(self) -> Mapping[str, float]:
        """Seconds of each label."""
        ...

    @property
    def activation(self) -> float | None:
        """Mean over what was spoken."""
        ...

    @property
    def level_db(self) -> float | None:
        """Level of the mean power."""
        ...


#: Takes Unix time, gives the hours since then.
Reader = Callable[[float], Sequence[Hour]]


class HistoryPages:
    """Answers about the past; belongs to the event loop's thread, and reads in another.

    Parameters
    ----------
    read : Reader or None
        None: there is no history.
    now : callable
        Unix time.
    """

    def __init__(self, read: Reader | None, now: Callable[[], float] = time.time) -> None:
        self._read, self._now = read, now
        self._answers: dict[str, tuple[float, asyncio.Future[bytes]]] = {}

    async def answer(self, span: str) -> bytes:
        """Give the hours of a day or a week, as JSON; ``error`` says why there are none."""
        if self._read is None:
            return _page(span, False, None, [])
        loop = asyncio.get_running_loop()
        asked_s, answer = self._answers.get(span, (0.0, None))
        is_old = loop.time() - asked_s > _FRESH_S
        if answer is None or (is_old and answer.done()):
            answer = loop.create_future()
            self._answers[span] = (loop.time(), answer)
            # A thread that nobody waits for at the end: a disk may hang.
            threading.Thread(
                target=self._look, args=(loop, answer, span), name="web history", daemon=True
            ).start()
        if answer.done():
            return answer.result()
        # Whoever goes away meanwhile does not take the answer from the others.
        try:
            return await asyncio.wait_for(asyncio.shield(answer), _PATIENCE_S)
        except asyncio.TimeoutError:
            return _page(span, True, "the history takes long to read: ask again later", [])

    def _look(
        self, loop: asyncio.AbstractEventLoop, answer: asyncio.Future[bytes], span: str
    ) -> None:
        assert self._read is not None
        try:
            rows = [_row(hour) for hour in self._read(self._now() - SPANS[span])]
            page = _page(span, True, None, rows)
        except EdgeSerError as error:
            page = _page(span, True, str(error), [])
        except Exception as error:
            page = _page(span, True, f"the history cannot be read: {error!r}"[:300], [])
        try:
            loop.call_soon_threadsafe(_put, answer, page)
        except RuntimeError:
            # The loop has ended.
            return


def _put(answer: asyncio.Future[bytes], page: bytes) -> None:
    if not answer.done():
        answer.set_result(page)


def _page(span: str, has_file: bool, error: str | None, rows: list[dict[str, Any]]) -> bytes:
    return as_json(
        {
            "version": 1,
            "span": span,
            "by": "hour",
            "has_file": has_file,
            "error": error,
            "hours": rows,
        }
    )


def _row(hour: Hour) -> dict[str, Any]:
    return {
        "time": time_of_day(hour.start_s),
        "start_s": hour.start_s,
        "heard_s": round(hour.heard_s, 1),
        "speech_s": round(hour.speech_s, 1),
        "uncertain_s": round(hour.uncertain_s, 1),
        "labels": {label: round(s, 1) for label, s in hour.labels.items()},
        "activation": None if hour.activation is None else round(hour.activation, 3),
        "level_db": None if hour.level_db is None else round(hour.level_db, 1),
    }
