"""The folder of a training: begun, gone on with, or found finished; never two in one."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from edge.errors import EdgeSerError
from quantize.basics.errors import TrainingError
from quantize.basics.few import first_few
from quantize.basics.files import write_json
from quantize.data.splits import Split, read_split, write_split
from quantize.runs.files import RunFiles, read_json, remove_leftovers
from quantize.runs.header import read_header
from quantize.runs.lock import locked_for_training
from quantize.runs.own_settings import FREE

__all__ = ["TrainingFolder", "begin_training", "clear_away"]


class TrainingFolder:
    """A run folder that is held for one training.

    Parameters
    ----------
    files : RunFiles
    config : mapping
        All settings of the training.
    is_finished : bool
        Whether this very training has come to its end here.
    """

    def __init__(self, files: RunFiles, config: Mapping[str, Any], is_finished: bool) -> None:
        self.files = files
        self.config = config
        self.is_finished = is_finished

    def write(self, split: Split | None, corpora: Sequence[Mapping[str, Any]]) -> None:
        """Write what the training is, before its first epoch.

        Parameters
        ----------
        split : Split or None
            None: nothing is held out.
        corpora : sequence of mapping
            What was found of every corpus.
        """
        if split:
            write_split(split, self.files.split)
        write_json(self.files.corpora, list(corpora))
        # The last: it tells that the others are there.
        write_json(self.files.config, self.config)

    def finish(self) -> None:
        """Tell that nothing is left to do."""
        self.files.state.unlink(missing_ok=True)


@contextlib.contextmanager
def begin_training(folder: Path, config: Mapping[str, Any]) -> Iterator[TrainingFolder]:
    """Hold a folder for a training: a new one, or the one that was interrupted there.

    A training is finished when its checkpoint is there and its state is not.

    Parameters
    ----------
    folder : path
        Made where it is missing.
    config : mapping
        All settings of the training, clips and label map among them.

    Raises
    ------
    EdgeSerError
        If the folder takes no files, another training is at work in it, or it holds one with
        other settings, finished or not, or something else.
    """
    files = RunFiles(folder)
    config = json.loads(json.dumps(config))
    # A finished one is not touched, not even by a lock.
    # But for one that was killed as it put its lock away.
    if _is_finished(files, config) and not files.lock.exists():
        yield TrainingFolder(files, config, True)
        return
    with locked_for_training(files):
        # Once more: it may have come to its end in between.
        is_finished = _is_finished(files, config)
        if not is_finished:
            remove_leftovers(folder)
            _check(files, config)
        yield TrainingFolder(files, config, is_finished)


def _is_finished(files: RunFiles, config: Mapping[str, Any]) -> bool:
    if not files.checkpoint.exists() or files.state.exists():
        return False
    # One that was cut off is none.
    read_header(files.checkpoint)
    differing = _differing(files, config)
    if differing:
        raise TrainingError(
            f"{files.folder} already holds a trained checkpoint, of other settings "
            f"({first_few(differing, 4)}): name another --out, or delete it"
        )
    return True


def _check(files: RunFiles, config: Mapping[str, Any]) -> None:
    """Refuse another training's folder; clear away what is left of one that is gone."""
    if files.state.exists():
        # Where its settings cannot be read the state itself still tells, see the trainer.
        differing = _differing(files, config) if _is_readable(files.config) else []
        if differing:
            raise TrainingError(
                f"{files.folder} holds a training with other settings "
                f"({first_few(differing, 4)}): name another --out, or delete it"
            )
        return
    clear_away(files)


def clear_away(files: RunFiles) -> None:
    """Delete what tells of a training in a folder that holds its weights no more.

    Raises
    ------
    TrainingError
        If something there is somebody else's and is only called so.
    """
    if files.config.exists() and not _is_a_training(files.config):
        raise TrainingError(
            f"{files.config} is not what training writes: name another --out, or delete that file"
        )
    left = files.of_a_training()
    if not files.config.exists():
        _refuse_foreign(files, left)
    # The last to go is what tells whose the others are.
    for path in sorted(left, key=lambda path: path == files.config):
        path.unlink(missing_ok=True)


def _refuse_foreign(files: RunFiles, left: Sequence[Path]) -> None:
    """Refuse to clear away files that are called as a training's and are none of one.

    Where its settings are missing, no more than these two can be of a training: it was killed as
    it began.
    """
    ours = {files.split: read_split, files.corpora: _read_reports}
    for path in left:
        try:
            ours[path](path)
        except (KeyError, TypeError, EdgeSerError) as error:
            raise TrainingError(
                f"{path} is not what training left here: name another --out, or delete that file"
            ) from error


def _read_reports(path: Path) -> None:
    found = read_json(path)
    if not isinstance(found, list) or not all("corpus" in each for each in found):
        raise TrainingError(f"{path} holds no reports of corpora")


def _is_a_training(path: Path) -> bool:
    try:
        found = read_json(path)
    except TrainingError:
        return False
    return isinstance(found, dict) and {"run", "model"} <= found.keys()


def _is_readable(path: Path) -> bool:
    try:
        return isinstance(read_json(path), dict)
    except TrainingError:
        return False


def _differing(files: RunFiles, config: Mapping[str, Any]) -> list[str]:
    """Names of the settings in which a folder's training is another one."""
    try:
        found = read_json(files.config)
    except TrainingError:
        return ["which cannot be read"]
    if not isinstance(found, dict):
        return ["which cannot be read"]
    return [
        f"{table}.{name}" if name else table
        for table in dict.fromkeys((*config, *found))
        if table not in FREE
        for name in _parts(found.get(table), config.get(table))
    ]


def _parts(found: Any, wanted: Any) -> list[str]:
    if found == wanted:
        return []
    if isinstance(found, dict) and isinstance(wanted, dict):
        keys = dict.fromkeys((*wanted, *found))
        return [str(key) for key in keys if found.get(key) != wanted.get(key)]
    return [""]
