"""The sinks of one run, from how they were named."""

from __future__ import annotations

from collections.abc import Sequence

from edge.errors import ParameterError
from edge.sinks.base import Sink
from edge.sinks.queued import QueuedSink
from edge.sinks.registry import SinkSettings, make_sink
from edge.sinks.target import Target, target_from_text

__all__ = ["make_sinks"]


def make_sinks(
    targets: Sequence[Target | str], settings: SinkSettings, *, is_patient: bool
) -> list[Sink]:
    """Make them, each in a thread of its own, unless all there is goes to standard output.

    Parameters
    ----------
    targets : sequence of Target or str
    settings : SinkSettings
    is_patient : bool
        Whether the source waits for a sink that is slow, as a file does.

    Raises
    ------
    ParameterError
        If two write to standard output; or as :func:`make_sink`.
    """
    named = [target_from_text(each) if isinstance(each, str) else each for each in targets]
    printed = [target for target in named if not target.address]
    if len(printed) > 1:
        raise ParameterError(
            f"{' and '.join(map(str, printed))} write to standard output, one of them is wanted"
        )
    sinks = [make_sink(target, settings) for target in named]
    if len(printed) == len(named):
        return sinks
    return [
        QueuedSink(sink, str(target), warn=settings.warn, is_patient=is_patient)
        for target, sink in zip(named, sinks, strict=True)
    ]
