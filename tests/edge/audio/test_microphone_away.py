"""A microphone that goes, stalls and comes back."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
from microphone_fakes import device

import edge.audio.microphone as microphone_module
import edge.audio.recording as recording_module
from edge.audio.microphone import Microphone
from edge.audio.portaudio import AwayError
from edge.audio.recording import StalledError
from edge.errors import AudioDeviceError, ParameterError


def test_a_renumbered_card_is_opened_and_never_another(sounddevice) -> None:
    microphone = Microphone("usb")
    microphone.open()
    microphone.close()
    # Its number is somebody else's now, who also has "usb" in his name.
    sounddevice.plugged = [device("USB Webcam: Audio (hw:1,0)", 1, 48_000)] * 2
    with pytest.raises(AwayError, match=r"USB Mic: Audio \[ALSA\] is not there"):
        microphone.open(renew_devices=True)
    sounddevice.plugged = [*sounddevice.plugged, device("USB Mic: Audio (hw:2,0)", 2, 48_000)]
    microphone.open(renew_devices=True)
    assert microphone.device.name == "USB Mic: Audio (hw:2,0)"
    assert sounddevice.stream.settings["device"] == 2
    microphone.close()


def test_a_number_means_the_device_that_it_led_to(sounddevice) -> None:
    microphone = Microphone(1)
    microphone.open()
    microphone.close()
    sounddevice.plugged = [sounddevice.devices[0], device("Webcam", 1, 48_000)]
    with pytest.raises(AwayError, match="USB Mic"):
        microphone.open(renew_devices=True)


def test_the_default_may_be_another_one(sounddevice) -> None:
    microphone = Microphone()
    with microphone:
        assert microphone.device.name == "USB Mic: Audio (hw:1,0)"
    sounddevice.default = 4
    with microphone:
        assert microphone.device.name == "Built-in Mic"


def test_a_rate_that_it_does_not_have_is_not_waited_for(sounddevice) -> None:
    sounddevice.opens = {(48_000, 2)}
    with pytest.raises(AudioDeviceError, match="its own rate is 48000 Hz") as raised:
        Microphone(1, capture_rate=16_000).open()
    assert not isinstance(raised.value, AwayError)
    sounddevice.busy = True
    with pytest.raises(AwayError, match="Device unavailable"):
        Microphone(1, capture_rate=48_000).open()


def test_a_user_without_rights_is_not_told_of_cables(sounddevice, monkeypatch) -> None:
    sentence = "this user may not open the sound cards"
    monkeypatch.setattr(microphone_module, "rights_sentence", lambda: sentence)
    sounddevice.devices = []
    with pytest.raises(AwayError, match=sentence):
        Microphone().open()


@pytest.mark.parametrize("gain_db", [float("nan"), 61, -61])
def test_a_gain_out_of_range(gain_db: float) -> None:
    with pytest.raises(ParameterError, match="gain_db is"):
        Microphone(gain_db=gain_db)


def test_the_channel_that_was_picked_is_said_and_kept(sounddevice) -> None:
    frames = np.zeros((480_000, 2), np.float32)
    frames[:, 1] = np.random.default_rng(1).uniform(-0.2, 0.2, len(frames))
    microphone = Microphone(1)
    with microphone:
        assert microphone.news() == []
        for start in range(0, len(frames), 1600):
            sounddevice.stream.deliver(frames[start : start + 1600])
        assert microphone.news() == [
            ("channel", "channel 2 of 2 is listened to, the loudest of the first seconds")
        ]
        assert microphone.news() == []
    with microphone:
        sounddevice.stream.deliver(frames[:4800, ::-1])
        assert not microphone.read(0).any(), "the same one as before"
        assert microphone.news() == []


def test_a_muted_microphone_is_said(sounddevice) -> None:
    with Microphone(4) as microphone:
        for _ in range(500):
            sounddevice.stream.deliver(np.zeros((1000, 1)))
        ((kind, sentence),) = microphone.news()
        assert kind == "muted"
        assert "Built-in Mic has given nothing but digital zeros" in sentence


# A stall


@pytest.fixture
def stalled(sounddevice, monkeypatch) -> Microphone:
    monkeypatch.setattr(recording_module, "_SILENT_LIMIT_S", 0.05)
    with Microphone(2, channel=0) as microphone:
        sounddevice.stream.deliver(np.full((160, 6), 0.1))
        assert microphone.read(0.01).size == 160
        with pytest.raises(StalledError, match="sent nothing for"):
            microphone.read(1.0)
        yield microphone


def pace(stream, value: float, ended: threading.Event) -> threading.Thread:
    """Deliver 10 ms every 10 ms."""

    def run() -> None:
        due_s = time.monotonic()
        while not ended.is_set():
            stream.deliver(np.full((160, 6), value))
            due_s += 0.01
            time.sleep(max(0.0, due_s - time.monotonic()))

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_a_stall_goes_on_with_the_sound_of_now(stalled, sounddevice) -> None:
    assert stalled.resume(0.01).samples.size == 0
    stream, ended = sounddevice.stream, threading.Event()
    # Five seconds that waited come at once.
    for _ in range(50):
        stream.deliver(np.full((1600, 6), 0.2))
    thread = pace(stream, 0.3, ended)
    recorded = stalled.resume(1.0)
    ended.set()
    thread.join()
    # All but the last of them were left out.
    assert 0 < recorded.samples.size <= 4000
    assert set(np.unique(recorded.samples)) <= {np.float32(0.2), np.float32(0.3)}
    assert np.count_nonzero(recorded.samples == np.float32(0.2)) <= 1600
    assert time.perf_counter() - recorded.arrived_s < 0.5


def test_a_stall_that_ends_altogether(stalled, sounddevice) -> None:
    sounddevice.stream.vanish()
    with pytest.raises(AwayError, match="stopped") as raised:
        stalled.resume(1.0)
    assert not isinstance(raised.value, StalledError)


def test_a_block_that_came_alone_is_no_sound(stalled, sounddevice) -> None:
    threading.Timer(0.02, sounddevice.stream.deliver, [np.full((160, 6), 0.2)]).start()
    recorded = stalled.resume(0.5)
    assert recorded.samples.size <= 160
