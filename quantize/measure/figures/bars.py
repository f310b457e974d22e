"""What the project set out to reach, and whether a scorecard does."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from quantize.measure.protocols.trials import MOSTLY_SPEECH

__all__ = [
    "ALONE",
    "FURTHER_BARS",
    "HEADLINE_BARS",
    "KIND",
    "LOST_AT",
    "NOISE_AT",
    "RECIPE",
    "REFERENCE_CLIPS",
    "TINY",
    "Bar",
    "figures_of",
    "recipe_for",
]

#: The device's recipe and the runtime of its bundled model, which the bars are about.
RECIPE, KIND = "claf-ser", "numpy-int8"

#: For people whom it has heard, of whom the protocol ``paper`` is.
PAPER = "claf-ser-paper"

#: The small one, and the one that no other run teaches, which is trained without each corpus.
TINY, ALONE = "claf-ser-tiny", "claf-ser-alone"

#: The conditions of noise whose figures are kept with a model, by noise.
NOISE_AT = {kind: f"{kind}-10dB" for kind in ("white", "pink", "babble")}

#: Conditions whose points lost have a bar, by its name; where there are several, the worst counts.
LOST_AT: dict[str, tuple[str, ...]] = {
    **{f"{kind} noise at 10 dB": (name,) for kind, name in NOISE_AT.items()},
    "band up to 4 kHz": ("band-4000Hz",),
    "far microphone": ("far-microphone",),
    "µ-law": ("mu-law",),
    "hum": ("hum-50Hz", "hum-100Hz", "hum-120Hz"),
}

#: A reference of so many clips has bars.
REFERENCE_CLIPS = 16

#: By the figures of the headline: protocol, corpus or ``"all"``, metric.
_HEADLINE = (
    ("paper", "all", "accuracy"),
    ("speaker-5fold", "ravdess", "uar"),
    ("speaker-5fold", "emo-db", "uar"),
    ("speaker-5fold", "savee", "uar"),
)


Scorecard = Mapping[str, Any]
Value = Callable[[Scorecard], float | None]


def figures_of(
    scorecard: Scorecard, recipe: str, protocol: str, kind: str
) -> dict[str, Any] | None:
    """Figures of one protocol in one runtime; None where it was not measured."""
    entry = scorecard["recipes"].get(recipe, {}).get("protocols", {}).get(protocol, {}).get(kind)
    return None if entry is None else dict(entry["figures"])


def recipe_for(scorecard: Scorecard, protocol: str) -> str:
    """Whose figures of a protocol are the headline's: that of the device, or of people heard."""
    protocols = scorecard["recipes"].get(PAPER, {}).get("protocols", {})
    return PAPER if protocol == "paper" and protocol in protocols else RECIPE


@dataclasses.dataclass(frozen=True)
class Bar:
    """One goal: at least ``goal``, or at most where ``at_most``.

    Parameters
    ----------
    goal : float
        A share, not percent.
    value : callable
        What a scorecard measured of it, a share; None where it did not.
    at_most : bool
    name : str
        What it is about, for a table of bars.
    in_percent : bool
        Whether people are told percent; else the share itself.
    """

    goal: float
    value: Value
    at_most: bool = False
    name: str = ""
    in_percent: bool = True

    def told(self, value: float) -> str:
        """A figure as people are told it."""
        return f"{100 * value:.1f}" if self.in_percent else f"{value:.3f}"

    def verdict(self, value: float | None) -> str:
        """The goal and whether it was reached, in words."""
        goal = f"{100 * self.goal:.1f}" if self.in_percent else f"{self.goal:.2f}"
        words = f"{'at most ' if self.at_most else ''}{goal}"
        if value is None:
            return f"{words}: not measured"
        short = value - self.goal if self.at_most else self.goal - value
        # Differences of shares are as exact as a float is.
        if short <= 1e-9:
            return f"{words}: reached"
        # Two digits more than the figure shows, or "93.0" would miss 93.0 by nothing.
        missed = f"{100 * short:.2f}" if self.in_percent else f"{short:.4f}"
        return f"{words}: not reached, by {missed}"


def _of_corpus(figures: Mapping[str, Any] | None, corpus: str, metric: str) -> float | None:
    part = figures if figures is None or corpus == "all" else figures["by_corpus"].get(corpus)
    return None if part is None or metric not in part else float(part[metric])


def _figure(
    scorecard: Scorecard,
    protocol: str,
    corpus: str,
    metric: str,
    recipe: str = RECIPE,
    kind: str = KIND,
) -> float | None:
    return _of_corpus(figures_of(scorecard, recipe, protocol, kind), corpus, metric)


def _worst_ece(scorecard: Scorecard) -> float | None:
    figures = figures_of(scorecard, RECIPE, "speaker-5fold", KIND)
    if figures is None:
        return None
    return max(float(part["ece"]) for part in figures["by_corpus"].values())


def _referred(scorecard: Scorecard) -> dict[str, Any]:
    figures = figures_of(scorecard, RECIPE, "reference/speaker-5fold", KIND)
    return {} if figures is None else dict(figures["conditions"])


def _gain(scorecard: Scorecard, corpus: str, of: str) -> float | None:
    lost = _of_corpus(
        _referred(scorecard).get(f"{REFERENCE_CLIPS} clips, {of}"), corpus, "uar_drop"
    )
    return None if lost is None else -lost


def _with_reference(scorecard: Scorecard, corpus: str) -> float | None:
    return _of_corpus(_referred(scorecard).get(f"{REFERENCE_CLIPS} clips, random"), corpus, "uar")


