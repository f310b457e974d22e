"""What was found, as JSON that is kept and as a table for a person."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks.arm64.boards import IPC_SHARES, LIVE_BAR_PERCENT, LIVE_BOARD, assumptions, estimates
from benchmarks.arm64.counting import TOLERANCE, exceeded
from benchmarks.arm64.emulate import emulator
from benchmarks.arm64.measuring import Measuring
from benchmarks.shared.git_state import git_state
from edge.benchmark.machine import describe_machine
from edge.errors import ParameterError
from quantize.basics.files import write_json

__all__ = ["checked", "report", "table"]

#: Instructions that this machine's cores decode in a cycle, for the check of the assumption.
_WIDTHS = {"AMD": 6, "Intel": 6}


def report(measuring: Measuring, path: Path) -> dict[str, Any]:
    """Do what is wished and write it down; parts that were not wished stay as they were.

    Parameters
    ----------
    measuring : Measuring
    path : Path
        Of the JSON; it is written after every part.

    Returns
    -------
    dict
        ``labels`` (a row a processor and runtime), ``commands``, ``instructions`` (processor to
        artifact to ``n``, ``instructions`` and ``spread`` by stage), ``assumptions``,
        ``estimates``, ``x86`` (the same arithmetic where both are known).  What a processor did
        not answer has ``failure``, such as "crashed: signal 11 (SIGSEGV)", in its place.
    """
    wishes = measuring.wishes
    found = _kept(path)
    found |= {
        "type": "arm64",
        "version": 1,
        "command": "python -m benchmarks.arm64 --work DIR",
        **git_state("edge", "benchmarks/arm64"),
        "machine": describe_machine(),
        "qemu": _version(emulator("aarch64")),
        "tolerance": TOLERANCE,
    }
    if "labels" in wishes.parts or "armv7" in wishes.parts:
        found["clips"] = {
            "n": len(measuring.clips),
            "what": "clips of a person's own"
            if wishes.audio
            else "pieces of the bundled dialogue "
            "at other rates and levels, and computed voices: benchmarks/arm64/clips.py",
            "sha256": measuring.clips_sha256,
        }
    if "counts" in wishes.parts:
        found["instructions"] = _merged(found.get("instructions", {}), measuring.counts())
        found["assumptions"] = assumptions()
        found["estimates"] = estimates(_stages(found["instructions"]))
        write_json(path, found)
    if "x86" in wishes.parts:
        found["x86"] = [_judged(row, found["machine"]) for row in measuring.x86()]
        write_json(path, found)
    for part, key, rows in (
        ("labels", "labels", measuring.labels),
        ("armv7", "labels", measuring.labels_armv7),
        ("commands", "commands", measuring.commands),
    ):
        if part in wishes.parts:
            found[key] = _renewed(found.get(key, []), rows())
            write_json(path, found)
    return found


def checked(measuring: Measuring, path: Path) -> list[str]:
    """Count again and say which stages take more than what is kept.

    Raises
    ------
    ParameterError
        If nothing is kept of a processor and artifact that are counted.
    """
    kept = _kept(path).get("instructions", {})
    said = []
    for cpu, artifacts in measuring.counts().items():
        for name, found in artifacts.items():
            if "failure" in found:
                said.append(f"{cpu}, {name}: it {found['failure']}")
                continue
            if "instructions" not in kept.get(cpu, {}).get(name, {}):
                raise ParameterError(
                    f"{path} keeps no instructions of {name} on {cpu}; count them first: "
                    "python -m benchmarks.arm64 --parts counts"
                )
            sentences = exceeded(kept[cpu][name]["instructions"], found["instructions"])
            said += [f"{cpu}, {name}: {sentence}" for sentence in sentences]
    return said


def table(found: dict[str, Any]) -> str:
    """Lay what was found out for a person."""
    lines: list[str] = []
    if found.get("labels"):
        lines += [
            f"{'processor':<12} {'artifact':<22} {'answered by':<24} equal  posterior differs"
        ]
        for row in found["labels"]:
            by = ", ".join(
                f"{name} {version}" for name, version in row["packages"].items() if name != "python"
            )
            lines.append(f"{row['cpu']:<12} {row['name']:<22} {by:<24} {_agreement(row)}")
    for cpu, artifacts in _counted(found.get("instructions", {})).items():
        names = list(artifacts)
        lines += [
            "",
            f"{cpu}, million instructions by stage",
            f"{'':<20} " + " ".join(f"{n:>22}" for n in names),
        ]
        stages = dict.fromkeys(s for n in names for s in artifacts[n]["instructions"])
        for stage in stages:
            counts = [artifacts[name]["instructions"].get(stage) for name in names]
            cells = " ".join(f"{'-' if c is None else f'{c / 1e6:.2f}':>22}" for c in counts)
            lines.append(f"{stage:<20} {cells}")
    if found.get("estimates"):
        lines += [
            "",
            "ESTIMATES, no measurement: instructions / (IPC x clock), one thread; "
            "IPC is the core's width x 1/3 (1/2-1/4)",
            f"{'board':<22} {'artifact':<22} {'hop, ms':>20} {'segment, ms':>20} "
            f"{'% of a core, live':>20}",
        ]
        for row in found["estimates"]:
            ms = row["ms"]
            first = ms["features_segment"], ms["model"]
            segment = [a + b for a, b in zip(*first, strict=True)]
            lines.append(
                f"{row['board']:<22} {row['artifact']:<22} {_range(ms['hop']):>20} "
                f"{_range(segment):>20} {_range(row['live_percent']):>20}"
            )
        within = next(
            (
                r["instructions_within_bar"]
                for r in found["estimates"]
                if "instructions_within_bar" in r
            ),
            None,
        )
        if within:
            lines.append(
                f"{LIVE_BAR_PERCENT} % of a core of a {LIVE_BOARD} are "
                f"{_range(n / 1e6 for n in within)} million instructions a hop"
            )
    for row in found.get("x86", []):
        lines.append(
            f"here, {row['name']}: instructions a cycle by stage {row['instructions_a_cycle']}, "
            f"assumed {row['assumed']}; estimate / measured {row['estimate_to_measured']}"
        )
    return "\n".join(lines)


def _agreement(row: dict[str, Any]) -> str:
    if "failure" in row:
        return str(row["failure"])
    return f"{row['n_equal']}/{row['n_clips']}  {row['largest_difference']:.1e}"


def _range(values: Iterable[float]) -> str:
    low, middle, high = values
    return f"{middle:.3g} ({low:.3g}-{high:.3g})"


def _judged(row: dict[str, Any], machine: dict[str, Any]) -> dict[str, Any]:
    """The estimate of this machine beside what it measures."""
    cpu = str(machine["cpu"])
    width = next((width for name, width in _WIDTHS.items() if name in cpu), 6)
    about = width * IPC_SHARES[1]
    return {
        **row,
        "cpu": cpu,
        "width": width,
        "assumed": [round(share * width, 2) for share in IPC_SHARES],
        "estimate_to_measured": {
            stage: round(ipc / about, 2) for stage, ipc in row["instructions_a_cycle"].items()
        },
    }


def _stages(instructions: dict[str, Any]) -> dict[str, dict[str, dict[str, float]]]:
    return {
        cpu: {name: row["instructions"] for name, row in artifacts.items()}
        for cpu, artifacts in _counted(instructions).items()
    }


def _counted(instructions: dict[str, Any]) -> dict[str, Any]:
    """Leave out what was ended before it was counted."""
    return {
        cpu: {name: row for name, row in artifacts.items() if "failure" not in row}
        for cpu, artifacts in instructions.items()
    }


def _merged(kept: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """Take over what was counted of other processors and artifacts."""
    return {cpu: {**kept.get(cpu, {}), **new.get(cpu, {})} for cpu in dict.fromkeys([*kept, *new])}


def _renewed(kept: list[dict[str, Any]], new: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Take over rows of other processors, artifacts and packages."""

    def of(row: dict[str, Any]) -> tuple[str, ...]:
        packages = {name for name in row.get("packages", {}) if name != "python"}
        return (row["cpu"], row["name"], *sorted(packages))

    done = {of(row) for row in new}
    return [*(row for row in kept if of(row) not in done), *new]


def _kept(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise ParameterError(f"{path} is no JSON: {error}; take it away or name another") from error
    return found


def _version(program: str) -> str:
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    return (done.stdout.splitlines() or [""])[0]
