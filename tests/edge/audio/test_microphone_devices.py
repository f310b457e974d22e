"""Which device is opened, and what is said when there is none."""

from __future__ import annotations

import sys

import pytest
from microphone_fakes import device

from edge.audio.devices import list_input_devices
from edge.audio.identity import InputDevice
from edge.audio.microphone import Microphone
from edge.errors import AudioDeviceError, MissingDependencyError


def test_devices_with_an_input_are_listed(sounddevice):
    devices = list_input_devices()
    assert [one.index for one in devices] == [1, 2, 3, 4]
    assert devices[0] == InputDevice(1, "USB Mic: Audio (hw:1,0)", "ALSA", 2, 48_000, True)
    assert devices[1] == InputDevice(2, "Array: Audio (hw:2,0)", "JACK", 6, 16_000, False)


def test_no_default_and_no_devices_are_no_error_in_a_list(sounddevice):
    sounddevice.default = -1
    assert not any(one.is_default for one in list_input_devices())
    sounddevice.devices = []
    assert list_input_devices() == []


def test_portaudio_that_fails(sounddevice):
    sounddevice.broken = True
    with pytest.raises(AudioDeviceError, match="cannot list the devices: PortAudio not init"):
        list_input_devices()


def test_portaudio_missing_names_the_one_line(tmp_path, monkeypatch):
    (tmp_path / "sounddevice.py").write_text("raise OSError('PortAudio library not found')\n")
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    for use in (list_input_devices, Microphone().open):
        with pytest.raises(AudioDeviceError, match="sudo apt-get install libportaudio2"):
            use()


def test_sounddevice_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(MissingDependencyError, match="pip install sounddevice"):
        list_input_devices()


@pytest.mark.parametrize(
    ("name", "index"),
    [
        (None, 1),
        (4, 4),
        ("4", 4),
        ("pulse", 3),
        ("PULSE", 3),
        ("array", 2),
        # Fits two, one of them is the default.
        ("mic", 1),
    ],
)
def test_a_device_is_found_by_name_part_or_number(sounddevice, name, index):
    with Microphone(name) as microphone:
        assert sounddevice.stream.settings["device"] == index
        assert microphone.device == next(one for one in list_input_devices() if one.index == index)


@pytest.mark.parametrize("name", ["Webcam", "", 0, 99, "99", -1])
def test_an_unknown_device_lists_the_known_ones(sounddevice, name):
    with pytest.raises(
        AudioDeviceError, match=r"no input device .*known are: 1 USB Mic.*; 3 pulse"
    ):
        Microphone(name).open()


def test_a_name_that_fits_several(sounddevice):
    sounddevice.default = 4
    with pytest.raises(AudioDeviceError, match=r"'audio' fits several.*1 USB Mic.*; 2 Array"):
        Microphone("audio").open()


def test_no_input_device(sounddevice):
    sounddevice.devices, sounddevice.default = [device("Speakers", 0, 48_000)], -1
    with pytest.raises(AudioDeviceError, match="there is no input device: plug in a microphone"):
        Microphone().open()


def test_no_default_device(sounddevice):
    sounddevice.default = -1
    with pytest.raises(AudioDeviceError, match="no default input device, name one of: 1 USB"):
        Microphone().open()
