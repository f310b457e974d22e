"""What a target is, and what a trial is given."""

from __future__ import annotations

import dataclasses
import importlib
import random
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

__all__ = ["HUGE_BYTES", "TARGETS", "Target", "Trial", "UnsoundError", "open_target"]

#: Name of every target, and the module and class that it is.
TARGETS = {
    "wav": "fuzz.fuzz_wav:WavTarget",
    "audio": "fuzz.fuzz_audio:AudioTarget",
    "manifest": "fuzz.fuzz_manifest:ManifestTarget",
    "voice": "fuzz.fuzz_voice:VoiceTarget",
    "npz": "fuzz.fuzz_npz:NpzTarget",
    "onnx": "fuzz.fuzz_onnx:OnnxTarget",
    "tflite": "fuzz.fuzz_tflite:TfliteTarget",
    "stdin": "fuzz.fuzz_stdin:StdinTarget",
    "toml": "fuzz.fuzz_toml:TomlTarget",
    "config": "fuzz.fuzz_config:ConfigTarget",
    "api": "fuzz.fuzz_api:ApiTarget",
    "mqtt": "fuzz.fuzz_mqtt:MqttTarget",
    "web": "fuzz.fuzz_web:WebTarget",
}


#: Of a file that is all hole: more than a trial may hold, less than a disk that is written to.
HUGE_BYTES = 1_000_000_000


class UnsoundError(AssertionError):
    """A result that cannot be right."""


@dataclasses.dataclass(frozen=True, slots=True)
class Trial:
    """What one trial is given.

    Parameters
    ----------
    rng : random.Random
        Where every choice of the trial comes from.
    folder : Path
        Empty and the trial's own. What lies there is kept with a finding, so a trial writes its
        input there before anything reads it.
    product : bool
        Go the product's own road, also where the target knows a shorter one that leaves out the
        process in which a stranger's model is first tried.
    """

    rng: random.Random
    folder: Path
    product: bool


class Target(Protocol):
    """One kind of input."""

    #: Whether a trial may start the product's own trial process.
    may_probe: bool
    #: Packages without which there is nothing to try.
    needs: tuple[str, ...]
    #: Whether trials leave out the process of the product that contains a runtime's faults: what
    #: they find is tried once more on the product's own road.
    has_short_road: bool

    def prepare(self, seeds: Path) -> None:
        """Read what the trials start from, or make it in ``seeds`` where it is not there."""
        ...

    def draw(self, trial: Trial) -> Callable[[], None]:
        """Make an input; what comes back gives it to the product, and only that is watched.

        It raises what the product raises, or :class:`UnsoundError`.
        """
        ...


def open_target(name: str) -> Target:
    """Find a target by its name in :data:`TARGETS`, or as ``module:Class``."""
    module, _, kind = TARGETS.get(name, name).partition(":")
    target: Target = getattr(importlib.import_module(module), kind)()
    return target
