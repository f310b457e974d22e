"""What there is to learn from beside the four corpora: other ones, a large model's vectors."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from benchmarks.scorecard.recipes import LESSONS
from edge.errors import EdgeSerError, ParameterError
from quantize.data.corpora import load_corpora

__all__ = ["embedding_files", "lessons_in"]

_SUFFIXES = (".npz", ".csv")


def lessons_in(data: Path) -> tuple[str, ...]:
    """Those of :data:`benchmarks.scorecard.recipes.LESSONS` that a folder of corpora holds."""
    return tuple(name for name in LESSONS if data.is_dir() and _is_in(data, name))


def _is_in(data: Path, corpus: str) -> bool:
    try:
        return bool(load_corpora(data, [corpus])[0])
    except EdgeSerError:
        # What is wrong with the folder is said by the first training.
        return False


def embedding_files(given: Iterable[Path]) -> tuple[Path, ...]:
    """Files of embeddings, of folders the NPZ and CSV files in them in order of their names.

    Raises
    ------
    ParameterError
        If one is not there, or a folder holds none.
    """
    files: list[Path] = []
    for path in given:
        if path.is_dir():
            found = sorted(each for each in path.iterdir() if each.suffix.lower() in _SUFFIXES)
            if not found:
                raise ParameterError(
                    f"--embeddings {path} is a folder without NPZ or CSV files: name one that "
                    "holds some, or leave the option out"
                )
            files += found
        elif path.is_file():
            files.append(path)
        else:
            raise ParameterError(
                f"--embeddings {path} is not there: name a file of embeddings or a folder of such "
                "files, or leave the option out"
            )
    return tuple(dict.fromkeys(files))
