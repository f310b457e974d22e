"""The benchmark on corpora that nobody was trained on reads their names and asks the device."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path

import pytest

import edge
from edge.bundled import DEMO_CLIP
from edge.errors import ParameterError

soundfile = pytest.importorskip("soundfile")
from benchmarks.scorecard import unheard_corpora  # noqa: E402


@pytest.fixture
def data(tmp_path: Path) -> Path:
    samples, rate = soundfile.read(DEMO_CLIP, dtype="float32")
    names = ["EMOVO/f1/rab-f1-b1", "EMOVO/m2/neu-m2-d1", "nEMO/samples/EB0_anger_1"]
    names.append("nEMO/samples/MM0_sadness_12")
    for n, name in enumerate(names):
        path = tmp_path / f"{name}.ogg"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, samples[n * rate : (n + 3) * rate], rate, format="OGG")
    return tmp_path


def test_names_tell_label_and_speaker(data: Path) -> None:
    found = [
        (label, speaker)
        for corpus in unheard_corpora.CORPORA
        for label, speaker, _ in unheard_corpora.clips(data, corpus)
    ]
    assert found == [("angry", "f1"), ("neutral", "m2"), ("angry", "EB0"), ("sad", "MM0")]


def learnt_from(corpora: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the models have learnt from these corpora."""
    load = edge.load

    def loaded(name: str) -> edge.Classifier:
        classifier = load(name)
        manifest = classifier.artifact.manifest
        training = {**manifest.training, "corpora": corpora}
        changed = dataclasses.replace(manifest, training=training)
        return edge.Classifier(
            dataclasses.replace(classifier.artifact, manifest=changed), classifier.model
        )

    monkeypatch.setattr(edge, "load", loaded)


def test_every_window_of_a_stream_is_counted(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    learnt_from(["ravdess", "tess"], monkeypatch)
    out = tmp_path / "r.json"
    words = ["--data", str(data), "--models", "claf-ser-tiny", "--output", str(out)]
    monkeypatch.setattr(sys, "argv", ["unheard_corpora.py", *words])
    assert unheard_corpora.main() == 0
    found = json.loads(out.read_text())["models"]["claf-ser-tiny"]
    # Of 3 s: at 2 s, 2.5 s and at the end.
    for part in found.values():
        assert part["n_clips"] == 2
        assert part["n_not_judged"] + part["without_bar"]["n"] == 6
        assert part["answered"]["n_answered"] <= part["without_bar"]["n_answered"]
    assert "EMOVO" in capsys.readouterr().out


def test_what_a_model_learnt_from_is_left_out(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    learnt = ["tess", "nemo"]
    learnt_from(learnt, monkeypatch)
    monkeypatch.setattr(sys, "argv", ["x", "--data", str(data), "--models", "claf-ser-tiny"])
    assert unheard_corpora.main() == 0
    told = capsys.readouterr()
    assert "claf-ser-tiny learnt from nEMO: it is left out" in told.err
    assert "EMOVO" in told.out
    assert "nEMO" not in told.out
    learnt[:] = ["emovo", "nemo"]
    with pytest.raises(ParameterError, match="learnt from EMOVO and nEMO: name a model"):
        unheard_corpora.main()
