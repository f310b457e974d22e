"""Which conditions ``evaluate`` measures under: those that are named, or all that can be heard."""

from __future__ import annotations

import argparse

from edge.errors import ParameterError
from quantize.data.features.conditions import CODECS, CONDITIONS, EVERY_CONDITION, EVERYDAY
from quantize.data.sound.codecs import codec_version, is_supported
from quantize.data.sound.recordings import sounds_of

__all__ = ["conditions_of", "left_out_of"]

#: Conditions of a protocol, in their order.
_KNOWN = {"noise": CONDITIONS, "conditions": EVERY_CONDITION}


def left_out_of(arguments: argparse.Namespace) -> dict[str, str]:
    """Conditions that nobody named and that cannot be heard here, and why.

    Raises
    ------
    EdgeSerError
        If conditions or sounds are named that would have no say, or cannot be heard.
    """
    known = _KNOWN.get(arguments.protocol, ())
    if arguments.conditions and not known:
        raise ParameterError("--conditions is for --protocol noise and --protocol conditions alone")
    strangers = [name for name in arguments.conditions or () if name not in known]
    if strangers:
        raise ParameterError(
            f"{strangers[0]} is no condition of --protocol {arguments.protocol}, one of "
            f"{', '.join(known)} is wanted"
        )
    if arguments.sounds and EVERYDAY not in (arguments.conditions or known):
        raise ParameterError(
            f"--sounds is for the condition {EVERYDAY} of --protocol conditions alone"
        )
    sounds_of(arguments.sounds, measuring=True)
    reasons = {name: why for name in known if (why := _deaf_to(name, arguments))}
    for name in arguments.conditions or ():
        if name in reasons:
            raise ParameterError(f"{name} cannot be heard: {reasons[name]}")
    return {} if arguments.conditions else reasons


def conditions_of(arguments: argparse.Namespace) -> list[str]:
    """Conditions to measure under, in the order of the protocol or of the command."""
    if arguments.conditions:
        return list(arguments.conditions)
    known = _KNOWN[arguments.protocol]
    return [name for name in known if not _deaf_to(name, arguments)]


def _deaf_to(name: str, arguments: argparse.Namespace) -> str | None:
    """Why a condition cannot be heard here; None: it can."""
    if name == EVERYDAY and not arguments.sounds:
        return "name folders of recorded sounds with --sounds DIR"
    if name in CODECS and not is_supported(name):
        return (
            f"libsndfile {codec_version()} was built without this codec, install a newer one with "
            "pip install -U soundfile"
        )
    return None
