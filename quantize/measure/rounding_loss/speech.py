"""What there is to calibrate and to measure with: corpora by a split's sides, or made speech."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from quantize.data.corpora import Clip
from quantize.data.features.cache import FeatureCache
from quantize.data.features.segments import SegmentSet, corpus_segments, generated_segments
from quantize.data.splits import Split
from quantize.export.common import ExportFacts

__all__ = ["Speech"]

# What is measured on must not be what was calibrated with.
_REPORT_SEED = 1


@dataclasses.dataclass(frozen=True)
class Speech:
    """Clips of a run's split, or none.

    Parameters
    ----------
    facts : ExportFacts
        Of the model.
    seed : int
        Of the segments that are chosen.
    clips : sequence of Clip
        All of the corpora; what ``cache`` holds together.
    cache : FeatureCache, optional
        None: there are no corpora, speech is generated.
    split : Split, optional
        None: nothing was held out.
    train, test : sequence of Clip
        Its sides.
    n_workers : int
        Processes that compute features.
    """

    facts: ExportFacts
    seed: int
    clips: Sequence[Clip] = ()
    cache: FeatureCache | None = None
    split: Split | None = None
    train: Sequence[Clip] = ()
    test: Sequence[Clip] = ()
    n_workers: int = 1

    def calibration(self, n: int) -> tuple[SegmentSet, str]:
        """Segments of the training side, never of what was held out, and their source."""
        return self._pick(self.train, n, self.seed, "the training side")

    def report(self, n: int) -> tuple[SegmentSet, str]:
        """Segments of what was held out, or, where nothing was, of the training."""
        side = "the held-out side" if self.test else "the training side (nothing was held out)"
        seed = self.seed + _REPORT_SEED
        return self._pick(self.test or self.train, n, seed, side)

    def _pick(self, chosen: Sequence[Clip], n: int, seed: int, side: str) -> tuple[SegmentSet, str]:
        facts = self.facts
        if self.cache is None:
            segments = generated_segments(
                n, spec=facts.spec, seed=seed, window_frames=facts.window_frames
            )
            return segments, "generated speech"
        segments = corpus_segments(
            chosen,
            self.cache,
            self.clips,
            n,
            seed=seed,
            window_frames=facts.window_frames,
            window_hop=facts.window_hop,
            n_workers=self.n_workers,
        )
        return segments, side
