"""The reference for a voice in a stream: what is taken away, of whom, and for how long."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from runtime_fakes import fake_classifier, heard_rows, voice

from edge.errors import ParameterError
from edge.features.voice_reference import VoiceColumns, VoiceReference, normalised
from edge.stream.classifier import Classifier
from edge.stream.decision import Decision, Timing
from edge.stream.group import StreamGroup
from edge.stream.stream import Stream
from edge.stream.voice import SILENCE_S, Voice, VoiceState

RATE, HOP, WINDOW = 16_000, 512, 61
FRAME_S = HOP / RATE
CLIP = voice(20 * RATE)
CENTRE = tuple(np.linspace(-2, 3, 34).tolist()[:13] + [5.2, -25.0] + [0.0] * 19)
REFERENCE = VoiceReference(CENTRE, prior_s=5.0, least_s=4.0, most_s=120.0)


def classifier(window: int = WINDOW, hop: int = 16, **changes: Any) -> Classifier:
    return fake_classifier(window, hop, dataclasses.replace(REFERENCE, **changes))


def run(stream: Stream, samples: np.ndarray = CLIP, step: int = 8192) -> list[Decision]:
    """Push in blocks; gives decisions without their times."""
    found: list[Decision] = []
    for start in range(0, len(samples), step):
        found += stream.push(samples[start : start + step])
    return timeless(found)


def timeless(decisions: list[Decision]) -> list[Decision]:
    return [dataclasses.replace(d, timing=Timing()) for d in decisions]


def known(stream: Stream) -> Voice:
    assert stream.voice is not None
    return stream.voice


def test_what_the_model_sees_is_what_one_works_out_by_hand() -> None:
    ours = classifier()
    decisions = run(ours.stream(smooth=False))
    rows = heard_rows(ours, CLIP)
    columns = VoiceColumns(ours.spec)
    seen = ours.model.seen
    assert len(seen) == len(decisions) == (len(rows) - WINDOW) // 16 + 1
    n_acted = 0
    for number, (taken, decision) in enumerate(zip(seen, decisions, strict=True)):
        start = 16 * number
        # All that is older than this window, and nothing of it.
        speech = loud_by_hop(rows, start)
        totals = columns.totals(rows[:start], speech)
        window, part = rows[start : start + WINDOW].copy(), 0.0
        heard_s = totals[1].max() * FRAME_S
        if heard_s >= REFERENCE.least_s:
            change = REFERENCE.change(totals, FRAME_S)
            columns.move(window, change[:-1])
            part, n_acted = change[-1], n_acted + 1
            assert decision.reference_s == pytest.approx(heard_s)
        else:
            assert decision.reference_s == 0.0
        wanted = normalised(window, ours.mean, ours.std, 34)
        np.testing.assert_allclose(taken[0, :, :-1], wanted, rtol=1e-5, atol=5e-5)
        np.testing.assert_allclose(taken[0, :, -1], part, rtol=1e-6)
    assert n_acted > 20


def loud_by_hop(rows: np.ndarray, n_left: int) -> np.ndarray:
    """Which of the rows that left were speech, each hop of them by the window it began."""
    rms = rows[:, VoiceColumns(classifier().spec).rms]
    speech = [
        rms[k : k + 16] >= rms[k : k + WINDOW].max() * np.float32(10**-1.5)
        for k in range(0, n_left, 16)
    ]
    return np.concatenate([[], *speech]).astype(bool)


@given(
    cuts=st.lists(st.integers(0, len(CLIP)), max_size=8),
    window=st.sampled_from([(61, 16), (61, 61), (5, 1), (200, 30)]),
    lost=st.sampled_from([0, 1, 16_000]),
)
@settings(deadline=None, max_examples=8)
def test_any_split_hears_the_same_voice(
    cuts: list[int], window: tuple[int, int], lost: int
) -> None:
    ours = classifier(*window)

    def listened(blocks: list[np.ndarray]) -> tuple[list[Decision], VoiceState]:
        stream = ours.stream()
        found: list[Decision] = []
        for block in blocks:
            found += stream.push(block)
        found += stream.skip(lost)
        found += stream.push(CLIP[: 4 * RATE]) + stream.flush()
        return timeless(found), known(stream).state()

    assert listened(np.split(CLIP, sorted(cuts))) == listened([CLIP])


def test_until_enough_was_heard_it_is_as_without() -> None:
    ours = classifier(least_s=100.0)
    with_it, without = ours.stream(), ours.stream(voice_reference=False)
    assert run(with_it) == run(without)
    assert known(with_it).heard_s > 10
    assert without.voice is None
    half = len(ours.model.seen) // 2
    for one, other in zip(ours.model.seen[:half], ours.model.seen[half:], strict=True):
        assert np.array_equal(one, other)
        assert (one[..., -1] == 0).all()


def test_files_have_no_history() -> None:
    ours = classifier()
    found = ours.classify(CLIP, RATE)
    assert {decision.reference_s for decision in found} == {0.0}
    assert all((seen[..., -1] == 0).all() for seen in ours.model.seen)


def test_a_model_of_before_sees_what_it_saw() -> None:
    old = fake_classifier()
    stream = old.stream()
    found = run(stream)
    assert stream.voice is None
    assert {decision.reference_s for decision in found} == {None}
    rows = heard_rows(old, CLIP)
    for number, seen in enumerate(old.model.seen):
        window = rows[16 * number :][:WINDOW]
        assert np.array_equal(seen[0], (window - old.mean) / old.std)
    with pytest.raises(ParameterError, match="voice_reference is on, and the model fake"):
        old.stream(voice_reference=True)


def test_what_is_no_answer_is_refused() -> None:
    with pytest.raises(ParameterError, match="voice_reference is 'on', True, False or a VoiceSt"):
        classifier().stream(voice_reference="on")  # type: ignore[arg-type]


def test_reset_forgets_and_a_gap_does_not() -> None:
    ours = classifier()
    stream = ours.stream()
    fresh = run(stream)
    before_s = known(stream).heard_s
    stream.skip(RATE)
    # What was in the window is heard now: no window will hold it again.
    assert before_s < known(stream).heard_s < before_s + WINDOW * FRAME_S + 0.6
    after = run(stream, CLIP[: 2 * RATE])
    assert after[0].reference_s > 4
    stream.reset()
    assert known(stream).heard_s == 0
    assert run(stream) == fresh


def test_old_speech_fades() -> None:
    stream = classifier(most_s=5.0).stream()
    run(stream)
    assert known(stream).heard_s == pytest.approx(5.0, abs=FRAME_S)


def test_rows_count_once_and_those_of_the_window_not_yet() -> None:
    stream = classifier().stream()
    found = run(stream)
    n_rows = (len(CLIP) - 1024) // HOP + 1
    # Up to a hop of them waits for its decision.
    n_left = 16 * (len(found) - 1)
    state = known(stream).state()
    speech = loud_by_hop(heard_rows(classifier(), CLIP), n_left)
    assert max(state.n_frames) == speech.sum() <= n_left <= n_rows - WINDOW
    stream.flush()
    assert max(known(stream).state().n_frames) > max(state.n_frames)
    assert max(known(stream).state().n_frames) <= n_rows


def test_what_is_not_speech_is_not_heard() -> None:
    stream = classifier().stream()
    noise = np.random.default_rng(0).normal(0, 1e-4, 10 * RATE).astype(np.float32)
    run(stream, noise)
    assert known(stream).heard_s == 0
    # Pauses, 60 dB below.
    run(stream, np.where(np.arange(10 * RATE) % (2 * RATE) < RATE, CLIP[: 10 * RATE], noise))
    assert 3 < known(stream).heard_s < 6.5


class Deaf:
    """A frame gate that hears speech in every fourth frame."""

    least_speech_s = 0.1

    def reset(self) -> None:
        self.n_frames = 0

    def push(self, samples: np.ndarray, rows: np.ndarray) -> np.ndarray:
        first, self.n_frames = self.n_frames, self.n_frames + len(rows)
        return np.arange(first, self.n_frames) % 4 == 0


def test_the_frame_gate_says_what_speech_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.stream.judge.make_frame_gate", lambda vad, manifest: Deaf())
    stream = classifier().stream()
    found = run(stream)
    assert max(known(stream).state().n_frames) == 4 * (len(found) - 1)


@pytest.mark.parametrize("has_gate", [False, True])
def test_voices_of_a_group_hear_what_each_hears_alone(
    monkeypatch: pytest.MonkeyPatch, has_gate: bool
) -> None:
    if has_gate:
        monkeypatch.setattr("edge.stream.judge.make_frame_gate", lambda vad, manifest: Deaf())
    noise = np.random.default_rng(0).normal(0, 1e-4, len(CLIP)).astype(np.float32)
    sounds = [CLIP, CLIP[::-1].copy(), noise, 0.3 * CLIP]
    ours = classifier(least_s=1.0)
    alone = [ours.stream() for _ in sounds]
    wanted = [run(stream, sound) for stream, sound in zip(alone, sounds, strict=True)]
    group, streams = StreamGroup(ours), [ours.stream() for _ in sounds]
    told: list[tuple[Stream, Decision]] = []
    for start in range(0, len(CLIP), 3000):
        told += group.push(
            (stream, sound[start : start + 3000], None)
            for stream, sound in zip(streams, sounds, strict=True)
        )
    for stream, one, decisions in zip(streams, alone, wanted, strict=True):
        found, expected = known(stream).state(), known(one).state()
        np.testing.assert_allclose(found.sums, expected.sums, rtol=1e-12, atol=1e-9)
        assert (found.n_frames, found.silent_s) == (expected.n_frames, expected.silent_s)
        moved = [decision for of, decision in told if of is stream]
        assert [each.reference_s for each in moved] == [each.reference_s for each in decisions]
        for each, other in zip(moved, decisions, strict=True):
            assert each.posterior == pytest.approx(other.posterior, abs=1e-6)
    heard_s = [known(stream).heard_s for stream in streams]
    assert heard_s[2] == 0
    assert min(heard_s[:2]) > 1.0


def test_hours_of_silence_forget_a_voice() -> None:
    stream = classifier().stream()
    run(stream)
    stream.skip(round(SILENCE_S - 60) * RATE)
    assert known(stream).heard_s > 4
    run(stream, np.zeros(50 * RATE, np.float32))
    assert known(stream).heard_s > 4
    run(stream, np.zeros(20 * RATE, np.float32))
    assert known(stream).heard_s == 0


def test_speech_after_an_hour_keeps_a_voice() -> None:
    stream = classifier().stream()
    for _ in range(3):
        run(stream, CLIP[: 4 * RATE])
        stream.skip(round(0.9 * SILENCE_S) * RATE)
    assert known(stream).heard_s > 8


def test_a_state_goes_on_in_another_stream() -> None:
    ours = classifier()
    whole, parted = ours.stream(), ours.stream()
    run(whole)
    run(parted)
    for stream in (whole, parted):
        stream.skip(RATE)
    other = ours.stream(voice_reference=known(parted).state())
    assert known(other).state() == known(whole).state()
    again, wanted = run(other, CLIP[: 6 * RATE]), run(whole, CLIP[: 6 * RATE])
    assert [d.posterior for d in again] == [d.posterior for d in wanted]
    assert again[0].reference_s == wanted[0].reference_s > 4


def test_a_state_of_other_features_is_refused() -> None:
    ours = classifier()
    state = dataclasses.replace(
        known(ours.stream()).state(), feature_fingerprint="0123456789abcdef"
    )
    with pytest.raises(ParameterError, match="the voice is of features '0123456789abcdef'"):
        ours.stream(voice_reference=state)


def test_a_quiet_decision_tells_of_it_too() -> None:
    stream = classifier().stream()
    run(stream)
    (quiet,) = run(stream, np.zeros(2 * RATE, np.float32))[-1:]
    assert quiet.state == "quiet"
    assert quiet.reference_s is not None
    assert quiet.reference_s > 4


@pytest.mark.parametrize(
    "changes",
    [{"sums": (0.0,) * 33}, {"sums": (1e9,) * 34}, {"silent_s": float("nan")},
     {"n_frames": (float("inf"),) * 34}, {"n_frames": (-1.0,) * 34}],
)  # fmt: skip
def test_a_state_that_no_speech_sounds_like_is_refused(changes: dict[str, Any]) -> None:
    ours = classifier()
    state = dataclasses.replace(known(ours.stream()).state(), **changes)
    with pytest.raises(ParameterError, match="numbers that no speech sounds like"):
        ours.stream(voice_reference=state)


def test_the_furthest_voice_gives_numbers_still() -> None:
    """What a file may hold at most, against a centre at the other end."""
    far = (1e6,) * 13 + (12.0, 140.0) + (0.0,) * 12 + (1e6,) * 7
    ours = classifier(centre=tuple(-number for number in far), prior_s=0.1)
    state = dataclasses.replace(
        known(ours.stream()).state(), sums=tuple(1000 * n for n in far), n_frames=(1000.0,) * 34
    )
    for sign in (1, -1):
        voice_of = dataclasses.replace(state, sums=tuple(sign * total for total in state.sums))
        stream = ours.stream(voice_reference=voice_of, smooth=False)
        run(stream, CLIP[: 3 * RATE])
        assert all(np.isfinite(seen).all() for seen in ours.model.seen)
