"""Single windows of held-out clips, as a device judges them in a stream."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edge.errors import ParameterError
from quantize.data.corpora import Clip
from quantize.data.features.windows import segment_bounds
from quantize.measure.answers import Answers
from quantize.measure.scoring import Segments

__all__ = ["live_windows", "picked"]


def picked(segments: Segments, window_frames: int, window_hop: int) -> Segments:
    """Those segments of an utterance that lie on a coarser raster.

    Parameters
    ----------
    segments : Segments
        Scored every so many frames that `window_hop` is a multiple of it.
    window_frames, window_hop : int
        As in :func:`quantize.data.features.windows.segment_bounds`.

    Raises
    ------
    ParameterError
        If a segment of the raster was not scored.
    """
    places = {bounds: at for at, bounds in enumerate(segments.bounds)}
    wanted = segment_bounds(segments.bounds[-1][1], window_frames, window_hop)
    if not places.keys() >= set(wanted):
        raise ParameterError(
            f"the segments were not scored every {window_hop} frames: a hop that divides this one "
            "is wanted"
        )
    kept = [places[bounds] for bounds in wanted]
    return Segments(
        wanted,
        segments.posteriors[kept],
        [segments.levels_db[at] for at in kept],
        [segments.speech[at] for at in kept],
        None if segments.speech_shares is None else [segments.speech_shares[at] for at in kept],
    )


def live_windows(
    clips: Sequence[Clip],
    segments: Sequence[Segments],
    window_frames: int,
    window_hop: int,
    *,
    domains: Sequence[str],
    labels: Sequence[str],
) -> Answers:
    """Every window of some clips that a stream shows to its model.

    Parameters
    ----------
    clips : sequence of Clip
    segments : sequence of Segments
        One a clip, at temperature 1, on `window_hop` or on what divides it.
    window_frames, window_hop : int
        The artifact's.
    domains, labels : sequence of str
        Names of the corpora, and the model's labels.

    Returns
    -------
    Answers
        The device's gate decides alone: a stream has no loudest window of a file to compare
        with.  A clip shorter than a window is one, as at the end of a stream.

    Raises
    ------
    ParameterError
        If the gate lets no window through.
    """
    rows, owners = [], []
    for clip, scored in zip(clips, segments, strict=True):
        live = picked(scored, window_frames, window_hop)
        heard = live.posteriors[np.asarray(live.speech, dtype=bool)]
        rows.append(heard)
        owners += [clip] * len(heard)
    if not owners:
        raise ParameterError(
            f"no window of {len(clips)} clips is loud enough to hold speech: check the recordings"
        )
    return Answers.of_clips(np.concatenate(rows), owners, labels, domains)
