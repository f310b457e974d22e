"""The value `Split` and its JSON file."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from quantize.basics.errors import SplitError
from quantize.basics.files import write_json
from quantize.basics.json_files import load_json

__all__ = ["Split", "read_split", "write_split"]

_DISJOINT = ("clip", "speaker")


@dataclass(frozen=True)
class Split:
    """Two sets of clips that share no clip, or no speaker.

    Parameters
    ----------
    name : str
        The rule, for example ``"paper"`` or ``"speaker-5fold"``.
    seed : int
        Seed of the rule.
    fold : int or None
        Number of the fold, from 0; None for a rule without folds.
    disjoint : str
        What the sides must not share: ``"clip"`` or ``"speaker"``.
    train, test : tuple of str
        Clip ids, sorted.
    """

    name: str
    seed: int
    fold: int | None
    disjoint: str
    train: tuple[str, ...]
    test: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.disjoint not in _DISJOINT:
            raise SplitError(f"disjoint must be 'clip' or 'speaker', got {self.disjoint!r}.")
        object.__setattr__(self, "train", tuple(sorted(self.train)))
        object.__setattr__(self, "test", tuple(sorted(self.test)))

    @property
    def id(self) -> str:
        """Short name for folders and manifests, for example ``"speaker-5fold-s0-f2"``."""
        fold = "" if self.fold is None else f"-f{self.fold}"
        return f"{self.name}-s{self.seed}{fold}"

    @property
    def is_validation(self) -> bool:
        """Whether its test side is a part of a training side, held out to choose on.

        What ``train --validation`` holds out; figures of it are of no test.
        """
        return self.name.endswith("/validation")

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the canonical JSON of everything above, in hexadecimal."""
        text = json.dumps(self._content(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def _content(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "seed": self.seed,
            "fold": self.fold,
            "disjoint": self.disjoint,
            "train": list(self.train),
            "test": list(self.test),
        }

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready copy, fingerprint included."""
        return {**self._content(), "fingerprint": self.fingerprint}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Split:
        """Rebuild what `to_dict` gave.

        Raises
        ------
        SplitError
            If a key is missing or unknown, a value has the wrong type, or the
            fingerprint is not that of the content.
        """
        wanted = {"name", "seed", "fold", "disjoint", "train", "test", "fingerprint"}
        if not isinstance(data, Mapping) or set(data) != wanted:
            got = sorted(data) if isinstance(data, Mapping) else type(data).__name__
            raise SplitError(f"a split has the keys {sorted(wanted)}, got {got}.")
        sides = {side: data[side] for side in ("train", "test")}
        for side, ids in sides.items():
            if not isinstance(ids, list | tuple) or not all(isinstance(i, str) for i in ids):
                raise SplitError(f"{side} of a split must be a list of clip ids.")
        if not isinstance(data["name"], str) or not isinstance(data["seed"], int):
            raise SplitError("a split's name must be text and its seed a whole number.")
        if data["fold"] is not None and not isinstance(data["fold"], int):
            raise SplitError(
                f"a split's fold must be a whole number or null, got {data['fold']!r}."
            )
        split = cls(
            data["name"],
            data["seed"],
            data["fold"],
            data["disjoint"],
            tuple(sides["train"]),
            tuple(sides["test"]),
        )
        if split.fingerprint != data["fingerprint"]:
            raise SplitError(
                f"the split {split.id!r} does not match its fingerprint: it was changed after it "
                "was written; make it again."
            )
        return split


def write_split(split: Split, path: str | os.PathLike[str]) -> None:
    """Write a split as JSON, whole or not at all."""
    write_json(path, split.to_dict())


def read_split(path: str | os.PathLike[str]) -> Split:
    """Read what `write_split` wrote.

    Raises
    ------
    SplitError
        If the file is missing, is no split, or was changed.
    """
    try:
        data = load_json(path)
    except (OSError, ValueError) as error:
        raise SplitError(f"cannot read the split {os.fspath(path)!r}: {error}.") from error
    return Split.from_dict(data)
