"""The reference for the voice on the command line: kept, gone on with, forgotten."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from artifact_fakes import make_voice_artifact, voice_fields
from running_cli import Running
from runtime_fakes import complaint, records, voice

from edge.artifact import Artifact
from edge.audio.file import write_wav
from edge.cli.main import main
from edge.features.spec import FeatureSpec
from edge.stream.voice_file import read_voice

RATE = 16_000
SPEECH = voice(8 * RATE)


@pytest.fixture(scope="module")
def knowing(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    """A model that takes a reference, after 2 s of speech."""
    reference = {**voice_fields()["voice_reference"], "least_s": 2.0}
    folder = tmp_path_factory.mktemp("artifacts") / "voice"
    return make_voice_artifact(folder, voice_reference=reference)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clips") / "speech.wav"
    write_wav(path, SPEECH, RATE)
    return path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "voice.json"


@pytest.fixture
def listen(
    knowing: Artifact, clip: Path, capsys: pytest.CaptureFixture[str]
) -> Callable[..., list[float | None]]:
    """Listen to the clip; gives the ``reference_s`` of every decision."""

    def run(*words: object, artifact: object = None) -> list[float | None]:
        model = ["--artifact", str(artifact or knowing.path), "--backend", "numpy"]
        found = main(
            ["listen", "--source", str(clip), "--fast", "--json", *model, *map(str, words)]
        )
        assert found == 0
        decided = [r for r in records(capsys.readouterr().out) if r["type"] == "decision"]
        return [r["reference_s"] for r in decided]  # type: ignore[misc]

    return run


def refused(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    assert main(["listen", "--fast", "--source", "demo", *map(str, words)]) == 2
    return complaint(capsys.readouterr().err)


def test_it_acts_once_enough_was_heard(listen: Callable[..., list[float]]) -> None:
    found = listen()
    assert found[0] == 0.0
    assert found[-1] > 4
    assert found == sorted(found)
    assert set(listen("--reference", "off")) == {0.0}
    assert listen("--reference", "on") == found


def test_a_kept_voice_is_gone_on_with(listen: Callable[..., list[float]], file: Path) -> None:
    first = listen("--state", file)
    second = listen("--state", file)
    assert second[0] > first[-1]
    assert second[-1] > 2 * first[-1] - 1
    assert os.listdir(file.parent) == [file.name]


def test_the_terminal_marks_it(
    knowing: Artifact, clip: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["listen", "--source", str(clip), "--fast", "--artifact", str(knowing.path)]) == 0
    lines = capsys.readouterr().out.splitlines()[1:]
    assert not lines[0].endswith("ref")
    assert lines[-1].endswith(" ms  ref")


def test_a_model_of_before_has_none(
    listen: Callable[..., list[None]],
    tiny_artifact: Artifact,
    capsys: pytest.CaptureFixture[str],
    file: Path,
) -> None:
    old = ("--artifact", tiny_artifact.path)
    assert set(listen(artifact=tiny_artifact.path)) == {None}
    assert "--reference is on, and the model tiny" in refused(capsys, *old, "--reference", "on")
    assert "the model tiny takes none: leave it out" in refused(capsys, *old, "--state", file)
    assert not file.exists()


def test_options_of_the_daily_run_give_way(
    listen: Callable[..., list[float | None]], tiny_artifact: Artifact, file: Path, tmp_path: Path
) -> None:
    daily = tmp_path / "c.toml"
    daily.write_text(f'[listen]\nreference = "on"\nstate = "{file}"\n')
    assert set(listen("--config", daily, artifact=tiny_artifact.path)) == {None}
    assert set(listen("--config", daily, "--reference", "off")) == {0.0}
    assert not file.exists()
    listen("--config", daily)
    assert file.exists()


def test_a_broken_file_is_refused_and_left(
    knowing: Artifact, capsys: pytest.CaptureFixture[str], file: Path
) -> None:
    file.write_text('{"type": "edge-ser voi')
    said = refused(capsys, "--artifact", knowing.path, "--state", file)
    assert f"--state {file} is not the voice that was kept, or is damaged" in said
    assert f"`rm {file}`" in said
    assert file.read_text() == '{"type": "edge-ser voi'


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--state", ""], "--state is '', the name of a file is wanted"),
        (["--state", "/"], "--state is '/', the name of a file is wanted"),
        (["--state", "/no/where/voice"], "make it with `mkdir -p /no/where`"),
        (["--state", "voice", "--reference", "off"], "--reference is off: leave one out"),
        (["--reference", "maybe"], "invalid choice: 'maybe'"),
    ],
)
def test_options_that_cannot_be(
    capsys: pytest.CaptureFixture[str], words: list[str], sentence: str
) -> None:
    assert sentence in refused(capsys, *words)


def test_the_options_are_printed_as_a_file(capsys: pytest.CaptureFixture[str], file: Path) -> None:
    words = ["--config", os.devnull, "--state", str(file), "--reference", "on"]
    assert main(["listen", "--print-config", *words]) == 0
    printed = capsys.readouterr().out
    assert f'state = "{file}"  # command line' in printed
    assert 'reference = "on"  # command line' in printed


def test_a_bare_name_lies_where_a_service_keeps_things(
    listen: Callable[..., list[float]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", f"{tmp_path}:/elsewhere")
    listen("--state", "v")
    assert read_voice(str(tmp_path / "v"), FeatureSpec())


@pytest.fixture
def start(knowing: Artifact) -> Iterator[Callable[..., Running]]:
    running: list[Running] = []

    def begin(*words: object, artifact: object = None) -> Running:
        model = ("--artifact", artifact or knowing.path, "--backend", "numpy")
        running.append(Running(*model, "--json", "--source", "-", *words))
        return running[-1]

    yield begin
    for one in running:
        one.kill()


def speak(running: Running, samples: np.ndarray = SPEECH) -> list[float | None]:
    """Write into the pipe; gives the ``reference_s`` of all whole decisions."""
    n_before = getattr(running, "n_written", 0)
    n_after = running.n_written = n_before + samples.size  # type: ignore[attr-defined]
    running.process.stdin.buffer.write((samples * 32_767).astype("<i2").tobytes())
    running.process.stdin.flush()
    n_due = [max(0, (n - 31_744) // 8192 + 1) for n in (n_before, n_after)]
    return [running.decision()["reference_s"] for _ in range(n_due[1] - n_due[0])]


@contextlib.contextmanager
def fed(running: Running) -> Iterator[None]:
    """Speak on, whatever becomes of the decisions."""
    is_over = threading.Event()

    def feed() -> None:
        start = 0
        while not is_over.wait(0.02):
            block = np.take(SPEECH, range(start, start + 4096), mode="wrap")
            running.process.stdin.buffer.write((block * 32_767).astype("<i2").tobytes())
            running.process.stdin.flush()
            start += 4096

    thread = threading.Thread(target=feed)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def test_sigusr1_forgets_the_voice(start: Callable[..., Running]) -> None:
    running = start()
    assert speak(running)[-1] > 2
    with fed(running):
        while running.decision()["reference_s"] < 5:
            pass
        for _ in range(2):
            running.process.send_signal(signal.SIGUSR1)
            assert "the voice is forgotten" in running.said("forgotten")
            while running.decision()["reference_s"] > 0:
                pass
    running.end()


def test_sigusr1_is_no_end_where_there_is_no_voice(
    start: Callable[..., Running], tiny_artifact: Artifact
) -> None:
    running = start(artifact=tiny_artifact.path)
    speak(running)
    with fed(running):
        running.process.send_signal(signal.SIGUSR1)
        assert "no reference for a voice to forget" in running.said("forget")
    assert '"summary"' in running.end()


def test_the_end_by_a_signal_keeps_the_voice(start: Callable[..., Running], file: Path) -> None:
    running = start("--state", file)
    heard = speak(running)
    running.end()
    running = start("--state", file)
    assert speak(running)[0] >= heard[-1]
    running.end()


def test_new_options_keep_the_voice(start: Callable[..., Running], tmp_path: Path) -> None:
    options = tmp_path / "c.toml"
    options.write_text("[listen]\n")
    running = start("--config", options)
    heard = speak(running)
    options.write_text("[listen]\nsmooth = 0.5\n")
    with fed(running):
        running.process.send_signal(signal.SIGHUP)
        assert running.until("status")[-1]["status"] == "reloaded"
        first = running.decision()
    assert first["start_s"] == 0
    # The first window after them is no part of it yet, so that it may be what it was.
    assert first["reference_s"] >= heard[-1] > 2
    running.end()
