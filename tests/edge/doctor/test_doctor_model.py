"""The artifact: whole, cut, edited, and of a backend that is not there."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from system_fakes import FakePrograms, fake_look

from edge.artifact import Artifact
from edge.bundled import MODELS_DIR
from edge.doctor.finding import Finding
from edge.doctor.look import Look, Wishes
from edge.doctor.model import artifact as check_artifact
from edge.doctor.model import reference
from edge.machine.programs import Programs, Ran
from edge.machine.system import this_system


@pytest.fixture
def cut(artifact: Artifact) -> Path:
    content = artifact.model_path.read_bytes()
    artifact.model_path.write_bytes(content[: len(content) // 2])
    return artifact.path


def found(named: str | Path | None, tmp_path: Path) -> tuple[list[Finding], list[Finding]]:
    """Check on a machine on which no child can be started, so that all is done here."""
    wishes = Wishes(artifact=None if named is None else str(named))
    look = fake_look(tmp_path / "system", wishes=wishes, can_start_python=False)
    return list(check_artifact(look)), list(reference(look))


def test_a_whole_artifact_is_ok_with_its_digest(artifact: Artifact, tmp_path: Path) -> None:
    (read,), (replayed,) = found(artifact.path, tmp_path)
    assert (read.state, replayed.state) == ("ok", "ok")
    assert read.facts["model_sha256"] == artifact.manifest.model_sha256


def test_a_model_without_a_measured_bar_says_every_label(
    artifact: Artifact, tmp_path: Path
) -> None:
    assert artifact.manifest.abstention is None
    (read,), _ = found(artifact.path, tmp_path)
    assert read.facts["min_probability"] == 0.0
    assert read.sentence.endswith("every label is said: what a bar is worth was not measured")


def test_the_bundled_models_are_ok(tmp_path: Path) -> None:
    read, replayed = found(None, tmp_path)
    assert {each.state for each in (*read, *replayed)} <= {"ok", "skipped"}
    assert len(read) == 2


def test_a_model_file_that_was_cut_is_told_with_the_line_that_copies_it_again(
    cut: Path, tmp_path: Path
) -> None:
    (read,), (replayed,) = found(cut, tmp_path)
    assert read.state == "error"
    assert "it is truncated or belongs to another model" in read.sentence
    assert "copy the artifact" not in read.sentence
    assert read.mend == f"scp -r WORKSTATION:FOLDER/. {cut}"
    assert replayed.state == "skipped"


def test_a_model_file_that_was_changed(artifact: Artifact, tmp_path: Path) -> None:
    content = bytearray(artifact.model_path.read_bytes())
    content[len(content) // 2] ^= 1
    artifact.model_path.write_bytes(content)
    (read,), _ = found(artifact.path, tmp_path)
    assert (read.state, "the model was changed or damaged" in read.sentence) == ("error", True)


def test_a_manifest_that_was_edited(artifact: Artifact, tmp_path: Path) -> None:
    manifest = artifact.path / "manifest.json"
    fields = json.loads(manifest.read_text())
    fields["labels"] = list(reversed(fields["labels"]))[:-1]
    manifest.write_text(json.dumps(fields))
    (read,), _ = found(artifact.path, tmp_path)
    assert (read.state, read.mend[:6]) == ("error", "scp -r")
    manifest.write_text(manifest.read_text()[:-20])
    (read,), _ = found(artifact.path, tmp_path)
    assert "is not valid JSON" in read.sentence


@pytest.mark.parametrize("name", ["", "no-such-folder"])
def test_a_folder_that_is_none(name: str, tmp_path: Path) -> None:
    (read,), (replayed,) = found(name, tmp_path)
    assert (read.state, replayed.state) == ("error", "skipped")


def test_a_bundled_model_that_was_cut_is_installed_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(MODELS_DIR, tmp_path / "bundled")
    (tmp_path / "bundled" / "claf-ser-int8" / "model.npz").write_bytes(b"PK")
    monkeypatch.setattr("edge.runtimes.kinds.MODELS_DIR", tmp_path / "bundled")
    (cut, whole), _ = found(None, tmp_path)
    # The other kind of it can still be used.
    assert (cut.state, whole.state) == ("warning", "ok")
    assert cut.mend.startswith("pip install --force-reinstall")


@pytest.mark.parametrize(
    ("reply", "state", "sentence"),
    [
        ('\n{"ms": 1.5, "digest": "x"}\n', "ok", "answers its reference input"),
        ('\n{"error": "model gives a posterior 0.3 away from its reference", "type": "A"}\n',
         "error", "0.3 away from its reference"),
        (Ran(-9), "error", "is killed (SIGKILL), mostly for want of memory"),
        (Ran(0, "no JSON"), "error", "says nothing that can be read"),
        (Ran(3, err="Traceback\nOSError: bad"), "error", "ends with exit code 3 (OSError: bad)"),
    ],
)  # fmt: skip
def test_the_replay_in_a_child(
    artifact: Artifact, tmp_path: Path, reply: Ran | str, state: str, sentence: str
) -> None:
    programs = FakePrograms({"edge.runtimes.trial": reply})
    wishes = Wishes(artifact=str(artifact.path))
    look = fake_look(tmp_path / "system", wishes=wishes, run=programs.run)
    assert [each.state for each in check_artifact(look)] == ["ok"]
    (replayed,) = reference(look)
    assert (replayed.state, sentence in replayed.sentence) == (state, True)
    assert (replayed.mend is None) == (state == "ok")
    # The backends' check asks for the same once more.
    assert list(reference(look)) == [replayed]
    assert len(programs.asked) == 1


def test_a_board_that_is_too_slow_for_all_checks_is_not_told_to_install_anew(
    artifact: Artifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = FakePrograms({"edge.runtimes.trial": Ran(None, is_late=True)})
    wishes = Wishes(artifact=str(artifact.path))
    look = fake_look(tmp_path / "system", wishes=wishes, run=programs.run)
    assert [each.state for each in check_artifact(look)] == ["ok"]
    monkeypatch.setattr(look, "left_s", lambda: 1.0)
    (replayed,) = reference(look)
    assert (replayed.state, replayed.mend) == ("skipped", "edge-ser benchmark --backend numpy")


def test_the_replay_in_a_real_child(artifact: Artifact) -> None:
    look = Look(this_system(Programs()), Wishes(artifact=str(artifact.path)), total_s=60)
    assert [each.state for each in check_artifact(look)] == ["ok"]
    (replayed,) = reference(look)
    assert replayed.state == "ok"
    assert replayed.facts["ms"] > 0
