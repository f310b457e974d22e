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
from quantize.abstention import GOAL, MARGIN, TABLE_BARS, Answers, choose_bar
from quantize.activation import Activations, fit_activation
from quantize.windows import Windows

__all__ = ["Choice", "Chosen", "Facts", "cross_fit"]


@dataclasses.dataclass(frozen=True)
class Facts:
    """Where figures come from, as a manifest says it.

    Parameters
    ----------
    split : str
        What was held out, of which recipe.
    command, commit : str
        What measured it.
    """

    split: str
    command: str
    commit: str


@dataclasses.dataclass(frozen=True)
class Choice:
    """What some windows chose.

    Parameters
    ----------
    bar : float or None
        None where no bar does.
    scale : ActivationScale
    answers : Answers
        The windows that it was chosen on.
    """

    bar: float | None
    scale: ActivationScale
    answers: Answers

    @classmethod
    def of(cls, answers: Answers, activations: Activations) -> Choice:
        """Choose on windows of unseen speakers."""
        return cls(choose_bar(answers), fit_activation(activations), answers)

    def abstention(self, facts: Facts) -> Abstention:
        """As a manifest holds it; its bar is 0 where none does."""
        return Abstention(
            self.bar or 0.0,
            tuple(_row(bar, self.answers.at(bar).figures()) for bar in TABLE_BARS),
            facts.split,
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
        :meth:`Answers.figures`), ``coverage`` (the same at every bar of the table) and
        ``activation`` (see :meth:`Activations.figures`).
    """

    folds: tuple[Choice, ...]
    together: Choice
    figures: dict[str, Any]


def cross_fit(parts: Sequence[Windows], temperatures: Sequence[float]) -> Chosen:
    """Choose for every fold by the others, and by all.

    Parameters
    ----------
    parts : sequence of Windows
        Of every fold, what it holds out.
    temperatures : sequence of float
        Of every fold, chosen by the others. A fold's choice is made at its own temperature,
        since those of the others were chosen on its speakers.

    Returns
    -------
    Chosen
    """
    folds = []
    for at, temperature in enumerate(temperatures):
        others = Windows.pooled([part for other, part in enumerate(parts) if other != at])
        folds.append(
            Choice.of(Answers.of(others, temperature), Activations.of(others, temperature))
        )
    own = list(zip(parts, temperatures, strict=True))
    together = Choice.of(
        Answers.pooled([Answers.of(part, t) for part, t in own]),
        Activations.pooled([Activations.of(part, t) for part, t in own]),
    )
    judged = Answers.pooled(
        [
            # Where no bar does, nothing that is answered is worth it.
            Answers.of(part, t, 2.0 if choice.bar is None else choice.bar)
            for (part, t), choice in zip(own, folds, strict=True)
        ]
    )
    scaled = Activations.pooled(
        [Activations.of(part, t, c.scale) for (part, t), c in zip(own, folds, strict=True)]
    )
    figures = {
        "goal": GOAL,
        "margin": MARGIN,
        "min_probability": together.bar,
        "activation_scale": dataclasses.asdict(together.scale),
        "without_bar": judged.at(0.0).figures(),
        "answered": judged.figures(),
        "coverage": [{"bar": bar, **judged.at(bar).figures()} for bar in TABLE_BARS],
        "activation": scaled.figures(),
    }
    return Chosen(tuple(folds), together, figures)


def _row(bar: float, figures: dict[str, Any]) -> CoverageRow:
    """One row of a manifest's table: of the two ways to weigh, the worse."""
    both = [figures[key]["accuracy"] for key in ("mean", "pooled")]
    accuracy = None if None in both else round(min(both), 4)
    coverage = round(figures["mean"]["coverage"], 4)
    return CoverageRow(bar, coverage, accuracy, figures["mean"]["n_answered"])
