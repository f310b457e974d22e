"""Where the segments of rows lie, as the device forms them."""

from __future__ import annotations

from edge.features.spec import FeatureSpec

__all__ = ["WINDOW_FRAMES", "WINDOW_HOP", "segment_bounds", "window_of"]

#: The device's segments with the default FeatureSpec: 2 s, one every 0.512 s.
WINDOW_FRAMES, WINDOW_HOP = 61, 16

_DEFAULT = FeatureSpec()


def window_of(spec: FeatureSpec) -> tuple[int, int]:
    """Frames of a segment of 2 s and from one to the next, in the frames of a spec.

    Parameters
    ----------
    spec : FeatureSpec

    Returns
    -------
    window_frames, window_hop : int
        Of the same seconds as :data:`WINDOW_FRAMES` and :data:`WINDOW_HOP`, whatever the spec's
        sample rate, as near as its hop allows.
    """
    # In whole numbers of both rates: no rounding takes a frame from the default spec.
    n_window = (WINDOW_FRAMES - 1) * _DEFAULT.hop_length * spec.sample_rate
    n_hop = WINDOW_HOP * _DEFAULT.hop_length * spec.sample_rate
    n_each = spec.hop_length * _DEFAULT.sample_rate
    return n_window // n_each + 1, max(1, round(n_hop / n_each))


def segment_bounds(n_rows: int, window_frames: int, window_hop: int) -> list[tuple[int, int]]:
    """First and end row of every segment of an utterance.

    The segments of :meth:`edge.stream.classifier.Classifier.classify`: whole windows a hop
    apart, and one more that ends with the last row when it would go unheard.
    """
    ends = list(range(window_frames, n_rows + 1, window_hop))
    if n_rows and (not ends or ends[-1] != n_rows):
        ends.append(n_rows)
    return [(max(0, end - window_frames), end) for end in ends]
