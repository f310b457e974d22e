"""PortAudio, the microphones it has, and what the chosen one hears."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from edge.doctor.finding import Finding, error, ok, skipped, warning
from edge.doctor.look import Look
from edge.doctor.trials import last_object

__all__ = ["capture", "devices", "portaudio"]

CAPTURE_S = 2.0
# Python, PortAudio's start, two seconds of sound and what comes before its first block.
_LIMIT_S = 11.0
# PortAudio waits for a frozen server for ever.
_FROZEN_LIMIT_S = 4.0

_TOOL_S = 1.0

# A part of full scale that an offset takes from the room for sound.
_DC = 0.02
_CLIPPED_SHARE = 0.001
# Speech across a room comes in at -45 to -30.
_NOISY_DB = -35.0

_DEVICE = {"name", "index", "is_default", "is_picked"}
# What each step of the child tells at least.
_KEYS: dict[str, set[str]] = {
    "library": set(),
    "failed": {"at", "problem"},
    "portaudio": {"version", "sounddevice", "host_apis"},
    "devices": {"n_devices"},
    "opened": {*_DEVICE, "sample_rate", "n_channels", "rates"},
    "refused": {*_DEVICE, "problem"},
    "captured": {
        "name",
        "channels",
        "n_samples",
        "n_wanted",
        "overflows",
        "took_s",
        "are_inverted",
    },
    "end": set(),
}  # fmt: skip
_CARD = re.compile(r"\(hw:(\d+),\d+\)")
_CHANNEL = "edge-ser listen --channel auto"


def portaudio(look: Look) -> Iterator[Finding]:
    """Run the child, and say whether PortAudio and sounddevice are there.

    Leaves ``steps``, what the child told, and ``is_late`` for the checks after it.
    """
    if not look.system.can_start_python:
        look.notes["steps"], look.notes["is_late"] = None, False
        yield skipped("this program is frozen and starts no Python")
        return
    is_frozen = look.notes.get("server") == "silent"
    limit_s = look.within_s(_FROZEN_LIMIT_S if is_frozen else _LIMIT_S)
    capture_s = CAPTURE_S if look.wishes.captures else 0.0
    ran = look.system.start_python(
        "edge.doctor.sound_trial", [look.wishes.device or "", str(capture_s)], limit_s
    )
    look.outputs["sound_trial"] = ran.out + ran.err
    steps = list(_steps(ran.out))
    look.notes["steps"], look.notes["is_late"] = steps, ran.is_late
    look.notes["limit_s"] = limit_s
    found = {step["step"]: step for step in steps}
    failed = found.get("failed", {})
    if "portaudio" in found:
        told = found["portaudio"]
        hosts = ", ".join(told["host_apis"]) or "none"
        yield ok(
            f"sounddevice {told['sounddevice']}, {told['version'].partition(',')[0]}, reaches "
            f"{hosts}",
            **{key: value for key, value in told.items() if key != "step"},
        )
    elif failed.get("at") == "import" and "pip install" in failed["problem"]:
        yield error("sounddevice is not installed", "pip install sounddevice")
    elif "libportaudio2" in failed.get("problem", ""):
        yield error("the PortAudio library is not installed", "sudo apt-get install libportaudio2")
    elif failed.get("at") == "import":
        yield error(
            failed["problem"],
            look.notes.get("server_restart")
            or "sudo apt-get install --reinstall libportaudio2 libasound2-plugins",
        )
    elif ran.is_late and is_frozen:
        yield error(
            f"PortAudio does not start within {limit_s:.0f} s, for it waits for the frozen sound "
            "server",
            look.notes["server_mend"] or "",
        )
    elif ran.is_late:
        yield error(
            f"PortAudio does not start within {limit_s:.0f} s",
            look.notes.get("server_restart")
            or "sudo lsof /dev/snd/*, and close what holds the cards",
        )
    elif not steps:
        said = ran.err.strip().splitlines()[-1:] or ["it said nothing"]
        yield error(
            f"PortAudio cannot be tried: {said[0]}", "pip install --force-reinstall sounddevice"
        )
    else:
        yield error(
            f"PortAudio ends the process (exit code {ran.code})",
            "sudo apt-get install --reinstall libportaudio2 libasound2-plugins",
        )


def _steps(text: str) -> Iterator[dict[str, Any]]:
    """Read what the child told, whatever else a library wrote between."""
    for line in text.splitlines():
        step = last_object(line)
        if _KEYS.get(str(step.get("step")), {"no such step"}) <= set(step):
            yield step


def devices(look: Look) -> Iterator[Finding]:
    """Every input, with what it really opens at."""
    # For an issue report: what PortAudio would have had to find.
    look.run(["arecord", "-l"], _TOOL_S)
    steps = look.notes["steps"]
    by_name = {step["step"]: step for step in steps or []}
    if not steps or "portaudio" not in by_name:
        yield skipped("PortAudio cannot be asked, see there")
        return
    for step in steps:
        if step["step"] == "failed" and step["at"] in ("list", "pick"):
            yield error(step["problem"], "edge-ser devices")
    if by_name.get("failed", {}).get("at") == "numpy":
        yield skipped("NumPy cannot be imported, see there")
        return
    opened = [step for step in steps if step["step"] in ("opened", "refused")]
    if by_name.get("devices", {}).get("n_devices") == 0:
        yield _no_device(look)
    for step in opened:
        yield _device(step)
    if "end" not in by_name and look.notes["is_late"]:
        n_left = by_name.get("devices", {}).get("n_devices", 0) - len(opened)
        if opened and n_left > 0:
            yield skipped(f"there was no time to open {n_left} more")
        elif not opened:
            yield error(
                f"no device opens within {look.notes['limit_s']:.0f} s: a driver or the sound "
                "server hangs",
                look.notes.get("server_restart")
                or "unplug the microphone and plug it in again, then: edge-ser doctor",
            )


def _no_device(look: Look) -> Finding:
    container = look.system.container()
    if look.notes.get("server") == "alive":
        return error(
            "there is no input device, though a sound server answers: ALSA does not lead to it",
            "sudo apt-get install libasound2-plugins, or with PipeWire: pipewire-alsa",
        )
    if look.notes.get("server_mend"):
        return error(
            "there is no input device while the sound server does not answer",
            look.notes["server_mend"],
        )
    if look.notes.get("rights_mend"):
        return error("there is no input device that this user may open", look.notes["rights_mend"])
    if container:
        return error(
            f"there is no input device in this container ({container})",
            "start it with the sound devices, with docker: --device /dev/snd --group-add audio; or "
            "pipe the sound in: arecord -f S16_LE -r 16000 -c 1 -t raw | docker run -i IMAGE "
            "edge-ser listen --source -",
        )
    return error("there is no input device", "plug in a microphone, then: arecord -l")


def _device(step: Mapping[str, Any]) -> Finding:
    facts: dict[str, Any] = {
        key: value for key, value in step.items() if key not in ("step", "problem")
    }
    mark = " (default)" if step["is_default"] else ""
    name = f"{step['name']}{mark}"
    if step["step"] == "opened":
        n = step["n_channels"]
        channels = f"{n} channel{'s' * (n != 1)}"
        rates = ", ".join(f"{rate / 1000:g}" for rate in step["rates"])
        also = f"; takes {rates} kHz" if rates else ""
        return ok(
            f"{name} opens at {step['sample_rate']} Hz, {channels}{also}", step["name"], **facts
        )
    if step["is_picked"]:
        return error(
            f"{name} does not open: {step['problem']}",
            "fuser -v /dev/snd/*, and close what records; or name another: edge-ser devices",
            step["name"],
            **facts,
        )
    # ALSA lists outlets that open on some cards only; nobody asked for this one.
    return skipped(f"{name} does not open: {step['problem']}", None, step["name"], **facts)


def capture(look: Look) -> Iterator[Finding]:
    """What two seconds of the chosen microphone hold."""
    if not look.wishes.captures:
        yield skipped("--no-capture was given")
        return
    steps = look.notes["steps"] or []
    for step in steps:
        if step["step"] == "captured":
            yield from _heard(look, step)
            return
        if step["step"] == "failed" and step["at"] == "capture":
            yield error(f"recording does not start: {step['problem']}", "edge-ser devices")
            return
    yield skipped("there is no microphone to record from, see above")


def _heard(look: Look, step: Mapping[str, Any]) -> Iterator[Finding]:
    channels = step["channels"]
    facts: dict[str, Any] = {key: value for key, value in step.items() if key != "step"}
    name = step["name"]
    if not channels:
        yield error(
            f"{name} opened and sent nothing for 3 s",
            "pactl suspend-source @DEFAULT_SOURCE@ 0, or plug the microphone in again",
            **facts,
        )
        return
    if all(each["is_zero"] for each in channels):
        yield warning(
            f"{name} sends digital silence: it is muted, or nothing is connected to it",
            _unmute(look, name),
            **facts,
        )
        return
    loudest = max(channels, key=lambda each: each["level_db"])
    faults = list(_faults(step, loudest))
    for sentence, mend in faults:
        yield warning(f"{name} {sentence}", mend, **facts)
    if not faults:
        yield ok(
            f"{name}: level {loudest['level_db']:.0f} dBFS, noise floor {loudest['floor_db']:.0f}, "
            f"peak {loudest['peak_db']:.0f}",
            **facts,
        )


def _faults(step: Mapping[str, Any], loudest: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    channels = step["channels"]
    softer = _line(step["name"], "sset Capture 50%", "set-source-volume @DEFAULT_SOURCE@ 50%")
    dead = [str(index + 1) for index, each in enumerate(channels) if each["is_dead"]]
    if dead:
        one = len(dead) == 1
        yield (
            f"has {'a dead channel' if one else 'dead channels'}: {', '.join(dead)} of "
            f"{len(channels)} (counted from 1)",
            _CHANNEL,
        )
    if step["are_inverted"]:
        yield "has two channels that cancel each other: one is wired the wrong way round", _CHANNEL
    if loudest["clipped_share"] > _CLIPPED_SHARE:
        yield f"clips: {100 * loudest['clipped_share']:.1f} % of the samples", softer
    offset = max((each["dc"] for each in channels), key=abs)
    if abs(offset) > _DC:
        yield (
            f"has an offset of {100 * offset:.1f} % of full scale, which the front end removes; it "
            "takes room from loud speech",
            "use another input or microphone where loud speech clips",
        )
    if loudest["floor_db"] > _NOISY_DB:
        yield (
            f"hears noise of {loudest['floor_db']:.0f} dBFS all the time, as loud as speech",
            f"move it away from fans and engines; is it turned up too far? {softer}",
        )
    if step["n_samples"] < 0.9 * step["n_wanted"] or step["overflows"]:
        yield (
            f"lost sound: {step['n_samples']} samples of {step['n_wanted']} came in "
            f"{step['took_s']:.1f} s, and {step['overflows']} overflows were told",
            "close other programs, or plug it into another USB socket without a hub",
        )


def _unmute(look: Look, name: str) -> str:
    """Give what brings sound: another source where the server says that this one is open."""
    if not _CARD.search(name) and look.notes.get("is_muted") is False:
        others = look.notes["other_sources"]
        if others:
            return f"pactl set-default-source {shlex.quote(others[0])}"
        return "switch it on at its own switch or plug it in again, then: edge-ser doctor"
    return _line(name, "sset Capture cap", "set-source-mute @DEFAULT_SOURCE@ 0")


def _line(name: str, mixer: str, server: str) -> str:
    """Give what sets a device: on its card, where it is one, or in the sound server."""
    card = _CARD.search(name)
    return f"amixer -c {card[1]} {mixer}" if card else f"pactl {server}"
