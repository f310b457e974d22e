"""Checks by name: another one is a function of a :class:`~edge.doctor.look.Look` and a row here."""

from __future__ import annotations

import dataclasses

from edge.doctor.backends import backends
from edge.doctor.clock import clock, time_service
from edge.doctor.look import Check
from edge.doctor.model import artifact, reference
from edge.doctor.processor import clock_speed, load, temperature, throttling
from edge.doctor.rights import rights
from edge.doctor.room import disk, memory
from edge.doctor.settings import configuration
from edge.doctor.software import architecture, numpy, python
from edge.doctor.sound import capture, devices, portaudio
from edge.doctor.sound_server import sound_server
from edge.doctor.voice import voice

__all__ = ["CHECKS", "Row"]


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """A check.

    Parameters
    ----------
    name : str
        ``check`` of its findings.
    group : str
        The heading that it stands under.
    check : callable
        Gives what it finds as it goes.
    lane : str
        Those of one lane run one after the other, in the order of the rows, and may leave each
        other notes; the lanes run side by side.
    """

    name: str
    group: str
    check: Check
    lane: str


# What starts one Python after the other, what waits for sound, and what reads a few files.  Side by
# side, the first would only be in each other's way on a board with one processor.
_PYTHON, _SOUND, _FILES = "python", "sound", "files"

#: Every check, in the order in which findings are told.
CHECKS: tuple[Row, ...] = (
    Row("python", "software", python, _PYTHON),
    Row("architecture", "software", architecture, _PYTHON),
    Row("configuration", "software", configuration, _PYTHON),
    Row("numpy", "software", numpy, _PYTHON),
    Row("artifact", "model", artifact, _PYTHON),
    Row("reference", "model", reference, _PYTHON),
    Row("voice", "model", voice, _PYTHON),
    Row("backend", "backends", backends, _PYTHON),
    Row("sound-server", "sound", sound_server, _SOUND),
    Row("rights", "sound", rights, _SOUND),
    Row("portaudio", "sound", portaudio, _SOUND),
    Row("device", "sound", devices, _SOUND),
    Row("capture", "sound", capture, _SOUND),
    Row("clock", "machine", clock, _FILES),
    Row("time-service", "machine", time_service, _FILES),
    Row("clock-speed", "machine", clock_speed, _FILES),
    Row("load", "machine", load, _FILES),
    Row("temperature", "machine", temperature, _FILES),
    Row("throttling", "machine", throttling, _FILES),
    Row("memory", "machine", memory, _FILES),
    Row("disk", "machine", disk, _FILES),
)
