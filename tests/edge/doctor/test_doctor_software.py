"""Python, NumPy and backends of machines that a test makes up."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from system_fakes import FakePrograms, fake_look, fake_system, one

from edge.doctor.backends import backends
from edge.doctor.look import Look, Wishes
from edge.doctor.numpy_trial import main as numpy_trial
from edge.doctor.settings import configuration
from edge.doctor.software import architecture, numpy, python
from edge.errors import ParameterError
from edge.machine.programs import Programs, Ran
from edge.machine.system import this_system


def test_this_python_is_told(tmp_path: Path) -> None:
    finding = one(python(fake_look(tmp_path)))
    assert (finding.state, finding.facts["version"]) == ("ok", sys.version.split()[0])


@pytest.mark.parametrize(
    ("changes", "state", "word"),
    [
        ({}, "ok", "aarch64, 64 bits on Raspberry Pi 4 Model B"),
        ({"pointer_bits": 32}, "warning", "Python has 32 bits and the kernel is aarch64"),
        ({"machine": "armv6l", "pointer_bits": 32}, "warning", "armv6l"),
        ({"machine": "armv7l", "pointer_bits": 32}, "ok", "32 bits"),
        ({"libc": "musl"}, "warning", "no wheel of onnxruntime"),
    ],
)
def test_what_wheels_there_are(
    tmp_path: Path, changes: dict[str, object], state: str, word: str
) -> None:
    files = {"/proc/device-tree/model": "Raspberry Pi 4 Model B Rev 1.4\0"}
    finding = one(architecture(fake_look(tmp_path, files, **changes)))
    assert (finding.state, word in finding.sentence) == (state, True)
    assert (finding.mend is None) == (state == "ok")


def told(**answer: object) -> str:
    return "a library's line\n" + json.dumps(answer) + "\n"


@pytest.mark.parametrize(
    ("reply", "state", "sentence", "mend"),
    [
        (told(version="2.4.6", blas="openblas 0.3.31", n_threads=1), "ok", "1 thread", None),
        (told(version="2.4.6", blas="openblas 0.3.31", n_threads=None), "ok", "0.3.31", None),
        (told(version="2.4.6", blas="openblas", n_threads=4), "warning", "4 threads",
         "unset OMP_NUM_THREADS"),
        (told(version="2.4.6", blas=None, n_threads=None), "warning", "no BLAS", "libopenblas0"),
        (told(problem="NumPy cannot load libopenblas.so.0", mend="apt-get install libopenblas0"),
         "error", "libopenblas.so.0", "apt-get install libopenblas0"),
        (Ran(-4), "error", "illegal instruction", "--no-binary numpy"),
        (Ran(None, is_late=True), "error", "not imported within", "--force-reinstall numpy"),
    ],
)  # fmt: skip
def test_numpy_and_its_blas(
    tmp_path: Path, reply: Ran | str, state: str, sentence: str, mend: str | None
) -> None:
    look = fake_look(
        tmp_path, {}, {"edge.doctor.numpy_trial": reply}, environ={"OMP_NUM_THREADS": "4"}
    )
    finding = one(numpy(look))
    assert finding.state == state
    assert sentence in finding.sentence
    assert (mend or "") in (finding.mend or "")


def test_this_numpy_tells_its_blas(capsys: pytest.CaptureFixture[str]) -> None:
    numpy_trial()
    answer = json.loads(capsys.readouterr().out.splitlines()[-1])
    import numpy as np

    assert answer["version"] == np.__version__
    assert answer["blas"]
    assert answer["n_threads"] is None or answer["n_threads"] >= 1


def test_a_numpy_without_its_library_is_told_with_the_line_that_installs_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "numpy").mkdir()
    text = "libopenblas.so.0: cannot open shared object file: No such file or directory"
    (tmp_path / "numpy" / "__init__.py").write_text(f"raise ImportError({text!r})")
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in [name for name in sys.modules if name.partition(".")[0] == "numpy"]:
        monkeypatch.delitem(sys.modules, name)
    numpy_trial()
    answer = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert answer == {
        "problem": "NumPy cannot load libopenblas.so.0",
        "mend": "sudo apt-get install libopenblas0",
    }


def test_every_backend_is_tried_in_a_process_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.runtimes.registry.Runtime.is_installed", True)
    programs = FakePrograms({
        "edge.runtimes.trial": lambda words: (
            Ran(-4) if "onnx" in words[-1] else Ran(0, '\n{"ms": 1.75, "digest": "ab"}\n')
        ),
        "edge.doctor.import_trial tflite": "\n{}\n",
        "edge.doctor.import_trial torchscript":
            '\n{"error": "backend needs torch, which cannot be imported", "type": "X"}\n',
    })  # fmt: skip
    look = fake_look(tmp_path, run=programs.run)
    good, dead, imported, broken = backends(look)
    assert (good.state, "1.8 ms a window" in good.sentence) == ("ok", True)
    assert (dead.state, dead.mend) == ("warning", "pip install --force-reinstall onnxruntime")
    assert "illegal instruction (SIGILL)" in dead.sentence
    assert (imported.state, "can be imported" in imported.sentence) == ("ok", True)
    assert (broken.state, "cannot be imported" in broken.sentence) == ("warning", True)
    assert [each.subject for each in (good, dead, imported, broken)] == [
        "numpy", "onnx", "tflite", "torchscript",
    ]  # fmt: skip
    assert max(programs.limits_s) <= 9.0


def test_numpy_that_does_not_run_is_an_error(tmp_path: Path) -> None:
    look = fake_look(tmp_path, {}, {"edge.runtimes.trial": Ran(None, is_late=True)})
    assert next(iter(backends(look))).state == "error"


def test_numpy_on_a_board_that_is_too_slow_for_all_checks_is_not_called_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = Ran(None, is_late=True)
    look = fake_look(tmp_path, {}, {"edge.runtimes.trial": late, "edge.doctor.numpy_trial": late})
    monkeypatch.setattr(look, "left_s", lambda: 2.0)
    assert one(numpy(look)).state == "skipped"
    first = next(iter(backends(look)))
    assert (first.state, first.mend) == ("skipped", "edge-ser benchmark --backend numpy")
    assert "within 2 s, which may be for want of time" in first.sentence


def test_a_backend_that_is_not_installed_is_passed_over_with_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.runtimes.registry.Runtime.is_installed", False)
    found = list(backends(fake_look(tmp_path)))
    assert {each.state for each in found} == {"skipped"}
    assert found[1].mend == "pip install onnxruntime"


def test_a_frozen_program_starts_no_python(tmp_path: Path) -> None:
    look = fake_look(tmp_path, can_start_python=False)
    assert {each.state for each in backends(look)} == {"skipped"}
    assert one(numpy(look)).state == "ok"


def test_the_configuration_is_read_as_listen_does(tmp_path: Path) -> None:
    assert one(configuration(fake_look(tmp_path))).state == "skipped"
    system = fake_system(tmp_path)

    def found(files: list[str]) -> object:
        return one(configuration(Look(system, Wishes(configuration=lambda: files))))

    assert found(["/etc/edge-ser/config.toml"]).state == "ok"
    assert "no configuration file" in found([]).sentence

    def refuse() -> list[str]:
        raise ParameterError("config.toml: smoth is no option, smooth is near")

    finding = one(configuration(Look(system, Wishes(configuration=refuse))))
    assert (finding.state, "smoth" in finding.sentence) == ("error", True)


def test_a_program_that_hangs_is_killed_with_all_that_it_started() -> None:
    programs = Programs()
    ran = programs.run(["sh", "-c", "echo begun; sleep 100 & sleep 100"], 0.3)
    assert (ran.is_late, ran.code, ran.out) == (True, None, "begun\n")


def test_programs_that_are_missing_fail_or_come_too_late() -> None:
    programs = Programs()
    assert programs.run(["no-such-program-here"], 1.0).is_missing
    assert programs.run(["sh", "-c", "echo out; echo err >&2; exit 3"], 5.0) == Ran(
        3, "out\n", "err\n"
    )
    programs.end()
    assert programs.run(["true"], 1.0).is_late


def test_the_real_system_can_be_read() -> None:
    system = this_system(Programs())
    assert system.read("/proc/self/comm")
    assert system.read("/no/such/file") is None
    assert system.read_number("/proc/self/comm") is None
    assert "/proc/self" in system.find("/proc/sel[f]")
    assert system.is_clock_synchronised() in (True, False, None)
    assert system.space(Path("/")).total_bytes > 0
    ran = system.start_python("edge.doctor.numpy_trial", [], 30.0)
    assert (ran.code, json.loads(ran.out.splitlines()[-1])["n_threads"]) in ((0, 1), (0, None))
