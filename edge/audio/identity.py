"""Which of the input devices is meant, also when it has got another number since."""

from __future__ import annotations

import dataclasses
import re

from edge.audio.portaudio import AwayError
from edge.errors import AudioDeviceError

__all__ = ["NO_DEVICE", "InputDevice", "Pin", "identities", "pick_input_device"]

NO_DEVICE = (
    "there is no input device: plug in a microphone and check that `arecord -l` or "
    "`pactl list short sources` shows it"
)

#: The place that ALSA gives a card: another after a restart, or in another socket.
_PLACE = re.compile(r"\s*\(hw:\d+,\d+\)")


@dataclasses.dataclass(frozen=True)
class InputDevice:
    """An input as PortAudio lists it.

    Parameters
    ----------
    index : int
        PortAudio's number of it.
    name, host_api : str
        Name of the device and of the system it is reached through.
    n_channels : int
        Channels it offers.
    sample_rate : int
        Its own rate in Hz.
    is_default : bool
        Whether it is the one that is taken when none is named.
    """

    index: int
    name: str
    host_api: str
    n_channels: int
    sample_rate: int
    is_default: bool

    @property
    def identity(self) -> str:
        """What stays when a card gets another number: ``USB Mic: Audio [ALSA]``."""
        return f"{_PLACE.sub('', self.name)} [{self.host_api}]"

    @property
    def full_name(self) -> str:
        """Name and host API, with the card's number: ``USB Mic: Audio (hw:1,0) [ALSA]``."""
        return f"{self.name} [{self.host_api}]"


def identities(known: list[InputDevice]) -> list[str]:
    """What to name each by: its identity, or its full name where another has the same.

    Parameters
    ----------
    known : list of InputDevice
        Those that are there.
    """
    every = [one.identity for one in known]
    return [
        one.full_name if every.count(identity) > 1 else identity
        for one, identity in zip(known, every, strict=True)
    ]


@dataclasses.dataclass(frozen=True)
class Pin:
    """The device that a name led to once; no other is opened in its place.

    Parameters
    ----------
    device : InputDevice
    has_twin : bool
        Whether another had the same identity when it was opened.  Then the number of its card is
        all that tells them apart, and with another number it may be the other.
    """

    device: InputDevice
    has_twin: bool

    @classmethod
    def on(cls, device: InputDevice, known: list[InputDevice]) -> Pin:
        """Pin one of those that are there."""
        return cls(device, sum(one.identity == device.identity for one in known) > 1)

    def find(self, known: list[InputDevice]) -> InputDevice:
        """Give the same device among those that are there now.

        Raises
        ------
        AwayError
            If it is not there, or cannot be told from another.
        """
        matches = [one for one in known if one.full_name == self.device.full_name]
        if not matches and not self.has_twin:
            matches = [one for one in known if one.identity == self.device.identity]
        if len(matches) > 1:
            matches = [one for one in matches if one.index == self.device.index]
        if len(matches) != 1:
            name = self.device.full_name if self.has_twin else self.device.identity
            raise AwayError(f"{name} is not there: {_listing(known)}")
        return matches[0]


def pick_input_device(device: str | int | None, known: list[InputDevice]) -> InputDevice:
    """Find the one that is meant.

    Parameters
    ----------
    device : str, int or None
        Identity, name, or a part of either, in any case; an index only as a number; None for the
        default.
    known : list of InputDevice
        Those that are there.

    Raises
    ------
    AwayError
        If it is not there; it may come.
    AudioDeviceError
        If several fit.
    """
    if not known:
        raise AwayError(NO_DEVICE)
    if device is None:
        for one in known:
            if one.is_default:
                return one
        raise AwayError(f"there is no default input device, name one of: {_numbered(known)}")
    if isinstance(device, int) or device.strip().isdecimal():
        matches = [one for one in known if one.index == int(device)]
    else:
        matches = _named(device.strip().casefold(), known)
    if not matches:
        raise AwayError(f"there is no input device {device!r}, {_listing(known)}")
    matches = [one for one in matches if one.is_default] or matches
    if len(matches) > 1:
        names = _numbered(matches)
        raise AudioDeviceError(f"{device!r} fits several input devices, take a number: {names}")
    return matches[0]


def _named(wanted: str, known: list[InputDevice]) -> list[InputDevice]:
    if not wanted:
        return []
    exact = [one for one in known if wanted in _spellings(one)]
    part = [one for one in known if any(wanted in spelling for spelling in _spellings(one))]
    if exact or part:
        return exact or part
    # The name of a card that has got another number.
    bare = _PLACE.sub("", wanted)
    return [one for one in known if bare != wanted and bare in _spellings(one)]


def _spellings(one: InputDevice) -> tuple[str, ...]:
    """As `edge-ser devices` shows it, as PortAudio does, and as sounddevice writes it."""
    bare = _PLACE.sub("", one.name)
    spellings = one.name, one.full_name, one.identity, bare, f"{one.name}, {one.host_api}"
    return tuple(spelling.casefold() for spelling in spellings)


def _listing(known: list[InputDevice]) -> str:
    return f"known are: {_numbered(known)}" if known else "there is no input device at all"


def _numbered(known: list[InputDevice]) -> str:
    return "; ".join(f"{one.index} {one.name}" for one in known)
