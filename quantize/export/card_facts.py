"""What a card says of whom a model heard, who taught it, and where it fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from edge.artifact import Manifest
from quantize.data.corpora import CORPORA
from quantize.export.licence import recordings_of

__all__ = [
    "ACTED",
    "OF_CONDITION",
    "OF_CORPUS",
    "OF_LABEL",
    "OF_REFERENCE",
    "OF_UNHEARD",
    "ROLE",
    "failings",
    "heard_rows",
    "speakers_and_languages",
    "taught_by",
]

#: Key of a figure in a manifest that says what a card is to make of it, and its values: a corpus
#: of strangers, one that nothing of was heard, one label of strangers, what RAVDESS was heard
#: through, and a reference for the voice.
ROLE = "role"
OF_CORPUS, OF_UNHEARD, OF_LABEL = "corpus", "unheard corpus", "label"
OF_CONDITION, OF_REFERENCE = "condition", "reference"

#: Corpora whose emotions were acted.
ACTED = frozenset({"ravdess", "savee", "emo-db", "tess", "emovo", "nemo"})

_LANGUAGES = {
    "bn": "Bengali", "de": "German", "el": "Greek", "en": "English", "es": "Spanish",
    "fa": "Persian", "fr": "French", "it": "Italian", "pl": "Polish", "tr": "Turkish",
    "ur": "Urdu", "zh": "Chinese",
}  # fmt: skip

_Figures = Sequence[Mapping[str, Any]]


def heard_rows(training: Mapping[str, Any]) -> list[dict[str, str]]:
    """Corpora of a training for a table: title, language, licence, and how many were heard.

    ``n_speakers`` and ``n_clips`` are empty where the manifest does not tell them.
    """
    heard = _heard(training)
    rows = []
    for each in recordings_of(training):
        name = each.name.lower() if each.name.lower() in CORPORA else each.name
        told = heard.get(name, {})
        row = {"title": each.title, "language": each.language, "licence": each.licence}
        row |= {key: str(told.get(key) or "") for key in ("n_speakers", "n_clips")}
        rows.append(row)
    return rows


def speakers_and_languages(training: Mapping[str, Any]) -> tuple[int, list[str]] | None:
    """How many speakers were heard, and in which languages; None where that is not told of all."""
    heard = _heard(training)
    numbers = [part.get("n_speakers") for part in heard.values()]
    if not heard or not all(isinstance(n, int) and n for n in numbers):
        return None
    codes = dict.fromkeys(code for part in heard.values() for code in part.get("languages", ()))
    return sum(n for n in numbers if n), sorted(_LANGUAGES.get(code, code) for code in codes)


def _heard(training: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    heard = training.get("heard")
    if not isinstance(heard, Mapping):
        return {}
    return {name: part for name, part in heard.items() if isinstance(part, Mapping)}


def taught_by(training: Mapping[str, Any]) -> str | None:
    """One sentence on who taught beside the labels; None where nobody did."""
    runs, lessons = training.get("teachers"), training.get("lessons")
    told = []
    if isinstance(runs, Mapping) and runs:
        told.append(f"the mean posterior of {_listed([f'`{name}`' for name in runs])}")
    if training.get("encoder"):
        told.append(
            "a linear classifier on a large model's vectors of the same clips, fitted on the "
            "training side alone"
        )
    sentences = []
    if told:
        sentences.append(f"Taught beside the labels by {' and by '.join(told)}.")
    if isinstance(lessons, list) and lessons:
        names = _listed([str(name).upper() for name in lessons])
        sentences.append(f"Of {names} every clip was learnt, and none is measured.")
    return " ".join(sentences) or None


def failings(manifest: Manifest) -> list[str]:
    """Sentences on where it is worst, from the figures in the manifest.

    Returns
    -------
    list of str
        Empty where the figures do not tell their roles.
    """
    by_role: dict[str, list[Mapping[str, Any]]] = {}
    for entry in manifest.accuracy:
        by_role.setdefault(str(entry.get(ROLE)), []).append(entry)
    sentences = [
        *_corpora(by_role.get(OF_CORPUS, []), by_role.get(OF_UNHEARD, [])),
        *_worst_label(by_role.get(OF_LABEL, [])),
        *_worst_condition(by_role.get(OF_CONDITION, []), by_role.get(OF_CORPUS, [])),
    ]
    if not sentences:
        return []
    return [*sentences, _reference(manifest, by_role.get(OF_REFERENCE, []))]


def _corpora(strangers: _Figures, unheard: _Figures) -> list[str]:
    sentences = []
    uars = [entry for entry in strangers if entry["metric"] == "uar"]
    if uars:
        worst = min(uars, key=_value)
        sentences.append(
            f"Of corpora whose other speakers it heard it is worst on {_subject(worst).upper()}: "
            f"UAR {_percent(worst)} %."
        )
    if unheard:
        low, high = min(unheard, key=_value), max(unheard, key=_value)
        mean = 100 * sum(map(_value, unheard)) / len(unheard)
        sentences.append(
            "On a corpus of which it heard nothing, other rooms, sentences and speakers, UAR is "
            f"{mean:.1f} % on average, from {_percent(low)} to {_percent(high)} %."
        )
    return sentences


def _worst_label(labels: _Figures) -> list[str]:
    if not labels:
        return []
    worst = min(labels, key=_value)
    return [
        f"Of strangers' labels it finds {_subject(worst)} least: {_percent(worst)} % of "
        f"{worst['n']} clips."
    ]


def _worst_condition(conditions: _Figures, strangers: _Figures) -> list[str]:
    if not conditions:
        return []
    worst = min(conditions, key=_value)
    corpus, _, name = _subject(worst).partition(", ")
    clean = [e for e in strangers if e["metric"] == "uar" and _subject(e) == corpus]
    before = f", against {_percent(clean[0])} % clean" if clean else ""
    return [
        f"Of the rooms, lines and noises that {corpus.upper()} was heard through, the worst is "
        f"{name}: UAR {_percent(worst)} %{before}."
    ]


def _reference(manifest: Manifest, measured: _Figures) -> str:
    if manifest.voice_reference is None:
        return "It knows no reference for a voice: whom it has heard for hours it hears as new."
    figures = ", ".join(
        f"{_percent(entry)} % ({_subject(entry).replace(', ', ' after ')})" for entry in measured
    )
    told = f" With one, UAR is {figures}." if figures else ""
    return (
        "A stream takes its voice's own mean away once it has heard enough of it; a single clip of "
        f"a stranger has none of that.{told}"
    )


def _value(entry: Mapping[str, Any]) -> float:
    return float(entry["value"])


def _percent(entry: Mapping[str, Any]) -> str:
    return f"{100 * _value(entry):.1f}"


def _subject(entry: Mapping[str, Any]) -> str:
    """What a figure is about: the end of its split."""
    return str(entry["split"]).partition(", ")[2]


def _listed(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
