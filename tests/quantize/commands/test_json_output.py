"""What a command prints with ``--json`` is JSON and nothing else."""

from __future__ import annotations

import json

from edge.artifact import read_artifact
from quantize.commands.main import main


def test_export_says_what_it_wrote(runs, tmp_path, capsys):
    out = tmp_path / "a"
    assert main(["export", str(runs / "f0"), "--out", str(out), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    manifest = read_artifact(out).manifest
    assert said["artifact"] == str(out)
    assert (said["model_bytes"], said["model_sha256"]) == (
        manifest.model_bytes,
        manifest.model_sha256,
    )


def test_prune_says_the_sizes_before_and_after(data, runs, tmp_path, capsys):
    words = ["prune", str(runs / "f0"), "--data", str(data), "--out", str(tmp_path / "p")]
    more = ["--hidden", "8", "--importance", "magnitude", "--epochs", "0", "--json"]
    assert main([*words, *more]) == 0
    before, pruned = map(json.loads, capsys.readouterr().out.splitlines())
    assert (before["model"], pruned["model"]) == ("before", "pruned")
    assert pruned["n_parameters"] < before["n_parameters"]


def test_calibrate_says_what_it_measured(data, runs, tmp_path, capsys):
    report = tmp_path / "report.json"
    folds = [str(runs / "f0"), str(runs / "f1")]
    words = ["calibrate", *folds, "--data", str(data), "--cache", str(runs / "cache")]
    kept = [(runs / name / "calibration.json") for name in ("f0", "f1")]
    before = [path.read_bytes() if path.exists() else None for path in kept]
    try:
        assert main([*words, "--workers", "1", "--json", "--output", str(report)]) == 0
    finally:
        for path, content in zip(kept, before, strict=True):
            path.unlink(missing_ok=True) if content is None else path.write_bytes(content)
    assert json.loads(capsys.readouterr().out) == json.loads(report.read_text())
