"""The stream of a microphone: rates, channels, losses, endings."""

from __future__ import annotations

import atexit
import threading
import time

import numpy as np
import pytest
from microphone_fakes import Flags

import edge.audio.input_stream as closing
import edge.audio.recording as module_under_test
from edge.audio.microphone import Microphone
from edge.audio.resample import resample
from edge.errors import AudioDeviceError, ParameterError

# Rate and channels


def opened(microphone: Microphone) -> tuple[int, int]:
    with microphone:
        return microphone.capture_rate, microphone.n_channels


def test_a_device_is_opened_as_it_is(sounddevice):
    assert opened(Microphone(1)) == (48_000, 2)
    assert opened(Microphone(2)) == (16_000, 6)
    assert opened(Microphone(4)) == (44_100, 1)
    assert len(sounddevice.streams) == 3


def test_a_sound_server_is_asked_for_few_channels_at_48_khz(sounddevice):
    assert opened(Microphone("pulse", channel="mix")) == (48_000, 1)
    assert opened(Microphone("pulse", channel=1)) == (48_000, 2)
    # Two, so that one of them can be picked: the server mixes down what is not asked for.
    assert opened(Microphone("pulse")) == (48_000, 2)
    sounddevice.opens = {(44_100, 32)}
    assert opened(Microphone("pulse")) == (44_100, 32)


def test_a_rate_can_be_named(sounddevice):
    assert opened(Microphone(1, capture_rate=16_000)) == (16_000, 2)
    sounddevice.opens = {(48_000, 2)}
    with pytest.raises(AudioDeviceError, match="16000 Hz"):
        Microphone(1, capture_rate=16_000).open()


def test_what_the_device_claims_is_refused_but_less_is_not(sounddevice):
    sounddevice.opens = {(48_000, 1)}
    assert opened(Microphone(1)) == (48_000, 1)
    assert opened(Microphone(4)) == (48_000, 1)


def test_a_device_that_refuses(sounddevice):
    sounddevice.opens = set()
    with pytest.raises(
        AudioDeviceError,
        match=r"USB Mic.* refuses to open \(Error opening InputStream: Invalid sample rate at "
        r"48000 Hz, 2 channels\): close other programs",
    ):
        Microphone(1).open()


def test_a_busy_device_is_let_go(sounddevice):
    sounddevice.busy = True
    with pytest.raises(AudioDeviceError, match=r"refuses to open .*Device unavailable"):
        Microphone(1).open()
    assert all(stream.calls == ["start", "abort", "close"] for stream in sounddevice.streams)


def test_a_channel_that_is_not_there(sounddevice):
    with pytest.raises(AudioDeviceError, match="has no channel 2: it has 2, the first is 0"):
        Microphone(1, channel=2).open()
    assert sounddevice.streams == []


# Samples


def read_all(microphone: Microphone) -> np.ndarray:
    parts = []
    while (block := microphone.read(0)).size:
        parts.append(block)
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.float32)


@pytest.mark.parametrize("channel", ["mix", 0, 1])
def test_48_khz_stereo_becomes_16_khz_mono(sounddevice, channel):
    frames = np.random.default_rng(8).uniform(-1, 1, (24_000, 2)).astype(np.float32)
    with Microphone(1, channel=channel) as microphone:
        parts = []
        for first in range(0, len(frames), 1_111):
            sounddevice.stream.deliver(frames[first : first + 1_111])
            parts.append(read_all(microphone))
        got = np.concatenate(parts)
        assert (microphone.dropped_samples, microphone.overflows) == (0, 0)
    mono = frames.mean(axis=1) if channel == "mix" else frames[:, channel]
    want = resample(mono, 48_000, 16_000)
    assert got.dtype == np.float32
    # The end waits in the resampler for what comes next.
    assert 0 <= want.size - got.size < 64
    np.testing.assert_allclose(got, want[: got.size], atol=1e-6)


def test_the_native_rate_is_passed_through_bit_for_bit(sounddevice):
    frames = np.random.default_rng(9).uniform(-1, 1, (1_000, 6)).astype(np.float32)
    with Microphone(2, channel=5) as microphone:
        sounddevice.stream.deliver(frames)
        np.testing.assert_array_equal(microphone.read(0), frames[:, 5])


def test_another_rate_can_be_wanted(sounddevice):
    with Microphone(4, sample_rate=44_100) as microphone:
        sounddevice.stream.deliver([0.25, -0.25])
        assert microphone.read(0).tolist() == [0.25, -0.25]


def test_read_waits_for_a_block_from_another_thread(sounddevice):
    with Microphone(2, channel=0) as microphone:
        stream = sounddevice.stream
        timer = threading.Timer(0.05, stream.deliver, [np.full((10, 6), 0.5)])
        timer.start()
        assert microphone.read(5.0).tolist() == [0.5] * 10
        timer.join()


