"""When the label of a turn came to stay, in the time of the stream."""

from __future__ import annotations

import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import edge
from edge.artifact import Artifact
from edge.audio.file import write_wav
from edge.benchmark.stable_label import Turn, demo_turns, measure_stable_label, turns_of
from edge.errors import ParameterError
from edge.stream.decision import Decision, Timing

RATE, HOP_S, SEGMENT_S = 16_000, 0.5, 2.0
Label = Callable[[float, float], "str | None"]


class ScriptedStream:
    """Decides every half second, by what is loud in the last 2 s."""

    window_frames, window_hop = 62, 16

    def __init__(self, label: Label) -> None:
        self.label, self.n_samples, self.heard = label, 0, np.zeros(0, np.float32)

    def push(self, samples: np.ndarray) -> list[Decision]:
        self.heard = np.concatenate([self.heard, samples])
        decisions = []
        while self.n_samples + HOP_S * RATE <= self.heard.size:
            self.n_samples += int(HOP_S * RATE)
            window = self.heard[max(0, self.n_samples - int(SEGMENT_S * RATE)) : self.n_samples]
            loud = np.flatnonzero(np.abs(window) > 0.1)
            end_s = self.n_samples / RATE
            # Seconds of speech in the window, and seconds since the last of it.
            label = None
            if loud.size:
                label = self.label(loud.size / RATE, (window.size - 1 - loud[-1]) / RATE)
            posterior = None if label is None else {label: 1.0}
            state = "quiet" if label is None else "speech"
            decisions.append(
                Decision(max(0.0, end_s - SEGMENT_S), end_s, state, label, posterior, label, -20.0,
                         timing=Timing(2.0, 3.0, 4.0))
            )  # fmt: skip
        return decisions

    def flush(self) -> list[Decision]:
        return []


def classifier(label: Label, without_bar: Label | None = None) -> Any:
    def stream(min_probability: float | None = None) -> ScriptedStream:
        chosen = label if min_probability is None else without_bar or label
        return ScriptedStream(chosen)

    def n_samples(frames: int) -> int:
        return int(SEGMENT_S * RATE)

    spec = types.SimpleNamespace(sample_rate=RATE, hop_length=500, n_samples=n_samples)
    return types.SimpleNamespace(stream=stream, spec=spec)


def loud(length_s: float, name: str = "turn") -> Turn:
    return Turn(name, np.full(round(length_s * RATE), 0.5, np.float32))


def test_a_label_that_changes_behind_the_end_is_late_by_so_much() -> None:
    # From 0.6 s behind the end of speech on it is another one.
    told = measure_stable_label(
        classifier(lambda speech_s, since_s: "sad" if since_s >= 0.6 else "happy"), [loud(3.0)]
    )["shown"]
    assert (told["n_turns"], told["abstained"]) == (3, 0)
    for turn in told["turns"]:
        assert (turn["label"], turn["n_changes"]) == ("sad", 1)
        # The first decision on the grid of half seconds behind it.
        assert 0.6 <= turn["delay_s"] < 1.1
    ends = [turn["delay_s"] for turn in told["turns"]]
    assert len(set(ends)) == 3, "the ends lie at other places between two decisions"
    assert told["delay_s"]["unit"] == "s"
    assert told["delay_s"]["raw"] == ends
    # What the work takes is told apart.
    assert told["processing_ms"]["p50"] == 5.0


def test_a_label_that_held_all_along_is_there_before_the_end() -> None:
    told = measure_stable_label(classifier(lambda *_: "sad"), [loud(3.0)])["shown"]
    for turn in told["turns"]:
        assert -3.0 < turn["delay_s"] <= -2.5
        assert 0 < turn["first_label_s"] <= 0.5
        assert turn["n_changes"] == 0


def test_turns_without_a_label_are_counted_and_not_averaged() -> None:
    named = classifier(lambda speech_s, _: "sad" if speech_s > 1.2 else None)
    told = measure_stable_label(named, [loud(1.0, "short"), loud(3.0, "long")])["shown"]
    assert (told["n_turns"], told["abstained"], told["delay_s"]["n"]) == (6, 3, 3)
    labels = {turn["name"]: turn["label"] for turn in told["turns"]}
    assert labels == {"short": None, "long": "sad"}


def test_models_that_abstain_can_be_compared_without_their_bar() -> None:
    told = measure_stable_label(classifier(lambda *_: None, lambda *_: "sad"), [loud(2.0)])
    assert (told["shown"]["abstained"], told["shown"]["delay_s"]) == (3, None)
    assert told["without_bar"]["abstained"] == 0


def test_a_clip_ends_where_its_speech_does(tmp_path: Path) -> None:
    rate = 8000
    sound = np.concatenate([np.zeros(rate), np.full(rate, 0.5), np.full(rate // 2, 1e-3)])
    write_wav(tmp_path / "a.wav", sound, rate)
    write_wav(tmp_path / "silent.wav", np.zeros(rate), rate)
    write_wav(tmp_path / "long.wav", np.full(25 * rate, 0.5), rate)
    (tmp_path / "none.wav").write_bytes(b"no sound")
    names = ("a.wav", "silent.wav", "none.wav", "long.wav")
    turn, long = turns_of([tmp_path / name for name in names], RATE)
    assert (long.name, long.samples.size) == ("long.wav", 20 * RATE)
    assert turn.name == "a.wav"
    assert turn.samples.size / RATE == pytest.approx(1.0, abs=0.05)
    with pytest.raises(ParameterError, match="no clip holds speech"):
        measure_stable_label(classifier(lambda *_: None), turns_of([tmp_path / "silent.wav"], RATE))


def test_the_bundled_dialogue_has_five_turns(tiny_artifact: Artifact) -> None:
    turns = demo_turns(RATE)
    assert [turn.name for turn in turns] == [
        "Ben, calm", "Ada, happy", "Ben, sad", "Ada, angry", "Ada, surprised",
    ]  # fmt: skip
    assert all(2 < turn.samples.size / RATE < 3 for turn in turns)
    told = measure_stable_label(edge.load(tiny_artifact.path), turns[:1])
    assert told["clips"] == "bundled dialogue"
    assert told["without_bar"]["abstained"] == 0
