"""What the project set out to reach, and whether a scorecard does."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

__all__ = ["BARS", "NOISE_AT", "Bar", "figures_of"]

#: The device's recipe and the runtime of its bundled model, which the bars are about.
RECIPE, KIND = "claf-ser", "numpy-int8"

#: The condition whose drop has a bar, by noise.
NOISE_AT = {kind: f"{kind}-10dB" for kind in ("white", "pink", "babble")}


def figures_of(
    scorecard: Mapping[str, Any], recipe: str, protocol: str, kind: str
) -> dict[str, Any] | None:
    """Figures of one protocol in one runtime; None where it was not measured."""
    entry = scorecard["recipes"].get(recipe, {}).get("protocols", {}).get(protocol, {}).get(kind)
    return None if entry is None else dict(entry["figures"])


@dataclasses.dataclass(frozen=True)
class Bar:
    """One goal: at least ``goal``, or at most where ``at_most``; shares, not percent."""

    protocol: str
    corpus: str
    metric: str
    goal: float
    at_most: bool = False

    def value(self, scorecard: Mapping[str, Any], kind: str = KIND) -> float | None:
        """What was measured; None where it was not."""
        figures = figures_of(scorecard, RECIPE, self.protocol, kind)
        if figures is None:
            return None
        if self.protocol.startswith("noise/"):
            drops = [
                figures["conditions"][name]["by_corpus"][self.corpus][self.metric]
                for name in NOISE_AT.values()
            ]
            return float(max(drops))
        part = figures if self.corpus == "all" else figures["by_corpus"][self.corpus]
        return float(part[self.metric])

    def verdict(self, value: float | None) -> str:
        """The goal and whether it was reached, in words."""
        percent = self.metric != "ece"
        goal = f"{100 * self.goal:.1f}" if percent else f"{self.goal:.2f}"
        words = f"{'at most ' if self.at_most else ''}{goal}"
        if value is None:
            return f"{words}: not measured"
        short = value - self.goal if self.at_most else self.goal - value
        if short <= 0:
            return f"{words}: reached"
        # Two digits more than the figure shows, or "93.0" would miss 93.0 by nothing.
        missed = f"{100 * short:.2f}" if percent else f"{short:.4f}"
        return f"{words}: not reached, by {missed}"


BARS: tuple[Bar, ...] = (
    Bar("paper", "all", "accuracy", 0.93),
    Bar("speaker-5fold", "ravdess", "uar", 0.654),
    Bar("speaker-5fold", "savee", "uar", 0.45),
    Bar("speaker-5fold", "emo-db", "uar", 0.75),
    Bar("noise/speaker-5fold", "ravdess", "uar_drop", 0.10, at_most=True),
    Bar("speaker-5fold", "all", "ece", 0.08, at_most=True),
)