def test_nothing_in_time_is_empty(sounddevice):
    with Microphone(1) as microphone:
        begin = time.monotonic()
        assert microphone.read(0.05).size == 0
        assert 0.04 < time.monotonic() - begin < 2
        # Too little for one output sample: 48 kHz to 16 kHz needs 173.
        sounddevice.stream.deliver(np.zeros((100, 2)))
        assert microphone.read(0.05).size == 0


def test_a_late_reader_skips_and_the_loss_is_counted_in_its_own_samples(sounddevice):
    with Microphone(1, buffer_s=0.5) as microphone:
        for _ in range(10):
            sounddevice.stream.deliver(np.zeros((4_800, 2)))
        assert microphone.dropped_samples == 8_000
        n_read = read_all(microphone).size
        assert 8_000 - 64 < n_read <= 8_000
    assert microphone.dropped_samples == 8_000, "still there for the summary"


def test_overflow_flags_are_counted(sounddevice):
    with Microphone(1) as microphone:
        stream = sounddevice.stream
        stream.deliver(np.zeros((10, 2)))
        stream.deliver(np.zeros((10, 2)), Flags(input_overflow=True))
        stream.deliver(np.zeros((10, 2)), Flags(other=True))
        stream.deliver(np.zeros((10, 2)), Flags(input_overflow=True))
        assert microphone.overflows == 2


# The end


def test_a_device_that_stops_is_drained_and_then_an_error(sounddevice):
    with Microphone(2) as microphone:
        sounddevice.stream.deliver(np.zeros((10, 6)))
        sounddevice.stream.vanish()
        assert microphone.read(1.0).size == 10
        with pytest.raises(AudioDeviceError, match=r"went away: Array.* stopped"):
            microphone.read(1.0)


def test_the_watchdog_notices_silence(sounddevice, monkeypatch):
    with Microphone(2) as microphone:
        sounddevice.stream.deliver(np.zeros((10, 6)))
        assert microphone.read(0.01).size == 10
        monkeypatch.setattr(module_under_test, "_SILENT_LIMIT_S", 30.0)
        assert microphone.read(0.01).size == 0
        monkeypatch.setattr(module_under_test, "_SILENT_LIMIT_S", 0.1)
        with pytest.raises(
            AudioDeviceError, match=r"went away: Array.* sent nothing for \d+\.\d s"
        ):
            microphone.read(5.0)


def test_the_first_block_may_take_longer(sounddevice, monkeypatch):
    monkeypatch.setattr(module_under_test, "_SILENT_LIMIT_S", 0.01)
    monkeypatch.setattr(module_under_test, "_FIRST_LIMIT_S", 30.0)
    with Microphone(2) as microphone:
        assert microphone.read(0.05).size == 0
        monkeypatch.setattr(module_under_test, "_FIRST_LIMIT_S", 0.1)
        with pytest.raises(AudioDeviceError, match="went away"):
            microphone.read(5.0)


def test_closing_stops_the_stream_once(sounddevice):
    microphone = Microphone(1)
    microphone.close()
    microphone.open()
    microphone.open()
    microphone.close()
    microphone.close()
    assert len(sounddevice.streams) == 1
    assert sounddevice.stream.calls == ["start", "abort", "close"]
    with pytest.raises(AudioDeviceError, match="is not open"):
        microphone.read(0)


def test_it_can_be_opened_again(sounddevice):
    microphone = Microphone(2, channel=0)
    with microphone:
        sounddevice.stream.deliver(np.ones((10, 6)), Flags(input_overflow=True))
    with microphone:
        assert microphone.overflows == 0
        assert microphone.read(0).size == 0
        sounddevice.stream.deliver(np.zeros((3, 6)))
        assert microphone.read(0).tolist() == [0, 0, 0]


def test_an_error_inside_closes_too(sounddevice):
    def fail() -> None:
        with Microphone(1):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert sounddevice.stream.calls[-1] == "close"


def test_a_frozen_server_does_not_hold_up_the_end(sounddevice, monkeypatch):
    monkeypatch.setattr(closing, "_CLOSE_LIMIT_S", 0.05)
    forgotten: list[object] = []
    monkeypatch.setattr(atexit, "unregister", forgotten.append)
    sounddevice.frozen = threading.Event()
    microphone = Microphone(1)
    microphone.open()
    begin = time.monotonic()
    microphone.close()
    assert time.monotonic() - begin < 2
    assert forgotten == [sounddevice._exit_handler]
    sounddevice.frozen.set()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sample_rate": 0}, "sample_rate is 0"),
        ({"capture_rate": -1}, "capture_rate is -1"),
        ({"buffer_s": 0.0}, "buffer_s is 0.0"),
        ({"buffer_s": float("nan")}, "buffer_s is nan"),
        ({"channel": -1}, "channel is -1"),
    ],
)
def test_settings_out_of_range(settings, message):
    with pytest.raises(ParameterError, match=message):
        Microphone(**settings)
