"""Runtimes that die, hang or lie are found out in a process of their own."""

from __future__ import annotations

import io
import os
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from artifact_fakes import make_artifact
from runtime_fakes import ENVIRONMENT, complaint, records, run_cli, voice

import edge
from edge.artifact import Artifact
from edge.audio.file import write_wav
from edge.bundled import MODELS_DIR
from edge.errors import ArtifactError, BackendError, MissingDependencyError
from edge.runtimes.instead import instead_of
from edge.runtimes.probe import probe_artifact

TESTS = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the fake package lies."""
    folder = tmp_path_factory.mktemp("packages")
    shutil.copy(TESTS / "edge" / "fake_onnxruntime.py", folder / "onnxruntime.py")
    return folder


@pytest.fixture(scope="session")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one model in two kinds."""
    folder = tmp_path_factory.mktemp("kinds")
    make_artifact(folder / "numpy")
    make_artifact(folder / "onnx", backend="onnx", model_file="model.onnx")
    return folder


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clips") / "a.wav"
    write_wav(path, voice(48_000), 16_000)
    return path


Behave = Callable[[str], None]


@pytest.fixture
def behave(runtime: Path, monkeypatch: pytest.MonkeyPatch) -> Behave:
    """Tell the fake runtime of the next child what to do."""
    monkeypatch.syspath_prepend(str(TESTS))
    monkeypatch.syspath_prepend(str(runtime))
    return lambda way: monkeypatch.setenv("FAKE_RUNTIME", way)


def environment(runtime: Path, way: str) -> dict[str, str]:
    """For a command of its own; its PYTHONPATH holds the fake package."""
    paths = [str(runtime), str(TESTS), ENVIRONMENT.get("PYTHONPATH", "")]
    return {**ENVIRONMENT, "PYTHONPATH": os.pathsep.join(paths), "FAKE_RUNTIME": way}


@pytest.mark.parametrize("way", ["works", "prints"])
def test_runtime_that_works_is_timed(kinds: Path, behave: Behave, way: str) -> None:
    behave(way)
    probe = probe_artifact(kinds / "onnx")
    assert (probe.problem, probe.error) == (None, None)
    assert probe.ms is not None
    assert 0 < probe.ms < 1000


def test_time_is_that_of_one_window(kinds: Path, behave: Behave) -> None:
    behave("is slow")
    ms = probe_artifact(kinds / "onnx").ms
    assert ms is not None
    assert 20 <= ms < 500


@pytest.mark.parametrize(
    ("way", "problem"),
    [
        ("SIGILL", "dies of an illegal instruction (SIGILL) on this processor"),
        ("SIGSEGV", "crashes on this device (SIGSEGV)"),
        ("SIGKILL", "is killed (SIGKILL), mostly for want of memory"),
        ("SIGTERM", "is ended by SIGTERM"),
        ("exits", "ends with exit code 3 (it said nothing)"),
    ],
)
def test_death_is_a_sentence(kinds: Path, behave: Behave, way: str, problem: str) -> None:
    behave(way)
    probe = probe_artifact(kinds / "onnx")
    assert (probe.ms, probe.problem) == (None, problem)
    assert isinstance(probe.error, BackendError)
    assert str(probe.error) == (
        f"{kinds / 'onnx'} cannot be used: its runtime {problem}; "
        f"use --artifact {kinds / 'numpy'} --backend numpy"
    )


def test_what_is_named_in_place_of_a_dead_runtime_works(
    kinds: Path, runtime: Path, clip: Path
) -> None:
    """The sentence is followed to the letter."""
    crashing = environment(runtime, "SIGSEGV")
    done = run_cli("classify", clip, "--backend", "onnx", "--artifact", kinds, env=crashing)
    assert done.returncode == 2
    _, _, mend = complaint(done.stderr).partition("; use ")
    done = run_cli("classify", clip, *shlex.split(mend), env=crashing)
    assert done.returncode == 0, done.stderr


def test_an_artifact_without_another_kind_is_told_of_the_bundled_model(
    kinds: Path, behave: Behave, tmp_path: Path
) -> None:
    shutil.copytree(kinds / "onnx", tmp_path / "alone")
    behave("SIGSEGV")
    said = str(probe_artifact(tmp_path / "alone").error)
    assert "edge-ser-quantize export RUN --kind numpy-int8" in said
    assert said.endswith(": --artifact claf-ser --backend numpy")


@pytest.mark.parametrize(
    ("name", "model"), [("claf-ser-int8-onnx", "claf-ser"), ("claf-ser-tiny-onnx", "claf-ser-tiny")]
)
def test_of_a_bundled_model_the_other_kind_of_it_is_named(name: str, model: str) -> None:
    assert instead_of(MODELS_DIR / name) == f"use --artifact {model} --backend numpy"


def test_ctrl_c_is_no_fault_of_the_runtime(kinds: Path, behave: Behave) -> None:
    behave("SIGINT")
    with pytest.raises(KeyboardInterrupt):
        probe_artifact(kinds / "onnx")


def test_runtime_that_hangs_is_given_up(kinds: Path, behave: Behave) -> None:
    behave("hangs")
    probe = probe_artifact(kinds / "onnx", timeout_s=0.8)
    assert probe.problem == "does not answer within 0.8 s"


