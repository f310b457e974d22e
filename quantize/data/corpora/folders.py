"""Recordings in a folder per emotion, or in folders of speakers with one per emotion."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from edge.errors import how_many, shown
from edge.stream.label_words import fold
from quantize.basics.errors import CorpusError
from quantize.basics.few import first_few
from quantize.data.corpora.own import SIDES, Entry, OwnRecordings, corpus_name
from quantize.data.corpora.words import is_emotion

__all__ = ["emotion_folders", "read_folders"]

_Parts = tuple[str, ...]
_SPEAKER = re.compile(
    r"(?:actor|speaker|spk|subject|sub|person|participant|user|id|[fmsp])?[-_ ]?\d+[a-z]?", re.I
)
_WANTED = (
    "wanted are folders named as the labels, LABEL/FILE or SPEAKER/LABEL/FILE, or a table with "
    "the columns path and label"
)


def emotion_folders(files: Sequence[Path]) -> dict[Path, list[str]]:
    """Folders that hold two or more folders named as emotions, and the names of these."""
    found: dict[Path, set[str]] = defaultdict(set)
    for path in files:
        if is_emotion(path.parent.name):
            found[path.parent.parent].add(path.parent.name)
    return {folder: sorted(names) for folder, names in found.items() if len(names) > 1}


def read_folders(root: Path, files: Sequence[Path]) -> OwnRecordings:
    """Take the label of each file from the folder it lies in.

    Folders named as sides, as ``train/angry``, are read as that; folders around all the others
    do not matter.

    Raises
    ------
    CorpusError
        If the folders do not tell labels, or not beyond doubt.
    """
    own = OwnRecordings(corpus_name(root.resolve().name), str(root))
    placed = {path: path.relative_to(root).parts[:-1] for path in files}
    placed = _without_common(placed)
    sides = {path: SIDES.get(parts[0].lower()) if parts else None for path, parts in placed.items()}
    if files and all(sides.values()) and all(len(parts) > 1 for parts in placed.values()):
        placed = {path: parts[1:] for path, parts in placed.items()}
        own.notes.append("read the folders " + ", ".join(sorted(set(_first(sides)))) + " as sides")
    else:
        sides = dict.fromkeys(placed)
    for path in [path for path, parts in placed.items() if not parts]:
        own.skip("lies in no label's folder", path.relative_to(root).as_posix())
        del placed[path]
    place = _place_of_label(root, placed)
    speakers = _speakers(placed, place)
    if place or any(speakers.values()):
        own.notes.append(f"read {'SPEAKER/LABEL' if place else 'LABEL/SPEAKER'}/FILE")
    for path, parts in placed.items():
        if len(parts) <= place:
            own.skip("lies in no label's folder", path.relative_to(root).as_posix())
            continue
        own.entries.append(
            Entry(
                key=path.relative_to(root).with_suffix("").as_posix(),
                path=path,
                word=parts[place],
                speaker=speakers[path],
                side=sides[path],
            )
        )
    return own


def _first(sides: dict[Path, str | None]) -> list[str]:
    return [side for side in sides.values() if side]


def _without_common(placed: dict[Path, _Parts]) -> dict[Path, _Parts]:
    """Drop folders that hold everything, but for the last one of a file."""
    while placed and all(len(parts) > 1 for parts in placed.values()):
        if len({parts[0] for parts in placed.values()}) > 1:
            break
        placed = {path: parts[1:] for path, parts in placed.items()}
    return placed


def _some(names: Sequence[str]) -> str:
    return first_few([shown(name) for name in names], 3)


def _place_of_label(root: Path, placed: dict[Path, _Parts]) -> int:
    """Say which folder on the way to a file is the label: 0 the first, 1 the second."""
    if not placed:
        raise CorpusError(f"{str(root)!r} holds audio files in no folder: {_WANTED}")
    first = sorted({parts[0] for parts in placed.values()})
    second = sorted({parts[1] for parts in placed.values() if len(parts) > 1})
    deep = all(len(parts) > 1 for parts in placed.values())
    if len(first) == 1 and not is_emotion(first[0]):
        raise CorpusError(
            f"all {how_many(len(placed), 'audio file')} of {str(root)!r} lie in one folder, "
            f"{shown(first[0])}: {_WANTED}"
        )
    emotions = [any(map(is_emotion, names)) for names in (first, second)]
    speakers = [bool(names) and all(map(_SPEAKER.fullmatch, names)) for names in (first, second)]
    if not deep:
        if speakers[0]:
            raise CorpusError(
                f"the folders of {str(root)!r} look like speakers ({_some(first)}) and hold "
                f"no folders of labels: {_WANTED}"
            )
        return 0
    if emotions[0] != emotions[1]:
        return int(emotions[1])
    if not emotions[0] and speakers[0] != speakers[1]:
        return int(speakers[0])
    raise CorpusError(
        f"{str(root)!r} has folders in folders ({_some(first)}, in them {_some(second)}), of "
        f"which neither is surely the label: {_WANTED}"
    )


def _speakers(placed: dict[Path, _Parts], place: int) -> dict[Path, str | None]:
    """Speaker of every file: the folder above the label, or one that several labels have."""
    if place:
        return {path: parts[0] for path, parts in placed.items()}
    labels: dict[str, set[str]] = defaultdict(set)
    for parts in placed.values():
        if len(parts) > 1:
            labels[parts[1]].add(fold(parts[0]))
    shared = bool(labels) and all(len(found) > 1 for found in labels.values())
    if not shared or not all(len(parts) > 1 for parts in placed.values()):
        return dict.fromkeys(placed)
    return {path: parts[1] for path, parts in placed.items()}
