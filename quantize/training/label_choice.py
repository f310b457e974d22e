"""Labels of a training: which, in what order, and what is odd about them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from edge.errors import ParameterError, how_many
from edge.sinks.rule import ACTIVATION
from edge.stream.decision import GAP, NO_SPEECH, QUIET, UNCERTAIN
from quantize.basics.errors import CorpusError
from quantize.basics.settings import fields_of
from quantize.data.corpora import Clip, check_labels, choose_labels, counted, labelled
from quantize.export.common import UNKNOWN_LANGUAGE
from quantize.runs.settings import RunSettings

__all__ = ["FEW_CLIPS", "chosen_labels", "for_labels", "remarks"]

#: Of a label with fewer clips to learn from, hardly anything is learned. A word to the reader,
#: no limit: how many are enough depends on how alike they are.
FEW_CLIPS = 20

#: What stands in a label's place where there is none, and what a rule calls the activation.
_SAID_BY_DEVICES = {UNCERTAIN, NO_SPEECH, QUIET, GAP, ACTIVATION}


def chosen_labels(
    clips: Sequence[Clip], asked: Sequence[str] = ()
) -> tuple[tuple[str, ...], list[Clip]]:
    """Labels of a training in the order of its model's outputs, and the clips that have one.

    Parameters
    ----------
    clips : sequence of Clip
        All that were found.
    asked : sequence of str
        Labels that were named; none: see :func:`quantize.data.corpora.choose_labels`.

    Raises
    ------
    ParameterError
        If there are fewer than two labels, too many, or one cannot be a label.
    CorpusError
        If one has no clip.
    """
    if asked:
        labels = check_labels(asked)
        return labels, labelled(clips, labels)
    labels = choose_labels(clips)
    try:
        return check_labels(labels), list(clips)
    except ParameterError as error:
        raise CorpusError(
            f"the clips cannot be told apart by their labels, {counted(c.label for c in clips)}: "
            f"{error}"
        ) from error


def for_labels(config: Any, labels: Sequence[str], domains: Sequence[str]) -> Any:
    """The same model with an output for every label and a row for every corpus."""
    if UNKNOWN_LANGUAGE in domains:
        raise CorpusError(
            f"a corpus is called {UNKNOWN_LANGUAGE!r}, which is what a device calls the corpus "
            "it listens to: give the corpus another name"
        )
    sizes = {"n_labels": len(labels), "n_domains": len(domains)}
    known = {field.name for field in fields_of(type(config))}
    return config.replaced(**{k: v for k, v in sizes.items() if k in known})


def remarks(
    train: Sequence[Clip],
    held_out: Sequence[Clip],
    labels: Sequence[str],
    domains: Sequence[str],
    run: RunSettings,
    left_out: Sequence[str] = (),
) -> list[str]:
    """What a person should know of a training's labels before it takes an hour.

    Parameters
    ----------
    train, held_out : sequence of Clip
        Both sides of the split.
    labels, domains : sequence of str
        Of the model.
    run : RunSettings
    left_out : sequence of str
        Labels of the clips that were found and have none of the model's.

    Returns
    -------
    list of str
        Sentences: labels that are learned and not measured, measured and not learned, or neither,
        labels with few clips, labels that a device says of itself, and a model that has one
        corpus to tell apart.
    """
    found = []
    if left_out:
        found.append(f"of other labels and left out: {counted(left_out)}")
    learned, measured = (Counter(clip.label for clip in side) for side in (train, held_out))
    absent = [label for label in labels if not learned[label] and measured[label]]
    if absent:
        found.append(
            f"{_listed(absent)} occur{'s' if len(absent) == 1 else ''} among the held-out clips "
            f"alone: nothing is learned of {_them(absent)}; take another --split or --fold, or "
            "more clips"
        )
    nowhere = [label for label in labels if not learned[label] and not measured[label]]
    if nowhere:
        found.append(
            f"no clip is labelled {' or '.join(nowhere)}: the model has an output for "
            f"{_them(nowhere)} and learns nothing of {_them(nowhere)}; --labels names those that "
            "are wanted"
        )
    unmeasured = [label for label in labels if learned[label] and not measured[label]]
    if held_out and unmeasured:
        found.append(
            f"{_listed(unmeasured)} occur{'s' if len(unmeasured) == 1 else ''} among the training "
            f"clips alone: how often a clip of {_them(unmeasured)} is recognised is not measured"
        )
    few = [label for label in labels if 0 < learned[label] < FEW_CLIPS]
    if few:
        found.append(
            f"few clips to learn from: {', '.join(f'{name} ({learned[name]})' for name in few)}; "
            f"{FEW_CLIPS} of a label are the least that is worth a try"
        )
    said = [label for label in labels if label in _SAID_BY_DEVICES]
    if said:
        found.append(
            f"{_listed(said)} {'is' if len(said) == 1 else 'are'} also what a device says where "
            f"no label is: --map-label {said[0]}=OTHER gives {_them(said)} another word"
        )
    if len(domains) == 1:
        found.append(
            f"all clips are of one corpus, {domains[0]}: there is no other to tell it from, and "
            "the domain loss is 0"
        )
    return found + _of_voices(train, held_out, run)


def _of_voices(train: Sequence[Clip], held_out: Sequence[Clip], run: RunSettings) -> list[str]:
    """Say whose voices may be, or are, on both sides of a split that nobody asked to part them."""
    if run.split not in ("paper", "given"):
        return []
    less = "strangers will be recognised less well than it says"
    if train and not any(clip.speaker_known for clip in train):
        return [
            f"nobody says who speaks in {how_many(len(train) + len(held_out), 'clip')}: the split "
            f"may have a voice on both sides, and {less}"
        ]
    # Of the paper's it is known that it has all voices on both sides.
    shared = {c.speaker for c in train if c.speaker_known} & {c.speaker for c in held_out}
    if run.split == "given" and shared:
        named = ", ".join(sorted(shared)[:3]) + (", ..." if len(shared) > 3 else "")
        voices = how_many(len(shared), "speaker")
        return [f"the given split has {voices} on both sides ({named}): {less}"]
    return []


def _them(names: Sequence[str]) -> str:
    return "it" if len(names) == 1 else "them"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
