"""What is asked of every processor, one piece after the other; a finished piece is kept."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.arm64.artifacts import Measured, gather
from benchmarks.arm64.boards import CORES
from benchmarks.arm64.clips import digest_of, find_clips, make_clips
from benchmarks.arm64.counting import by_stage, summed
from benchmarks.arm64.emulate import (
    UnansweredError,
    build_plugin,
    check_children,
    counted,
    run_here,
    run_in,
    said,
)
from benchmarks.arm64.labels import compared, parsed
from benchmarks.arm64.roots import ARM64, ARMV7, Root, build_root, build_wheel, versions_of
from benchmarks.arm64.x86 import measure_here
from edge.bundled import DEMO_CLIP
from edge.errors import EdgeSerError
from quantize.basics.files import write_json

__all__ = ["PARTS", "Measuring", "Wishes"]

#: What can be asked: answers compared, the commands themselves, instructions, this machine's.
PARTS = ("labels", "commands", "counts", "x86", "armv7")

#: A processor of a Raspberry Pi 2, which Debian's armhf runs on.
_ARMV7_CPU = "cortex-a7"

#: A piece that they measured otherwise is done anew.
_MEASURES = (
    "answers.py",
    "artifacts.py",
    "clips.py",
    "count.c",
    "counting.py",
    "labels.py",
    "stages.py",
)

_HERE = Path(__file__).resolve().parent


@dataclasses.dataclass(frozen=True, slots=True)
class Wishes:
    """What to do.

    Parameters
    ----------
    work : Path
    n_clips : int
    audio : Path or None
        Clips of a person's own.
    cpus, runtimes, models, parts : tuple of str
    n_runs : int
        Of a stage.
    """

    work: Path
    n_clips: int
    audio: Path | None
    cpus: tuple[str, ...]
    runtimes: tuple[str, ...]
    models: tuple[str, ...]
    parts: tuple[str, ...]
    n_runs: int


class Measuring:
    """Does what is wished, and takes over what was done of the same code before.

    Parameters
    ----------
    checkout : Path
    wishes : Wishes

    Attributes
    ----------
    troubles : list of str
        A sentence for each runtime that did not answer on a processor, and for each that answered
        otherwise than this machine.
    """

    def __init__(self, checkout: Path, wishes: Wishes) -> None:
        self.checkout, self.wishes = checkout, wishes
        self.troubles: list[str] = []
        self._kept = wishes.work / "finished"
        self._code, self._wheel_code = _digest(checkout, _MEASURES), _digest(checkout)
        self._wheel: Path | None = None
        self._roots: dict[str, Root] = {}
        self.artifacts = [
            artifact
            for artifact in gather(wishes.work / "artifacts", list(wishes.runtimes))
            if artifact.model in wishes.models
        ]
        made = wishes.work / "clips"
        self.clips = (
            find_clips(wishes.audio, wishes.n_clips)
            if wishes.audio
            else make_clips(made, wishes.n_clips)
        )
        if not self.clips:
            raise EdgeSerError(f"{wishes.audio} holds no audio file")
        self.clips_sha256 = digest_of(self.clips)

    def labels(self) -> list[dict[str, Any]]:
        """Compare the answers of every processor and runtime with this machine's."""
        found = []
        for cpu in self.wishes.cpus:
            for artifact in self.artifacts:
                for packages in ("today", "older") if artifact.runtime == "tflite" else ("today",):
                    found.append(self._labels_of(ARM64, cpu, artifact, packages))
        return found

    def labels_armv7(self) -> list[dict[str, Any]]:
        """The same on armv7, where there is NumPy alone."""
        of_numpy = [artifact for artifact in self.artifacts if artifact.runtime == "numpy"]
        return [self._labels_of(ARMV7, _ARMV7_CPU, artifact, "today") for artifact in of_numpy]

    def _labels_of(self, tree: Any, cpu: str, artifact: Measured, packages: str) -> dict[str, Any]:
        of = {"architecture": tree.name, "cpu": cpu, **artifact.to_dict()}
        here = self._here(artifact)

        def piece() -> dict[str, Any]:
            root = self._root(tree, cpu)
            words = [_HERE / "answers.py", artifact.folder, *self.clips]
            there = said(run_in(root, cpu, packages, words), f"answering on {cpu}")
            n_clips = len(self.clips)
            return {
                **of,
                "packages": _versions(there),
                "packages_here": _versions(here),
                **compared(parsed(here, n_clips), parsed(there, n_clips)),
            }

        name = f"labels {tree.name} {cpu} {artifact.folder.name} {packages} {self.clips_sha256}"
        who = f"{artifact.folder.name} on {cpu}"
        try:
            row = self._once(name, piece)
        except UnansweredError as error:
            versions = versions_of(packages, artifact.runtime)
            by = ", ".join(f"{package} {version}" for package, version in versions.items())
            self.troubles.append(f"{who} by {by} {error.how}")
            return {**of, "packages": versions, "n_clips": len(self.clips), "failure": error.how}
        if row["different"]:
            self.troubles.append(f"{who} has other labels for {', '.join(row['different'])}")
        return row

    def _here(self, artifact: Measured) -> str:
        """What this machine says of the clips."""
        words = [_HERE / "answers.py", artifact.folder, *self.clips]

        def piece() -> dict[str, Any]:
            return {"said": said(run_here(str(self.checkout), words), "answering here")}

        name = f"here {artifact.folder.name} {artifact.model_sha256} {self.clips_sha256}"
        return str(self._once(name, piece)["said"])

    def commands(self) -> list[dict[str, Any]]:
        """`doctor --json` and `classify --json` as a person would give them, on armv7, too."""
        rows = [self._commands_of(ARM64, cpu, self.artifacts[0]) for cpu in self.wishes.cpus]
        of_numpy = [artifact for artifact in self.artifacts if artifact.runtime == "numpy"]
        return rows + [self._commands_of(ARMV7, _ARMV7_CPU, each) for each in of_numpy[:1]]

    def _commands_of(self, tree: Any, cpu: str, artifact: Measured) -> dict[str, Any]:
        of = {"architecture": tree.name, "cpu": cpu, "name": artifact.folder.name}
        clips, named = self.clips[:8], ["--artifact", str(artifact.folder)]
        all_labels = ["--min-probability", "0", *named, *map(str, clips)]
        classify = ["-m", "edge_ser", "classify", "--json", *all_labels]

        def piece() -> dict[str, Any]:
            check_children(tree.qemu)
            root = self._root(tree, cpu)
            there = run_in(root, cpu, "today", classify)
            said(there, f"classify on {cpu}")
            here = run_here(str(self.checkout), classify)
            doctor = run_in(root, cpu, "today", ["-m", "edge_ser", "doctor", "--json", *named])
            findings = [json.loads(line) for line in doctor.stdout.splitlines() if line[:1] == "{"]
            spoken = [finding for finding in findings if finding.get("type") == "finding"]
            return {
                **of,
                "classify_exit_codes": [here.returncode, there.returncode],
                "classify": compared(
                    parsed(here.stdout, len(clips)), parsed(there.stdout, len(clips))
                ),
                "doctor_exit_code": doctor.returncode,
                "doctor": [
                    {key: finding[key] for key in ("check", "subject", "state", "sentence")}
                    for finding in spoken
                    if finding["state"] in ("warning", "error")
                ],
                "doctor_n_ok": sum(finding["state"] == "ok" for finding in spoken),
            }

        name = f"commands {tree.name} {cpu} {artifact.folder.name} {self.clips_sha256}"
        try:
            return self._once(name, piece)
        except UnansweredError as error:
            self.troubles.append(f"{error} with {artifact.folder.name}")
            return {**of, "failure": error.how}

    def counts(self) -> dict[str, dict[str, Any]]:
        """Instructions of every stage: processor to artifact to :func:`summed`, or ``failure``."""
        return {
            cpu: {a.folder.name: self._counts_of(cpu, a) for a in self.artifacts}
            for cpu in self.wishes.cpus
        }

    def _counts_of(self, cpu: str, artifact: Measured) -> dict[str, Any]:
        def piece() -> dict[str, Any]:
            root, plugin = self._root(ARM64, cpu), build_plugin(self.wishes.work)
            out = self.wishes.work / "marks.txt"
            out.unlink(missing_ok=True)
            words = [_HERE / "stages.py", artifact.folder, DEMO_CLIP, str(self.wishes.n_runs)]
            options = ["-plugin", f"{plugin},call={ARM64.mark_call},out={out}"]
            said(run_in(root, cpu, "today", words, options), f"counting on {cpu}")
            return {**artifact.to_dict(), **summed(by_stage(counted(out)))}

        try:
            return self._once(f"counts {cpu} {artifact.folder.name} {self.wishes.n_runs}", piece)
        except UnansweredError as error:
            self.troubles.append(f"{error} with {artifact.folder.name}")
            return {**artifact.to_dict(), "failure": error.how}

    def x86(self) -> list[dict[str, Any]]:
        """Instructions of this machine and its milliseconds, of the same program, with NumPy."""
        return [self._x86_of(a) for a in self.artifacts if a.runtime == "numpy"]

    def _x86_of(self, artifact: Measured) -> dict[str, Any]:
        def piece() -> dict[str, Any]:
            words = [_HERE / "stages.py", artifact.folder, DEMO_CLIP]
            here = measure_here(words, self.wishes.work, self.checkout, self.wishes.n_runs)
            return {**artifact.to_dict(), **here}

        return self._once(f"x86 {artifact.folder.name} {self.wishes.n_runs}", piece)

    def _root(self, tree: Any, cpu: str) -> Root:
        """The folder of an architecture with this checkout's wheel, showing a processor."""
        root = self._roots.get(tree.name)
        if root is None:
            root = self._roots[tree.name] = build_root(tree, self.wishes.work)
            stamp = root.folder / ".wheel"
            if not stamp.is_file() or stamp.read_text() != self._wheel_code:
                print("building the wheel ...", file=sys.stderr)
                self._wheel = self._wheel or build_wheel(self.checkout, self.wishes.work / "wheel")
                root.take_wheel(self._wheel)
                stamp.write_text(self._wheel_code)
        root.be(CORES[cpu].part if cpu in CORES else 0xC07)
        return root

    def _once(self, name: str, piece: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Do a piece, or take what is kept of it."""
        digest = hashlib.sha256(f"{name} {self._code}".encode()).hexdigest()[:24]
        path = self._kept / f"{digest}.json"
        if path.is_file():
            kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            return kept
        started_s = time.monotonic()
        found = piece()
        print(f"{time.monotonic() - started_s:6.0f} s  {name[:60]}", file=sys.stderr)
        self._kept.mkdir(parents=True, exist_ok=True)
        write_json(path, found)
        return found


def _versions(output: str) -> dict[str, str]:
    """What answered: the first line of ``answers.py``."""
    versions: dict[str, str] = json.loads(output.splitlines()[0][len("packages ") :])
    return versions


def _digest(checkout: Path, measures: Sequence[str] = ()) -> str:
    """SHA-256 of the code that is measured, and of what measures it."""
    digest = hashlib.sha256(np.__version__.encode())
    measured = [path for name in ("edge", "edge_ser") for path in (checkout / name).rglob("*")]
    for path in sorted([*measured, *(_HERE / name for name in measures)]):
        if path.suffix in (".py", ".c", ".npz", ".onnx", ".json"):
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()
