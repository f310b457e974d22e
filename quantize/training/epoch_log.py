"""What a training says of every epoch: a bar or a line for people, a row of a table for later."""

from __future__ import annotations

import csv
import io
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TextIO

from quantize.basics.files import atomic_path

__all__ = ["COLUMNS", "EpochLog", "epoch_line"]

#: Columns of the table, in this order; the held-out side's are empty where it was not heard.
COLUMNS = (
    "epoch",
    "train_loss",
    "train_accuracy",
    "domain_loss",
    "alpha",
    "test_loss",
    "test_accuracy",
    "seconds",
)


class EpochLog:
    """Tell every epoch of a training, on stderr and in a table of comma-separated values.

    On a terminal a bar shows the last epoch's loss and accuracy, and a line stays of every epoch
    that heard the held-out side; anywhere else each epoch is a line.

    Parameters
    ----------
    path : path
        The table. What stood there is replaced by `history`, so that an epoch that was told
        before its state was saved is not there twice in a resumed run.
    title : str
        What the training is called.
    n_epochs : int
        Of the whole training.
    history : sequence of mapping
        Epochs that are done already.
    stream : text file, optional
        stderr if None.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        title: str,
        n_epochs: int,
        history: Sequence[Mapping[str, float]] = (),
        stream: TextIO | None = None,
    ) -> None:
        from tqdm import tqdm

        self._path, self._title, self._n_epochs = Path(path), title, n_epochs
        self._stream = sys.stderr if stream is None else stream
        self._is_terminal = self._stream.isatty()
        with atomic_path(self._path) as temporary:
            temporary.write_text(_rows(history, header=True), encoding="utf-8")
        self._bar = tqdm(
            total=n_epochs,
            initial=len(history),
            desc=title,
            file=self._stream,
            mininterval=0.2,
            disable=not self._is_terminal,
        )

    def __enter__(self) -> EpochLog:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bar.close()

    def tell(self, entry: Mapping[str, float]) -> None:
        """Write one epoch's row, whole, and show it.

        Parameters
        ----------
        entry : mapping of str to float
            Its figures by :data:`COLUMNS`; those of the held-out side may be missing.

        Raises
        ------
        OSError
            If the table cannot be written.
        """
        with open(self._path, "a", encoding="utf-8", newline="") as file:
            file.write(_rows([entry]))
        line = f"{self._title}: {epoch_line(entry, self._n_epochs)}"
        if not self._is_terminal:
            print(line, file=self._stream, flush=True)
            return
        if "test_accuracy" in entry:
            self._bar.write(line, file=self._stream)
        self._bar.set_postfix_str(_figures(entry), refresh=False)
        self._bar.update()


def epoch_line(entry: Mapping[str, float], n_epochs: int) -> str:
    """One epoch in words: its number, loss, accuracy and, where heard, the held-out side's."""
    return f"epoch {entry['epoch']} of {n_epochs}, {_figures(entry)}"


def _figures(entry: Mapping[str, float]) -> str:
    told = f"loss {entry['train_loss']:.3f}, accuracy {100 * entry['train_accuracy']:.1f} %"
    if "test_accuracy" in entry:
        told += (
            f", held out: loss {entry['test_loss']:.3f}, "
            f"accuracy {100 * entry['test_accuracy']:.1f} %"
        )
    return told


def _rows(entries: Sequence[Mapping[str, float]], *, header: bool = False) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if header:
        writer.writerow(COLUMNS)
    writer.writerows([entry.get(name, "") for name in COLUMNS] for entry in entries)
    return text.getvalue()
