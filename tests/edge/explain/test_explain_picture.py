"""``edge-ser classify --explain``: the picture and everything that can go wrong."""

from __future__ import annotations

import builtins
import dataclasses
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from artifact_fakes import make_artifact
from runtime_fakes import LinearModel, run_cli, voice

from edge.artifact import Artifact
from edge.audio.file import write_wav
from edge.cli.main import main
from edge.explain.explain import explain
from edge.explain.picture import check_matplotlib, draw_explanation
from edge.runtimes.registry import RUNTIMES
from edge.stream.loading import load

PNG_HEAD = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def matplotlib() -> Any:
    return pytest.importorskip("matplotlib")


@pytest.fixture(scope="module")
def model(tiny_artifact: Artifact) -> list[str]:
    return ["--artifact", str(tiny_artifact.path)]


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    folder = tmp_path / "clips"
    folder.mkdir()
    write_wav(folder / "a.wav", voice(40_000), 16_000)
    return folder / "a.wav"


def png_size(path: Path) -> tuple[int, int]:
    """Width and height of a PNG in pixels."""
    head = path.read_bytes()[:24]
    assert head[:8] == PNG_HEAD
    return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")


def complaint(capsys: pytest.CaptureFixture[str]) -> str:
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    assert line.startswith("edge-ser: error: ")
    return line


