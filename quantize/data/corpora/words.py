"""Words for emotions: how a folder's or a table's own becomes a label."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping

from edge.errors import shown
from edge.stream.label_words import FORMS, NEAR, fold
from quantize.basics.errors import CorpusError

__all__ = ["is_emotion", "read_words"]

# A number before a word, with what parts the two.
_NUMBER = re.compile(r"(\d+)[\s_,;.-]+(?=\S)")
_SAME = {form: label for label, forms in FORMS.items() for form in (label, *forms)}
_LIKE = {word: label for label, words in NEAR.items() for word in words}
#: From this likeness on a word may be one of these, misspelt: "angy" is 0.89 like "angry".
_MISSPELT = 0.85


def is_emotion(word: str) -> bool:
    """Tell whether a word, as it stands, means one of the eight."""
    return fold(word) in _SAME or fold(word) in _LIKE


def _refuse_numbered(folded: Mapping[str, str]) -> None:
    """Refuse to make one label of ``"1-star"`` and ``"2-star"``, where the number is the word."""
    numbers: dict[str, dict[int, str]] = defaultdict(dict)
    for word, short in folded.items():
        number = _NUMBER.match(unicodedata.normalize("NFKC", word).strip())
        if number and short not in _SAME and short not in _LIKE:
            numbers[short].setdefault(int(number[1]), word)
    for short, found in sorted(numbers.items()):
        if len(found) > 1:
            named = ", ".join(map(shown, list(found.values())[:3]))
            raise CorpusError(
                f"the labels {named} differ by their number alone, which is left out, and would "
                f"all be {shown(short)}: write the number behind, as in {short}-{min(found)}, or "
                "give them one number where they are one label"
            )


def read_words(words: Iterable[str]) -> tuple[dict[str, str], list[str]]:
    """Give every word of some recordings its label.

    Returns
    -------
    labels : dict of str to str
        Word, as it stands, to label: one of the eight where it can only mean that, else itself,
        folded.
    notes : list of str
        What was read as what, and what was left as it is.

    Raises
    ------
    CorpusError
        If words that are none of the eight differ in nothing but their number.
    """
    folded = {word: fold(word) for word in sorted(set(words))}
    _refuse_numbered(folded)
    plain = set(folded.values())
    sure = {_SAME[word] for word in plain if word in _SAME}
    near: dict[str, set[str]] = defaultdict(set)
    for word in plain:
        if word in _LIKE:
            near[_LIKE[word]].add(word)
    labels: dict[str, str] = {}
    told: dict[str, str] = {}
    unsure: dict[str, str] = {}
    for word, short in folded.items():
        label = short
        if short in _SAME:
            label = _SAME[short]
        elif short in _LIKE:
            meant = _LIKE[short]
            if meant in sure or len(near[meant]) > 1:
                unsure[short] = meant
            else:
                label = meant
        labels[word] = label
        if label != short:
            told[short] = label
    notes = []
    if told:
        read = ", ".join(f"{word} as {label}" for word, label in sorted(told.items()))
        notes.append(f"read {read}")
    if unsure:
        word, label = next(iter(sorted(unsure.items())))
        notes.append(
            f"left {', '.join(sorted(unsure))} as labels of their own beside {label}; "
            f"--map-label {word}={label} makes them one"
        )
    for word in sorted(plain - _SAME.keys() - _LIKE.keys()):
        # Letters alone, so that "sad-2" beside "sad" is no slip.
        if word.isalpha() and (like := difflib.get_close_matches(word, _SAME, 1, _MISSPELT)):
            notes.append(
                f"took {word} for a label of its own; where {like[0]} is meant, "
                f"--map-label {word}={_SAME[like[0]]} makes it that"
            )
    return labels, notes
