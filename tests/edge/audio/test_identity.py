"""Which device is meant, and that no other is taken in its place."""

from __future__ import annotations

import pytest

from edge.audio.identity import InputDevice, Pin, identities, pick_input_device
from edge.audio.portaudio import AwayError
from edge.errors import AudioDeviceError


def device(index: int, name: str, host_api: str = "ALSA", is_default: bool = False) -> InputDevice:
    return InputDevice(index, name, host_api, 2, 48_000, is_default)


USB = device(1, "USB Mic: Audio (hw:1,0)")
BUILT_IN = device(0, "HDA Intel: ALC257 Analog (hw:0,0)", is_default=True)
PULSE = device(2, "pulse")
KNOWN = [BUILT_IN, USB, PULSE]


def test_identity_has_no_number_of_a_card() -> None:
    assert USB.identity == "USB Mic: Audio [ALSA]"
    assert PULSE.identity == "pulse [ALSA]"
    assert identities(KNOWN) == [
        "HDA Intel: ALC257 Analog [ALSA]", "USB Mic: Audio [ALSA]", "pulse [ALSA]",
    ]  # fmt: skip


def test_twins_are_told_apart_by_their_cards() -> None:
    twin = device(3, "USB Mic: Audio (hw:2,0)")
    assert identities([USB, twin, PULSE]) == [
        "USB Mic: Audio (hw:1,0) [ALSA]", "USB Mic: Audio (hw:2,0) [ALSA]", "pulse [ALSA]",
    ]  # fmt: skip
    assert pick_input_device("USB Mic: Audio (hw:2,0) [ALSA]", [USB, twin]) == twin
    with pytest.raises(AudioDeviceError, match="fits several") as raised:
        pick_input_device("USB Mic: Audio [ALSA]", [USB, twin])
    assert not isinstance(raised.value, AwayError), "waiting does not mend it"


@pytest.mark.parametrize(
    "name",
    [
        "USB Mic: Audio [ALSA]", "usb mic: audio [alsa]", "USB Mic: Audio",
        "USB Mic: Audio (hw:1,0)",
        "USB Mic: Audio (hw:1,0), ALSA", "usb mic", "hw:1,0", "1", 1,
        # As it was before it got another number.
        "USB Mic: Audio (hw:7,0)", "USB Mic: Audio (hw:7,0) [ALSA]",
    ],
)  # fmt: skip
def test_every_way_to_name_it(name: str | int) -> None:
    assert pick_input_device(name, KNOWN) == USB


def test_the_host_api_is_part_of_it() -> None:
    jack = device(4, "USB Mic: Audio (hw:1,0)", "JACK")
    assert pick_input_device("USB Mic: Audio [JACK]", [*KNOWN, jack]) == jack
    assert pick_input_device("USB Mic: Audio [ALSA]", [*KNOWN, jack]) == USB


@pytest.mark.parametrize("name", ["hw:7,0", "(hw:1,0) (hw:2,0)", "USB Mic: Video (hw:1,0)", "7"])
def test_what_is_not_there_may_come(name: str) -> None:
    with pytest.raises(AwayError, match=r"there is no input device .*known are: 0 HDA"):
        pick_input_device(name, KNOWN)


def test_a_renumbered_card_is_found_again() -> None:
    pin = Pin.on(USB, KNOWN)
    moved = device(5, "USB Mic: Audio (hw:2,0)")
    assert pin.find(KNOWN) == USB
    assert pin.find([BUILT_IN, moved]) == moved


def test_no_other_is_taken_in_its_place() -> None:
    pin = Pin.on(USB, KNOWN)
    # Its number now belongs to another, which also has its card's number.
    other = device(1, "Webcam: Audio (hw:1,0)")
    for known in ([BUILT_IN, other], [device(1, "USB Mic: Audio (hw:1,0)", "JACK")]):
        with pytest.raises(AwayError, match=r"USB Mic: Audio \[ALSA\] is not there: known are"):
            pin.find(known)
    with pytest.raises(AwayError, match="there is no input device at all"):
        pin.find([])


def test_a_twin_is_not_taken_for_it() -> None:
    twin = device(3, "USB Mic: Audio (hw:2,0)")
    pin = Pin.on(USB, [USB, twin])
    assert pin.find([twin, USB]) == USB
    with pytest.raises(AwayError, match=r"USB Mic: Audio \(hw:1,0\) \[ALSA\] is not there"):
        pin.find([twin])


def test_two_that_come_in_its_place_are_not_guessed_between() -> None:
    pin = Pin.on(USB, KNOWN)
    with pytest.raises(AwayError, match="is not there"):
        pin.find([device(5, "USB Mic: Audio (hw:2,0)"), device(6, "USB Mic: Audio (hw:3,0)")])


def test_the_same_name_twice_is_told_apart_by_number() -> None:
    again = device(4, "USB Mic: Audio (hw:1,0)")
    assert Pin.on(USB, [USB, again]).find([again, USB]) == USB
