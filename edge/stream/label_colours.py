"""Which of a palette's colours a label has: a known word its own, another always the same."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence

__all__ = ["colour_places"]


def colour_places(
    labels: Sequence[str], known: Mapping[str, int], n_colours: int
) -> dict[str, int]:
    """Give every label a colour's place in a palette.

    Parameters
    ----------
    labels : sequence of str
        Those of a model.
    known : mapping of str to int
        Places of the labels that have a colour of their own.
    n_colours : int
        Colours of the palette.

    Returns
    -------
    dict
        Place by label, in the order of `labels`. A word that is not known takes the place that a
        checksum of its letters says, or the next one that nobody has; where all are taken, labels
        share. The order of the labels does not matter.
    """
    places = {label: known[label] for label in labels if label in known}
    taken = set(places.values())
    for label in sorted(set(labels) - places.keys()):
        # Python's own hash of a text is another one in every process.
        first = zlib.crc32(label.encode("utf-8", "surrogatepass")) % n_colours
        ring = [(first + step) % n_colours for step in range(n_colours)]
        places[label] = next((place for place in ring if place not in taken), first)
        taken.add(places[label])
    return {label: places[label] for label in labels}
