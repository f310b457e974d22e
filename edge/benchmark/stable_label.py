"""From the end of speech to the label that stays, in the time of the stream.

Turns of known ends are joined with silence between them and heard as ``listen`` hears them, with
its gates and its smoothing.  What a decision's work takes is another figure, told beside it.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.benchmark.timings import timings
from edge.bundled import DEMO_CLIP
from edge.errors import EdgeSerError, ParameterError
from edge.stream.classifier import Classifier
from edge.stream.decision import Decision
from edge.stream.stream import Stream

__all__ = ["Turn", "demo_turns", "measure_stable_label", "turns_of"]

#: Silence behind a turn beyond the segment, so that the last decision about it is made.
_PAUSE_S = 0.5
# More turns than this of somebody's archive tell nothing new.
_MOST_TURNS = 60
_MOST_S = 20.0
_NOISE_DB = -66.0
_BLOCK_SAMPLES = 512
# A frame is speech when it is within 30 dB of the clip's loudest.
_FRAME_S = 0.02
_SPEECH_DB = 30.0


@dataclasses.dataclass(frozen=True, slots=True)
class Turn:
    """Somebody speaks.

    Parameters
    ----------
    name : str
    samples : float32 [shape=(n,)]
        At the model's rate, from the beginning of speech to its end.
    """

    name: str
    samples: NDArray[np.float32]


@dataclasses.dataclass(frozen=True, slots=True)
class _Heard:
    """What became of a turn: ``delay_s`` counts from its end, ``first_label_s`` from its start."""

    name: str
    label: str | None
    delay_s: float | None
    first_label_s: float | None
    n_changes: int


def demo_turns(sample_rate: int) -> list[Turn]:
    """Cut the bundled dialogue at the times that its text tells."""
    turns = []
    for line in DEMO_CLIP.with_suffix(".txt").read_text(encoding="utf-8").splitlines():
        times, _, words = line.partition(" s  ")
        start, dash, end = times.partition(" - ")
        if dash and words:
            turns.append((words.partition(":")[0], float(start), float(end)))
    samples = _read(DEMO_CLIP, sample_rate)
    return [
        Turn(name, samples[round(start_s * sample_rate) : round(end_s * sample_rate)])
        for name, start_s, end_s in turns
    ]


def turns_of(paths: Sequence[Path], sample_rate: int) -> list[Turn]:
    """Take a turn of every file, or of 60 of them: from its first to its last frame with speech.

    What cannot be read, or holds no sound, is left out.
    """
    turns = []
    for path in paths[:: max(1, -(-len(paths) // _MOST_TURNS))]:
        try:
            samples = _read(path, sample_rate)
        except EdgeSerError:
            continue
        n_frame = round(_FRAME_S * sample_rate)
        n_frames = samples.size // n_frame
        power = np.square(samples[: n_frames * n_frame].reshape(n_frames, n_frame)).mean(axis=1)
        speech = np.flatnonzero(power > power.max(initial=0.0) * 10 ** (-_SPEECH_DB / 10))
        if speech.size:
            spoken = samples[speech[0] * n_frame : (speech[-1] + 1) * n_frame]
            turns.append(Turn(path.name, spoken[-round(_MOST_S * sample_rate) :]))
    return turns


def _read(path: Path, sample_rate: int) -> NDArray[np.float32]:
    from edge.audio.file import read_audio
    from edge.audio.resample import resample

    samples, rate = read_audio(path)
    return samples if rate == sample_rate else resample(samples, rate, sample_rate)


def measure_stable_label(
    classifier: Classifier,
    turns: Sequence[Turn],
    what: str = "bundled dialogue",
    n_phases: int = 3,
) -> dict[str, Any]:
    """Let a stream hear turns, and see when the label of each came to stay.

    Parameters
    ----------
    classifier : Classifier
    turns : sequence of Turn
    what : str
        Where they are from.
    n_phases : int
        Each turn is heard as often, its end at other places between two decisions.

    Returns
    -------
    dict
        Plain JSON types, the block ``stable_label`` of docs/benchmark.md: ``shown`` as ``listen``
        shows it, and ``without_bar`` as with ``--min-probability 0``, so that models with different
        bars can be compared.  ``delay_s`` is below 0 where the label had come to stay before the
        turn was over; a turn that was never labelled ``abstained``.

    Raises
    ------
    ParameterError
        If there is no turn.
    """
    if not turns:
        raise ParameterError("no clip holds speech, at least one is wanted")
    stream = classifier.stream()
    sample_rate = classifier.spec.sample_rate
    hop_s = stream.window_hop * classifier.spec.hop_length / sample_rate
    segment_s = classifier.spec.n_samples(stream.window_frames) / sample_rate
    joined = _joined(turns, n_phases, sample_rate, segment_s, hop_s)
    return {
        "clips": what,
        "segment_s": round(segment_s, 4),
        "hop_s": round(hop_s, 4),
        "shown": _hear(stream, *joined),
        "without_bar": _hear(classifier.stream(min_probability=0.0), *joined),
    }


def _hear(
    stream: Stream, samples: NDArray[np.float32], spans: Sequence[tuple[str, float, float]]
) -> dict[str, Any]:
    decisions: list[Decision] = []
    for start in range(0, samples.size, _BLOCK_SAMPLES):
        decisions += stream.push(samples[start : start + _BLOCK_SAMPLES])
    decisions += stream.flush()
    heard = [_judge(*span, decisions) for span in spans]
    delays_s = [each.delay_s for each in heard if each.delay_s is not None]
    firsts_s = [each.first_label_s for each in heard if each.first_label_s is not None]
    work_ms = [d.timing.features_ms + d.timing.model_ms for d in decisions if d.posterior]
    return {
        "n_turns": len(heard),
        "abstained": len(heard) - len(delays_s),
        "delay_s": timings(delays_s, "s") if delays_s else None,
        "first_label_s": timings(firsts_s, "s") if firsts_s else None,
        "processing_ms": timings(work_ms) if work_ms else None,
        "turns": [dataclasses.asdict(each) for each in heard],
    }


def _joined(
    turns: Sequence[Turn], n_phases: int, sample_rate: int, segment_s: float, hop_s: float
) -> tuple[NDArray[np.float32], list[tuple[str, float, float]]]:
    """Turns with silence between them, several times over, and where each begins and ends."""
    noise = np.random.default_rng(0)

    def silence(length_s: float) -> NDArray[np.float32]:
        drawn = noise.standard_normal(round(length_s * sample_rate), np.float32)
        return np.float32(10 ** (_NOISE_DB / 20)) * drawn

    pause_s = segment_s + _PAUSE_S
    pieces = [silence(pause_s)]
    n_samples = pieces[0].size
    spans = []
    for phase in range(n_phases):
        for turn in turns:
            start_s = n_samples / sample_rate
            spans.append((turn.name, start_s, start_s + turn.samples.size / sample_rate))
            pieces += [turn.samples, silence(pause_s)]
            n_samples += pieces[-1].size + turn.samples.size
        # Whatever the turns' lengths come to, the next ends lie a part of a hop later.
        into_s = n_samples / sample_rate % hop_s
        shift_s = ((phase + 1) * hop_s / n_phases - into_s) % hop_s
        pieces.append(silence(shift_s))
        n_samples += pieces[-1].size
    return np.concatenate(pieces), spans


def _judge(name: str, start_s: float, end_s: float, decisions: Sequence[Decision]) -> _Heard:
    """When the label of a turn came to stay, over the decisions whose segments hold some of it."""
    about = [d for d in decisions if start_s < d.end_s and d.start_s < end_s]
    labelled = [(d.end_s, d.label) for d in about if d.label is not None]
    if not labelled:
        return _Heard(name, None, None, None, 0)
    changes = [now for before, now in itertools.pairwise(labelled) if before[1] != now[1]]
    stable_s = (changes or labelled[:1])[-1][0]
    return _Heard(
        name,
        labelled[-1][1],
        round(stable_s - end_s, 4),
        round(labelled[0][0] - start_s, 4),
        len(changes),
    )
