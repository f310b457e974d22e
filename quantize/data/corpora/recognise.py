"""Which known corpora lie under a folder, told by the names of their files."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from quantize.data.corpora.base import Corpus
from quantize.data.corpora.known import CORPORA
from quantize.data.corpora.walk import Tree

__all__ = ["Recognised", "recognise"]


@dataclass(frozen=True, slots=True)
class Recognised:
    """What of a tree belongs to which known corpus.

    Parameters
    ----------
    files : dict of str to list of Path
        Corpus to its files, those that only lie in a folder of its name included.
    folders : dict of str to list of Path
        Corpus to the folders of its name, or, where there are none, to the root.
    rest : list of Path
        Files of no known corpus.
    """

    files: dict[str, list[Path]]
    folders: dict[str, list[Path]]
    rest: list[Path]


def recognise(tree: Tree) -> Recognised:
    """Give every audio file to a known corpus, or to none.

    A file belongs to the corpus that the nearest folder above it is named after, if anything in
    there is named as that corpus names its files; else to the first whose signature it bears.
    """
    named = {folder: corpus for folder in tree.folders if (corpus := _named(folder, tree.root))}
    below: dict[Path, list[Path]] = defaultdict(list)
    files: dict[str, list[Path]] = defaultdict(list)
    folders: dict[str, list[Path]] = defaultdict(list)
    loose: list[Path] = []
    for path in tree.files:
        folder = next((parent for parent in _parents(path, tree.root) if parent in named), None)
        if folder is None:
            loose.append(path)
        else:
            below[folder].append(path)
    for folder, name in named.items():
        inside = below[folder]
        if not inside:
            folders[name].append(folder)
        elif any(_bears(CORPORA[name], path) for path in inside):
            folders[name].append(folder)
            files[name] += inside
        else:
            loose += inside
    rest = []
    for path in loose:
        corpus = next((c.name for c in CORPORA.values() if _bears(c, path)), None)
        if corpus is None:
            rest.append(path)
        else:
            files[corpus].append(path)
            if not folders[corpus]:
                folders[corpus].append(tree.root)
    return Recognised(dict(files), {k: v for k, v in folders.items() if v}, sorted(rest))


def _plain(name: str) -> str:
    return "".join(c for c in name.lower() if c.isalnum())


def _named(folder: Path, root: Path) -> str | None:
    """The corpus that a folder is named after; a copy's ``(1)`` and the like do not matter."""
    name = folder.resolve().name if folder == root else folder.name
    plain = _plain(name.partition("(")[0]) or _plain(name)
    whole = _plain(name)
    return next((c.name for c in CORPORA.values() if {plain, whole} & c.aliases), None)


def _parents(path: Path, root: Path) -> Iterator[Path]:
    for parent in path.parents:
        yield parent
        if parent == root:
            return


def _bears(corpus: Corpus, path: Path) -> bool:
    stem = PurePosixPath(path.absolute().with_suffix("").as_posix())
    return corpus.signature.search("/".join(stem.parts[-3:])) is not None
