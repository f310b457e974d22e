"""How often artifacts name the user's clips as these are labelled, or as the first one does."""

from __future__ import annotations

import collections
import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import Any

from edge.benchmark.clips import Clips
from edge.benchmark.subjects import Subject
from edge.benchmark.workers import Worker
from edge.errors import ParameterError, how_many
from edge.stream.label_words import label_of

__all__ = ["Answer", "Hearing", "check_comparable"]

#: Normal quantile of an interval of 95 %.
_Z = 1.959964


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """What an artifact says of a clip.

    Parameters
    ----------
    label : str or None
        The most probable one, however probable it is; None where nobody speaks.
    probability : float
        Its own.
    problem : str or None
        Why the clip cannot be heard.
    """

    label: str | None = None
    probability: float = 0.0
    problem: str | None = None


def check_comparable(clips: Clips, subjects: Sequence[Subject]) -> None:
    """Refuse clips that nothing could be said of, before anything is measured.

    Raises
    ------
    ParameterError
        If none has a label of the one artifact that is measured.
    """
    if len(subjects) == 1 and not any(_truths(clips, subjects[0])):
        labels = ", ".join(subjects[0].artifact.manifest.labels)
        raise ParameterError(
            f"--audio: {clips.truth} names no label of {subjects[0].name} ({labels}): name the "
            "folders by labels, put a labels.csv there, or name a second artifact to compare with"
        )


class Hearing:
    """Shows every clip to every artifact.

    Parameters
    ----------
    clips : Clips
    subjects : sequence of Subject
    workers : sequence of Worker
        One for each of them.
    progress : callable
        Is told a sentence now and then.
    """

    def __init__(
        self,
        clips: Clips,
        subjects: Sequence[Subject],
        workers: Sequence[Worker],
        progress: Callable[[str], object] = lambda _: None,
    ) -> None:
        self._clips, self._subjects = clips, subjects
        self._digest = clips.digest()
        self._answers: list[list[Answer]] = [[] for _ in subjects]
        n = len(clips.clips)
        for i, clip in enumerate(clips.clips):
            if i % 20 == 0:
                progress(f"hearing clips, {i} of {n}")
            for worker, answers in zip(workers, self._answers, strict=True):
                answers.append(Answer(**worker.hear(str(clip.path))))

    def trouble(self) -> str | None:
        """Say which clips cannot be heard; None where all can."""
        problems = [each.problem for each in self._answers[0] if each.problem is not None]
        if not problems:
            return None
        return f"{how_many(len(problems), 'clip')} cannot be heard, such as: {problems[0]}"

    def reports(self) -> list[dict[str, Any]]:
        """Give the block ``agreement`` of every artifact."""
        return [self._report(i) for i in range(len(self._subjects))]

    def _report(self, i: int) -> dict[str, Any]:
        subject, answers = self._subjects[i], self._answers[i]
        truths = _truths(self._clips, subject)
        pairs = [
            (truth, answer)
            for truth, answer in zip(truths, answers, strict=True)
            if truth is not None and answer.problem is None
        ]
        heard = [answer for answer in answers if answer.problem is None]
        return {
            "n_clips": len(answers),
            "n_unreadable": len(answers) - len(heard),
            "n_without_speech": sum(answer.label is None for answer in heard),
            "clips_sha256": self._digest,
            "truth": self._clips.truth if pairs else None,
            "accuracy": _share([truth == answer.label for truth, answer in pairs]),
            "recall": _recall(pairs),
            "above_bar": _above_bar(subject, pairs),
            "with_first": self._with_first(i) if i else None,
        }

    def _with_first(self, i: int) -> dict[str, Any]:
        """How often an artifact says what the first one says."""
        first = self._subjects[0]
        same = [
            answer.label == other.label
            for answer, other in zip(self._answers[i], self._answers[0], strict=True)
            if answer.problem is None and other.problem is None
        ]
        name = first.artifact.manifest.name
        return {"artifact": name, "backend": first.backend, **_share(same)}


def _truths(clips: Clips, subject: Subject) -> list[str | None]:
    """The label of every clip, of those that the model has."""
    labels = subject.artifact.manifest.labels
    truths = []
    for clip in clips.clips:
        found = (label_of(word, labels) for word in clip.words)
        truths.append(next((label for label in found if label is not None), None))
    return truths


def _recall(pairs: Sequence[tuple[str, Answer]]) -> dict[str, list[int]]:
    """By label: how many of its clips were named so, and how many there are."""
    counts: dict[str, list[int]] = collections.defaultdict(lambda: [0, 0])
    for truth, answer in pairs:
        counts[truth][0] += truth == answer.label
        counts[truth][1] += 1
    return dict(sorted(counts.items()))


def _above_bar(subject: Subject, pairs: Sequence[tuple[str, Answer]]) -> dict[str, Any] | None:
    """Of what the artifact says by its own bar, how much is right; None where it has none."""
    abstention = subject.artifact.manifest.abstention
    if abstention is None:
        return None
    bar = abstention.min_probability
    said = [
        truth == answer.label
        for truth, answer in pairs
        if answer.label is not None and answer.probability >= bar
    ]
    return {"min_probability": bar, **_share(said)}


def _share(hits: Sequence[bool]) -> dict[str, Any]:
    """A share, its interval of 95 % (Wilson 1927) and of how many it is."""
    n = len(hits)
    if not n:
        return {"value": None, "ci95": None, "n": 0}
    share = sum(hits) / n
    middle = share + _Z**2 / (2 * n)
    half = _Z * math.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
    ci95 = [(middle - half) / (1 + _Z**2 / n), (middle + half) / (1 + _Z**2 / n)]
    return {"value": round(share, 4), "ci95": [round(max(0.0, x), 4) for x in ci95], "n": n}