def test_picture_is_drawn_and_the_output_is_as_without(
    matplotlib: Any, model: list[str], clip: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    assert main(["classify", str(clip), "--json", *model]) == 0
    plain = capsys.readouterr().out
    done = run_cli("classify", clip, "--json", "--explain", tmp_path / "Why.PNG", *model)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    ours, theirs = json.loads(done.stdout), json.loads(plain)
    assert list(ours) == list(theirs)
    assert {**ours, "ms": 0} == {**theirs, "ms": 0}
    width, height = png_size(tmp_path / "Why.PNG")
    assert 1000 < width < 3000
    assert 1000 < height < 2000
    assert (tmp_path / "Why.PNG").stat().st_size < 1_000_000
    assert sorted(p.name for p in tmp_path.iterdir()) == ["Why.PNG", "clips"]


def test_line_of_text_is_as_without(
    matplotlib: Any, model: list[str], clip: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    assert main(["classify", str(clip), *model]) == 0
    plain = capsys.readouterr().out
    # A folder with one file is one file.
    assert main(["classify", str(clip.parent), "--explain", str(tmp_path / "x.png"), *model]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    assert captured.out.split(" segments")[0] == plain.split(" segments")[0]


# A word in silence has segments that do not count; one frame has neither line nor area; a
# hop of a window leaves a gap; the last has more segments than labels fit.
SPEECH, SILENCE = voice(16_000), np.zeros(64_000, np.float32)


@pytest.mark.parametrize(
    ("samples", "options"),
    [
        (np.concatenate([SILENCE, SPEECH, SILENCE]), {}),
        (SPEECH[:1024], {}),
        (SILENCE, {}),
        (voice(80_000), {"segment_s": 2.0, "hop_s": 2.0}),
        (voice(24_000), {"segment_s": 0.1, "hop_s": 0.04}),
    ],
)
def test_every_clip_can_be_drawn(
    matplotlib: Any, tiny_artifact: Artifact, tmp_path: Path, samples: np.ndarray,
    options: dict[str, float],
) -> None:  # fmt: skip
    found = explain(load(tiny_artifact.path), samples, 16_000, **options)
    draw_explanation(found, tmp_path / "x.png")
    assert min(png_size(tmp_path / "x.png")) > 1000


@pytest.mark.parametrize("n_labels", [2, 30])
def test_a_picture_of_few_and_of_many_labels(
    matplotlib: Any, clip: Path, tiny_artifact: Artifact, tmp_path: Path, n_labels: int
) -> None:
    found = explain(load(tiny_artifact.path), voice(40_000), 16_000)
    labels = tuple(f"label-{n}" for n in range(n_labels))
    posteriors = np.random.default_rng(0).dirichlet(np.ones(n_labels), len(found.posteriors))
    stretches = tuple(dataclasses.replace(s, label=labels[-1]) for s in found.stretches)
    drawn = dataclasses.replace(
        found,
        labels=labels,
        posteriors=posteriors,
        posterior=posteriors.mean(axis=0),
        stretches=stretches,
    )
    draw_explanation(drawn, tmp_path / "x.png")
    # The legend's columns are not taken from the panels.
    assert png_size(tmp_path / "x.png")[0] == 150 * (11.0 if n_labels == 2 else 14.0)


@pytest.mark.parametrize("name", ["$x^{_$ 日本語 a\udcff\n.wav", "long " * 60])
def test_every_name_can_be_written_above(
    matplotlib: Any, tiny_artifact: Artifact, tmp_path: Path, name: str
) -> None:
    found = explain(load(tiny_artifact.path), voice(2000), 16_000)
    draw_explanation(found, tmp_path / "x.png", name)
    png_size(tmp_path / "x.png")


def test_settings_of_others_do_no_harm_and_take_none(
    matplotlib: Any, tiny_artifact: Artifact, tmp_path: Path
) -> None:
    found = explain(load(tiny_artifact.path), voice(2000), 16_000)
    with matplotlib.rc_context({"text.usetex": True, "font.family": "No Such Font"}):
        settings, loaded = dict(matplotlib.rcParams), "matplotlib.pyplot" in sys.modules
        draw_explanation(found, tmp_path / "x.png")
        assert dict(matplotlib.rcParams) == settings
        assert ("matplotlib.pyplot" in sys.modules) == loaded
    png_size(tmp_path / "x.png")


# -- what cannot be drawn ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "match"),
    [
        ("why.jpg", "why.jpg, a name that ends in .png is wanted"),
        ("why", "a name that ends in .png is wanted"),
        ("", "a name that ends in .png is wanted"),
        ("none/why.png", r"No such file or directory.*a folder that exists"),
        ("clips/a.wav/why.png", r"Not a directory"),
        ("folder.png", r"it is a folder"),
        ("w" * 300 + ".png", r"File name too long"),
        ("w" * 248 + ".png", r"File name too long"),
    ],
)
def test_picture_that_cannot_be_written_is_refused_before_any_work(
    name: str, match: str, clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "folder.png").mkdir()
    before = sorted(tmp_path.rglob("*"))
    target = str(tmp_path / name) if name else ""
    # The artifact is missing, which would be noticed by the first work.
    assert main(["classify", str(clip), "--explain", target, "--artifact", "none"]) == 2
    line = complaint(capsys)
    assert re.search(match, line), line
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write")
def test_folder_without_permission_is_refused(
    clip: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip.parent.chmod(0o500)
    try:
        target = str(clip.parent / "why.png")
        assert main(["classify", str(clip), "--explain", target, "--artifact", "none"]) == 2
    finally:
        clip.parent.chmod(0o700)
    assert "Permission denied" in complaint(capsys)


def test_several_files_are_refused_before_any_work(
    clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_wav(clip.parent / "b.wav", voice(20_000), 16_000)
    target = tmp_path / "why.png"
    options = ["--explain", str(target), "--artifact", "none"]
    assert main(["classify", str(clip.parent), *options]) == 2
    assert "one audio file and 2 are given: run it once for each" in complaint(capsys)
    assert not target.exists()


def test_the_clip_itself_is_not_replaced(clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    misnamed = clip.rename(clip.with_suffix(".png"))
    content = misnamed.read_bytes()
    assert main(["classify", str(misnamed), "--explain", str(misnamed)]) == 2
    assert "would replace" in complaint(capsys)
    assert misnamed.read_bytes() == content


def test_missing_clip_is_the_usual_sentence(
    matplotlib: Any, model: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = str(tmp_path / "why.png")
    assert main(["classify", str(tmp_path / "no.wav"), "--explain", target, *model]) == 2
    assert "no.wav does not exist" in complaint(capsys)
    assert list(tmp_path.iterdir()) == []


def test_backend_without_attention_is_one_sentence(
    matplotlib: Any, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    artifact = make_artifact(tmp_path / "artifact")
    linear = LinearModel()
    monkeypatch.setattr("edge.runtimes.open.reference_difference", lambda *_: 0.0)
    row = dataclasses.replace(RUNTIMES["numpy"], load=lambda *_: linear)
    monkeypatch.setitem(RUNTIMES, "numpy", row)
    options = ["--explain", str(tmp_path / "x.png"), "--artifact", str(artifact.path)]
    assert main(["classify", str(clip), *options]) == 2
    assert "backend 'linear' gives no attention weights" in complaint(capsys)
    assert linear.seen == []
    assert not (tmp_path / "x.png").exists()


def test_without_matplotlib_it_is_named_before_any_work(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    monkeypatch.setitem(sys.modules, "matplotlib.backends.backend_agg", None)
    options = ["--explain", str(tmp_path / "x.png"), "--artifact", "none"]
    assert main(["classify", str(clip), *options]) == 2
    assert "pip install matplotlib" in complaint(capsys)
    assert not (tmp_path / "x.png").exists()


def test_classify_without_a_picture_asks_for_no_matplotlib(
    model: list[str], clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    real = builtins.__import__

    def importing(name: str, *args: Any, **options: Any) -> Any:
        asked.append(name)
        return real(name, *args, **options)

    monkeypatch.setattr(builtins, "__import__", importing)
    assert main(["classify", str(clip), *model]) == 0
    assert not [name for name in asked if name.startswith(("matplotlib", "edge.explain.explain"))]


@pytest.mark.parametrize(
    ("error", "code"), [(KeyboardInterrupt(), 130), (OSError(28, "No space left on device"), 2)]
)
def test_drawing_that_is_cut_short_leaves_the_old_picture(
    matplotlib: Any, model: list[str], clip: Path, tmp_path: Path, error: BaseException,
    code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    check_matplotlib()
    from matplotlib.figure import Figure

    target = tmp_path / "why.png"
    target.write_bytes(b"old")

    def fail(_self: Figure, path: Path, **_options: object) -> None:
        Path(path).write_bytes(b"half")
        raise error

    monkeypatch.setattr(Figure, "savefig", fail)
    # Its stdout is captured, so there is nothing to send nowhere.
    assert main(["classify", str(clip), "--explain", str(target), *model]) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == (code == 2)
    assert target.read_bytes() == b"old"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["clips", "why.png"]
