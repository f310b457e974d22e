"""What opening a clip tells: how long and loud it is, and whether it can be learnt from."""

from __future__ import annotations

import dataclasses
import hashlib
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.audio.band import BandMeter, rate_warning
from edge.audio.clipping import ClippingMeter
from edge.audio.file import open_audio
from edge.errors import EdgeSerError, MissingDependencyError
from edge.jobs import run_in_order
from quantize.basics.progress import progress_bar
from quantize.data.corpora.base import Clip
from quantize.data.corpora.part import part_of

__all__ = ["ClipFacts", "hear", "hear_all"]

#: A clip whose largest sample, its offset taken off, stays below is silence: 20 dB below the
#: quietest of 2,300 clips of six corpora.
_SILENT_DB = -66.0
#: A frame of 20 ms that lies so far below the clip's loudest is a pause.
_PAUSE_DB = 40.0
_FRAME_S = 0.02
_FLOOR = 1e-10
_SILENCE_DB = -100.0


@dataclasses.dataclass(frozen=True, slots=True)
class ClipFacts:
    """What was heard of a clip.

    Parameters
    ----------
    problem : str or None
        Why nothing can be learnt from it: it cannot be read, or is silence.
    duration_s : float
    sample_rate : int
        In Hz, the file's own.
    n_channels : int
    level_db : float
        Root-mean-square in dBFS, of the channel that is read.
    clips : bool
        Whether sound was cut off at full scale.
    narrow : bool
        Whether it holds less of the spectrum than a model hears.
    pause_share : float
        Of its frames, those 40 dB below the loudest.
    content : str
        SHA-256 of its samples, the same for copies in other formats that lose nothing.
    odd : str or None
        What is wrong with the file and keeps it from nothing, such as that it was cut off.
    """

    problem: str | None
    duration_s: float = 0.0
    sample_rate: int = 0
    n_channels: int = 0
    level_db: float = _SILENCE_DB
    clips: bool = False
    narrow: bool = False
    pause_share: float = 0.0
    content: str = ""
    odd: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready copy."""
        return dataclasses.asdict(self)


def hear(clip: Clip) -> ClipFacts:
    """Open a clip and listen; what is wrong with it is told, not raised.

    Raises
    ------
    MissingDependencyError
        If a package is missing that reads files of its kind.
    """
    try:
        with open_audio(clip.path) as reader:
            samples = part_of(clip, reader)
            rate, n_channels = reader.sample_rate, reader.n_channels
            odd = "; ".join(reader.warnings) or None
    except MissingDependencyError:
        raise
    except (EdgeSerError, OSError, MemoryError) as error:
        return ClipFacts(_reason(clip, error))
    power = _frame_power(samples, rate)
    level = 10 * math.log10(float(power.mean()) + _FLOOR)
    peak = float(np.abs(samples - samples.mean()).max())
    silent = 20 * math.log10(peak + _FLOOR) < _SILENT_DB
    pauses = power < power.max() * 10 ** (-_PAUSE_DB / 10) + _FLOOR
    return ClipFacts(
        problem="is silence" if silent else None,
        duration_s=len(samples) / rate,
        sample_rate=rate,
        n_channels=n_channels,
        level_db=level,
        clips=ClippingMeter().push(samples) is not None,
        narrow=rate_warning(rate) is not None or BandMeter(rate).push(samples) is not None,
        pause_share=float(pauses.mean()),
        content=hashlib.sha256(b"%d " % rate + samples.tobytes()).hexdigest(),
        odd=odd,
    )


def hear_all(
    clips: Sequence[Clip], n_workers: int = 1, cluster: str | None = None
) -> Iterator[ClipFacts]:
    """Open every clip, in their order, with a bar.

    Parameters
    ----------
    clips : sequence of Clip
    n_workers : int
        Processes.
    cluster : str, optional
        Address of a cluster instead, see :func:`edge.jobs.run_in_order`.
    """
    # A process of its own is no help to a few.
    n_jobs = n_workers if len(clips) > 2 * n_workers else 1
    heard = run_in_order(hear, clips, n_jobs=n_jobs, cluster=cluster)
    return progress_bar(heard, len(clips), "clips heard")


def _frame_power(samples: NDArray[np.float32], rate: int) -> NDArray[np.float64]:
    """Mean square of frames of 20 ms: float64 [shape=(n_frames,)], at least one."""
    n = max(1, round(_FRAME_S * rate))
    whole = samples[: len(samples) // n * n] if len(samples) >= n else samples
    frames = whole.reshape(-1, n) if len(samples) >= n else whole[np.newaxis]
    power: NDArray[np.float64] = np.square(frames, dtype=np.float64).mean(axis=1)
    return power


def _reason(clip: Clip, error: Exception) -> str:
    """What an error says, without the path that is named beside it."""
    text = str(error) or type(error).__name__
    for name in (str(clip.path), repr(str(clip.path))):
        text = text.replace(f"{name} ", "").replace(f"{name}: ", "")
    return text.splitlines()[0]
