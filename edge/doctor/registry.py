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

__all__ = ["CHECKS", "Row"]


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """A check.

    Parameters
    ----------
    name : str
        ``check`` of its findings.
    group : str
        Those of one group run one after the other, in the order of the rows, and may leave each
        other notes; the groups run side by side.
    check : callable
        Gives what it finds as it goes.
    """

    name: str
    group: str
    check: Check


#: Every check, in the order in which findings are told.
CHECKS: tuple[Row, ...] = (
    Row("python", "software", python),
    Row("architecture", "software", architecture),
    Row("numpy", "software", numpy),
    Row("configuration", "software", configuration),
    Row("backend", "backends", backends),
    Row("artifact", "model", artifact),
    Row("reference", "model", reference),
    Row("sound-server", "sound", sound_server),
    Row("rights", "sound", rights),
    Row("portaudio", "sound", portaudio),
    Row("device", "sound", devices),
    Row("capture", "sound", capture),
    Row("clock", "machine", clock),
    Row("time-service", "machine", time_service),
    Row("clock-speed", "machine", clock_speed),
    Row("load", "machine", load),
    Row("temperature", "machine", temperature),
    Row("throttling", "machine", throttling),
    Row("memory", "machine", memory),
    Row("disk", "machine", disk),
)