def test_errors_of_the_child_keep_their_sentence_and_type(kinds: Path, behave: Behave) -> None:
    behave("is wrong")
    probe = probe_artifact(kinds / "onnx")
    assert isinstance(probe.error, ArtifactError)
    assert "away from its reference on this device" in str(probe.error)
    assert probe.problem == f"fails: {probe.error}"
    behave("is broken")
    probe = probe_artifact(kinds / "onnx")
    assert isinstance(probe.error, MissingDependencyError)
    assert "libfake.so.1: cannot open shared object file); install it with: pip install onnx" in (
        str(probe.error)
    )


def test_load_outlives_a_runtime_that_dies(kinds: Path, behave: Behave) -> None:
    """A stranger's artifact is tried elsewhere first, also from Python and by name."""
    for way in ("SIGSEGV", "exits"):
        behave(way)
        for folder, backend in ((kinds / "onnx", None), (kinds, "onnx"), (kinds / "onnx", "auto")):
            with pytest.raises(BackendError, match="cannot be used: its runtime"):
                edge.load(folder, backend)
    assert edge.load(kinds).artifact.manifest.backend == "numpy"


def test_python_that_cannot_be_started(kinds: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr(subprocess, "run", refuse)
    problem = probe_artifact(kinds / "onnx").problem
    assert problem == "cannot be tried in a process of its own (Cannot allocate memory)"


# -- on the command line -----------------------------------------------------------------


def test_listen_outlives_a_runtime_that_dies(kinds: Path, runtime: Path, clip: Path) -> None:
    done = run_cli(
        "listen", "--source", clip, "--fast", "--json", "--artifact", kinds,
        env=environment(runtime, "SIGILL"),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    *decisions, summary = records(done.stdout)
    assert len(decisions) == summary["decisions"] == 3
    assert done.stderr.splitlines()[0] == (
        "edge-ser: backend numpy: onnx dies of an illegal instruction (SIGILL) on this processor"
    )


@pytest.mark.parametrize("artifact", ["", "onnx"])
@pytest.mark.parametrize("command", ["listen --fast --json --source", "classify"])
def test_backend_that_was_asked_for_dies_in_one_sentence(
    kinds: Path, runtime: Path, clip: Path, command: str, artifact: str
) -> None:
    done = run_cli(
        *command.split(), clip, "--backend", "onnx", "--artifact", kinds / artifact,
        env=environment(runtime, "SIGILL"),
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert "its runtime dies of an illegal instruction (SIGILL)" in complaint(done.stderr)


def test_only_artifact_dies_in_one_sentence(kinds: Path, runtime: Path, clip: Path) -> None:
    done = run_cli(
        "classify", clip, "--artifact", kinds / "onnx", env=environment(runtime, "SIGSEGV")
    )
    assert done.returncode == 2
    assert "crashes on this device (SIGSEGV)" in complaint(done.stderr)


def test_runtime_does_not_take_what_is_piped_to_listen(kinds: Path, runtime: Path) -> None:
    raw = (voice(48_000) * 32767).astype("<i2").tobytes()
    done = run_cli(
        "listen", "--source", "-", "--json", "--artifact", kinds,
        env=environment(runtime, "is slow"), input=raw, text=False,
    )  # fmt: skip
    assert done.returncode == 0
    *_, summary = records(io.StringIO(done.stdout.decode()).read())
    assert summary["audio_s"] == 3.0
    first = done.stderr.decode().splitlines()[0]
    assert first.startswith("edge-ser: backend numpy: ")
    assert ", onnx 2" in first


def test_tampered_artifact_is_passed_over(
    kinds: Path, runtime: Path, clip: Path, tmp_path: Path
) -> None:
    shutil.copytree(kinds, tmp_path / "kinds")
    model = tmp_path / "kinds" / "onnx" / "model.onnx"
    model.write_bytes(model.read_bytes()[:-1] + b"x")
    done = run_cli(
        "classify", clip, "--artifact", tmp_path / "kinds", env=environment(runtime, "works")
    )
    assert done.returncode == 0
    (said,) = done.stderr.splitlines()
    assert said.startswith("edge-ser: backend numpy: onnx fails: ")
    assert "the model was changed or damaged" in said


def test_a_single_numpy_artifact_needs_no_word(tiny_artifact: Artifact, clip: Path) -> None:
    done = run_cli("classify", clip, "--artifact", tiny_artifact.path)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(("given", "wanted"), [(None, "1"), ("3", "3")])
def test_a_trial_takes_one_thread_unless_more_are_asked_for(
    tiny_artifact: Artifact, monkeypatch: pytest.MonkeyPatch, given: str | None, wanted: str
) -> None:
    seen: list[dict[str, str]] = []

    def run(*_: object, env: dict[str, str], **__: object) -> None:
        seen.append(env)
        raise OSError(12, "Cannot allocate memory")

    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    for name in names:
        if given is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, given)
    monkeypatch.setattr("subprocess.run", run)
    assert "cannot be tried" in str(probe_artifact(tiny_artifact.path).error)
    assert [seen[0][name] for name in names] == [wanted] * 3
