"""An archive for an issue report: what was found and what programs said, and nobody's name."""

from __future__ import annotations

import importlib.metadata
import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from edge.doctor.finding import Finding
from edge.doctor.look import Look
from edge.doctor.record import to_line
from edge.doctor.redactor import Redactor, redactor_of
from edge.doctor.table import Table, totals
from edge.errors import ParameterError
from edge.files import atomic_path

__all__ = ["write_archive"]

_README = """\
What `edge-ser doctor --bundle` found, for an issue report.

findings.txt    what the terminal showed
findings.jsonl  the same with all figures, one JSON object a line
outputs.txt     what the programs said that were asked
system.txt      system, processor, packages and the variables of the environment that matter

No audio is in it. Names of host and user, home folders, addresses, serial numbers and ids are
replaced by marks as <host-1>; the same mark is the same name. Look through it before you send it.
"""

_PACKAGES = ("numpy", "sounddevice", "onnxruntime", "ai-edge-litert", "tflite-runtime", "torch",
             "soundfile", "matplotlib", "cffi")  # fmt: skip
_VARIABLES = re.compile(
    r"^(?:OMP_|OPENBLAS_|MKL_|NPY_|PULSE_|PIPEWIRE_|XDG_RUNTIME_DIR$|XDG_SESSION_TYPE$|ALSA_|AUDIODEV"
    r"|LANG$|LC_|TERM$|VIRTUAL_ENV$|PYTHON[A-Z]+$|container$|INVOCATION_ID$|DBUS_SESSION_BUS_ADDRESS$"
    r"|SUDO_UID$)"
)
_FILES = ("/etc/os-release", "/proc/sys/kernel/osrelease", "/proc/device-tree/model",
          "/proc/asound/cards", "/proc/asound/pcm", "/proc/loadavg")  # fmt: skip
_CPU_KEYS = ("model name", "hardware", "revision", "model", "features", "cpu part", "bogomips")
_MOST_LETTERS = 200_000


def write_archive(
    path: Path, look: Look, findings: Sequence[Finding], summary: Mapping[str, Any]
) -> None:
    """Write the archive, whole or not at all.

    Parameters
    ----------
    path : Path
        Replaced when it is there.
    look : Look
        Of a run that is over.
    findings : sequence of Finding
    summary : mapping

    Raises
    ------
    ParameterError
        If it cannot be written.
    """
    versions = _versions()
    kept = {*versions.values(), *_versions_in(look)}
    redactor = redactor_of(look.system, kept)
    for finding in findings:
        redactor.learn_owners(str(finding.facts.get("name", "")))
    members = {
        "README.txt": _README,
        "findings.txt": redactor.text(_table(findings)),
        "findings.jsonl": _lines(redactor, findings, summary),
        "outputs.txt": redactor.text(_outputs(look)),
        "system.txt": redactor.text(_system(look, versions)),
    }
    try:
        with (
            atomic_path(path) as temporary,
            zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive,
        ):
            for name, text in members.items():
                # With a date of its own, which is nobody's.
                content = text[:_MOST_LETTERS].encode(errors="backslashreplace")
                archive.writestr(zipfile.ZipInfo(name), content)
    except OSError as error:
        raise ParameterError(
            f"{path} cannot be written: {error.strerror or error}; name a file in another folder"
        ) from error


def _table(findings: Sequence[Finding]) -> str:
    table = Table()
    lines = [line for finding in findings for line in table.lines(finding)]
    return "\n".join([*lines, "", totals(findings), ""])


def _lines(redactor: Redactor, findings: Sequence[Finding], summary: Mapping[str, Any]) -> str:
    rows = [to_line("finding", redactor.value(finding.to_dict())) for finding in findings]
    return "\n".join([*rows, to_line("diagnosis", summary), ""])


def _outputs(look: Look) -> str:
    outputs = dict(look.outputs)
    return "\n".join(f"== {name}\n{text}" for name, text in sorted(outputs.items()))


def _system(look: Look, versions: Mapping[str, str]) -> str:
    parts = ["== packages", *(f"{name} {version}" for name, version in versions.items())]
    parts.append("== environment")
    environ = look.system.environ
    parts += [f"{name}={environ[name]}" for name in sorted(environ) if _VARIABLES.match(name)]
    for name in _FILES:
        text = look.system.read(name)
        if text:
            parts += [f"== {name}", text]
    parts.append("== /proc/cpuinfo")
    rows = dict.fromkeys((look.system.read("/proc/cpuinfo") or "").splitlines())
    parts += [row for row in rows if row.partition(":")[0].strip().lower() in _CPU_KEYS]
    return "\n".join([*parts, ""])


def _versions() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _versions_in(look: Look) -> set[str]:
    """Version numbers of four parts in what our own children said: they look like addresses."""
    told = "\n".join(text for name, text in look.outputs.items() if "trial" in name)
    return set(re.findall(r"(?i)(?:openblas|version)\W+(\d+(?:\.\d+){2,4})", told))
