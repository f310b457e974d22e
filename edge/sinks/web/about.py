"""What decides, with its honest figures, for people and programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from edge.sinks.registry import About
from edge.sinks.web.words import as_json
from edge.stream.label_colours import colour_places

__all__ = ["N_COLOURS", "about_json"]

#: Colours of the page, ``--c0`` and so on.
N_COLOURS = 14
#: Labels that have one of their own, its place.
_OWN = {
    label: place
    for place, label in enumerate(
        ("neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised")
    )
}
_MOST_FIGURES = 64
_ACTED = (
    "Measured on acted speech: recordings of actors who were asked to sound so. How people feel, "
    "and how they speak where nobody acts, is something else: expect less, and decide nothing "
    "about a person by it."
)


def about_json(about: About, labels: Sequence[str]) -> bytes:
    """Write who decides, as JSON.

    Parameters
    ----------
    about : About
    labels : sequence of str
        Those of the model, each with the place of its colour.
    """
    places = colour_places(labels, _OWN, N_COLOURS)
    return as_json(
        {
            "version": 1,
            "edge_ser": about.version,
            "model": about.model,
            "model_sha256": about.model_sha256,
            "source": about.source,
            "hop_s": about.hop_s,
            "labels": [{"name": label, "colour": places[label]} for label in labels],
            "measured_on": _ACTED,
            "accuracy": [_figure(each) for each in about.accuracy[:_MOST_FIGURES]],
        }
    )


def _figure(record: Mapping[str, Any]) -> dict[str, Any]:
    interval = record.get("ci95")
    return {
        "split": str(record.get("split", ""))[:200],
        "metric": str(record.get("metric", ""))[:60],
        "value": record.get("value"),
        "n": record.get("n"),
        "ci95": list(interval) if isinstance(interval, Sequence) else None,
    }
