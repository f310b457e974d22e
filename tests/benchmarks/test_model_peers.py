"""Networks of other papers: as large as they say, and timed beside ours."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import model_peers
from edge.bundled import MODELS_DIR

pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("onnx", reason="onnx is not installed")
pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")


def test_the_networks_are_as_large_as_published() -> None:
    from benchmarks.shared import peer_networks

    # "72K parameters", and the table of ResLSTM-SA.
    assert peer_networks.n_parameters(peer_networks.Wav2Small()) == pytest.approx(72_000, rel=0.01)
    assert peer_networks.n_parameters(peer_networks.ResLstm()) == 46_772


def test_a_short_run_says_what_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "m.json"
    # One artifact, so that rows and ratios of the other are left out.
    folder = str(MODELS_DIR / "claf-ser-tiny-onnx")
    assert model_peers.main([folder, "--rounds", "2", "--output", str(output)]) == 0
    assert "random weights" in capsys.readouterr().out
    result = json.loads(output.read_text())
    ours = {"claf-ser-tiny-onnx:model", "claf-ser-tiny-onnx:whole"}
    theirs = {"wav2small", "wav2small_rounded", "reslstm", "reslstm_rounded"}
    assert set(result["times_ms"]) == ours | theirs
    assert {row["under"] for row in result["ratios"]} == ours
    assert result["models"]["reslstm_rounded"]["weights"] == "random"
    sizes = {name: result["models"][name]["model_bytes"] for name in theirs}
    assert sizes["reslstm_rounded"] < sizes["reslstm"] / 2


def test_no_rounds_are_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert model_peers.main(["--rounds", "0"]) == 2
    assert capsys.readouterr().err == "edge-ser: error: --rounds is 0, at least 1 is wanted\n"
