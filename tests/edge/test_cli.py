"""``edge-ser`` as a person or a program meets it: streams, exit codes, bad input."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from runtime_fakes import ENVIRONMENT, LABELS, REPOSITORY, complaint, records, run_cli, voice

import edge.audio.devices
from edge.artifact import Artifact
from edge.audio.file import write_wav
from edge.bundled import MODELS_DIR
from edge.cli.main import main

DECISION_KEYS = [
    "version", "type", "time", "start_s", "end_s", "state", "label", "posterior", "raw_label",
    "activation", "speech", "speech_share", "level_db", "reference_s", "features_ms", "model_ms",
    "latency_ms", "dropped_samples", "skipped_hops", "warning",
]  # fmt: skip
SUMMARY_KEYS = [
    "version", "type", "time", "decisions", "states", "gaps", "events", "activation",
    "audio_s", "rtf", "p50_ms", "p95_ms", "p99_ms", "dropped_samples", "skipped_hops",
    "peak_rss_mb",
]  # fmt: skip
FILE_KEYS = [
    "type", "path", "state", "label", "posterior", "activation", "n_segments",
    "n_speech_segments", "duration_s", "ms", "warning",
]  # fmt: skip
RAW = (voice(48_000) * 32767).astype("<i2").tobytes()


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """Three clips of other rates, one of them in a folder below.

    The folder's own name is short, whatever runs the tests: longer paths are not aligned.
    """
    with tempfile.TemporaryDirectory(prefix="clips") as name:
        yield _clips(Path(name))


def _clips(folder: Path) -> Path:
    (folder / "below").mkdir()
    write_wav(folder / "a.wav", voice(48_000), 16_000)
    write_wav(folder / "b long name.wav", np.stack([voice(20_000)] * 2, axis=1), 44_100)
    write_wav(folder / "below" / "c.wav", voice(22_050), 22_050)
    return folder


def test_listen_writes_decisions_to_stdout_and_the_rest_to_stderr(
    model: list[str], folder: Path
) -> None:
    done = run_cli("listen", "--source", folder / "a.wav", "--fast", *model)
    assert done.returncode == 0
    _, *lines = done.stdout.splitlines()
    assert len(lines) == 3
    assert all(any(label in line for label in LABELS) for line in lines)
    assert "\x1b" not in done.stdout + done.stderr
    said = done.stderr.splitlines()
    assert len(said) == 2
    assert re.match(r"edge-ser: 3 decisions in 3\.0 s of audio, real-time factor 0\.", said[-1])


def test_a_recording_without_its_upper_band_is_told_of_by_listen_and_classify(
    model: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = str(tmp_path / "telephone.wav")
    write_wav(clip, voice(32_000), 8000)
    assert main(["classify", clip, "--json", *model]) == 0
    (record,) = records(capsys.readouterr().out)
    assert record["state"] == "speech"
    # As far as the bands of the meter tell it apart.
    assert re.match(r"nothing above (3\.9|4\.[01]) kHz was heard", record["warning"])
    assert main(["listen", "--source", clip, "--fast", "--json", *model]) == 0
    warnings = [r["warning"] for r in records(capsys.readouterr().out) if r.get("warning")]
    assert len(warnings) == 1
    assert warnings == [record["warning"]]


def test_listen_json_has_the_documented_schema(model: list[str], folder: Path) -> None:
    done = run_cli("listen", "--source", folder / "a.wav", "--fast", "--json", *model)
    assert done.returncode == 0
    *decisions, summary = records(done.stdout)
    assert len(decisions) == 3
    for record in decisions:
        assert list(record) == DECISION_KEYS
        assert record["type"] == "decision"
        assert list(record["posterior"]) == list(LABELS)
        assert sum(record["posterior"].values()) == pytest.approx(1, abs=1e-3)
        assert record["label"] in LABELS
        assert record["raw_label"] in LABELS
    assert [r["end_s"] for r in decisions] == [1.984, 2.496, 2.976]
    assert list(summary) == SUMMARY_KEYS
    assert summary["type"] == "summary"
    assert summary["decisions"] == 3
    assert summary["audio_s"] == 3.0
    assert summary["dropped_samples"] == 0
    assert 0 < summary["rtf"] < 1
    assert 10 < summary["peak_rss_mb"] < 200


def test_window_is_the_old_name_of_segment(
    model: list[str], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(folder / "a.wav")
    assert main(["classify", file, "--window", "1", "--json", *model]) == 0
    old = capsys.readouterr()
    assert old.err == (
        "edge-ser: warning: --window is now called --segment, the old name will go with the next "
        "version\n"
    )
    assert main(["classify", file, "--segment", "1", "--json", *model]) == 0
    (ours,), (theirs,) = records(old.out), records(capsys.readouterr().out)
    assert {**ours, "ms": 0} == {**theirs, "ms": 0}


def test_window_hop_and_duration_are_obeyed(
    model: list[str], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--segment", "1", "--hop", "0.25", "--duration", "2", "--fast", "--json"]
    assert main(["listen", "--source", str(folder / "a.wav"), *options, *model]) == 0
    *decisions, summary = records(capsys.readouterr().out)
    # 61 rows in 2 s: a window of 30 rows every 8, and the rest.
    assert [round(d["end_s"] - d["start_s"], 3) for d in decisions] == [0.992] * 5
    assert [d["start_s"] for d in decisions] == [0, 0.256, 0.512, 0.768, 0.992]
    assert summary["audio_s"] == 2.0


def test_listen_plays_at_the_pace_of_speech(model: list[str], folder: Path) -> None:
    import time

    started_s = time.perf_counter()
    done = run_cli("listen", "--source", folder / "below" / "c.wav", *model)
    assert done.returncode == 0
    assert time.perf_counter() - started_s > 1.0


def test_raw_samples_are_read_from_stdin(
    model: list[str], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    piped = run_cli("listen", "--source", "-", "--json", *model, input=RAW, text=False)
    assert piped.returncode == 0, piped.stderr
    assert main(["listen", "--source", str(folder / "a.wav"), "--fast", "--json", *model]) == 0
    ours, theirs = records(piped.stdout.decode()), records(capsys.readouterr().out)
    assert len(ours) == len(theirs)
    assert [r.get("label") for r in ours] == [r.get("label") for r in theirs]


def test_odd_byte_on_stdin_is_reported_and_not_fatal(model: list[str]) -> None:
    done = run_cli("listen", "--source", "-", *model, input=RAW[:40_001], text=False)
    assert done.returncode == 0
    assert b"warning: standard input ended with half a sample" in done.stderr


@pytest.mark.parametrize(
    ("data", "match"),
    [(b"", "ended after 0 samples"), (RAW[:2046], "ended after 1023 samples"),
     (b"RIFF" + RAW, "starts with RIFF")],
)  # fmt: skip
def test_stdin_without_audio_is_one_sentence(model: list[str], data: bytes, match: str) -> None:
    done = run_cli("listen", "--source", "-", "--json", *model, input=data, text=False)
    assert done.returncode == 2
    assert done.stdout == b""
    assert match in done.stderr.decode().splitlines()[-1]


@pytest.mark.parametrize("command", [["listen", "--fast", "--json", "--source"], ["classify"]])
def test_reader_that_left_ends_it_quietly(
    command: list[str], model: list[str], folder: Path
) -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    try:
        done = run_cli(
            *command, folder / "a.wav", *model,
            stdout=write_end, stderr=subprocess.PIPE, capture_output=False,
        )  # fmt: skip
    finally:
        os.close(write_end)
    assert done.returncode == 0
    assert [line for line in done.stderr.splitlines() if "listening" not in line] == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("is_buffered", [True, False])
@pytest.mark.parametrize("command", ["--help", "--version", "listen --help"])
def test_help_that_cannot_be_written_is_no_success(command: str, is_buffered: bool) -> None:
    env = {**os.environ, "PYTHONUNBUFFERED": "" if is_buffered else "1"}
    with open("/dev/full", "w") as full:
        done = run_cli(
            *command.split(), stdout=full, stderr=subprocess.PIPE, capture_output=False, env=env
        )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "No space left on device" in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("command", ["listen --fast --source", "classify"])
def test_full_disk_is_one_sentence(model: list[str], folder: Path, command: str) -> None:
    with open("/dev/full", "w") as full:
        done = run_cli(
            *command.split(), folder / "a.wav", *model,
            stdout=full, stderr=subprocess.PIPE, capture_output=False,
        )  # fmt: skip
    assert done.returncode == 2
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


def test_closed_stdout_is_no_error(model: list[str], folder: Path) -> None:
    command = f'"{sys.executable}" -m edge.cli.main classify "{folder}/a.wav" {" ".join(model)} >&-'
    done = subprocess.run(
        ["bash", "-c", command], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert done.stderr == ""


def test_bars_are_ascii_where_the_terminal_has_nothing_else(model: list[str], folder: Path) -> None:
    environment = {**ENVIRONMENT, "PYTHONIOENCODING": "ascii"}
    done = run_cli("listen", "--source", folder / "a.wav", "--fast", *model, env=environment)
    assert done.returncode == 0
    assert "##" in done.stdout
    assert done.stdout.isascii()


def test_classify_writes_one_aligned_line_a_file(model: list[str], folder: Path) -> None:
    done = run_cli("classify", folder, *model)
    assert done.returncode == 0
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert [line.split(".wav")[0] for line in lines] == [
        str(folder / name) for name in ("a", "b long name", "below/c")
    ]
    assert len({line.index(" % ") for line in lines}) == 1
    assert len({len(line) for line in lines}) == 1
    assert "   5 segments" in lines[0]
    assert "   1 segment " in lines[1]


def test_classify_json_has_the_documented_schema(
    model: list[str], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["classify", str(folder), str(folder / "a.wav"), "--json", *model]) == 0
    found = records(capsys.readouterr().out)
    assert len(found) == 3
    for record in found:
        assert list(record) == FILE_KEYS
        assert record["type"] == "file"
        assert list(record["posterior"]) == list(LABELS)
        assert record["label"] == max(record["posterior"], key=record["posterior"].get)
        assert record["ms"] > 0
    assert [r["n_segments"] for r in found] == [5, 1, 1]


def test_silence_around_speech_does_not_change_a_file(
    model: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    window = 31_744
    speech = voice(window)
    write_wav(tmp_path / "alone.wav", speech, 16_000)
    quiet = np.zeros(window, np.float32)
    write_wav(tmp_path / "among.wav", np.concatenate((quiet, speech, quiet)), 16_000)
    options = ["--segment", "2", "--hop", "2", "--json", *model]
    assert main(["classify", str(tmp_path), *options]) == 0
    alone, among = records(capsys.readouterr().out)
    assert (alone["n_segments"], among["n_segments"]) == (1, 3)
    for label in LABELS:
        assert among["posterior"][label] == pytest.approx(alone["posterior"][label], abs=1e-3)


def test_broken_file_in_a_batch_leaves_the_others(
    model: list[str], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [folder / "a.wav", folder / "none.wav", Path(__file__), folder / "below"]
    assert main(["classify", *map(str, paths), "--json", *model]) == 2
    done = capsys.readouterr()
    assert [Path(r["path"]).name for r in records(done.out)] == ["a.wav", "c.wav"]
    first, second, last = done.err.splitlines()
    assert first.startswith("edge-ser: error: ")
    assert "none.wav does not exist" in first
    assert "test_cli.py is not audio" in second
    assert last == "edge-ser: 2 failed, 2 classified"


def test_single_bad_file_is_one_sentence(
    model: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_wav(tmp_path / "short.wav", voice(1000), 16_000)
    assert main(["classify", str(tmp_path / "short.wav"), *model]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert re.search(
        r"short\.wav cannot be classified: .*1000 samples.*1024 or more", complaint(captured.err)
    )


def test_empty_folder_is_one_sentence(
    model: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["classify", str(tmp_path), *model]) == 2
    assert "holds no audio file" in complaint(capsys.readouterr().err)


@pytest.mark.parametrize(
    ("args", "match"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["sing"], "invalid choice: 'sing'"),
        (["listen", "--segment", "x"], "--segment: 'x' is not a number of seconds above 0"),
        (["listen", "--hop", "-1"], "--hop: '-1' is not a number of seconds above 0"),
        (["listen", "--duration", "nan"], "--duration: 'nan' is not"),
        (["listen", "--louder"], "unrecognized arguments: --louder"),
        (["listen", "--fast"], "--fast is for a file"),
        (["listen", "--source", "a.wav", "--device", "x"], "--device names a microphone"),
        (["classify"], "required: PATH"),
        (["benchmark", "--output", "none/such/file"], "a file in a folder that exists is wanted"),
    ],
)
def test_wrong_usage_is_one_sentence(
    args: list[str], match: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(args) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert match in complaint(captured.err)


def test_exit_code_of_wrong_usage_reaches_the_shell() -> None:
    done = run_cli("listen", "--segment", "0")
    assert done.returncode == 2
    assert "--segment" in complaint(done.stderr)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        (["--backend", "abacus"], "backend is 'abacus', auto or one of numpy, onnx, "),
        (["--backend", "onnx"], "was exported for backend 'numpy'"),
        (["--segment", "0.01"], "segment_s is 0.01"),
        (["--segment", "0.2", "--hop", "0.3"], "leaves audio unheard"),
    ],
)
@pytest.mark.parametrize("command", ["listen", "classify"])
def test_settings_that_cannot_be_used_are_one_sentence(
    command: str, options: list[str], match: str, model: list[str], folder: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    source = ["--source"] if command == "listen" else []
    assert main([command, *source, str(folder / "a.wav"), *options, *model]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert match in complaint(captured.err)


@pytest.mark.parametrize("command", ["listen", "classify", "benchmark"])
def test_bad_artifact_is_one_sentence(
    command: str, tiny_artifact: Artifact, folder: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    source = {"listen": ["--source", str(folder / "a.wav")], "classify": [str(folder)]}
    tampered = tmp_path / "tampered"
    tampered.mkdir()
    for file in tiny_artifact.path.iterdir():
        (tampered / file.name).write_bytes(file.read_bytes())
    model = tampered / "model.npz"
    model.write_bytes(model.read_bytes()[:-1] + b"x")
    for artifact, match in ((tmp_path / "none", "does not exist"), (tampered, "SHA-256")):
        assert main([command, *source.get(command, []), "--artifact", str(artifact)]) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        assert match in complaint(captured.err)


def test_missing_source_file_is_one_sentence(
    model: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["listen", "--source", "none.wav", "--json", *model]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "none.wav does not exist" in captured.err.splitlines()[-1]


def test_help_and_version_are_answers_and_not_errors(capsys: pytest.CaptureFixture[str]) -> None:
    done = run_cli("--version")
    assert (done.returncode, done.stdout) == (0, f"edge-ser {edge.__version__}\n")
    for args in (["--help"], ["listen", "--help"], ["benchmark", "--help"]):
        assert main(args) == 0
        captured = capsys.readouterr()
        assert captured.out.startswith("usage: edge-ser")
        assert captured.err == ""


@pytest.mark.skipif(not (MODELS_DIR / "claf-ser-int8").is_dir(), reason="no bundled model yet")
def test_bundled_model_hears_the_bundled_clip() -> None:
    # Its voices are synthetic: none of its labels reaches the bundled bar.
    done = run_cli("listen", "--source", "demo", "--fast", "--json", "--min-probability", "0")
    assert done.returncode == 0, done.stderr
    *decisions, summary = records(done.stdout)
    assert len({record["label"] for record in decisions}) > 1
    assert summary["rtf"] < 0.5
