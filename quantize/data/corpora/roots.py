"""What each of the roots that were named is: known corpora, folders of labels, or a table."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from quantize.basics.errors import CorpusError
from quantize.data.corpora.folders import emotion_folders, read_folders
from quantize.data.corpora.known import CORPORA
from quantize.data.corpora.own import SIDES, OwnRecordings, corpus_name
from quantize.data.corpora.recognise import Recognised, recognise
from quantize.data.corpora.scan import Found
from quantize.data.corpora.tables import TABLE_SUFFIXES, columns_of, read_table
from quantize.data.corpora.walk import Tree, walk

__all__ = ["Gathered", "gather"]


@dataclass(slots=True)
class Gathered:
    """What lies in all the roots.

    Parameters
    ----------
    files : dict of str to list of (Path, Path)
        Known corpus to its files, each with its root.
    folders : dict of str to list of Path
        Known corpus to its folders.
    own : list of OwnRecordings
    passed_over : dict of str to tuple of str
        Reason to paths.
    n_rest : int
        Audio files that nobody wanted.
    """

    files: dict[str, list[Found]] = field(default_factory=dict)
    folders: dict[str, list[Path]] = field(default_factory=dict)
    own: list[OwnRecordings] = field(default_factory=list)
    passed_over: dict[str, tuple[str, ...]] = field(default_factory=dict)
    n_rest: int = 0

    def pass_over(self, reason: str, paths: Sequence[str]) -> None:
        """Say what belongs to no corpus."""
        kept = {*self.passed_over.get(reason, ()), *paths}
        self.passed_over[reason] = tuple(sorted(kept))


def gather(roots: Sequence[Path], names: Sequence[str] | None = None) -> Gathered:
    """Look into every root.

    Parameters
    ----------
    roots : sequence of Path
    names : sequence of str, optional
        Corpora asked for: where all are known ones, no other layout is tried.

    Raises
    ------
    CorpusError
        If a root is neither a folder nor a table, or could be read in two ways.
    """
    gathered = Gathered()
    only_known = names is not None and set(names) <= set(CORPORA)
    seen: set[Path] = set()
    for root in roots:
        try:
            real = root.resolve()
        except (OSError, RuntimeError) as error:
            raise CorpusError(
                f"{str(root)!r} is a link that leads in a circle: a folder that holds "
                "recordings, or a table of them, is wanted"
            ) from error
        if real in seen:
            continue
        seen.add(real)
        if root.is_dir():
            _look_into(root, gathered, only_known)
        elif root.is_file() and root.suffix.lower() in TABLE_SUFFIXES:
            gathered.own.append(read_table(root))
        elif root.exists():
            raise CorpusError(
                f"{str(root)!r} is not a folder, and no table ({', '.join(TABLE_SUFFIXES)}): "
                "give the folder that holds the recordings, or a table of them"
            )
        else:
            raise CorpusError(
                f"{str(root)!r} is not a folder: there is nothing of that name; give the "
                "one that holds the recordings, or a table of them"
            )
    _tell_apart(gathered.own)
    return gathered


def _look_into(root: Path, gathered: Gathered, only_known: bool) -> None:
    tree = walk(root)
    for reason, paths in tree.passed_over.items():
        gathered.pass_over(reason, [(root / path).as_posix() for path in paths])
    own = [] if only_known else _tables_in(tree, gathered)
    # Unlike Path.resolve(), no error where a link leads in a circle.
    described = {os.path.realpath(entry.path) for part in own for entry in part.entries}
    found = recognise(tree)
    files = {
        name: [path for path in claimed if not described or os.path.realpath(path) not in described]
        for name, claimed in found.files.items()
    }
    rest = [path for path in found.rest if not described or os.path.realpath(path) not in described]
    files = {name: kept for name, kept in files.items() if kept}
    if own and files:
        raise CorpusError(
            f"{str(root)!r} holds {', '.join(files)} and a table beside it, "
            f"{own[0].source!r}, that names other files: give each as a root of its own"
        )
    if files and not only_known:
        _refuse_both(root, found, rest)
    for name, found_files in files.items():
        gathered.files.setdefault(name, []).extend((root, path) for path in found_files)
    if not own:
        for name, folders in found.folders.items():
            gathered.folders.setdefault(name, []).extend(folders)
    gathered.own += own
    if own or files or only_known:
        gathered.n_rest += len(rest)
        reason = "no table names it" if own else "no name of a known corpus"
        if rest:
            gathered.pass_over(reason, [path.as_posix() for path in rest])
    elif rest:
        gathered.own.append(read_folders(root, rest))
    elif lying := _tables_beside(root):
        raise CorpusError(
            f"{str(root)!r} holds no recordings, but the table {lying[0].name}: give the "
            f"table itself, --data {str(lying[0])!r}"
        )


def _tables_beside(root: Path) -> list[Path]:
    return sorted(p for p in root.iterdir() if p.suffix.lower() in TABLE_SUFFIXES and p.is_file())


def _tables_in(tree: Tree, gathered: Gathered) -> list[OwnRecordings]:
    """Read the tables that belong to their folders, as one; those without labels say nothing."""
    own: list[OwnRecordings] = []
    for file in tree.tables:
        if not {"path", "label"} <= columns_of(file):
            gathered.pass_over("a table without the columns path and label", [file.as_posix()])
            continue
        side = SIDES.get(file.parent.name.lower()) if file.parent != tree.root else None
        own.append(read_table(file, side, base=tree.root))
    return own


def _refuse_both(root: Path, found: Recognised, rest: Sequence[Path]) -> None:
    """Refuse a root that holds known corpora and, beside them, folders of labels."""
    labelled = emotion_folders(rest)
    claimed = {p.parent for paths in found.files.values() for p in paths} if labelled else set()
    for folder, names in labelled.items():
        # Files of odd names among a corpus's own are no recordings of somebody else.
        if not any(folder / name in claimed for name in names):
            raise CorpusError(
                f"{str(root)!r} holds {', '.join(found.files)} and, in {str(folder)!r}, "
                f"a folder per label ({', '.join(names[:3])}): give each as a root of its own"
            )


def _tell_apart(owns: Sequence[OwnRecordings]) -> None:
    """Name recordings of several roots after the folder above, too, where they would mix."""
    ids: dict[str, OwnRecordings] = {}
    mixed: list[OwnRecordings] = []
    for own in owns:
        for entry in own.entries:
            name = f"{entry.corpus or own.name}/{entry.key}"
            other = ids.setdefault(name, own)
            if other is not own:
                mixed += [part for part in (other, own) if all(part is not m for m in mixed)]
    for own in mixed:
        above = Path(own.source).resolve().parent
        above = above.parent if Path(own.source).is_file() else above
        own.renamed(corpus_name(f"{above.name}-{own.name}"))
