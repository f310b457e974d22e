"""Boards with an Arm processor, without one: what is made of counts and answers."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks import page_tables
from benchmarks.arm64 import __main__ as command
from benchmarks.arm64 import boards, emulate, measuring, report, roots
from benchmarks.arm64.clips import digest_of, find_clips, make_clips
from benchmarks.arm64.counting import by_stage, exceeded, summed
from benchmarks.arm64.labels import compared, parsed
from benchmarks.arm64.stages import STAGES
from edge.errors import EdgeSerError

ROOT = Path(__file__).resolve().parents[3]
RESULTS = ROOT / "benchmarks" / "results" / "arm64.json"

#: A folder that `python -m benchmarks.arm64 --work` has built.
WORK = Path(os.environ.get("EDGE_SER_ARM64", str(Path.home() / ".cache" / "edge-ser-arm64")))


def marks(**stages: list[int]) -> list[tuple[int, int, int]]:
    """What the plugin writes when the stages take so many instructions, 100 apart."""
    at, found = 0, []
    for stage, counts in stages.items():
        for count in counts:
            number = 2 * STAGES.index(stage)
            found += [(number, at, at), (number + 1, at, at + count)]
            at += count + 100
    return found


def test_the_cost_of_the_marks_is_no_part_of_a_stage() -> None:
    found = by_stage(marks(nothing=[7, 7, 9], gate=[107, 207], model=[1007]))
    assert found == {"gate": [100, 200], "model": [1000]}


def test_a_decision_is_what_remains_of_a_hop_and_resampling_what_it_adds() -> None:
    counts = {
        "capture_copy": [10, 10, 40],
        "resample": [60, 60, 60],
        "features_increment": [300, 310, 305],
        "gate": [20, 20, 20],
        "model": [500, 500, 500],
        "hop": [900, 900, 900],
    }
    found = summed(counts)
    assert found["instructions"]["decision"] == 900 - 305 - 20 - 500
    assert found["instructions"]["resample"] == 50
    assert found["spread"]["capture_copy"] == 3.0
    assert found["n"] == 3


def test_a_stage_that_takes_over_two_percent_more_is_a_regression() -> None:
    kept = {"gate": 1000, "model": 1000, "hop": 5000}
    assert exceeded(kept, {"gate": 1020, "model": 900, "hop": 5100, "listen": 9}) == []
    [sentence] = exceeded(kept, {"gate": 1021, "model": 900, "hop": 5000})
    assert "gate takes 1,021 instructions, 2.1 % more than the 1,000" in sentence


def test_answers_are_compared_clip_by_clip() -> None:
    def answer(clip: str, label: str | None, happy: float) -> dict[str, Any]:
        posterior = {"happy": happy, "sad": 1 - happy} if label else None
        state = "speech" if label else "quiet"
        return {"clip": clip, "state": state, "label": label, "posterior": posterior,
                "n_speech_segments": 2}  # fmt: skip

    here = [answer("a", "happy", 0.6), answer("b", "sad", 0.45), answer("c", None, 0)]
    there = [answer("a", "happy", 0.601), answer("b", "happy", 0.55), answer("c", None, 0)]
    found = compared(here, there)
    assert (found["n_clips"], found["n_equal"], found["n_spoken"]) == (3, 2, 2)
    assert found["different"] == ["b"]
    assert found["largest_difference"] == pytest.approx(0.1)
    assert found["least_margin"] == pytest.approx(0.1)


def test_an_answer_that_did_not_come_is_no_agreement() -> None:
    with pytest.raises(EdgeSerError, match="1 answers came for 2 clips"):
        parsed('packages {}\n{"clip": "a"}\n', 2)


def test_clips_are_the_same_wherever_they_are_made(tmp_path: Path) -> None:
    first, again = make_clips(tmp_path / "a", 6), make_clips(tmp_path / "b", 6)
    assert digest_of(first) == digest_of(again)
    assert len({clip.read_bytes() for clip in first}) == 6
    assert find_clips(tmp_path / "a", 3) == [first[0], first[2], first[4]]


def test_an_estimate_is_instructions_by_cycles_and_clock() -> None:
    found = boards.estimates({"cortex-a53": {"tiny": {"hop": 4e6, "listen": 6e6}}})
    assert [row["board"] for row in found] == ["Raspberry Pi Zero 2 W", "Raspberry Pi 3"]
    zero, three = found
    assert zero["ms"]["hop"] == [4.0, 6.0, 8.0]  # 4 M / (1, 2/3 and 1/2 a cycle x 1 GHz)
    assert three["live_percent"] == pytest.approx([0.977, 1.46, 1.95])
    within = three["instructions_within_bar"][1]
    assert 100 * within / (2 / 3) / 1.2e9 / boards.HOP_S == pytest.approx(2.4)


def test_the_table_never_calls_an_estimate_a_measurement() -> None:
    stages = dict.fromkeys(("hop", "listen", "features_segment", "model"), 1e6)
    counts = {"cortex-a53": {"tiny": {"instructions": stages}}}
    rows = boards.estimates({"cortex-a53": {"tiny": stages}})
    text = report.table({"instructions": counts, "estimates": rows})
    assert "ESTIMATES, no measurement" in text
    assert "Raspberry Pi 3" in text
    assert "not measurements" in boards.assumptions()["what"]


def test_what_is_missing_is_named_with_its_mend(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    with pytest.raises(EdgeSerError, match="apt-get install qemu-user"):
        emulate.emulator("aarch64")
    with pytest.raises(EdgeSerError, match="apt-get install gcc"):
        emulate.build_plugin(tmp_path)
    with pytest.raises(EdgeSerError, match="apt-get install debootstrap"):
        roots.build_root(roots.ARM64, tmp_path)
    with pytest.raises(EdgeSerError, match="apt-get install qemu-user-static"):
        emulate.check_children("aarch64", tmp_path)


def test_a_wish_that_cannot_be_done_ends_with_a_sentence(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert command.main(["--cpus", "cortex-m4"]) == 2
    assert "'cortex-m4' is none of cortex-a53" in capsys.readouterr().err


def test_a_runtime_that_crashes_is_a_line_and_everything_else_goes_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """On one of two processors it is ended by a signal, and on the other it answers."""

    def run_in(
        _: object, cpu: str, packages: str, words: Sequence[str | Path]
    ) -> subprocess.CompletedProcess[str]:
        crash = ["-c", "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"]
        return emulate.run_here(str(ROOT), crash if cpu == "cortex-a53" else words)

    monkeypatch.setattr(measuring, "run_in", run_in)
    monkeypatch.setattr(measuring.Measuring, "_root", lambda *_: None)
    monkeypatch.setattr(report, "emulator", lambda _: sys.executable)
    output = tmp_path / "arm64.json"
    args = ["--work", str(tmp_path), "--output", str(output), "--parts", "labels", "--clips", "2"]
    wanted = ["--cpus", "cortex-a53,cortex-a72", "--runtimes", "numpy", "--models", "tiny"]
    assert command.main([*args, *wanted]) == 1
    crashed, answered = json.loads(output.read_text())["labels"]
    how = "crashed: signal 11 (SIGSEGV)"
    assert (crashed["cpu"], crashed["failure"]) == ("cortex-a53", how)
    assert crashed["packages"] == {"numpy": "2.4.6"}
    assert (answered["cpu"], answered["n_equal"]) == ("cortex-a72", 2)
    told = capsys.readouterr()
    assert told.err.splitlines()[-1] == f"claf-ser-tiny on cortex-a53 by numpy 2.4.6 {how}"
    assert how in told.out
    assert how in "\n".join(page_tables.arm64(json.loads(output.read_text())))
    # Nothing is kept of a crash: what was mended since answers.
    assert command.main([*args, *wanted, "--cpus", "cortex-a72"]) == 0


def test_a_crash_while_instructions_are_counted_is_said(tmp_path: Path) -> None:
    kept = {"cortex-a53": {"tiny": {"instructions": {"hop": 100}}}}
    (tmp_path / "kept.json").write_text(json.dumps({"instructions": kept}))
    now = {"cortex-a53": {"tiny": {"failure": "crashed: signal 4 (SIGILL)"}}}
    [sentence] = report.checked(SimpleNamespace(counts=lambda: now), tmp_path / "kept.json")  # type: ignore[arg-type]
    assert sentence == "cortex-a53, tiny: it crashed: signal 4 (SIGILL)"
    assert "cortex-a53, million" in report.table({"instructions": now})


def test_what_has_no_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emulate, "_LIMIT_S", 0.2)
    with pytest.raises(emulate.UnansweredError, match=r"did not end within 0\.2 s"):
        emulate.run_here("", ["-c", "import time; time.sleep(30)"])


def test_a_board_is_shown_instead_of_this_machine(tmp_path: Path) -> None:
    root = roots.Root(roots.ARM64, tmp_path)
    root.be(0xD08)
    cores = (tmp_path / "proc/cpuinfo").read_text()
    assert cores.count("processor") == 4
    assert "CPU part\t: 0xd08" in cores
    assert (tmp_path / "sys/devices/system/cpu/possible").read_text() == "0-3\n"


@pytest.mark.skipif(
    None in (shutil.which("qemu-x86_64"), shutil.which("gcc")) or platform.machine() != "x86_64",
    reason="needs qemu-x86_64 and gcc: apt-get install qemu-user gcc",
)
def test_the_plugin_counts_the_same_each_time(tmp_path: Path) -> None:
    plugin = emulate.build_plugin(tmp_path)
    source, program, out = tmp_path / "p.c", tmp_path / "p", tmp_path / "marks"
    source.write_text(
        "#include <sys/resource.h>\n"
        "int main(void) { getpriority(0, 0x5e000000); "
        'for (int i = 0; i < 1000; i++) __asm__ volatile("nop; nop; nop"); '
        "getpriority(0, 0x5e000001); return 0; }"
    )
    subprocess.run(["gcc", "-O1", "-o", str(program), str(source)], check=True)
    counts = []
    for _ in range(2):
        option = f"{plugin},call={emulate.CALL_X86},out={out}"
        subprocess.run(["qemu-x86_64", "-plugin", option, str(program)], check=True)
        (_, _, began), (_, _, ended) = emulate.counted(out)
        counts.append(ended - began)
    assert counts[0] == counts[1]
    assert 5000 <= counts[0] < 5200  # three and the loop's two


@pytest.mark.skipif(
    shutil.which("qemu-aarch64") is None or not (WORK / "arm64" / ".whole").is_file(),
    reason=f"needs qemu-aarch64 (apt-get install qemu-user) and Debian in {WORK}: make arm64",
)
@pytest.mark.timeout(1800)
def test_no_stage_takes_more_instructions_than_were_kept(tmp_path: Path) -> None:
    assert json.loads(RESULTS.read_text())["type"] == "arm64"
    args = ["--check", "--work", str(WORK), "--cpus", "cortex-a53", "--models", "tiny"]
    assert command.main([*args, "--runtimes", "numpy", "--clips", "1", "--runs", "4"]) == 0