def _worst_reference(scorecard: Scorecard) -> float | None:
    return _largest(
        _of_corpus(figures, corpus, "uar_drop")
        for figures in _referred(scorecard).values()
        for corpus in figures["by_corpus"]
    )


def _largest(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)


def _below(scorecard: Scorecard, of: tuple[str, str], than: tuple[str, str]) -> list[float | None]:
    """By how much each figure of the headline is lower for one recipe and kind than another."""
    pairs = (
        (
            _figure(scorecard, *each, recipe=than[0], kind=than[1]),
            _figure(scorecard, *each, recipe=of[0], kind=of[1]),
        )
        for each in _HEADLINE
    )
    return [None if None in pair else pair[0] - pair[1] for pair in pairs]  # type: ignore[operator]


def _tiny_below(scorecard: Scorecard) -> float | None:
    return _largest(_below(scorecard, (TINY, KIND), (RECIPE, KIND)))


def _rounded_below(scorecard: Scorecard) -> float | None:
    values = [
        value
        for recipe in (RECIPE, TINY)
        for kind in (KIND, "onnx-int8")
        for value in _below(scorecard, (recipe, kind), (recipe, "torch"))
    ]
    rounded, whole = (_unheard_each(scorecard, kind) for kind in (KIND, "torch"))
    return _largest([*values, *(whole[name] - rounded[name] for name in whole if name in rounded)])


def _window(scorecard: Scorecard, window: str, *, of_speech: bool) -> float | None:
    figures = figures_of(scorecard, RECIPE, "segments/speaker-5fold", KIND)
    part = None if figures is None else figures["conditions"].get(window)
    if part is not None and of_speech:
        part = part.get("by_speech", {}).get(MOSTLY_SPEECH)
    return None if part is None else _of_corpus(part, "ravdess", "uar")


def _unheard_each(scorecard: Scorecard, kind: str) -> dict[str, float]:
    """UAR on every corpus that was left out."""
    protocols = scorecard["recipes"].get(ALONE, {}).get("protocols", {})
    runs = protocols.get("leave-one-corpus-out", {}).get(kind, {}).get("runs", ())
    return {name: float(part["uar"]) for run in runs for name, part in run["by_corpus"].items()}


def _unheard(scorecard: Scorecard) -> float | None:
    values = _unheard_each(scorecard, KIND).values()
    return sum(values) / len(values) if values else None


def _lost(scorecard: Scorecard, names: tuple[str, ...]) -> float | None:
    """The most points that RAVDESS loses; None unless it was heard under all of them."""
    for protocol in ("conditions", "noise"):
        figures = figures_of(scorecard, RECIPE, f"{protocol}/speaker-5fold", KIND)
        found = {} if figures is None else figures["conditions"]
        if all(name in found for name in names):
            return _largest(_of_corpus(found[name], "ravdess", "uar_drop") for name in names)
    return None


def _of_figure(goal: float, protocol: str, corpus: str, metric: str) -> Bar:
    def find(scorecard: Scorecard) -> float | None:
        recipe = recipe_for(scorecard, protocol)
        return _figure(scorecard, protocol, corpus, metric, recipe)

    return Bar(goal, find)


_LOST_GOALS = (0.06, 0.08, 0.12, 0.08, 0.08, 0.08, 0.01)

#: Of figures in the table of where it stands: by protocol, corpus or ``"all"``, and metric.
HEADLINE_BARS: dict[tuple[str, str, str], Bar] = {
    **{
        each: _of_figure(goal, *each)
        for each, goal in zip(_HEADLINE, (0.93, 0.68, 0.80, 0.47), strict=True)
    },
    ("speaker-5fold", "all", "ece"): Bar(
        0.06,
        functools.partial(_figure, protocol="speaker-5fold", corpus="all", metric="ece"),
        at_most=True,
        in_percent=False,
    ),
}

#: The others, by their names.
FURTHER_BARS: tuple[Bar, ...] = (
    Bar(0.10, _worst_ece, True, "ECE on strangers, the worst corpus", in_percent=False),
    *(
        Bar(
            goal,
            functools.partial(_gain, corpus=corpus, of=of),
            name=f"{corpus.upper()} strangers, points that a reference adds "
            f"({REFERENCE_CLIPS} clips, {of})",
        )
        for of, goal in (("random", 0.04), ("three in four calm", 0.02))
        for corpus in ("ravdess", "savee")
    ),
    Bar(
        0.72,
        functools.partial(_with_reference, corpus="ravdess"),
        name=f"RAVDESS strangers with a reference ({REFERENCE_CLIPS} clips, random), UAR",
    ),
    Bar(0.005, _worst_reference, True, "points that any reference costs any corpus, the most"),
    Bar(0.015, _tiny_below, True, "points of the tiny student below the full model, the most"),
    *(
        Bar(
            goal,
            functools.partial(_window, window=window, of_speech=of_speech),
            name=f"RAVDESS strangers, single windows of {window}"
            f"{' of speech' if of_speech else ''}, UAR",
        )
        for window, of_speech, goal in (("2.0 s", False, 0.64), ("1.0 s", True, 0.55))
    ),
    Bar(0.42, _unheard, name="a corpus that `claf-ser-alone` never heard, mean of four, UAR"),
    *(
        Bar(
            goal,
            functools.partial(_lost, names=names),
            True,
            f"RAVDESS strangers, points lost: {name}",
        )
        for (name, names), goal in zip(LOST_AT.items(), _LOST_GOALS, strict=True)
    ),
    Bar(0.003, _rounded_below, True, "points of int8 below fp32, the most"),
)
