"""Vectors made here are held against those made elsewhere."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.embeddings.__main__ import main
from quantize.commands.main import main as command
from quantize.data.embeddings import write_embeddings
from quantize.data.encoders import registry


@pytest.fixture
def words(tmp_path, synthetic_root, monkeypatch):
    monkeypatch.setitem(registry.ENCODERS, "toy", "toy_encoder")
    (tmp_path / "gain").write_text("1")
    return ["--encoder", "toy", "--weights", str(tmp_path), "--data", str(synthetic_root / "SAVEE")]


def test_a_right_file_passes_and_a_wrong_one_does_not(words, tmp_path, capsys):
    out = tmp_path / "v.npz"
    more = ["--cache", str(tmp_path / "cache"), "--workers", "1"]
    assert command(["embed", *words, "--out", str(out), *more]) == 0
    capsys.readouterr()
    assert main([*words, "--against", str(out), "--clips", "4"]) == 0
    head, _, line = capsys.readouterr().out.splitlines()
    assert head.startswith("toy, layer 2 of 4, against ")
    assert line.split()[:4] == ["savee", "4", "1.000000000", "0.0e+00"]
    with np.load(out) as file:
        names, rows = file["clips"], file["embeddings"].copy()
    rows[0] = rows[0][::-1]
    write_embeddings(out, names, rows)
    assert main([*words, "--against", str(out), "--clips", "4"]) == 1
    assert main([*words, "--against", str(out), "--clips", "4", "--bar", "0.1"]) == 0


def test_what_cannot_be_compared_is_one_sentence(words, tmp_path, capsys):
    stranger, wide = tmp_path / "stranger.npz", tmp_path / "wide.npz"
    write_embeddings(stranger, ["x"], np.ones((1, 3)))
    write_embeddings(wide, ["DC/a01", "a01"], np.ones((2, 4)))
    for path, told in (
        (tmp_path / "none.npz", "holds no embeddings"),
        (stranger, "no vector of a clip that --data holds"),
        (wide, "vectors of 4 numbers, the encoder gives 3"),
    ):
        assert main([*words, "--against", str(path)]) == 2
        said = capsys.readouterr()
        assert told in said.err
        assert not said.out
