"""What folds say of abstaining: each is judged by what the others chose, and all choose together.

The temperature, the bar and the activation's scale of a fold come from the speakers that the
other folds hold out; what they are worth is measured on its own.  What is shipped comes from
the speakers of all folds.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from edge.artifact import Abstention, ActivationScale, CoverageRow
from edge.stream.activation import ActivationMeter
from quantize.measure.abstention import TABLE_BARS, Judged, choose_bar
from quantize.measure.activation import Activations, fit_activation
from quantize.measure.answers import Answers
from quantize.measure.goal import GOAL, MARGIN

__all__ = ["Choice", "Chosen", "Facts", "cross_fit"]


@dataclasses.dataclass(frozen=True)
class Facts:
    """Where figures come from.

    Parameters
    ----------
    recipe : str
        Of the folds.
    split : str
        By whose rule they were held out.
    command, commit : str
        What measured it.
    """

    recipe: str
    split: str
    command: str
    commit: str

    def told(self, recipe: str) -> str:
        """What was measured, as the manifest of a model of a recipe says it."""
        whose = f"{self.split} of {self.recipe}"
        if recipe != self.recipe:
            whose += f", whose folds stand for those of {recipe} until they are trained"
        return (
            f"{whose}; coverage is the mean over the corpora, accuracy the worse of that and of "
            "all segments together"
        )


@dataclasses.dataclass(frozen=True)
class Choice:
    """What some windows chose.

    Parameters
    ----------
    bar : float or None
        None where no bar does.
    scale : ActivationScale
    answers : Judged
        The windows that it was chosen on.
    """

    bar: float | None
    scale: ActivationScale
    answers: Judged

    @classmethod
    def of(cls, answers: Judged, activations: Activations | None) -> Choice:
        """Choose on windows of unseen speakers; without activations their scale stays 1."""
        scale = fit_activation(activations) if activations else ActivationScale()
        return cls(choose_bar(answers), scale, answers)

    @property
    def certain_bar(self) -> float:
        """The bar, or one that nothing reaches: where no bar does, no answer is worth it."""
        return 2.0 if self.bar is None else self.bar

    def abstention(self, facts: Facts, recipe: str | None = None) -> Abstention:
        """As the manifest of a model of a recipe holds it; its bar is 0 where none does.

        ``recipe`` is that of the folds, if None.
        """
        return Abstention(
            self.bar or 0.0,
            tuple(_row(bar, self.answers.at(bar).figures()) for bar in TABLE_BARS),
            facts.told(recipe or facts.recipe),
            facts.command,
            facts.commit,
            self.scale,
        )


@dataclasses.dataclass(frozen=True)
class Chosen:
    """What :func:`cross_fit` finds.

    Parameters
    ----------
    folds : tuple of Choice
        For each fold, by the others.
    together : Choice
        By all folds.
    figures : dict
        Of the folds at what the others chose: ``goal``, ``margin``, ``min_probability`` and
        ``activation_scale`` of all, ``without_bar`` and ``answered`` (see
        :meth:`Judged.figures`), ``coverage`` (the same at every bar of the table) and
        ``activation`` (see :meth:`Activations.figures`; None where the labels tell none).
    """

    folds: tuple[Choice, ...]
    together: Choice
    figures: dict[str, Any]


def cross_fit(parts: Sequence[Answers], temperatures: Sequence[float]) -> Chosen:
    """Choose for every fold by the others, and by all.

    Parameters
    ----------
    parts : sequence of Answers
        Of every fold, what it holds out.
    temperatures : sequence of float
        Of every fold, chosen by the others. A fold's choice is made at its own temperature,
        since those of the others were chosen on its speakers.

    Returns
    -------
    Chosen
    """
    tells = ActivationMeter(parts[0].labels).can_tell
    folds = []
    for at, temperature in enumerate(temperatures):
        others = Answers.pooled([part for other, part in enumerate(parts) if other != at])
        folds.append(
            Choice.of(
                Judged.of(others, temperature),
                Activations.of(others, temperature) if tells else None,
            )
        )
    own = list(zip(parts, temperatures, strict=True))
    together = Choice.of(
        Judged.pooled([Judged.of(part, t) for part, t in own]),
        Activations.pooled([Activations.of(part, t) for part, t in own]) if tells else None,
    )
    chosen = list(zip(parts, temperatures, folds, strict=True))
    judged = Judged.pooled([Judged.of(part, t, c.certain_bar) for part, t, c in chosen])
    scaled = (
        Activations.pooled([Activations.of(part, t, c.scale) for part, t, c in chosen]).figures()
        if tells
        else None
    )
    figures = {
        "goal": GOAL,
        "margin": MARGIN,
        "min_probability": together.bar,
        "activation_scale": dataclasses.asdict(together.scale),
        "without_bar": judged.at(0.0).figures(),
        "answered": judged.figures(),
        "coverage": [{"bar": bar, **judged.at(bar).figures()} for bar in TABLE_BARS],
        "activation": scaled,
    }
    return Chosen(tuple(folds), together, figures)


def _row(bar: float, figures: dict[str, Any]) -> CoverageRow:
    """One row of a manifest's table: of the two ways to weigh, the worse."""
    both = [figures[key]["accuracy"] for key in ("mean", "pooled")]
    accuracy = None if None in both else round(min(both), 4)
    coverage = round(figures["mean"]["coverage"], 4)
    return CoverageRow(bar, coverage, accuracy, figures["mean"]["n_answered"])
